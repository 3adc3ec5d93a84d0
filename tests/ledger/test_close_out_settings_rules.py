"""How far and by whom the exchange has wallets closed out: what it may set, and what it may not."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.errors import LiquidationTargetTooLow, Malformed
from ledger.words import EXCHANGE
from tests.ledger.given import Happened, envelope, market_after, on_exchange
from tests.ledger.happenings import risk_limits, the_market, tier

MARKET = the_market()
ROWS = (tier("3", "1.5", "1.3", "1.1"), tier("5", "1.25", "1.16", "1.1"))


def expected(new: Happened) -> e.Event:
    """The event that would follow on the exchange's stream."""
    return new(envelope(EXCHANGE, MARKET.version + 1))


def test_how_wallets_are_closed_out_is_set_and_stays_until_null_lifts_it() -> None:
    asked: Any = {"type": "set_risk_limits", "scope": "cross", "liquidation_target": "1.2"}
    terms: Any = {"liquidation_execution": "external", "execution_time_limit_seconds": 60}
    first = on_exchange(MARKET, **asked, **terms)
    assert first == expected(risk_limits("cross", *ROWS, liquidation_target="1.2", **terms))
    market = market_after(the_market(), risk_limits("cross", *ROWS, liquidation_target="1.2", **terms))
    second = on_exchange(market, type="set_risk_limits", scope="cross", dust="2")
    assert isinstance(second, e.RiskLimitsSet)
    assert (second.liquidation_target, second.execution_time_limit_seconds) == (Decimal("1.2"), 60)
    lifted: Any = {"liquidation_target": None, "liquidation_execution": "house", "execution_time_limit_seconds": None}
    third = on_exchange(market, type="set_risk_limits", scope="cross", **lifted)
    assert third.model_copy(update={"version": MARKET.version + 1}) == expected(risk_limits("cross", *ROWS))


@pytest.mark.parametrize("target", ["1.1", "1.05", "1.10000000"])
def test_a_target_that_is_not_above_every_liquidation_line_is_refused(target: str) -> None:
    with pytest.raises(LiquidationTargetTooLow, match=r"highest liquidation line is 1\.1"):
        on_exchange(MARKET, type="set_risk_limits", scope="cross", liquidation_target=target)
    event = on_exchange(MARKET, type="set_risk_limits", scope="cross", liquidation_target="1.100001")
    assert isinstance(event, e.RiskLimitsSet)


def test_a_line_is_not_raised_to_the_target() -> None:
    market = market_after(the_market(), risk_limits("cross", *ROWS, liquidation_target="1.2"))
    with pytest.raises(LiquidationTargetTooLow, match=r"target of 1\.2 .* line is 1\.2"):
        on_exchange(market, type="set_risk_limits", scope="cross", tiers=[tier("5", "1.4", "1.3", "1.2")])


@pytest.mark.parametrize(
    "fields",
    [
        {"liquidation_target": "1"},
        {"liquidation_target": "-1.2"},
        {"liquidation_execution": "venue"},
        {"execution_time_limit_seconds": 0},
        {"execution_time_limit_seconds": "60"},
    ],
)
def test_ways_of_closing_out_that_are_not_well_formed_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        on_exchange(MARKET, type="set_risk_limits", scope="cross", **fields)
