"""Renders one notification for each recipient from templates/NAME.LANGUAGE.txt.

One-shot handler: the run line arrives on stdin, the last line on descriptor VIGIL_FD is the outcome.
A template's first line is the subject, the rest the body; {name} stands for a field of the recipient.
Values are put in as they are and never looked at again, so braces or shell text in them stay text.
"""

import json
import os
import re
import sys

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def outcome(request):
    path = f"templates/{request['template']}.txt"
    if not re.fullmatch(r"[a-z-]+\.[a-z]{2}", request["template"]) or not os.path.exists(path):
        return fail("template_unknown", f"there is no template {request['template']}")
    with open(path, encoding="utf-8") as file:
        subject, _, body = file.read().partition("\n")
    messages = []
    for number, recipient in enumerate(request["recipients"], start=1):
        missing = sorted({*PLACEHOLDER.findall(subject), *PLACEHOLDER.findall(body)} - recipient.keys())
        if missing:
            return fail("field_missing", f"recipient {number} has no {', '.join(missing)}")
        fill = lambda text: PLACEHOLDER.sub(lambda match: str(recipient[match.group(1)]), text)  # noqa: E731
        messages.append({"to": recipient["address"], "subject": fill(subject), "body": fill(body).strip()})
    return {"done": {"template": request["template"], "count": len(messages), "messages": messages}}


def fail(code, detail):
    return {"fail": {"code": code, "detail": detail, "retryable": False}}


def main():
    run = json.loads(sys.stdin.readline())
    line = json.dumps(outcome(run["input"]), separators=(",", ":")) + "\n"
    data = memoryview(line.encode())
    while data:
        data = data[os.write(int(os.environ["VIGIL_FD"]), data) :]


if __name__ == "__main__":
    main()
