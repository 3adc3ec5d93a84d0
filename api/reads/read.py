"""A read of customers' data: who asks what and why, and what is noted of the answer while it is made."""

import json
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from ledger.postgres import Connection

LONGEST_VALUE = 200
"""Characters kept of a parameter."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")

INSERT = """
insert into reads (actor, purpose, what, account_id, parameters, position, row_count, status, correlation_id)
select * from unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bigint[], %s::integer[], %s::smallint[], %s::text[]
)
"""


@dataclass(slots=True)
class Read:
    """One line of the log of reads, but for its number and time, which the database gives.

    `what` is a route or a command; `account_id` is None where no account is named. `position` (of the log), `row_count`
    and `status` (of HTTP) are what was answered, None as long as it is not known.
    """

    actor: str
    what: str
    purpose: str | None = None
    account_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str | None = None
    position: int | None = None
    row_count: int | None = None
    status: int | None = None


_being_answered: ContextVar[Read | None] = ContextVar("being_answered", default=None)


def account_in(text: str | None) -> str | None:
    """The account that a text names; None where it cannot be the id of one, such as `@prices`."""
    return text if text is not None and _IDENTIFIER.fullmatch(text) else None


def begin(read: Read) -> None:
    """What is noted from here on, in this request and in the threads that work for it, is of this read."""
    _being_answered.set(read)


def note_position(position: int) -> None:
    """Notes as of which position of the log the read is answered, where one is being answered."""
    read = _being_answered.get()
    if read is not None:
        read.position = position


def note_rows(count: int) -> None:
    """Notes how many rows the read is answered with, where one is being answered."""
    read = _being_answered.get()
    if read is not None:
        read.row_count = count


def write_reads(connection: Connection, reads: Sequence[Read]) -> None:
    """Adds lines to the log of reads in one statement; they are kept once it is committed."""
    rows = [
        (
            one.actor,
            one.purpose,
            one.what,
            one.account_id,
            _parameters(one),
            one.position,
            one.row_count,
            one.status,
            one.correlation_id,
        )
        for one in reads
    ]
    connection.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])


def _parameters(read: Read) -> str:
    """As JSON that PostgreSQL takes: a line that it refuses would take those beside it along."""
    kept = {name: _UNSTORABLE.sub("\ufffd", value[:LONGEST_VALUE]) for name, value in read.parameters.items()}
    return json.dumps(kept)
