"""The margin levels of all wallets that owe, and those of them that ask to be examined."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from ledger.account.liquidation import CALL_PAUSE
from ledger.account.state import CROSS_START_LEVERAGE
from ledger.interest import charged, due_lines
from ledger.margin import Margin
from ledger.market import Market
from ledger.money import plain
from ledger.words import Band, pair_of
from projections.accounts.dated import DatedAccount
from projections.margin_levels.queries import START, OwingWallet, wallets_that_owe
from projections.market.queries import market_at
from projections.projector import Connection
from projections.questions.dated_log import dated_log
from projections.questions.margin_wallet import (
    UNPRICED,
    band,
    collateral_level,
    lacking_prices,
    level,
    margin_at_fresh_prices,
    sums,
)
from projections.wallet_settings import WalletSettings

__all__ = [
    "READS",
    "UNPRICED",
    "Candidate",
    "Standing",
    "candidate_of",
    "candidates",
    "count_by_band",
    "levels",
    "margin_after_interest",
    "standings",
    "wallets_that_owe",
]

READS = ("market", "margin_levels")
"""The projections that margin levels are computed from; no others need to be waited for."""


class Candidate(NamedTuple):
    """A wallet that an examination may call or liquidate, or that lacks a price; `level` is None where it does."""

    account_id: str
    wallet: str
    band: str
    level: str | None


class Standing(NamedTuple):
    """How a wallet that owes stands: its band, its level, and in the cross pool also that of its collateral."""

    band: str
    margin_level: str | None
    collateral_margin_level: str | None


def levels(
    connection: Connection,
    position: int,
    *,
    band: str | None = None,
    account_id: str | None = None,
    after: tuple[str, str] = START,
    limit: int = 100,
    effective_at: datetime | None = None,
) -> list[dict[str, Any]]:
    """The wallets that owe at a position, with their levels, in order of account and wallet, after (account, wallet).

    Levels are of what is charged so far. `unpriced` is the band of a wallet with a price that was never marked, or is
    older at the newest price vector's time than its limits allow. As of a business time they are of what is known at
    the position and dated up to that time.
    """
    market = market_at(connection, position, effective_at)
    if effective_at is None:
        account_ids = None if account_id is None else [account_id]
        owing = wallets_that_owe(connection, position, after=after, account_ids=account_ids)
    else:
        owing = dated_wallets_that_owe(connection, position, effective_at, after=after, account_id=account_id)
    rows = (_row(one, market) for one in owing)
    return list(islice((row for row in rows if band is None or row["band"] == band), limit))


def standings(
    connection: Connection, position: int, market: Market, account_ids: Sequence[str] | None = None
) -> dict[tuple[str, str], Standing]:
    """How the wallets that owe at a position stand in its market, by account and wallet; all, or of these accounts."""
    return {
        (one.account_id, one.wallet.name): _standing(
            one, margin_at_fresh_prices(one.wallet, market, _leverage(one, market))
        )
        for one in wallets_that_owe(connection, position, account_ids=account_ids)
    }


def _standing(one: OwingWallet, margin: Margin | None) -> Standing:
    pooled = pair_of(one.wallet.name) is None
    return Standing(band(margin), level(margin), collateral_level(margin) if pooled else None)


def count_by_band(connection: Connection, position: int, effective_at: datetime | None = None) -> dict[str, int]:
    """How many wallets that owe are in each band, `unpriced` included."""
    market = market_at(connection, position, effective_at)
    counts = dict.fromkeys([*map(str, Band), UNPRICED], 0)
    if effective_at is None:
        owing = wallets_that_owe(connection, position)
    else:
        owing = dated_wallets_that_owe(connection, position, effective_at)
    for one in owing:
        counts[band(margin_at_fresh_prices(one.wallet, market, _leverage(one, market)))] += 1
    return counts


def dated_wallets_that_owe(
    connection: Connection,
    position: int,
    effective_at: datetime,
    *,
    after: tuple[str, str] = START,
    account_id: str | None = None,
) -> Iterator[OwingWallet]:
    """The margin wallets with debt as of a business time, in order of account and wallet, after (account, wallet)."""
    log = dated_log(connection, position, effective_at)
    apart = dict.fromkeys(log.apart, ())
    instead = apart | {name: list(_owing_of(name, one)) for name, one in log.accounts(connection, account_id)}
    account_ids = None if account_id is None else [account_id]
    return wallets_that_owe(connection, log.through, after=after, account_ids=account_ids, instead=instead)


def _owing_of(account_id: str, account: DatedAccount) -> Iterator[OwingWallet]:
    wallets = [account.wallets.cross, *(wallet for _, wallet in sorted(account.wallets.isolated.items()))]
    for wallet in wallets:
        if wallet.debts:
            settings = account.settings.get(wallet.name, WalletSettings())
            beside = (settings.leverage, settings.liquidation_id, settings.called_at)
            yield OwingWallet(account_id, wallet, account.position, *beside)


def candidates(connection: Connection, position: int) -> Iterator[Candidate]:
    """The wallets that an examination at the newest prices would act on, and those that lack a price for it.

    Interest due by then is counted. A wallet whose liquidation runs takes no examination; one that was called within
    a day is not called again.
    """
    market = market_at(connection, position)
    for one in wallets_that_owe(connection, position):
        found = candidate_of(one, market)
        if found is not None:
            yield found


def candidate_of(one: OwingWallet, market: Market) -> Candidate | None:
    """A wallet that owes as a candidate; None where an examination would do nothing."""
    if one.liquidation_id is not None:
        return None
    margin = margin_after_interest(one, market)
    if margin is not None and not _asks(one, margin, market):
        return None
    return Candidate(one.account_id, one.wallet.name, band(margin), level(margin))


def margin_after_interest(one: OwingWallet, market: Market) -> Margin | None:
    """The wallet with what is due by the newest price vector's time; None where a price is lacking."""
    at = market.newest_prices_at
    wallet = one.wallet if at is None else charged(one.wallet, due_lines(one.wallet, market, at))
    return margin_at_fresh_prices(wallet, market, _leverage(one, market))


def _asks(one: OwingWallet, margin: Margin, market: Market) -> bool:
    if margin.band is not Band.MARGIN_CALL:
        return margin.band is Band.LIQUIDATION
    at = market.newest_prices_at
    return one.called_at is None or at is None or at - one.called_at >= CALL_PAUSE


def _leverage(one: OwingWallet, market: Market) -> Decimal:
    if one.leverage is not None:
        return one.leverage
    pair = pair_of(one.wallet.name)
    return CROSS_START_LEVERAGE if pair is None else market.pair(pair).max_leverage


def _row(one: OwingWallet, market: Market) -> dict[str, Any]:
    wallet, leverage = one.wallet, _leverage(one, market)
    margin = margin_at_fresh_prices(wallet, market, leverage)
    return {
        "account_id": one.account_id,
        "wallet": wallet.name,
        "position": one.position,
        **_standing(one, margin)._asdict(),
        **sums(margin),
        "debts": {asset: plain(balance.owed) for asset, balance in sorted(wallet.debts.items())},
        "tier": None if margin is None else margin.lines.tier,
        "max_leverage": plain(leverage),
        "liquidation_id": one.liquidation_id,
        "called_at": one.called_at,
        "lacking_prices": lacking_prices(wallet, market),
    }
