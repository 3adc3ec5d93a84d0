"""Wallets in memory as the watch reads them from the database, and the candidates that the exact loop finds of them."""

from collections.abc import Iterable, Mapping
from itertools import groupby

import numpy as np

from ledger.market import Market
from ledger.wallets import Wallet
from projections.margin_levels.queries import OwingWallet
from projections.margin_levels.wallet_rows import balances_of
from projections.questions.levels import Candidate, candidate_of
from projections.watch.amounts import NEVER, Entries
from projections.watch.kept import Wallets


def columns_of(wallets: Iterable[OwingWallet], market: Market) -> Wallets:
    """The columns that the query gives of wallets."""
    ordered = sorted(wallets, key=lambda one: one.wallet.name)
    places = {symbol: place for place, symbol in enumerate(market.assets, start=1)}
    entries = [entry for number, one in enumerate(ordered) for entry in _entries(number, one.wallet, places)]
    columns = zip(*entries, strict=True) if entries else [[]] * len(Entries._fields)
    kinds = (np.int64, np.int64, np.float64, np.float64, np.float64, np.int32)
    return Wallets(
        [(name, len(list(same))) for name, same in groupby(ordered, lambda one: one.wallet.name)],
        [one.account_id for one in ordered],
        [balances_of(one.wallet) for one in ordered],
        {number: one.leverage for number, one in enumerate(ordered) if one.leverage is not None},
        {number: one.called_at for number, one in enumerate(ordered) if one.called_at is not None},
        Entries(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))),
    )


def _entries(number: int, wallet: Wallet, places: Mapping[str, int]) -> Iterable[tuple[float, ...]]:
    for asset, (free, locked, borrowed, interest) in wallet.balances.items():
        held, owed = float(free) + float(locked), float(borrowed) + float(interest)
        if held or owed:
            hour = wallet.next_hours.get(asset)
            first = NEVER if hour is None else int(hour.timestamp()) // 3600
            yield (number, places[asset], held, owed, float(borrowed), first)


def exact_candidates(wallets: Iterable[OwingWallet], market: Market) -> set[Candidate]:
    """What the exact loop finds."""
    return {found for one in wallets if (found := candidate_of(one, market)) is not None}
