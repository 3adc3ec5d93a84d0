"""One example of one event with all about it, as the documentation shows it."""

from typing import Any

_LINE = {"account_id": "alice", "wallet": "cross", "asset": "USDT"}
_RECORDED = (
    '{"account_id":"alice","version":7,"effective_at":"2020-03-12T10:45:00Z","actor":"customer:alice-phone",'
    '"correlation_id":"4b8f1c","idempotency_key":"loan-1","wallet":"cross","asset":"USDT","amount":"100"}'
)
EVENT: dict[str, Any] = {
    "position": 1060,
    "event": {
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
    },
    "recorded": _RECORDED,
    "postings": [
        {"book": "account/alice/cross/principal", **_LINE, "part": "principal", "amount": "-100"},
        {"book": "account/alice/cross", **_LINE, "part": "free", "amount": "100"},
    ],
    "of_the_log": {"previous": 1041, "next": 1043},
    "of_the_account": {"previous": 1030, "next": None},
    "prices": {"BTC/USDT": {"version": 640, "position": 1040}},
    "leaf_hash": "c6cwI5DYsfWf5EdI2NBABZcKvmfI6ziRTTeSMS6jaAw=",
}
