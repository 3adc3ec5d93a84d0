"""A liquidation or a margin call explained from the log alone: how it came about, what was done, all numbers again."""

from datetime import UTC, datetime
from typing import Any

from ledger.errors import Malformed, Unknown, UnknownLiquidation
from ledger.events import LiquidationStarted, MarginCalled
from ledger.log import Connection, read_positions, stream_back
from ledger.margin import valued_assets
from ledger.money import plain, valuation_pair
from ledger.postings import postings
from projections.audit_trail.queries import entry
from projections.questions.explanation_case import Case, case_of, touches
from projections.questions.explanation_checks import disagreeing
from projections.questions.explanation_fund import fund_through
from projections.questions.explanation_path import Approach, Span, changes_told
from projections.questions.explanation_review import Review, review_of
from projections.questions.explanation_words import end_of, sentence_of
from projections.questions.figures import balance_figures
from projections.questions.margin_wallet import band, level, sums
from projections.questions.walk import Walk
from projections.snapshot import Snapshot

LAST_EVENTS = 10
MOST_EVENTS_BACK = 1_000
THE_BEGINNING = datetime.min.replace(tzinfo=UTC)


def explained_liquidation(snapshot: Snapshot, liquidation_id: str, span: Span) -> dict[str, Any]:
    """What GET /v1/liquidations/{id}/explanation answers; UnknownLiquidation where it was not started by then."""
    account_id, _, version = liquidation_id.rpartition(".")
    case = case_of(snapshot.connection, account_id, int(version), snapshot.position)
    if not isinstance(case.event, LiquidationStarted):
        raise UnknownLiquidation(
            f"{liquidation_id} is a margin call, at position {case.cause.position}; "
            f"GET /v1/accounts/{account_id}/margin-calls/{case.cause.position}/explanation explains it"
        )
    return explanation_of(snapshot.connection, case, span)


def explained_call(snapshot: Snapshot, account_id: str, position: int, span: Span) -> dict[str, Any]:
    """The same of the margin call that an account got at a log position; Unknown where it got none there."""
    called = read_positions(snapshot.connection, [position] if position <= snapshot.position else [])
    if not called or called[0].event.account_id != account_id or not isinstance(called[0].event, MarginCalled):
        raise Unknown(
            f"account {account_id} got no margin call at position {position}, of what is recorded up to position "
            f"{snapshot.position}; GET /v1/margin-calls lists where it did"
        )
    case = case_of(snapshot.connection, account_id, called[0].event.version, snapshot.position)
    return explanation_of(snapshot.connection, case, span)


def explanation_of(connection: Connection, case: Case, span: Span) -> dict[str, Any]:
    """One case explained, with the level over a span before it.

    `agrees` is whether every number that is stated is what it comes to when it is worked out and decided again.
    """
    approach = Approach(connection, case, case.event.effective_at - span.over, span)
    crossing = _crossing(connection, case, approach)
    before = _standing(approach.walk, case.wallet)
    review = review_of(connection, case, approach)
    found = {
        **_heading(case),
        "line": _line(case),
        "crossing": crossing,
        "before": before,
        "last_events": _last_events(connection, case),
        "path": _path(approach),
        "prices": _prices(case, approach, review),
        **_closing(connection, case, review),
        "decisions": [one.told() for one in review.decisions],
        "checks": [check._asdict() for check in review.checks],
        "disagreements": len(disagreeing(review.checks)),
    }
    return {"sentence": f"{sentence_of(found)} {end_of(found)}", "agrees": not found["disagreements"], **found}


def _crossing(connection: Connection, case: Case, approach: Approach) -> dict[str, Any] | None:
    """The step that crossed the line; one further back than is told is looked for as far as may be walked."""
    if approach.crossing is not None or not approach.began_across:
        return approach.crossing
    try:
        return Approach(connection, case, THE_BEGINNING, approach.span).crossing
    except Malformed:
        return None  # A snapshot that was near for the time told is none for the time before it.


def _heading(case: Case) -> dict[str, Any]:
    event, began = case.event, case.cause
    what: dict[str, Any] = {"kind": "margin_call", "call_id": f"{event.account_id}.{event.version}"}
    if isinstance(event, LiquidationStarted):
        status = "running" if case.completed is None else "completed"
        what = {"kind": "liquidation", "liquidation_id": f"{event.account_id}.{event.version}"}
        what |= {"execution": event.execution, "status": status}
    started = {
        "position": began.position,
        "recorded_at": began.recorded_at,
        "effective_at": event.effective_at,
        "actor": event.actor,
        "reason": event.reason,
        "correlation_id": event.correlation_id,
        "level": event.level,
        "assets": plain(event.assets),
        "debt": plain(event.debt),
    }
    if isinstance(event, LiquidationStarted):
        started["target"] = None if event.target is None else plain(event.target)
    return {**what, "account_id": case.account_id, "wallet": case.wallet, "position": case.known, "started": started}


def _line(case: Case) -> dict[str, Any]:
    event = case.event
    is_liquidation = isinstance(event, LiquidationStarted)
    line = event.liquidation_level if isinstance(event, LiquidationStarted) else event.threshold
    return {"name": "liquidation" if is_liquidation else "margin_call", "level": plain(line), "tier": event.tier}


def _standing(walk: Walk, name: str) -> dict[str, Any]:
    """A margin wallet: balances, sums, level, and what judges it."""
    wallet, margin = walk.account.wallets.wallet(name), walk.margin(name)
    lines = None if margin is None else margin.lines
    judged = (
        {"margin_call": None, "liquidation": None}
        if lines is None
        else {
            "margin_call": plain(lines.margin_call),
            "liquidation": plain(lines.liquidation),
        }
    )
    return {
        "assets": {asset: balance_figures(one, owes=True) for asset, one in sorted(wallet.balances.items())},
        **sums(margin),
        "margin_level": level(margin),
        "band": band(margin),
        "tier": lines and lines.tier,
        "max_leverage": margin and plain(margin.leverage),
        "lines": judged,
    }


def _last_events(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """The last events of the wallet before the cause, oldest first, however long ago."""
    found: list[dict[str, Any]] = []
    for looked_at, one in enumerate(stream_back(connection, case.account_id, case.event.version - 1), 1):
        if touches(one, case.wallet):
            changes = changes_told(postings(one.event), case.account_id, case.wallet)
            found.append({**entry(one), "changes": changes})
        if len(found) == LAST_EVENTS or looked_at == MOST_EVENTS_BACK:
            break
    return found[::-1]


def _path(approach: Approach) -> dict[str, Any]:
    """The level step by step; `note` says in words what is left out."""
    left_out = approach.count - len(approach.steps)
    notes = []
    if left_out:
        notes.append(
            f"the first {left_out} of {approach.count} steps are left out; ask for more of them, or over less time"
        )
    if approach.is_cut:
        notes.append(
            f"what happened up to position {approach.position} is left out: it is too much to walk in one answer"
        )
    return {
        "over_seconds": int(approach.span.over.total_seconds()),
        "since": approach.since,
        "walked_from": approach.position,
        "start": approach.start,
        "steps": list(approach.steps),
        "count": approach.count,
        "left_out": left_out,
        "note": "; ".join(notes) or None,
    }


def _prices(case: Case, approach: Approach, review: Review) -> dict[str, dict[str, Any]]:
    """The prices that are stated, each with the log position of the vector that marked it, and what it valued."""
    wallet = approach.walk.account.wallets.wallet(case.wallet)
    valuing = {valuation_pair(asset) for asset in valued_assets(wallet)}
    told = {}
    for pair, mark in sorted(case.event.prices.items()):
        logged = review.marks.get(pair)
        told[pair] = {
            "price": plain(mark.price),
            "effective_at": mark.effective_at,
            "version": mark.version,
            "position": None if logged is None else logged.position,
            "values_the_wallet": pair in valuing,
        }
    return told


def _closing(connection: Connection, case: Case, review: Review) -> dict[str, Any]:
    """What a liquidation did, event by event and in sum, and what is left; of a call only the wallet as it is."""
    after = _standing(Walk(review.account, review.market), case.wallet)
    told: dict[str, Any] = {"steps": [_step(one, case) for one in case.events], "after": after}
    if review.closing is None:
        return told
    return {**told, "outcome": review.closing.outcome(), "insurance": fund_through(connection, case.events)}


def _step(one: Any, case: Case) -> dict[str, Any]:
    return {**entry(one), "changes": changes_told(postings(one.event), case.account_id, case.wallet)}
