"""Signs data/LEDGER.csv: adds up its bookings and makes an HMAC-SHA-256 over its bytes.

One-shot handler. The key's value is in a file that only this run can read; the run line's `secrets` says where.
"""

import csv
import hashlib
import hmac
import json
import os
import sys
from decimal import Decimal


def outcome(run):
    request = run["input"]
    path = f"data/{request['ledger']}.csv"
    if not os.path.exists(path):
        return fail("ledger_missing", f"there is no ledger of {request['ledger']}")
    with open(path, "rb") as file:
        ledger = file.read()
    bookings = list(csv.DictReader(ledger.decode("utf-8").splitlines()))
    total = sum((Decimal(booking["amount"]) for booking in bookings), Decimal(0))
    if total != 0:
        return fail("ledger_unbalanced", f"the bookings add up to {total:.2f} instead of 0.00")
    with open(run["secrets"][request["key"].removeprefix("secret://")], "rb") as file:
        signature = hmac.new(file.read(), ledger, hashlib.sha256).hexdigest()
    print(f"signed {len(bookings)} bookings")
    return {"done": {"ledger": request["ledger"], "bookings": len(bookings), "hmac_sha256": signature}}


def fail(code, detail):
    return {"fail": {"code": code, "detail": detail, "retryable": False}}


def main():
    line = json.dumps(outcome(json.loads(sys.stdin.readline())), separators=(",", ":")) + "\n"
    data = memoryview(line.encode())
    while data:
        data = data[os.write(int(os.environ["VIGIL_FD"]), data) :]


if __name__ == "__main__":
    main()
