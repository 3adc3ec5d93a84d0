"""Open debts as of any position, their sums, and the wallets and accounts that owe."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from projections.projector import Connection
from projections.rows import rows_of

COLUMNS = "account_id, wallet, asset, position, principal, interest, next_hour, charged"
STATE = "position, principal, interest, next_hour, charged"
# Loans that did not change since the position are read as they are; each of the others by one descent into its states.
# Both are named by their own table: a condition on the account, or a page's, then reaches its index and not all loans.
LOANS = f"""
    select {COLUMNS} from loans where position <= %(position)s and (principal > 0 or interest > 0)
    union all
    select loans.account_id, loans.wallet, loans.asset, past.* from loans cross join lateral (
        select {STATE} from loan_states as state
        where (state.account_id, state.wallet, state.asset) = (loans.account_id, loans.wallet, loans.asset)
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where loans.position > %(position)s and (past.principal > 0 or past.interest > 0)
"""
START = ("", "", "")
# The database puts those that are given in their places: how it orders texts is its own affair.
_WITH_OTHERS = f"""
    select * from ({LOANS}) as kept where account_id <> all(%(without)s)
    union all
    select *, null, null from unnest(%(account_ids)s::text[], %(wallets)s::text[], %(assets)s::text[],
        %(positions)s::bigint[], %(principals)s::numeric[], %(interests)s::numeric[])
"""


class Loan(NamedTuple):
    """What an account owes of an asset in a wallet, since the event at a position."""

    account_id: str
    wallet: str
    asset: str
    position: int
    principal: Decimal
    interest: Decimal


NO_OTHERS: Mapping[str, Sequence[Loan]] = {}


def loans(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    asset: str | None = None,
    after: tuple[str, str, str] = START,
    limit: int = 100,
    instead: Mapping[str, Sequence[Loan]] = NO_OTHERS,
) -> list[dict[str, Any]]:
    """Open debts at a position in order of account, wallet and asset, after the loan (account, wallet, asset).

    `next_hour` is the first uncharged hour; `charged` all interest ever charged on the wallet's debt of that asset.
    Of the accounts that `instead` names, what it gives of them, without the two.
    """
    of_account = "" if account_id is None else " and account_id = %(account_id)s"
    in_asset = "" if asset is None else " and asset = %(asset)s"
    return rows_of(
        connection,
        f"select {COLUMNS} from ({_source(instead)}) as loan"
        f" where (account_id, wallet, asset) > (%(a)s, %(w)s, %(s)s){of_account}{in_asset}"
        " order by account_id, wallet, asset limit %(limit)s",
        {
            "position": position,
            "account_id": account_id,
            "asset": asset,
            **dict(zip("aws", after, strict=True)),
            **_given(instead),
            "limit": limit,
        },
    )


def totals(
    connection: Connection, position: int, *, instead: Mapping[str, Sequence[Loan]] = NO_OTHERS
) -> list[dict[str, Any]]:
    """By asset: how many loans are open at a position, and their principal and interest together."""
    return rows_of(
        connection,
        "select asset, count(*) as loans, sum(principal) as principal, sum(interest) as interest"
        f" from ({_source(instead)}) as loan group by asset order by asset",
        {"position": position, **_given(instead)},
    )


def _source(instead: Mapping[str, Sequence[Loan]]) -> str:
    return _WITH_OTHERS if instead else LOANS


def _given(instead: Mapping[str, Sequence[Loan]]) -> dict[str, Any]:
    given = [one for loans in instead.values() for one in loans]
    columns = {f"{name}s": [getattr(one, name) for one in given] for name in Loan._fields}
    return {**columns, "without": list(instead)}


def accounts_that_owe(connection: Connection, position: int) -> list[str]:
    """The accounts with an open debt at a position, in order."""
    rows = connection.execute(
        f"select distinct account_id from ({LOANS}) as loan order by account_id", {"position": position}
    )
    return [account_id for (account_id,) in rows]


def accounts_with_uncharged_hours(connection: Connection, position: int, hour: datetime) -> list[str]:
    """The accounts that owe at a position and are not charged for this hour or for one before it, in order."""
    rows = connection.execute(
        f"select distinct account_id from ({LOANS}) as loan where next_hour <= %(hour)s order by account_id",
        {"position": position, "hour": hour},
    )
    return [account_id for (account_id,) in rows]
