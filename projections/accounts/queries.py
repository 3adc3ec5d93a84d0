"""Accounts, their holds and their withdrawals, as of a log position."""

from typing import Any

from psycopg.rows import dict_row

from ledger.postgres import Connection

ACCOUNTS = """
select state.account_id, version.version, version.position, state.status, state.blocks, state.modes, state.leverages,
       state.called_at, known.opened_position, known.opened_at
from accounts as known
cross join lateral (
    select * from account_states
    where account_id = known.account_id and position <= %(position)s
    order by position desc
    limit 1
) as state
cross join lateral (
    select version, position from account_versions
    where account_id = known.account_id and position <= %(position)s
    order by position desc
    limit 1
) as version
"""
ONE_ACCOUNT = f"{ACCOUNTS} where known.account_id = %(account_id)s"
SOME_ACCOUNTS = f"""{ACCOUNTS}
where known.opened_position <= %(position)s
  and (%(after)s::text is null or known.account_id > %(after)s)
  and (%(status)s::text is null or state.status = %(status)s)
  and (%(blocked)s::text is null or state.blocks ? %(blocked)s)
order by known.account_id
limit %(limit)s
"""
HOLDS = """
select state.account_id, state.hold_id, state.position, state.wallet, state.asset, state.amount, placed.placed_at
from holds as known
cross join lateral (
    select * from hold_states
    where account_id = known.account_id and hold_id = known.hold_id and position <= %(position)s
    order by position desc
    limit 1
) as state
cross join lateral (
    select placed_at from hold_states
    where account_id = known.account_id and hold_id = known.hold_id and position <= state.position
      and placed_at is not null
    order by position desc
    limit 1
) as placed
where state.amount > 0
  and (known.amount > 0 or known.position > %(position)s)
  and (%(account_id)s::text is null or known.account_id = %(account_id)s)
  and (%(wallet)s::text is null or state.wallet = %(wallet)s)
  and (%(asset)s::text is null or state.asset = %(asset)s)
  and (%(after_account)s::text is null or (known.account_id, known.hold_id) > (%(after_account)s, %(after_hold)s))
order by known.account_id, known.hold_id
limit %(limit)s
"""
WITHDRAWALS = """
select * from (
    select account_id, withdrawal_id, asset, amount, requested_position, requested_at,
           case when ended_position <= %(position)s then ended_as else 'pending' end as status,
           case when ended_position <= %(position)s then ended_position end as ended_position,
           case when ended_position <= %(position)s then ended_at end as ended_at,
           case when ended_position <= %(position)s then reference end as reference
    from withdrawals
    where requested_position <= %(position)s
      and requested_position > %(after)s
      and (%(status)s::text is distinct from 'pending' or ended_position is null or ended_position > %(position)s)
      and (%(account_id)s::text is null or account_id = %(account_id)s)
) as withdrawal
where %(status)s::text is null or status = %(status)s
order by requested_position
limit %(limit)s
"""


def account(connection: Connection, position: int, account_id: str) -> dict[str, Any] | None:
    """An account: version and the position of its last event, status, blocks, modes by pair, leverages (text) and
    called_at by wallet, opened_position and opened_at; None where it was not open then.
    """
    asked = {"position": position, "account_id": account_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(ONE_ACCOUNT, asked).fetchone()


def list_accounts(
    connection: Connection,
    position: int,
    *,
    status: str | None = None,
    blocked: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Accounts in order of id, from the one after `after`; `blocked` is a capability that a freeze blocks."""
    asked = {"position": position, "status": status, "blocked": blocked, "after": after, "limit": limit}
    return _rows(connection, SOME_ACCOUNTS, asked)


def holds(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    wallet: str | None = None,
    asset: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Holds with something left, in order of account and hold; `after` is the account and hold id to go on from."""
    after_account, after_hold = after or (None, None)
    asked = {"position": position, "account_id": account_id, "wallet": wallet, "asset": asset, "limit": limit}
    return _rows(connection, HOLDS, {**asked, "after_account": after_account, "after_hold": after_hold})


def withdrawals(
    connection: Connection,
    position: int,
    *,
    status: str | None = None,
    account_id: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Withdrawals in order of request, from the one after requested_position `after`, with their status then."""
    asked = {"position": position, "status": status, "account_id": account_id, "after": after, "limit": limit}
    return _rows(connection, WITHDRAWALS, asked)


def _rows(connection: Connection, query: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, asked).fetchall()
