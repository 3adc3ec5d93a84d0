"""The example of a statement as a document: a deposit that was reversed within its range."""

from typing import Any


def _balance(free: str) -> dict[str, str]:
    return {"free": free, "locked": "0", "borrowed": "0", "interest": "0", "net": free}


_TIMES = {"recorded_at": "2020-03-12T10:45:00.123456Z", "effective_at": "2020-03-12T10:45:00Z"}
_NONE = dict.fromkeys(("reverses", "reversed_by", "reason_code", "reference", "reason"))
_BOOK = {"asset": "USDT", "part": "free"}
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "account_id": "alice",
    "wallet": None,
    "range": {
        "by": "recorded_at",
        "from": {"time": None, "position": 1000, "recorded_at": "2020-03-12T09:00:00.5Z"},
        "to": {"time": "2020-03-13T00:00:00Z", "position": 1042, "recorded_at": "2020-03-12T23:59:59.9Z"},
        "known": {"position": 1042, "recorded_at": "2020-03-12T23:59:59.9Z"},
    },
    "wallets": [
        {
            "wallet": "spot",
            "assets": [{"asset": "USDT", "opening": _balance("40"), "closing": _balance("40")}],
            "lines": [
                {
                    "id": "1010.2",
                    "position": 1010,
                    **_TIMES,
                    "topic": "funds.deposited",
                    "subject": "deposit:d-1",
                    **_BOOK,
                    "amount": "100",
                    "balance": "140",
                    **_NONE,
                    "reversed_by": 1011,
                    "reference": "invoice 7",
                },
                {
                    "id": "1011.2",
                    "position": 1011,
                    **_TIMES,
                    "topic": "event.reversed",
                    "subject": None,
                    **_BOOK,
                    "amount": "-100",
                    "balance": "40",
                    **_NONE,
                    "reverses": 1010,
                    "reason": "booked twice",
                },
            ],
        }
    ],
}
