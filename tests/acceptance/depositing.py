"""A process that deposits one after the other until it is killed: python -m tests.acceptance.depositing URL COUNT."""

import sys
from typing import Any

from ledger import Ledger, parse_command


def deposits(count: int) -> list[dict[str, Any]]:
    """That many deposits of 1 USDT, each named by its own id."""
    terms = {"type": "deposit", "account_id": "alice", "asset": "USDT", "amount": "1"}
    return [{**terms, "deposit_id": f"D{number}"} for number in range(count)]


def main(url: str, count: int) -> None:
    with Ledger(url) as ledger:
        for content in deposits(count):
            ledger.submit([parse_command(content)], actor="bank")
            print(content["deposit_id"], flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
