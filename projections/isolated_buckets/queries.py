"""Isolated buckets as of a log position."""

from typing import Any

from ledger.postgres import Connection
from projections.rows import rows_of

BUCKETS = """
select state.*
from isolated_buckets as known
cross join lateral (
    select *
    from isolated_bucket_states
    where account_id = known.account_id and pair = known.pair and position <= %(position)s
    order by position desc
    limit 1
) as state
where known.account_id = %(account_id)s and (%(pair)s::text is null or known.pair = %(pair)s)
order by known.pair
"""


def buckets(connection: Connection, position: int, account_id: str) -> list[dict[str, Any]]:
    """Every bucket of an account that was ever used or set, by pair.

    Each has free, locked, borrowed and interest of both assets (`base_free`, ..., `quote_interest`), mode, leverage
    (None: the pair's maximum), tier (of the last decision), liquidation_id (None: none runs), called_at, called_level.
    """
    return _buckets(connection, position, account_id, None)


def bucket(connection: Connection, position: int, account_id: str, pair: str) -> dict[str, Any] | None:
    """One bucket of an account, None where it was never used or set."""
    found = _buckets(connection, position, account_id, pair)
    return found[0] if found else None


def _buckets(connection: Connection, position: int, account_id: str, pair: str | None) -> list[dict[str, Any]]:
    return rows_of(connection, BUCKETS, {"position": position, "account_id": account_id, "pair": pair})
