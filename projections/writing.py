"""How projectors write rows: gathered as text while a batch is folded, and written later in few statements.

Rows are put into text column by column, which takes a third of the time that it takes value by value, and away from
the database, so that one batch is being written while the next one is folded.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from ledger.log import half_of
from ledger.postgres import Connection

Row = Sequence[Any]
Column = Sequence[Any]
Columns = Mapping[str, str]
"""The SQL type of each column by its name; a jsonb column takes text."""


class History(NamedTuple):
    """A table of states, each with its position, and the table beside it that has the last state of each key.

    `columns` are those of the states; `current_columns` those that the other table has of them too, in any order.
    """

    states: str
    current: str
    columns: Columns
    current_columns: Columns
    key: tuple[str, ...]

    def last_of(self, states: Sequence[Row]) -> list[Row]:
        """The rows of what is current after these states, which are in log order."""
        names = list(self.columns)
        at_key, at_current = ([names.index(name) for name in some] for some in (self.key, self.current_columns))
        take_key, take_current = itemgetter(*at_key), itemgetter(*at_current)
        return list(map(take_current, {take_key(state): state for state in states}.values()))

    def gather(self, connection: Connection, half: int | None = None) -> int:
        """Puts the last state of each key into the table that has none yet; returns how many there are.

        With a `half` only those of its accounts, whose id is the first column of every key.
        """
        names, key = ", ".join(self.current_columns), ", ".join(self.key)
        own = "" if half is None else f"where {half_of(self.key[0])} = {half}"
        gathered = connection.execute(
            f"insert into {self.current} ({names}) select {names} from {self.states} join"
            f" (select {key}, max(position) as position from {self.states} {own} group by {key}) as last"
            f" using ({key}, position)".encode()
        )
        return gathered.rowcount


_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})
_NULL = "\\N"


class Writes:
    """What a batch of events changes in the tables of one projection, in the order in which it must be written."""

    def __init__(self) -> None:
        self._writes: list[Callable[[Connection], None]] = []
        self._states: list[tuple[History, Sequence[Row]]] = []
        self.rows = 0

    def add_states(self, history: History, states: Sequence[Row]) -> None:
        """Adds states in log order; then `put_current` or `leave_current` says what becomes of what is current."""
        self.append(history.states, history.columns, states)
        if states:
            self._states.append((history, states))

    def put_current(self) -> None:
        """Has the last states put into the tables of what is current."""
        for history, states in self._states:
            self.put(history.current, history.current_columns, history.last_of(states), key=history.key)
        self._states.clear()

    def leave_current(self) -> list[History]:
        """Leaves what is current to who gathers it later; returns the histories that have further states."""
        histories = [history for history, _ in self._states]
        self._states.clear()
        return histories

    def append(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        """Adds rows to a table."""
        if rows:
            copied = map(_copied, columns.values(), zip(*rows, strict=True))
            self.append_lines(table, columns, list(map("\t".join, zip(*copied, strict=True))))

    def append_lines(self, table: str, columns: Columns, lines: Sequence[str]) -> None:
        """Adds rows that are text already, their columns as `copied_text`, `copied_time` and `str` give them.

        For tables with the most rows: their rows are of few texts, so to put these together takes half the time.
        """
        if not lines:
            return
        self.rows += len(lines)
        statement = _copying(table, tuple(columns))
        content = ("\n".join(lines) + "\n").encode()

        def copy(connection: Connection) -> None:
            with connection.cursor() as cursor, cursor.copy(statement) as copying:
                copying.write(content)

        self._writes.append(copy)

    def put(self, table: str, columns: Columns, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Inserts rows, or where a row has the same `key` sets its other columns; no two rows may share a key."""
        self._over_arrays(_putting(table, tuple(columns.items()), tuple(key)), columns, rows)

    def change(self, table: str, columns: Columns, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Sets the columns of rows that are there; no two rows may share a key."""
        self._over_arrays(_changing(table, tuple(columns.items()), tuple(key)), columns, rows)

    def run(self, write: Callable[[Connection], None]) -> None:
        """Has something else written, after what was given before."""
        self._writes.append(write)

    def write(self, connection: Connection) -> None:
        """Writes all, in the schema that the connection works in, and within its transaction."""
        for write in self._writes:
            write(connection)

    def _over_arrays(self, statement: bytes, columns: Columns, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self.rows += len(rows)
        arrays = list(map(_array, columns.values(), zip(*rows, strict=True)))
        self._writes.append(lambda connection: _execute(connection, statement, arrays))


def _execute(connection: Connection, statement: bytes, arrays: list[str]) -> None:
    connection.execute(statement, arrays)


@lru_cache
def _copying(table: str, columns: tuple[str, ...]) -> bytes:
    return f"copy {table} ({', '.join(columns)}) from stdin".encode()


@lru_cache
def _putting(table: str, columns: tuple[tuple[str, str], ...], key: tuple[str, ...]) -> bytes:
    names = [name for name, _ in columns]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return (
        f"insert into {table} ({', '.join(names)}) select * from unnest({arrays})"
        f" on conflict ({', '.join(key)}) do update set {changes}"
    ).encode()


@lru_cache
def _changing(table: str, columns: tuple[tuple[str, str], ...], key: tuple[str, ...]) -> bytes:
    names = [name for name, _ in columns]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
    changes = ", ".join(f"{name} = new.{name}" for name in names if name not in key)
    same = " and ".join(f"{table}.{name} = new.{name}" for name in key)
    return (f"update {table} set {changes} from unnest({arrays}) as new ({', '.join(names)}) where {same}").encode()


def _copied(kind: str, column: Column) -> Sequence[str]:
    """A column as COPY takes it."""
    texts = _texts(kind, column)
    if kind in ("text", "jsonb") and _has_any(texts, "\\\t\n\r"):
        texts = [text and text.translate(_COPY_ESCAPES) for text in texts]
    return [_NULL if text is None else text for text in texts] if None in texts else texts  # type: ignore[return-value]


def _array(kind: str, column: Column) -> str:
    """A column as the text of an array."""
    texts = _texts(kind, column)
    if kind in ("text", "jsonb") and _has_any(texts, '\\"'):
        texts = [text and text.translate(_ARRAY_ESCAPES) for text in texts]
    return "{" + ",".join(["NULL" if text is None else f'"{text}"' for text in texts]) + "}"


def _has_any(texts: Sequence[str | None], characters: str) -> bool:
    whole = "".join([text for text in texts if text is not None])
    return any(character in whole for character in characters)


def _texts(kind: str, column: Column) -> Sequence[str | None]:
    """Each value as PostgreSQL reads it, None for null."""
    if kind in ("text", "jsonb"):
        return column
    if kind == "timestamptz":
        return list(map(_time, column))
    if kind == "boolean":
        return ["t" if value else "f" for value in column]
    texts = list(map(str, column))
    # Few columns have nulls, and to ask each value first takes longer than to make the text.
    return [None if text == "None" else text for text in texts] if "None" in texts else texts


@lru_cache(maxsize=65_536)
def _time(at: datetime | None) -> str | None:
    """All rows of an event share its times, in whatever table they are."""
    return None if at is None else at.isoformat()


def copied_time(at: datetime) -> str:
    """A time as COPY takes it."""
    return _time(at) or _NULL


@lru_cache(maxsize=65_536)
def copied_text(text: str | None) -> str:
    """A text, or null, as COPY takes it."""
    return _NULL if text is None else text.translate(_COPY_ESCAPES)
