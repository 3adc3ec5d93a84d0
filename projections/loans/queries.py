"""Open debts as of any position, their sums, and the wallets and accounts that owe."""

from typing import Any

from psycopg.rows import dict_row

from projections.projector import Connection

COLUMNS = "account_id, wallet, asset, position, principal, interest, next_hour, charged"
# Loans that did not change since the position are read as they are; each of the others by one descent into its states.
LOANS = f"""
    select {COLUMNS} from loans where position <= %(position)s and (principal > 0 or interest > 0)
    union all
    select past.* from loans cross join lateral (
        select {COLUMNS} from loan_states as state
        where (state.account_id, state.wallet, state.asset) = (loans.account_id, loans.wallet, loans.asset)
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where loans.position > %(position)s and (past.principal > 0 or past.interest > 0)
"""
START = ("", "", "")


def loans(
    connection: Connection,
    position: int,
    *,
    account_id: str | None = None,
    asset: str | None = None,
    after: tuple[str, str, str] = START,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Open debts at a position in order of account, wallet and asset, after the loan (account, wallet, asset).

    `next_hour` is the first uncharged hour; `charged` all interest ever charged on the wallet's debt of that asset.
    """
    return _rows(
        connection,
        f"select {COLUMNS} from ({LOANS}) as loan where (account_id, wallet, asset) > (%(a)s, %(w)s, %(s)s)"
        " and (%(account_id)s::text is null or account_id = %(account_id)s)"
        " and (%(asset)s::text is null or asset = %(asset)s)"
        " order by account_id, wallet, asset limit %(limit)s",
        {
            "position": position,
            "account_id": account_id,
            "asset": asset,
            **dict(zip("aws", after, strict=True)),
            "limit": limit,
        },
    )


def totals(connection: Connection, position: int) -> list[dict[str, Any]]:
    """By asset: how many loans are open at a position, and their principal and interest together."""
    return _rows(
        connection,
        "select asset, count(*) as loans, sum(principal) as principal, sum(interest) as interest"
        f" from ({LOANS}) as loan group by asset order by asset",
        {"position": position},
    )


def accounts_that_owe(connection: Connection, position: int) -> list[str]:
    """The accounts with an open debt at a position, in order."""
    rows = connection.execute(
        f"select distinct account_id from ({LOANS}) as loan order by account_id", {"position": position}
    )
    return [account_id for (account_id,) in rows]


def _rows(connection: Connection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
