"""The overview tells what stands still, each in its place, and goes on telling the rest."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.console.asking import Refused
from api.console.pages import overview
from tests.api.console_visitor import text_of

FOLLOWING: dict[str, Any] = {"position": 9, "lag": 0, "led": True, "error": None, "error_position": None}


def health(
    *, risk: dict[str, Any] | None = None, stepped: timedelta = timedelta(minutes=5), **projection: Any
) -> dict[str, Any]:
    stepped_at = datetime.now(UTC) - stepped
    engine = {"led": True, "position": 9, "watched": 3, "stepped_at": stepped_at.isoformat()}
    return {
        "position": 9,
        "projections": {"balances": {**FOLLOWING, **projection}, "loans": FOLLOWING},
        "risk": {**engine, **(risk or {})},
        "prices": None if projection.get("error") else {"stale_prices": 0, "held_prices": 0},
        "unpriced_wallets": None if projection.get("error") else 0,
        "overdue_liquidations": None if projection.get("error") else 0,
    }


def told(answer: dict[str, Any]) -> str:
    return text_of(overview._Pulse().shown(answer))


def test_all_is_well_where_everybody_follows() -> None:
    shown = told(health())
    assert "lag 0 all 2 at the end of the log" in shown
    assert "watching 3 wallets that owe" in shown
    assert "Events behind: balances 0 · loans 0" in shown


def test_a_projection_that_failed_is_named_with_the_event_and_the_error() -> None:
    shown = told(health(error="division by zero", error_position=4, lag=5))
    assert "1 stopped balances" in shown
    assert "balances stopped at position 4: division by zero" in shown
    assert "balances 5" in shown


def test_projections_that_nobody_leads_are_not_well_though_they_lag_behind_nothing() -> None:
    assert "nobody leads 1 of 2 follow nothing" in told(health(led=False))


@pytest.mark.parametrize(
    ("risk", "stepped", "said"),
    [
        ({"led": False}, timedelta(minutes=5), "nobody leads"),
        ({"position": 7}, timedelta(minutes=5), "stands still 2 events behind"),
        ({"position": 7}, timedelta(), "watching"),
        ({"position": None, "stepped_at": None, "watched": None}, timedelta(), "watching"),
    ],
)
def test_an_engine_that_lets_events_pass_stands_still(risk: dict[str, Any], stepped: timedelta, said: str) -> None:
    assert said in told(health(risk=risk, stepped=stepped))


def test_what_is_refused_is_said_in_its_card() -> None:
    async def refused() -> dict[str, Any]:
        raise Refused(503, {"title": "Behind", "detail": "the projections stand at 3"})

    card = asyncio.run(overview._told("Trial balance", refused(), overview._trial_balance))
    assert "Trial balance Not told just now: the projections stand at 3" in text_of(card)
