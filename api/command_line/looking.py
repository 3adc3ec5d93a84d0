"""Who looked: reads from the command line are logged before they are answered, and `ledger reads` lists all reads."""

import os
import pwd
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC
from typing import Annotated, Any

import typer

from api.answers import json_of
from api.command_line.database import readable_url
from api.command_line.points import time_of
from api.command_line.screen import Exit, note, out, say, stop, table_of
from api.reads.log import ReadSettings
from api.reads.purpose import purpose_in
from api.reads.queries import FIRST, LAST, Which, is_place, place_of
from api.reads.queries import reads as list_reads
from api.reads.read import Read, account_in, write_reads
from ledger.postgres import SERVICE, Connection, connect

stated_purpose: ContextVar[str | None] = ContextVar("stated_purpose", default=None)
"""Set by `ledger --purpose`."""
goes_unlogged: ContextVar[bool] = ContextVar("goes_unlogged", default=False)
"""Set by `ledger --unlogged`."""


def logged_url(command: str, accounts: Sequence[str] = ()) -> str:
    """The chosen database to read customers' data from, after it has a line of who does, of what, and why.

    Ends the command where no line can be written. A read-only replica takes none: `--unlogged` goes on and says so.
    """
    purpose = purpose_in(stated_purpose.get())
    if purpose is None and ReadSettings().purpose_required:
        stop("who reads customers' data must say why: ledger --purpose 'ticket 4711' ... does", Exit.USAGE)
    url = readable_url()
    asked = {"arguments": shlex.join(_without_purpose(sys.argv[1:]))}
    named = [account_in(account) for account in accounts] or [None]
    lines = [Read(local_actor(), f"ledger {command}", purpose, account, asked) for account in named]
    with connect(url, application_name="ledger reads", role=SERVICE, autocommit=True) as connection:
        if _is_replica(connection):
            _go_on_unlogged()
            return url
        # A server, a user or PGOPTIONS may make transactions read-only by default: that keeps no line from being left.
        connection.read_only = False
        with connection.transaction():
            write_reads(connection, lines)
    return url


def _is_replica(connection: Connection) -> bool:
    row: tuple[bool] | None = connection.execute("select pg_is_in_recovery()").fetchone()
    return row is not None and row[0]


def _without_purpose(arguments: Sequence[str]) -> Iterator[str]:
    """The command line but for its purpose, which has a column that not everybody sees who sees the arguments."""
    left = iter(arguments)
    for argument in left:
        if argument == "--purpose":
            next(left, None)
        elif not argument.startswith("--purpose="):
            yield argument


def _go_on_unlogged() -> None:
    if not goes_unlogged.get():
        stop(
            "this database is a read-only replica, which cannot log who reads customers' data: name the primary in "
            "LEDGER_DATABASE_URL, or read all the same with ledger --unlogged ..."
        )
    note("this read is not logged: the database is a read-only replica")


def local_actor() -> str:
    """Who runs the command, `local:USER`, by the process's own user and not by what the environment says."""
    try:
        return f"local:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"local:{os.getuid()}"


def reads(
    account: Annotated[str | None, typer.Option(help="Only reads that named this account.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this reader: auditor:NAME, local:USER.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Read at this time or later.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Read at this time or earlier.")] = None,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Only reads before the one of this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell who looked at customers' data, what for, and what became of it, the last read first; this one is logged too.

    A read that names no account was of all of them, as far as its filters let pass.
    """
    which = Which(account, actor, None if first is None else time_of(first), None if last is None else time_of(last))
    if before is not None and not is_place(before):
        stop(f"--before takes the id of a read, not {before!r}", Exit.USAGE)
    place = LAST if before is None else place_of(before)
    with connect(logged_url("reads", [account] if account else ()), role=SERVICE) as connection:
        rows = list_reads(connection, which, after=FIRST, before=place, limit=limit + 1, newest_first=True)
    shown, following = rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None
    if as_json:
        say(json_of({"reads": shown, "next": following}, indent=2))
        return
    _print(shown)
    if following is not None:
        say(f"earlier reads: --before {following}")


def _print(shown: Sequence[dict[str, Any]]) -> None:
    rows = (
        (
            f"{one['read_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            one["actor"],
            one["purpose"],
            one["what"],
            one["account_id"],
            ", ".join(f"{name}={value}" for name, value in one["parameters"].items()),
            one["position"],
            one["row_count"],
            one["status"],
        )
        for one in shown
    )
    columns = ["read at (UTC)", "by", "purpose", "what", "account", "asked with", "as of", "rows", "status"]
    out().print(table_of(None, columns, rows, right=(6, 7, 8)))
