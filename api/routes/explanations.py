"""Liquidations and margin calls explained from the log alone, each number worked out again; customers see their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.answers import answer
from api.asking import AccountId, AnyCaller, AsOf, AtPosition, AtRecorded, Limit, Position, TheDoors, one_of
from api.doors import Doors
from api.examples import example
from api.examples_of_explanations import CALL_EXPLAINED, LIQUIDATION_EXPLAINED
from api.reads.read import note_position
from api.roles import Caller, Resource, may_read, require_may_read, seen_by
from api.words import Whole
from ledger import texts_shown
from projections.questions.explanation import explained_call, explained_liquidation
from projections.questions.explanation_path import Span
from projections.snapshot import Snapshot, open_snapshot

router = APIRouter(tags=["liquidations"])

MOST_FOLDED = 100_000


def asked_known(position: AtPosition = None, recorded_at: AtRecorded = None) -> AsOf:
    """What was known: up to a position or a recorded time; without one, all that is in the log."""
    return one_of(AsOf(position, recorded_at))


def asked_span(
    over_seconds: Annotated[
        Whole, Query(ge=1, le=604_800, description="How long before it the level is told, in seconds of business time.")
    ] = 3600,
    limit: Limit = 200,
) -> Span:
    """How much of the way to the line is told."""
    return Span(timedelta(seconds=over_seconds), limit, MOST_FOLDED)


Known = Annotated[AsOf, Depends(asked_known)]
AskedSpan = Annotated[Span, Depends(asked_span)]


@router.get(
    "/v1/liquidations/{liquidation_id}/explanation",
    summary="Why a wallet was liquidated, and whether every number is right",
    responses=example(LIQUIDATION_EXPLAINED),
)
def get_liquidation_explanation(
    caller: AnyCaller,
    doors: TheDoors,
    known: Known,
    liquidation_id: Annotated[
        str, Path(pattern=r"^[A-Za-z0-9_.:\-]{1,64}\.[0-9]{1,18}$", description="ACCOUNT.VERSION")
    ],
    span: AskedSpan,
) -> Response:
    """Told from the log alone, whatever the projections say.

    `path` is the level at each of the last `limit` steps that moved it, `crossing` the one that took it to its line or
    below; `prices` have the log position of the vector that marked each. `checks` has every number: as it is stated,
    and as it comes to when it is worked out again from what is stated before it, and when each decision is made again.
    `agrees` is false where one is not the same.
    """
    require_may_read(caller, Resource.LIQUIDATIONS, liquidation_id.rpartition(".")[0])
    with _opened(doors, known) as snapshot:
        found = texts_shown(snapshot.connection, explained_liquidation(snapshot, liquidation_id, span))
    return answer(_for_reader(caller, found))


@router.get(
    "/v1/accounts/{account_id}/margin-calls/{call_position}/explanation",
    summary="Why a wallet was called, and whether every number is right",
    responses=example(CALL_EXPLAINED),
)
def get_margin_call_explanation(
    caller: AnyCaller,
    doors: TheDoors,
    known: Known,
    account_id: AccountId,
    call_position: Annotated[Position, Path(description="The call's position, as GET /v1/margin-calls lists it.")],
    span: AskedSpan,
) -> Response:
    """The same of a margin call: how the level came to the call line, and every number of the call again."""
    require_may_read(caller, Resource.LIQUIDATIONS, account_id)
    with _opened(doors, known) as snapshot:
        found = texts_shown(snapshot.connection, explained_call(snapshot, account_id, call_position, span))
    return answer(_for_reader(caller, found))


@contextmanager
def _opened(doors: Doors, known: AsOf) -> Iterator[Snapshot]:
    """A view of the log as of what was known; no projection is waited for, as none is asked."""
    with open_snapshot(doors.pool, position=known.position, recorded_at=known.recorded_at, names=()) as snapshot:
        note_position(snapshot.position)
        yield snapshot


def _for_reader(caller: Caller, found: dict[str, Any]) -> dict[str, Any]:
    """The answer without what the insurance fund holds, where the caller may not read the house's reports.

    Its last events are told as the audit trail tells them to the caller.
    """
    found = {**found, "last_events": [seen_by(caller, one) for one in found["last_events"]]}
    if "insurance" not in found or may_read(caller, Resource.REPORTS):
        return found
    fund = found["insurance"]
    steps = [{**step, "assets": _changes_alone(step["assets"])} for step in fund["steps"]]
    return {**found, "insurance": {"uncovered": fund["uncovered"], "steps": steps}}


def _changes_alone(assets: dict[str, Any]) -> dict[str, Any]:
    return {asset: {"change": moved["change"]} for asset, moved in assets.items()}
