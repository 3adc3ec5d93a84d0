"""Draws risk limits by which wallets are closed out in part: targets, small tiers, external execution in time."""

from typing import Any

from tests.simulation.drawing import PAIRS
from tests.simulation.steps import Steps

FIRST = {"max_leverage": "5", "initial": "1.25", "margin_call": "1.2", "liquidation": "1.1"}
SECOND = {"max_leverage": "3", "initial": "1.5", "margin_call": "1.3", "liquidation": "1.2"}
THIRD = {"max_leverage": "2", "initial": "2", "margin_call": "1.35", "liquidation": "1.25"}
SMALL_TIERS = [
    {**FIRST, "base_limit": "0.2", "quote_limit": "4000"},
    {**SECOND, "base_limit": "10", "quote_limit": "9000"},
    THIRD,
]
TARGETS = ("1.15", "1.22", "1.26", "1.3", "1.5", None)


class StepsInPart(Steps):
    """Every second setting of limits is one of these; all else is drawn as ever."""

    def set_risk_limits(self) -> dict[str, Any]:
        scope, kind = self.choose.pick(("cross", "cross", *PAIRS)), self.choose.number(0, 7)
        if kind in (0, 1):
            return {
                "scope": scope,
                "liquidation_target": self.choose.pick(("1.15", "1.22", "1.26", "1.3", "1.5", None)),
            }
        if kind == 2:
            return {"scope": scope, "liquidation_execution": self.choose.pick(("house", "house", "external"))}
        if kind == 3:
            return {"scope": scope, "execution_time_limit_seconds": self.choose.pick((60, 900, None))}
        if kind == 4:
            return {"scope": self.choose.pick(("BTC/USDT", "ETH/USDT")), "tiers": SMALL_TIERS}
        return super().set_risk_limits()
