"""An outside statement as CSV: its lines in order, read one by one, never held as a whole."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple

from api.outside.cells import (
    AmountForm,
    TimeForm,
    Unreadable,
    account_of,
    asset_of,
    reference_of,
    shown,
    signed,
)

LONGEST_LINE_BYTES = 100_000
BYTE_ORDER_MARK = "\ufeff"
FIELDS = ("time", "account", "asset", "amount", "reference", "direction")
MAY_BE_MISSING = {"reference", "direction"}
INCOMING = frozenset({"in", "credit", "cr", "c", "deposit", "+"})
OUTGOING = frozenset({"out", "debit", "dr", "d", "withdrawal", "-"})


class OutsideLine(NamedTuple):
    """A line: its number in the file from 1, its text as it was, how many bytes lie up to its end, and what it says.

    The amount is signed as the customer sees it: what came in is above zero.
    """

    number: int
    text: str
    end: int
    time: datetime
    is_day: bool
    account_id: str
    asset: str
    amount: Decimal
    reference: str | None


class Complaint(NamedTuple):
    """Why a line cannot be read."""

    number: int
    why: str


class NoStatement(Exception):
    """A file that is no statement of this layout at all."""


@dataclass(frozen=True)
class Layout:
    """How the file is written. `columns` has the headers of fields that are not headed by their own name, `constants`
    the account and the asset of a file that has none."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    times: TimeForm
    amounts: AmountForm
    delimiter: str = ","
    encoding: str = "utf-8"
    incoming: frozenset[str] = INCOMING
    outgoing: frozenset[str] = OUTGOING


class _Texts:
    """The lines of a file as text, and those that were taken since they were last asked for."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self.number = 0
        self._taken: list[str] = []
        self._taken_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        content = self._file.readline(LONGEST_LINE_BYTES + 1)
        if not content:
            raise StopIteration
        self.number += 1
        self._taken_bytes += len(content)
        if self._taken_bytes > LONGEST_LINE_BYTES:
            raise NoStatement(
                f"line {self.number - len(self._taken)}: it is longer than {LONGEST_LINE_BYTES:,} bytes; is a "
                "quotation mark left open, or --delimiter another one?"
            )
        try:
            text = content.decode(self._encoding)
        except UnicodeDecodeError as error:
            found = content[error.start : error.start + 1]
            raise NoStatement(
                f"line {self.number}: byte {found!r} is no {self._encoding}; state the --encoding of the file"
            ) from None
        if self.number == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
        self._taken.append(text)
        return text

    @property
    def first(self) -> int:
        """The number of the first line taken."""
        return self.number - len(self._taken) + 1 if self._taken else self.number

    def take(self) -> tuple[int, str]:
        """The number of the first line taken, and the text of all of them without the last one's end."""
        first, text = self.first, "".join(self._taken).rstrip("\r\n")
        self._taken.clear()
        self._taken_bytes = 0
        return first, text


def read_statement(file: BinaryIO, layout: Layout) -> Iterator[OutsideLine | Complaint]:
    """Every line of a statement in order; NoStatement where the file is none. Empty lines and repeated headers count
    for nothing."""
    texts = _Texts(file, layout.encoding)
    records = csv.reader(texts, delimiter=layout.delimiter, strict=True)
    header: list[str] | None = None
    places: dict[str, int] = {}
    while (record := _next(records, texts)) is not None:
        number, text = texts.take()
        cells = [cell.strip() for cell in record]
        if not any(cells) or cells == header:
            continue
        if header is None:
            header, places = cells, _places(cells, layout)
        elif len(cells) != len(header):
            yield Complaint(number, f"it has {len(cells)} cells and the header {len(header)}; is a cell not quoted?")
        else:
            yield _line(number, text, file.tell(), {name: cells[place] for name, place in places.items()}, layout)
    if header is None:
        raise NoStatement("the file has no header; its first line names the columns")


def _next(records: Iterator[list[str]], texts: _Texts) -> list[str] | None:
    try:
        return next(records, None)
    except csv.Error as error:
        raise NoStatement(f"line {texts.first}: it is no CSV from here on ({error}); quote what needs it") from None


def _places(header: list[str], layout: Layout) -> dict[str, int]:
    """Where each field stands; names are looked for without regard to case."""
    names = [name.casefold() for name in header]
    places: dict[str, int] = {}
    for field in FIELDS:
        named = layout.columns.get(field, field)
        found = names.count(named.casefold())
        if found > 1:
            raise NoStatement(f"the header names {named!r} {found} times; name each column once")
        if found and field in layout.constants:
            raise NoStatement(f"the file has a column {named!r}, so --{field} {layout.constants[field]} is left out")
        if found:
            places[field] = names.index(named.casefold())
        elif field in layout.columns or (field not in MAY_BE_MISSING and field not in layout.constants):
            raise NoStatement(
                f"there is no column {named!r} for the {field}; the header names {', '.join(map(repr, header))}. "
                f'Map it with --column {field}="ITS HEADER"{_or_constant(field)}'
            )
    return places


def _or_constant(field: str) -> str:
    return f", or state --{field}" if field in ("account", "asset") else ""


def _line(number: int, text: str, end: int, cells: dict[str, str], layout: Layout) -> OutsideLine | Complaint:
    said = {**layout.constants, **cells}
    try:
        if "\0" in text:
            raise Unreadable(f"{shown(text)} has a character zero in it; no text of the ledger may")
        moment = layout.times.read(said["time"])
        amount = layout.amounts.read(said["amount"])
        if "direction" in said:
            amount = signed(amount, said["direction"], layout.incoming, layout.outgoing)
        account_id, asset = account_of(said["account"]), asset_of(said["asset"])
        reference = reference_of(said.get("reference", ""))
    except Unreadable as why:
        return Complaint(number, str(why))
    return OutsideLine(number, text, end, *moment, account_id, asset, amount, reference)
