"""The margin wallets that owe, as of any position, and the levels that decisions recorded."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from ledger.wallets import Wallet
from projections.margin_levels.wallet_rows import wallet_of
from projections.projector import Connection

START = ("", "")
PAGE = 2000
COLUMNS = "account_id, wallet, position, owes, leverage, liquidation_id, called_at, balances"
# Wallets that did not change since the position are read as they are, each of the others by one descent.
WALLETS_THAT_OWE = f"""
    select {COLUMNS} from margin_wallets where owes and position <= %(position)s
    union all
    select past.* from margin_wallets as wallet cross join lateral (
        select {COLUMNS} from margin_wallet_states as state
        where state.account_id = wallet.account_id and state.wallet = wallet.wallet
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where wallet.position > %(position)s and past.owes
"""


class OwingWallet(NamedTuple):
    """A margin wallet that owes; `position` is that of its last event, `leverage` None while none was set."""

    account_id: str
    wallet: Wallet
    position: int
    leverage: Decimal | None
    liquidation_id: str | None
    called_at: datetime | None


def wallets_that_owe(
    connection: Connection,
    position: int,
    *,
    after: tuple[str, str] = START,
    account_ids: Sequence[str] | None = None,
) -> Iterator[OwingWallet]:
    """The margin wallets with debt at a position in order of account and wallet, after (account, wallet); in pages.

    Only those of the accounts `account_ids`, unless it is None.
    """
    page = _page(connection, position, after, account_ids)
    while page:
        yield from page
        page = _page(connection, position, (page[-1].account_id, page[-1].wallet.name), account_ids)


def accounts_changed(connection: Connection, after: int) -> list[str]:
    """The accounts with a margin wallet that was changed by an event after a position."""
    rows = connection.execute("select distinct account_id from margin_wallets where position > %s", [after])
    return [account_id for (account_id,) in rows]


def _page(
    connection: Connection, position: int, after: tuple[str, str], account_ids: Sequence[str] | None
) -> list[OwingWallet]:
    rows = connection.execute(
        f"select {COLUMNS} from ({WALLETS_THAT_OWE}) as wallet where (account_id, wallet) > (%(account)s, %(wallet)s)"
        " and (%(account_ids)s::text[] is null or account_id = any(%(account_ids)s))"
        " order by account_id, wallet limit %(limit)s",
        {
            "position": position,
            "account": after[0],
            "wallet": after[1],
            "account_ids": None if account_ids is None else list(account_ids),
            "limit": PAGE,
        },
    )
    return [
        OwingWallet(account, wallet_of(name, balances), changed, leverage, liquidation_id, called_at)
        for account, name, changed, _, leverage, liquidation_id, called_at, balances in rows
    ]


def assessments(
    connection: Connection,
    position: int,
    account_id: str,
    *,
    wallet: str | None = None,
    after: tuple[int, str] = (0, ""),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The levels before and after decisions on an account, in log order: CML in cross, ML in a bucket.

    `after` is the position and wallet to go on from.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "select * from margin_assessments where account_id = %(account_id)s and position <= %(position)s"
            " and (position, wallet) > (%(after)s, %(after_wallet)s)"
            " and (%(wallet)s::text is null or wallet = %(wallet)s)"
            " order by position, wallet limit %(limit)s",
            {
                "account_id": account_id,
                "position": position,
                "after": after[0],
                "after_wallet": after[1],
                "wallet": wallet,
                "limit": limit,
            },
        )
        return cursor.fetchall()
