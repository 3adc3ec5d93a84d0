"""Accounts and their withdrawals, as of a log position."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ledger.postgres import Connection
from projections.rows import rows_of

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
# The database puts those that are given in their places: how it orders texts is its own affair.
SOME_ACCOUNTS_WITH_OTHERS = f"""
select * from (
    {ACCOUNTS}
    where known.opened_position <= %(position)s and known.account_id <> all(%(without)s)
    union all
    select given.*, opened_position, opened_at
    from jsonb_to_recordset(%(given)s) as given (account_id text, version bigint, position bigint, status text,
        blocks jsonb, modes jsonb, leverages jsonb, called_at jsonb)
    join accounts using (account_id)
) as account
where (%(after)s::text is null or account_id > %(after)s)
  and (%(status)s::text is null or status = %(status)s)
  and (%(blocked)s::text is null or blocks ? %(blocked)s)
order by account_id
limit %(limit)s
"""
WITHDRAWALS = """
select * from (
    select account_id, withdrawal_id, asset, amount, requested_position, requested_at,
           case when ended then ended_as else 'pending' end as status,
           case when ended then ended_position end as ended_position,
           case when ended then ended_at end as ended_at,
           case when ended then reference end as reference
    from withdrawals
    cross join lateral (
        select coalesce(ended_position <= %(position)s and ended_at <= %(until)s::timestamptz, false) as ended
    ) as known
    where requested_position <= %(position)s and requested_at <= %(until)s::timestamptz
      and requested_position > %(after)s
      and (%(status)s::text is distinct from 'pending' or ended_position is null or ended_position > %(position)s
           or ended_at > %(until)s::timestamptz)
      and (%(account_id)s::text is null or account_id = %(account_id)s)
) as withdrawal
where %(status)s::text is null or status = %(status)s
order by requested_position
limit %(limit)s
"""

NO_OTHERS: Mapping[str, Mapping[str, Any] | None] = {}


def account(connection: Connection, position: int, account_id: str) -> dict[str, Any] | None:
    """An account: version and the position of its last event, status, blocks, modes by pair, leverages (text) and
    called_at by wallet, opened_position and opened_at; None where it was not open then.
    """
    asked = {"position": position, "account_id": account_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(ONE_ACCOUNT, asked).fetchone()


def leverages_of(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """The leverages of an account's row by wallet."""
    return {wallet: Decimal(leverage) for wallet, leverage in row["leverages"].items()}


def list_accounts(
    connection: Connection,
    position: int,
    *,
    status: str | None = None,
    blocked: str | None = None,
    after: str | None = None,
    limit: int = 100,
    instead: Mapping[str, Mapping[str, Any] | None] = NO_OTHERS,
) -> list[dict[str, Any]]:
    """Accounts in order of id, from the one after `after`; `blocked` is a capability that a freeze blocks.

    Of the accounts that `instead` names, the row that it gives, if it gives one: all but when they were opened.
    """
    asked = {"position": position, "status": status, "blocked": blocked, "after": after, "limit": limit}
    given = {"without": list(instead), "given": Jsonb([row for row in instead.values() if row is not None])}
    return rows_of(connection, SOME_ACCOUNTS_WITH_OTHERS if instead else SOME_ACCOUNTS, {**asked, **given})


def withdrawals(
    connection: Connection,
    position: int,
    *,
    status: str | None = None,
    account_id: str | None = None,
    after: int = 0,
    limit: int = 100,
    effective_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Withdrawals in order of request, from the one after requested_position `after`, with their status then."""
    until = effective_at or "infinity"
    asked = {"position": position, "status": status, "account_id": account_id, "after": after, "limit": limit}
    return rows_of(connection, WITHDRAWALS, {**asked, "until": until})
