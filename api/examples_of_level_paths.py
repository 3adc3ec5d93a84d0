"""The example of a level along the log: a loan taken, a price that fell."""

from typing import Any

_POINT: dict[str, Any] = {
    "position": 1042,
    "effective_at": "2020-03-12T10:45:00Z",
    "topic": "loan.borrowed",
    "version": 7,
    "level": "2.00000000",
    "collateral_margin_level": "2.00000000",
    "band": "transfer_blocked",
    "lines": {
        "transfer_out": "2.00000000",
        "initial": "1.50000000",
        "margin_call": "1.30000000",
        "liquidation": "1.10000000",
    },
    "total_assets": "20000",
    "total_debt": "10000",
    "equity": "10000",
    "prices": {"BTC/USDT": "50000"},
}
_FALLEN = {
    "position": 1046,
    "effective_at": "2020-03-12T10:46:00Z",
    "level": "1.90000000",
    "collateral_margin_level": "1.90000000",
    "total_assets": "19000",
    "equity": "9000",
    "prices": {"BTC/USDT": "47500"},
}
LEVEL_PATH = {
    "account_id": "alice",
    "wallet": "cross",
    "position": 1046,
    "from_position": 1041,
    "to_position": 1046,
    "is_cut": False,
    "pairs": ["BTC/USDT"],
    "vectors": "all",
    "counts": {"prices": 1, "events": 1, "points": 4},
    "points": [_POINT, {**_POINT, **_FALLEN, "topic": "prices.marked", "version": None}],
}
