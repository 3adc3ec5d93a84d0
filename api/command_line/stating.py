"""`ledger statement ACCOUNT`: the document that the API answers, byte for byte."""

from pathlib import Path
from typing import Annotated

import typer

from api.command_line.files import opened_file
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of, wallet_of
from api.command_line.screen import Exit, note, stop
from api.statement.document import FORMS, write_parts
from ledger.errors import ProjectionsBehind
from ledger.postgres import SERVICE, connect
from projections.questions.statement import open_statement
from projections.questions.statement_range import Asked


def statement(
    account: Annotated[str, typer.Argument(help="An account.")],
    first: Annotated[
        str | None, typer.Option("--from", metavar=POINT, help=f"What came after {POINT_HELP}; all if left out.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar=POINT, help="Up to and with such a point; the log's end if left out.")
    ] = None,
    effective: Annotated[bool, typer.Option("--effective", help="Times are business times.")] = False,
    known: Annotated[
        int | None,
        typer.Option(
            "--known", min=0, metavar="POSITION", help="With --effective: as known at this position; else now."
        ),
    ] = None,
    wallet: Annotated[str | None, typer.Option(help="Only this wallet: spot, cross or isolated:BTC/USDT.")] = None,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMS)}.")] = "html",
    out: Annotated[
        Path | None, typer.Option("--out", help="A file, whole or not there; standard output if left out.")
    ] = None,
) -> None:
    """Write an account's statement: what it held, every line that moved it, and what it then held, by wallet.

    The same range gives the same bytes whenever it is asked for; their SHA-256 goes to stderr.
    """
    if form not in FORMS:
        stop(f"--format is {form!r}; it is one of {', '.join(FORMS)}", Exit.USAGE)
    _require_points_that_go_together(first, last, known, effective=effective)
    start, end = point_of(first, effective=effective), point_of(last, effective=effective)
    asked = Asked(account, start, end, known, None if wallet is None else wallet_of(wallet), ("--from", "--to"))
    with connect(logged_url("statement", [account]), application_name="ledger statement", role=SERVICE) as connection:
        try:
            with open_statement(connection, asked) as told, opened_file(out) as file:
                size, digest = write_parts(FORMS[form].write(told), file)
        except ProjectionsBehind as refusal:
            stop(refusal.detail)
    position = told.span.known.position
    note(f"{size:,} bytes up to position {position} of the log, SHA-256 {digest.hex()}")


def _require_points_that_go_together(
    first: str | None, last: str | None, known: int | None, *, effective: bool
) -> None:
    """Refuses, by the names of the options, what cannot be asked together."""
    if effective and first is None and last is None:
        stop("--effective says what the times of --from and --to are, and neither is given", Exit.USAGE)
    if effective and last is None:
        stop("--effective needs --to: a statement between business times states its end", Exit.USAGE)
    if known is not None and not effective:
        stop("--known goes with business times only: add --effective, or leave it out", Exit.USAGE)
