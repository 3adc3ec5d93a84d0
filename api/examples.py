"""One example of every answer, as the documentation shows it."""

from typing import Any

ALICE = {"account_id": "alice", "version": 7, "position": 1042}
NEXT = {"next": None}
AT = {"position": 1042}

RESULTS = {
    "results": [
        {
            "status": "recorded",
            **ALICE,
            "events": [{"account_id": "alice", "topic": "loan.borrowed", **AT, "version": 7}],
        }
    ]
}
ACCOUNTS = {
    **AT,
    "accounts": [
        {
            "account_id": "alice",
            "version": 7,
            "position": 1042,
            "status": "frozen",
            "blocks": ["withdraw"],
            "modes": {"ETH/USDT": "isolated"},
            "leverages": {"cross": "5"},
            "called_at": {},
            "opened_position": 12,
            "opened_at": "2020-03-08T00:00:00Z",
        }
    ],
    "next": "alice",
}
ACCOUNT = {
    **ALICE,
    "as_of": None,
    "status": "open",
    "blocks": [],
    "spot": {"USDT": {"free": "100", "locked": "0"}},
    "cross": {
        "assets": {"BTC": {"free": "1", "locked": "0", "borrowed": "0", "interest": "0", "net": "1"}},
        "total_assets": "61234.5",
        "total_debt": "0",
        "equity": "61234.5",
        "margin_level": None,
        "collateral_margin_level": None,
        "debt_ratio": "0",
        "band": "normal",
        "lines": {
            "transfer_out": "2.00000000",
            "initial": "1.50000000",
            "margin_call": "1.30000000",
            "liquidation": "1.10000000",
        },
        "max_leverage": "3",
        "liquidation_prices": {"BTC/USDT": None},
        "lacking_prices": [],
    },
    "isolated": {
        "ETH/USDT": {
            "assets": {
                "ETH": {"free": "0", "locked": "0", "borrowed": "2", "interest": "0", "net": "-2"},
                "USDT": {"free": "4956", "locked": "0", "borrowed": "0", "interest": "0", "net": "4956"},
            },
            "total_assets": "4956",
            "total_debt": "4200",
            "equity": "756",
            "margin_level": "1.18000000",
            "band": "margin_call",
            "tier": 1,
            "lines": {
                "transfer_out": "2.00000000",
                "initial": "1.25000000",
                "margin_call": "1.19000000",
                "liquidation": "1.15000000",
            },
            "max_leverage": "5",
            "liquidation_price": "2154.79",
            "lacking_prices": [],
        }
    },
    "margin_modes": {"ETH/USDT": "isolated"},
    "positions": [
        {
            "pair": "ETH/USDT",
            "wallet": "isolated:ETH/USDT",
            "quantity": "-2",
            "entry_price": "1978",
            "realised_profit": "0",
            "unrealised_profit": "-244",
        }
    ],
    "prices": {"ETH/USDT": {"price": "2100", "position": 1040, "effective_at": "2020-03-12T10:45:00Z"}},
}
LIMITS = {
    "account_id": "alice",
    "wallet": "cross",
    "asset": "USDT",
    **AT,
    "effective_at": "2020-03-12T10:45:00Z",
    "max_borrow": "12000",
    "max_transfer_out": "9700",
    "refused": {},
}
POOL = {
    "account_id": "alice",
    **AT,
    "pool": {
        "account_id": "alice",
        "position": 1040,
        "leverage": "3",
        "owes": ["BTC"],
        "liquidation_id": None,
        "called_at": None,
        "called_level": None,
    },
}
BUCKETS = {
    "account_id": "alice",
    **AT,
    "buckets": [{"account_id": "alice", "pair": "ETH/USDT", "position": 1041, "mode": "isolated", "tier": 1}],
}
LEVELS = {
    **AT,
    "levels": [
        {
            "position": 1042,
            "account_id": "alice",
            "wallet": "cross",
            "topic": "loan.borrowed",
            "level_before": None,
            "level_after": "3.00000000",
            "tier": None,
            "effective_at": "2020-03-12T10:45:00Z",
        }
    ],
    "next": None,
}
EVENTS = {
    **AT,
    "events": [
        {
            "position": 1042,
            "topic": "loan.borrowed",
            "recorded_at": "2020-03-12T10:45:00.123456Z",
            "account_id": "alice",
            "version": 7,
            "effective_at": "2020-03-12T10:45:00Z",
            "actor": "customer:alice-phone",
            "correlation_id": "4b8f1c",
            "idempotency_key": "loan-1",
            "wallet": "cross",
            "asset": "USDT",
            "amount": "100",
        }
    ],
    "next": 1042,
}
BOOK = {
    **AT,
    "book": "fees",
    "asset": "USDT",
    "lines": [{"position": 1042, "line": 6, "book": "fees", "asset": "USDT", "amount": "0.5", "balance": "12.5"}],
    "next": None,
}
STATEMENT = {
    **AT,
    "account_id": "alice",
    "lines": [
        {
            "id": "1042.1",
            "position": 1042,
            "line": 1,
            "book": "account/alice/cross",
            "wallet": "cross",
            "part": "free",
            "asset": "USDT",
            "amount": "100",
            "balance": "140",
            "topic": "loan.borrowed",
            "effective_at": "2020-03-12T10:45:00Z",
            "recorded_at": "2020-03-12T10:45:00.123456Z",
            **dict.fromkeys(("reverses", "reversed_by", "adjustment_id", "reason_code")),
        }
    ],
    "next": "1042:1",
}
WITHDRAWALS = {
    **AT,
    "withdrawals": [
        {
            "account_id": "alice",
            "withdrawal_id": "w-1",
            "asset": "USDT",
            "amount": "50",
            "status": "pending",
            "requested_position": 900,
            "requested_at": "2020-03-11T09:00:00Z",
        }
    ],
    **NEXT,
}
HOLDS = {
    **AT,
    "holds": [{"account_id": "alice", "hold_id": "h-1", "wallet": "spot", "asset": "USDT", "amount": "10"}],
    **NEXT,
}
LOANS = {
    **AT,
    "loans": [
        {
            "account_id": "alice",
            "wallet": "cross",
            "asset": "USDT",
            "principal": "100",
            "interest": "0.002",
            "next_hour": "2020-03-12T11:00:00Z",
            "charged": "0.002",
        }
    ],
    **NEXT,
    "totals": [{"asset": "USDT", "loans": 1, "principal": "100", "interest": "0.002"}],
}
_LIQUIDATION = {
    "liquidation_id": "alice.8",
    "account_id": "alice",
    "wallet": "isolated:BTC/USDT",
    "execution": "house",
    "status": "completed",
    "started_position": 1050,
    "completed_position": 1053,
    "deficit_value": "0",
    "uncovered_deficit": "0",
    "execute_by": None,
    "overdue": False,
}
LIQUIDATIONS = {**AT, "liquidations": [_LIQUIDATION], **NEXT}
LIQUIDATION = {**AT, **_LIQUIDATION, "steps": [{"position": 1051, "topic": "liquidation.filled"}]}
MARGIN_CALLS = {
    **AT,
    "margin_calls": [{"position": 1041, "account_id": "alice", "wallet": "cross", "level": "1.29870129"}],
    **NEXT,
}
TRIAL_BALANCE = {
    **AT,
    "assets": {"USDT": {"total": "0", "books": {"external": "-100", "accounts/spot": "40", "accounts/cross": "60"}}},
}
MARGIN_LEVELS = {
    **AT,
    "bands": {"normal": 1, "margin_call": 0, "unpriced": 0},
    "wallets": [{"account_id": "alice", "wallet": "cross", "band": "normal", "margin_level": "3.88349514"}],
    **NEXT,
}
INSURANCE: dict[str, Any] = {**AT, "assets": {"USDT": "1"}, "uncovered_total": "0", "uncovered_deficits": [], **NEXT}
HEALTH = {
    "status": "ok",
    "position": 1042,
    "projections": {"balances": {"position": 1042, "lag": 0, "error": None}},
    "unpriced_wallets": 0,
    "prices": {"stale_prices": 0, "held_prices": 0},
}
_KEY = {"name": "matching-engine", "role": "service", "account_id": None}
NEW_KEY = {**_KEY, "key": "mlk_..."}
KEY = {**_KEY, "created_at": "2020-03-08T00:00:00Z", "revoked_at": None}
KEYS = {"keys": [KEY]}
PROBLEM_TYPE = {
    "type": "/problems/insufficient_funds",
    "code": "insufficient_funds",
    "title": "There is not enough free",
    "status": 409,
    "what_to_do": "A rule stands in the way; the detail gives the values on both sides and what can be done.",
}
PROBLEM_TYPES = {"problems": [PROBLEM_TYPE]}
PROBLEM = {
    "type": "/problems/insufficient_funds",
    "code": "insufficient_funds",
    "title": "There is not enough free",
    "status": 409,
    "detail": "account alice has 40.00 USDT free in spot, margin of 60.00 USDT was asked for BTC/USDT",
}

Responses = dict[int | str, dict[str, Any]]


def example(content: dict[str, Any], *other_types: str) -> Responses:
    """The documented answer 200 of a route, with an example of its JSON."""
    kinds: dict[str, Any] = {"application/json": {"example": content}}
    kinds |= {kind: {"schema": {"type": "string"}} for kind in other_types}
    return {200: {"description": "The answer.", "content": kinds}}
