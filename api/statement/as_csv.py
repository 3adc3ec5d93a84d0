"""A statement as CSV: one table (RFC 4180) whose first column says what kind of row each is."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from api.answers import amount, moment
from api.statement.as_json import NOT_SHOWN, balance_told
from projections.questions.statement import LineTold, Statement, WalletTold
from projections.questions.statement_range import End

COLUMNS = (
    *("kind", "account_id", "wallet", "asset", "id", "position", "recorded_at", "effective_at", "topic", "subject"),
    *("part", "amount", "balance", "free", "locked", "borrowed", "interest", "net"),
    *("reverses", "reversed_by", "reason_code", "reference", "reason", *NOT_SHOWN),
)
ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet would work out instead of showing it."""


def write_csv(statement: Statement) -> Iterator[str]:
    """The document in parts: `from`, `to` and `known`; then for each wallet `opening`, `line` and `closing` rows."""
    rows = _Rows(statement.account_id)
    yield rows.header()
    span = statement.span
    for kind, end in (("from", span.first), ("to", span.last), ("known", span.known)):
        yield rows.row(kind, wallet=statement.wallet, **_bound(end, span.by))
    for wallet, lines in statement.told():
        yield from _balances(rows, wallet, "opening")
        for line in lines:
            yield rows.row("line", wallet=wallet.wallet, **_line(line))
        yield from _balances(rows, wallet, "closing")


def _bound(end: End, by: str) -> dict[str, Any]:
    """An end by what it is: the time asked for, or else when the event at its position was recorded."""
    if by == "effective_at" and end.position is None:
        return {"effective_at": end.time}
    return {"position": end.position, "recorded_at": end.time or end.recorded_at}


def _balances(rows: "_Rows", told: WalletTold, end: str) -> Iterator[str]:
    for one in told.assets:
        yield rows.row(end, wallet=told.wallet, asset=one.asset, **balance_told(getattr(one, end)))


def _line(line: LineTold) -> dict[str, Any]:
    hidden = {name: " ".join(getattr(line, name) or ()) for name in NOT_SHOWN}
    return {**line._asdict(), "reference": _shown(line.reference), "reason": _shown(line.reason), **hidden}


def _shown(text: str | None) -> str | None:
    """What somebody wrote, as a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text is not None and text.startswith(ACTIVE) else text


class _Rows:
    """Rows of the one table, each as text."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._text = io.StringIO()
        self._writer = csv.writer(self._text)

    def header(self) -> str:
        return self._written(COLUMNS)

    def row(self, kind: str, **cells: Any) -> str:
        cells |= {name: amount(cells[name]) for name in AMOUNTS & cells.keys()}
        cells |= {name: moment(cells[name]) for name in TIMES & cells.keys() if cells[name] is not None}
        told = {"kind": kind, "account_id": self._account_id, **cells}
        return self._written(told.get(column) for column in COLUMNS)

    def _written(self, cells: Any) -> str:
        self._writer.writerow(cells)
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text


AMOUNTS = {"amount", "balance", "free", "locked", "borrowed", "interest", "net"}
TIMES = {"recorded_at", "effective_at"}
