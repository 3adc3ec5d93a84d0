"""The examples of corrections: adjustments, and what the reversal of a deposit would do."""

from typing import Any

ADJUSTMENTS: dict[str, Any] = {
    "position": 1046,
    "adjustments": [
        {
            "account_id": "alice",
            "adjustment_id": "a-1",
            "wallet": "spot",
            "asset": "USDT",
            "amount": "-12.5",
            "reason_code": "fee_correction",
            "reason": "ticket 4711",
            "status": "proposed",
            "proposed_by": "operator:ann",
            "proposed_position": 1044,
            "proposed_at": "2020-03-12T10:45:00Z",
            "decided_by": None,
            "decided_position": None,
            "decided_at": None,
        }
    ],
    "next": None,
}
PREVIEW: dict[str, Any] = {
    "recorded": None,
    "events": [
        {
            "topic": "event.reversed",
            "account_id": "alice",
            "version": 9,
            "effective_at": "2020-03-12T10:45:00Z",
            "actor": "operator:ann",
            "correlation_id": "4b8f1c",
            "idempotency_key": "wrong-deposit",
            "reversed_version": 7,
            "reversed_topic": "funds.deposited",
            "lines": [
                {"part": "free", "house": "external", "asset": "USDT", "amount": "100"},
                {"wallet": "spot", "part": "free", "asset": "USDT", "amount": "-100"},
            ],
            "follows": False,
        }
    ],
    "accounts": {
        "alice": {
            "version": {"before": 8, "after": 9},
            "blocks": {"before": ["withdraw"], "after": ["withdraw"]},
            "balances": [
                {
                    "wallet": "spot",
                    "asset": "USDT",
                    "before": {"free": "140", "locked": "0"},
                    "after": {"free": "40", "locked": "0"},
                }
            ],
            "positions": [],
            "margin_levels": {},
        }
    },
}
