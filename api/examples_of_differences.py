"""The example of what changed between two points: 0.2 BTC bought on a loan, interest charged, and prices that moved."""

from typing import Any

from api.examples import ACCOUNT


def _change(before: str, after: str, change: str) -> dict[str, str]:
    return {"from": before, "to": after, "change": change}


_NOTHING = {"times": 0, "levels": "0", "events": list[Any]()}
_CAUSES = ("trades", "fees", "interest", "prices", "funds", "loans", "liquidation", "corrections", "settings")


def _causes(**moved: str) -> dict[str, str]:
    return {cause: moved.get(cause, "0") for cause in _CAUSES}


_LEVEL = {
    **_change("2.00000000", "2.01398601", "0.01398601"),
    "by_cause": _causes(trades="-0.002", fees="-0.002", interest="-0.00201399", prices="0.02"),
    "from_none": _NOTHING,
    "to_none": _NOTHING,
}
_EQUITY = {
    **_change("10000", "10150", "150"),
    "by_cause": _causes(trades="-20", fees="-20", interest="-10", prices="200"),
}
_ENVELOPE = {
    "recorded_at": "2020-03-12T10:45:00.123456Z",
    "effective_at": "2020-03-12T10:45:00Z",
    "actor": "service:matching-engine",
    "correlation_id": "4b8f1c",
}
DIFFERENCES = {
    "account_id": "alice",
    "position": 1046,
    "wallet": "cross",
    "from": {**ACCOUNT, "position": 1040, "as_of": {"position": 1040}},
    "to": {**ACCOUNT, "position": 1046, "as_of": None},
    "wallets": {
        "cross": {
            "assets": {
                "USDT": {
                    "free": _change("20000", "9960", "-10040"),
                    "locked": _change("0", "0", "0"),
                    "borrowed": _change("10000", "10000", "0"),
                    "interest": _change("0", "10", "10"),
                }
            },
            "equity": _EQUITY,
            "margin_level": _LEVEL,
            "collateral_margin_level": _LEVEL,
        }
    },
    "positions": [
        {
            "pair": "BTC/USDT",
            "wallet": "cross",
            "quantity": _change("0", "0.2", "0.2"),
            "cost": _change("0", "10020", "10020"),
            "realised_profit": _change("0", "0", "0"),
        }
    ],
    "counts": {"events": 2, "topics": {"interest.accrued": 1, "trade.booked": 1}},
    "events": [
        {
            "position": 1042,
            "topic": "trade.booked",
            "version": 6,
            **_ENVELOPE,
            "changes": [
                {"wallet": "cross", "asset": "USDT", "free": "-10040"},
                {"wallet": "cross", "asset": "BTC", "free": "0.2"},
            ],
            "margin_levels": {"cross": {"before": "2.00000000", "after": "1.99600000"}},
        }
    ],
    "next": 1042,
    "settings": [],
    "unexplained": [],
}
