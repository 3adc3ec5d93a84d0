"""One example of every answer about who looked, as the documentation shows it."""

from typing import Any

READS: dict[str, Any] = {
    "reads": [
        {
            "id": "1584010021500000.311",
            "read_at": "2020-03-12T10:47:01.5Z",
            "actor": "auditor:dora",
            "purpose": "ticket 4711",
            "what": "GET /v1/accounts/{account_id}/statement",
            "account_id": "alice",
            "parameters": {"wallet": "spot", "from": "2020-03-01T00:00:00Z"},
            "position": 1042,
            "row_count": 17,
            "status": 200,
            "correlation_id": "5f1c9e0b7a3d4c62",
        }
    ],
    "next": None,
}
READS_OF_ACCOUNT: dict[str, Any] = {
    "account_id": "alice",
    "reads": [
        {
            "id": "1584010021500000.311",
            "read_at": "2020-03-12T10:47:01.5Z",
            "role": "auditor",
            "what": "GET /v1/accounts/{account_id}/statement",
            "status": 200,
        }
    ],
    "next": None,
}
