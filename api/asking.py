"""What questions share: as of when, which page, and the snapshot that all parts of an answer are read in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query as QueryParameter
from fastapi.routing import APIRoute

from api.doors import Doors, caller_of, doors_of
from api.reads.read import note_position, note_rows
from api.roles import Caller
from api.words import Whole
from ledger.commands.fields import Time
from ledger.errors import Malformed, UnknownAccount, UnknownLiquidation
from ledger.words import Identifier
from projections.accounts.queries import account
from projections.questions.known import known_of_account
from projections.snapshot import Snapshot, open_snapshot

MOST_ROWS = 1000
LAST_POSITION = 2**62
PURPOSE_PARAMETER = "purpose"
"""What every question takes besides its own: why it is asked (api/reads/door.py)."""

Position = Annotated[Whole, Query(ge=0, le=LAST_POSITION)]
LogSize = Annotated[Whole, Path(ge=1, le=LAST_POSITION, description="How many events of the log, from the first on.")]
Order = Annotated[
    Literal["asc", "desc"],
    Query(description="`desc`: from the last row back; then `next` is what `before` must say to read on."),
]
Limit = Annotated[Whole, Query(ge=1, le=MOST_ROWS, description="How many rows at most.")]
AccountId = Annotated[Identifier, Path(description="The caller's own id of the account.")]


@dataclass(frozen=True, slots=True)
class AsOf:
    """As of when a question is asked; all None: everything recorded before the question arrived.

    `position` or `recorded_at` say what was known, `effective_at` what of that counts.
    """

    position: int | None = None
    recorded_at: datetime | None = None
    effective_at: datetime | None = None
    min_position: int | None = None
    stale: bool = False

    @property
    def stated(self) -> dict[str, Any] | None:
        """What the question states of when, as the answer repeats it; None: now."""
        names = ("position", "recorded_at", "effective_at")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None} or None

    @contextmanager
    def open(self, doors: Doors) -> Iterator[Snapshot]:
        """The snapshot to read in; Unavailable where the projections do not get there in time."""
        with open_snapshot(
            doors.pool,
            position=self.position,
            recorded_at=self.recorded_at,
            effective_at=self.effective_at,
            min_position=self.min_position,
            stale=self.stale,
            timeout_seconds=doors.wait_seconds,
        ) as snapshot:
            note_position(snapshot.position)
            yield snapshot


AtPosition = Annotated[Position | None, Query(description="As of this position of the log.")]
AtRecorded = Annotated[Time | None, Query(description="As of what was recorded up to this time (RFC 3339).")]
AtEffective = Annotated[
    Time | None,
    Query(
        description="As of what is dated up to this business time (RFC 3339), of all that was known; see the others."
    ),
]
MinPosition = Annotated[Position | None, Query(description="Wait until at least this position is in the answer.")]
Stale = Annotated[bool, Query(description="Answer at once, with what the projections have.")]


def as_of(
    position: AtPosition = None,
    recorded_at: AtRecorded = None,
    effective_at: AtEffective = None,
    min_position: MinPosition = None,
    stale: Stale = False,
) -> AsOf:
    """The parameters that say as of when: of those that say what was known one may be stated."""
    return one_of(AsOf(position, recorded_at, effective_at, min_position, stale))


def one_of(asked: AsOf) -> AsOf:
    """What is asked; Malformed where more than one is stated of what says what was known."""
    stated = [name for name in ("position", "recorded_at", "min_position") if getattr(asked, name) is not None]
    if asked.stale:
        stated.append("stale")
    if len(stated) > 1:
        raise Malformed(
            f"{' and '.join(stated)} exclude each other, for each says what was known; state one of them, "
            "alone or with effective_at"
        )
    return asked


class Page(NamedTuple):
    """Which page of rows that stand at positions of the log: between two positions, from either end."""

    after: int
    before: int
    limit: int
    order: str

    @property
    def asked(self) -> dict[str, Any]:
        """What a query is asked for: one row more than is shown, so that it is known whether there are more."""
        return {
            "after": self.after,
            "before": self.before,
            "limit": self.limit + 1,
            "newest_first": self.order == "desc",
        }


def asked_page(
    after: Annotated[Position, Query(description="Only what stands after this position.")] = 0,
    before: Annotated[Position, Query(description="Only what stands before this position.")] = LAST_POSITION,
    limit: Limit = 100,
    order: Order = "asc",
) -> Page:
    """Which page; with `order=desc` the first row is the last of the log."""
    return Page(after, before, limit, order)


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a parameter that the route does not take: a filter that is spelled wrong must not answer everything."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    fields = get_flat_params(route.dependant)
    known = {PURPOSE_PARAMETER, *(field.alias for field in fields if isinstance(field.field_info, QueryParameter))}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise Malformed(f"the parameter {unknown[0]!a} is not known here; it takes {', '.join(sorted(known))}")
    for name in known:
        if len(request.query_params.getlist(name)) > 1:
            raise Malformed(f"the parameter {name} is stated more than once")


def documented(request: Request) -> dict[str, str]:
    """What the documentation says of each parameter of the route that was asked."""
    route = request.scope.get("route")
    fields = get_flat_params(route.dependant) if isinstance(route, APIRoute) else []
    return {field.alias: field.field_info.description for field in fields if field.field_info.description}


def require_account(snapshot: Snapshot, account_id: str) -> None:
    """Refuse with UnknownAccount an id that was not an account's as of the snapshot's point."""
    known = known_of_account(snapshot, account_id)
    opened = account(snapshot.connection, snapshot.position, account_id) is not None
    if not opened or (known.through == 0 and not known.beyond):
        raise no_account(account_id, snapshot.position)


def no_account(account_id: str, position: int) -> UnknownAccount:
    """The refusal of a question about an account that was not opened by the time asked about, or never."""
    return UnknownAccount(
        f"account {account_id} was not opened by the time asked about (of what is recorded up to position {position}); "
        "ask about a later time, or, if it never was, open it with open_account"
    )


def no_liquidation(liquidation_id: str, position: int) -> UnknownLiquidation:
    """The refusal of a question about a liquidation that was never started."""
    return UnknownLiquidation(f"no liquidation {liquidation_id} was started up to position {position}")


def page(name: str, rows: Sequence[Any], limit: int, cursor: Any) -> dict[str, Any]:
    """Rows under their name, and `next`: what `after` (or `before`) must say to read on, None at the end.

    `rows` was asked with one more than `limit`; `cursor` makes the place of a row.
    """
    shown = list(rows[:limit])
    note_rows(len(shown))
    return {name: shown, "next": cursor(shown[-1]) if len(rows) > limit else None}


AnyCaller = Annotated[Caller, Depends(caller_of)]
TheDoors = Annotated[Doors, Depends(doors_of)]
Asked = Annotated[AsOf, Depends(as_of)]
AskedPage = Annotated[Page, Depends(asked_page)]
