"""The examples of a liquidation and of a margin call explained: 0.6 BTC on a loan of 20,000 while the price falls."""

from typing import Any

_AT = "2020-03-12T10:45:00Z"
_RECORDED = "2020-03-12T10:45:00.123456Z"
_ENVELOPE = {
    "account_id": "alice",
    "effective_at": _AT,
    "actor": "ledger:examination",
    "correlation_id": "examination:640",
}
_OWING = {
    "BTC": {"free": "0.6", "locked": "0", "borrowed": "0", "interest": "0", "net": "0.6"},
    "USDT": {"free": "0", "locked": "0", "borrowed": "20000", "interest": "0.4", "net": "-20000.4"},
}
_BEFORE = {
    "assets": _OWING,
    "total_assets": "21600",
    "total_debt": "20000.4",
    "equity": "1599.6",
    "margin_level": "1.07997840",
    "band": "liquidation",
    "tier": None,
    "max_leverage": "3",
    "lines": {"margin_call": "1.3", "liquidation": "1.1"},
}
_AFTER = {
    **_BEFORE,
    "assets": {
        "BTC": {"free": "0.03332199", "locked": "0", "borrowed": "0", "interest": "0", "net": "0.03332199"},
        "USDT": {"free": "0", "locked": "0", "borrowed": "0", "interest": "0", "net": "0"},
    },
    "total_assets": "1199.59164",
    "total_debt": "0",
    "equity": "1199.59164",
    "margin_level": None,
    "band": "normal",
}
_STEP = {
    "position": 1049,
    "effective_at": _AT,
    "topic": "prices.marked",
    "level": "1.07997840",
    "line": "1.1",
    "band": "liquidation",
    "total_assets": "21600",
    "total_debt": "20000.4",
    "equity": "1599.6",
    "tier": None,
    "prices": {"BTC/USDT": {"from": "38000", "to": "36000"}},
}
_START = {**_STEP, "position": 1030, "effective_at": "2020-03-12T09:44:00Z", "level": "1.79996400", "band": "normal"}
_LAST = {
    "position": 1042,
    "topic": "interest.accrued",
    "recorded_at": _RECORDED,
    "version": 7,
    **_ENVELOPE,
    "wallet": "cross",
    "changes": [{"asset": "USDT", "interest": "0.2"}],
}
_STARTED = {
    "position": 1050,
    "recorded_at": _RECORDED,
    "effective_at": _AT,
    "actor": "ledger:examination",
    "reason": None,
    "correlation_id": "examination:640",
    "level": "1.07997840",
    "assets": "21600",
    "debt": "20000.4",
}
_PRICE = {"price": "36000", "effective_at": _AT, "version": 640, "position": 1049, "values_the_wallet": True}
_SHA = "ca301ead44ef49f4d5c07e5f3ee3c5f0b8a9f9c2d5f6c3e6c1a7b0d9e8f70615"


def _check(name: str, stated: str, recomputed: str, position: int = 1050) -> dict[str, Any]:
    agrees = stated == recomputed
    return {"name": name, "position": position, "stated": stated, "recomputed": recomputed, "agrees": agrees}


def _decision(events: int) -> dict[str, Any]:
    return {"position": 1050, "command": "examine", "known_by": "its events", "events": events, "agrees": True}


def _amount(asset: str, amount: str, value: str) -> dict[str, dict[str, str]]:
    return {asset: {"amount": amount, "value": value}}


_WAY = {
    "account_id": "alice",
    "wallet": "cross",
    "position": 1060,
    "started": _STARTED,
    "line": {"name": "liquidation", "level": "1.1", "tier": None},
    "crossing": {**_STEP, "through": "BTC/USDT"},
    "before": _BEFORE,
    "last_events": [_LAST],
    "path": {
        "over_seconds": 3600,
        "since": "2020-03-12T09:45:00Z",
        "walked_from": 1030,
        "start": _START,
        "steps": [_STEP],
        "count": 1,
        "left_out": 0,
        "note": None,
    },
    "prices": {"BTC/USDT": _PRICE},
}
_FELL = (
    "Account alice's cross pool fell to 1.0799784 at 2020-03-12T10:45:00Z, at or below its line 1.1, when BTC/USDT fell"
)
LIQUIDATION_EXPLAINED: dict[str, Any] = {
    "sentence": f"{_FELL} to 36,000 (position 1049). It was liquidated by the house at level 1.0799784 (position "
    "1050), which sold 0.55556667 BTC, repaid 20,000.4 USDT, charged 0.01111134 BTC; it left 0.03332199 BTC.",
    "agrees": True,
    "kind": "liquidation",
    "liquidation_id": "alice.8",
    "execution": "house",
    "status": "completed",
    **_WAY,
    "started": {**_STARTED, "target": None},
    "steps": [
        {
            "position": 1051,
            "topic": "liquidation.filled",
            "recorded_at": _RECORDED,
            "version": 9,
            **_ENVELOPE,
            "liquidation_id": "alice.8",
            "wallet": "cross",
            "asset": "BTC",
            "taken": "0.55556667",
            "asset_price": "36000",
            "debt_asset": "USDT",
            "interest": "0.4",
            "principal": "20000",
            "debt_price": "1",
            "changes": [
                {"asset": "BTC", "free": "-0.55556667"},
                {"asset": "USDT", "borrowed": "-20000", "interest": "-0.4"},
            ],
        }
    ],
    "after": _AFTER,
    "outcome": {
        "sold": _amount("BTC", "0.55556667", "20000.40012"),
        "bought": {},
        "repaid": _amount("USDT", "20000.4", "20000.4"),
        "repaid_interest": _amount("USDT", "0.4", "0.4"),
        "charged": {"interest": {}, "fee": _amount("BTC", "0.01111134", "400.00824"), "trade_fees": {}},
        "covered": {},
        "covered_value": "0",
        "left": _amount("BTC", "0.03332199", "1199.59164"),
        "owed": {},
        "lost_to_rounding": "0.00012",
    },
    "insurance": {
        "before": {"USDT": "500"},
        "after": {"BTC": "0.01111134", "USDT": "500"},
        "uncovered": "0",
        "steps": [
            {
                "position": 1052,
                "topic": "liquidation.completed",
                "uncovered": "0",
                "assets": {"BTC": {"change": "0.01111134", "balance": "0.01111134"}},
            }
        ],
    },
    "decisions": [_decision(3)],
    "checks": [
        _check("liquidation.started decided again", _SHA, _SHA),
        _check("level", "1.07997840", "1.07997840"),
        _check("fill BTC for USDT: taken", "0.55556667", "0.55556667", 1051),
    ],
    "disagreements": 0,
}
CALL_EXPLAINED: dict[str, Any] = {
    "sentence": "Account alice's cross pool fell to 1.2599748 at 2020-03-12T10:45:00Z, at or below its call line 1.3, "
    "when BTC/USDT fell to 42,000 (position 1049). It was called at level 1.2599748 (position 1050).",
    "agrees": True,
    "kind": "margin_call",
    "call_id": "alice.8",
    **_WAY,
    "started": {**_STARTED, "level": "1.25997480", "assets": "25200"},
    "line": {"name": "margin_call", "level": "1.3", "tier": None},
    "steps": [{**_LAST, "position": 1050, "topic": "margin.called", "level": "1.25997480", "changes": []}],
    "after": _BEFORE,
    "decisions": [_decision(1)],
    "checks": [_check("level", "1.25997480", "1.25997480")],
    "disagreements": 0,
}
