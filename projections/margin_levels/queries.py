"""The margin wallets that owe, as of any position, and the levels that decisions recorded."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from ledger.wallets import Wallet
from projections.dating import Dated, Part
from projections.margin_levels.wallet_rows import wallet_of
from projections.projector import Connection

START = ("", "")
PAGE = 2000
COLUMNS = "account_id, wallet, position, owes, leverage, liquidation_id, called_at, balances"
STATE = "position, owes, leverage, liquidation_id, called_at, balances"
# Wallets that did not change since the position are read as they are, each of the others by one descent. Both are named
# by their own table: a condition on the account, or a page's, then reaches its index and not all wallets.
WALLETS_THAT_OWE = f"""
    select {COLUMNS} from margin_wallets where owes and position <= %(position)s
    union all
    select wallet.account_id, wallet.wallet, past.* from margin_wallets as wallet cross join lateral (
        select {STATE} from margin_wallet_states as state
        where state.account_id = wallet.account_id and state.wallet = wallet.wallet
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where wallet.position > %(position)s and past.owes
"""

# The database puts those that are given in their places: how it orders texts is its own affair.
_WITH_OTHERS = f"""
    select * from ({WALLETS_THAT_OWE}) as kept where account_id <> all(%(without)s)
    union all
    select given.account_id, given.wallet, 0, true, null, null, null, null
    from unnest(%(accounts)s::text[], %(wallets)s::text[]) as given (account_id, wallet)
"""


class OwingWallet(NamedTuple):
    """A margin wallet that owes; `position` is that of its last event, `leverage` None while none was set."""

    account_id: str
    wallet: Wallet
    position: int
    leverage: Decimal | None
    liquidation_id: str | None
    called_at: datetime | None


NO_OTHERS: Mapping[str, Sequence[OwingWallet]] = {}


def wallets_that_owe(
    connection: Connection,
    position: int,
    *,
    after: tuple[str, str] = START,
    account_ids: Sequence[str] | None = None,
    instead: Mapping[str, Sequence[OwingWallet]] = NO_OTHERS,
) -> Iterator[OwingWallet]:
    """The margin wallets with debt at a position in order of account and wallet, after (account, wallet); in pages.

    Only those of the accounts `account_ids`, unless it is None. Of the accounts that `instead` names, those that it
    gives.
    """
    page = _page(connection, position, after, account_ids, instead)
    while page:
        yield from page
        page = _page(connection, position, (page[-1].account_id, page[-1].wallet.name), account_ids, instead)


def count_wallets_that_owe(connection: Connection, position: int) -> int:
    """How many margin wallets have debt at a position."""
    row = connection.execute(f"select count(*) from ({WALLETS_THAT_OWE}) as wallet", {"position": position}).fetchone()
    return int(row[0]) if row is not None else 0


def accounts_changed(connection: Connection, after: int) -> list[str]:
    """The accounts with a margin wallet that was changed by an event after a position."""
    rows = connection.execute("select distinct account_id from margin_wallets where position > %s", [after])
    return [account_id for (account_id,) in rows]


def _page(
    connection: Connection,
    position: int,
    after: tuple[str, str],
    account_ids: Sequence[str] | None,
    instead: Mapping[str, Sequence[OwingWallet]],
) -> list[OwingWallet]:
    others = [one for wallets in instead.values() for one in wallets]
    of_accounts = "" if account_ids is None else " and account_id = any(%(account_ids)s)"
    rows = connection.execute(
        f"select * from ({_WITH_OTHERS if instead else WALLETS_THAT_OWE}) as wallet"
        f" where (account_id, wallet) > (%(account)s, %(wallet)s){of_accounts}"
        " order by account_id, wallet limit %(limit)s",
        {
            "position": position,
            "account": after[0],
            "wallet": after[1],
            "account_ids": None if account_ids is None else list(account_ids),
            "without": list(instead),
            "accounts": [one.account_id for one in others],
            "wallets": [one.wallet.name for one in others],
            "limit": PAGE,
        },
    )
    by_name = {(one.account_id, one.wallet.name): one for one in others}
    return [by_name.get((row[0], row[1])) or _owing(row) for row in rows]


def _owing(row: Sequence[Any]) -> OwingWallet:
    account_id, name, changed, _, leverage, liquidation_id, called_at, balances = row
    return OwingWallet(account_id, wallet_of(name, balances), changed, leverage, liquidation_id, called_at)


def assessments(
    connection: Connection,
    position: int | Dated,
    account_id: str,
    *,
    wallet: str | None = None,
    after: tuple[int, str] = (0, ""),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The levels before and after decisions on an account, in log order: CML in cross, ML in a bucket.

    `after` is the position and wallet to go on from.
    """

    def ask(part: Part, most: int) -> list[dict[str, Any]]:
        end, places = (part + 1, None) if isinstance(part, int) else (part[-1] + 1, part)
        with connection.cursor(row_factory=dict_row) as cursor:
            # Rows are compared and ordered as in the account's own index, so that no plan walks those of all.
            cursor.execute(
                "select * from margin_assessments where (account_id, position, wallet) > (%s, %s, %s)"
                " and (account_id, position) < (%s, %s) and (%s::text is null or wallet = %s)"
                " and (%s::bigint[] is null or position = any(%s)) order by account_id, position, wallet limit %s",
                [account_id, *after, account_id, end, wallet, wallet, places, places, most],
            )
            return cursor.fetchall()

    return Dated.of(position).read(ask, limit)
