"""Rolls up orders: reads data/orders-YYYY-MM.csv, groups the rows, adds up quantities and amounts.

Pooled handler: says hello once, then answers one JSON line for each run line on the socket VIGIL_FD.
Amounts are added as decimals and printed with two places; nothing is ever rounded on the way.
"""

import csv
import json
import os
import socket
from decimal import Decimal

GROUPS = {"customer", "country", "product", "month", "status"}


class BadInput(Exception):
    """The input asks for something that is not there; trying again does not help."""


def rows(month):
    path = f"data/orders-{month}.csv"
    if not os.path.exists(path):
        raise BadInput(f"there are no orders of {month}; the files lie in data/")
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            row["month"] = month
            yield row


def roll_up(request):
    group_by = request["group_by"]
    if group_by not in GROUPS:
        raise BadInput(f"group_by is {group_by}; use one of {', '.join(sorted(GROUPS))}")
    wanted = request.get("status")
    groups = {}
    for month in request["months"]:
        for row in rows(month):
            if wanted and row["status"] != wanted:
                continue
            group = groups.setdefault(row[group_by], {"orders": 0, "quantity": 0, "amount": Decimal(0)})
            group["orders"] += 1
            group["quantity"] += int(row["quantity"])
            group["amount"] += int(row["quantity"]) * Decimal(row["unit_price"])
    ordered = sorted(groups.items(), key=lambda item: (-item[1]["amount"], item[0]))
    total = sum((group["amount"] for _, group in ordered), Decimal(0))
    return {
        "group_by": group_by,
        "groups": [
            {"key": key, "orders": group["orders"], "quantity": group["quantity"], "amount": f"{group['amount']:.2f}"}
            for key, group in ordered[: request.get("top", len(ordered))]
        ],
        "orders": sum(group["orders"] for _, group in ordered),
        "total": f"{total:.2f}",
    }


def answer(run):
    try:
        return {"run": run["run"], "done": roll_up(run["input"])}
    except BadInput as problem:
        return {"run": run["run"], "fail": {"code": "bad_input", "detail": str(problem), "retryable": False}}


def main():
    channel = socket.socket(fileno=int(os.environ["VIGIL_FD"])).makefile("rw", encoding="utf-8", newline="\n")

    def send(message):
        channel.write(json.dumps(message, separators=(",", ":")) + "\n")
        channel.flush()

    send({"hello": 1, "handlers": ["orders.rollup"]})
    for line in channel:
        message = json.loads(line)
        if "run" in message:
            send(answer(message))


if __name__ == "__main__":
    main()
