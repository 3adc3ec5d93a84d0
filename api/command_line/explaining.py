"""`ledger explain ID`: a liquidation or a margin call told from the log alone, with every number worked out again."""

import re
from typing import Annotated, Any, cast

import typer

from api.answers import json_of
from api.command_line.looking import logged_url
from api.command_line.points import time_of, time_span
from api.command_line.screen import Exit, note, say, stop
from api.command_line.story import print_story
from ledger.postgres import SERVICE, connect
from ledger.shown_texts import texts_shown
from projections.questions.explanation import explanation_of
from projections.questions.explanation_case import case_at, case_of
from projections.questions.explanation_path import Span
from projections.snapshot import open_snapshot

NAMED = re.compile(r"[A-Za-z0-9_.:\-]{1,64}\.[1-9][0-9]{0,17}")


def explain(
    named: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="ACCOUNT.VERSION of a liquidation or margin call, or the position of one of its events."
        ),
    ],
    over: Annotated[
        str, typer.Option(metavar="TIME", help="How long before it the level is told: 30m, 1h, 2d.")
    ] = "1h",
    position: Annotated[int | None, typer.Option(min=0, help="As of this position of the log.")] = None,
    recorded_at: Annotated[str | None, typer.Option(metavar="TIME", help="As of what was recorded by then.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many steps of the level to show, the last ones.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell how a wallet came to its line, what was sold, repaid, charged, covered and left, and check every number.

    Reads the log alone. Each number is worked out again from what is stated before it, and each decision is made again
    and compared byte by byte. Ends with 1 if one does not agree.
    """
    if position is not None and recorded_at is not None:
        stop("--position and --recorded-at both say what was known; give one of them", Exit.USAGE)
    known = {"position": position, "recorded_at": None if recorded_at is None else time_of(recorded_at)}
    found = _found(named, Span(time_span(over), limit), known)
    say(json_of(found, indent=2)) if as_json else print_story(found)
    for one in found["checks"]:
        if not one["agrees"]:
            note(f"does not agree: {one['name']} at position {one['position']}: {_told(one)}")
    if not found["agrees"]:
        raise typer.Exit(Exit.DIFFERENCE)


def _told(check: dict[str, Any]) -> str:
    return f"{check['stated'] or 'nothing'} is stated, {check['recomputed'] or 'nothing'} is what it comes to"


def _found(named: str, span: Span, known: dict[str, Any]) -> dict[str, Any]:
    by_position = named.isascii() and named.isdigit() and len(named) <= 18
    if not by_position and not NAMED.fullmatch(named):
        stop(f"{named!r} is neither ACCOUNT.VERSION, such as alice.8, nor a position of the log", Exit.USAGE)
    account_id, _, version = named.rpartition(".")
    url = logged_url("explain", [account_id])
    with (
        connect(url, application_name="ledger explain", role=SERVICE) as connection,
        # No projection is waited for, as none is asked.
        open_snapshot(connection, names=(), **known) as snapshot,
    ):
        if by_position:
            case = case_at(snapshot.connection, int(named), snapshot.position)
        else:
            case = case_of(snapshot.connection, account_id, int(version), snapshot.position)
        found = explanation_of(snapshot.connection, case, span)
        return cast(dict[str, Any], texts_shown(snapshot.connection, found))
