"""A statement as JSON: names in one order, amounts as plain strings, a line of text for each line of a book."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from api.answers import json_of
from ledger.wallets import Balance
from projections.questions.statement import LineTold, Statement, WalletTold

FORMAT = 1
"""The form of all three documents; bytes that were given out stay those of their format for ever."""
NOT_SHOWN = ("erased", "unreadable")


def write_json(statement: Statement) -> Iterator[str]:
    """The document in parts."""
    yield json_of(heading(statement))[:-1] + ',"wallets":['
    between = "\n"
    for wallet, lines in statement.told():
        yield between + json_of(_wallet(wallet))[:-1] + ',"lines":['
        yield from _lines(lines)
        yield "]}"
        between = ",\n"
    yield "]}\n"


def heading(statement: Statement) -> dict[str, Any]:
    """What the statement is of."""
    span = statement.span
    ends = {"from": span.first._asdict(), "to": span.last._asdict()}
    known = {"position": span.known.position, "recorded_at": span.known.recorded_at}
    return {
        "format": FORMAT,
        "account_id": statement.account_id,
        "wallet": statement.wallet,
        "range": {"by": span.by, **ends, "known": known},
    }


def _wallet(told: WalletTold) -> dict[str, Any]:
    assets = [
        {"asset": one.asset, "opening": balance_told(one.opening), "closing": balance_told(one.closing)}
        for one in told.assets
    ]
    return {"wallet": told.wallet, "assets": assets}


def balance_told(balance: Balance) -> dict[str, Decimal]:
    """A balance as questions answer it: what is owed is above zero, `net` is what is left."""
    return {**balance._asdict(), "net": balance.net}


def _lines(lines: Iterator[LineTold]) -> Iterator[str]:
    between = "\n"
    for line in lines:
        yield between + json_of(_line(line))
        between = ",\n"


def _line(line: LineTold) -> dict[str, Any]:
    """A line's fields; what says of texts that they cannot be shown is there only where that is so."""
    fields = line._asdict()
    return {name: value for name, value in fields.items() if value is not None or name not in NOT_SHOWN}
