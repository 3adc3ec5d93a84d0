"""Wallets that owe, as the watch's query gives them: amounts as exact text and as the floats nearest to them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.watching.prices import ASSETS, NEXT_HOUR, coins, weights
from ledger.money import VALUATION_ASSET, valuation_pair
from ledger.words import CROSS, isolated
from projections.watch.amounts import NEVER, Entries
from projections.watch.kept import Wallets

STEPS = 10**8
HOUR = f'"{NEXT_HOUR.isoformat()}"'
FIRST_HOUR = int(NEXT_HOUR.timestamp()) // 3600
VALUATION_PLACE = 1
# Levels lie between a little above the call line and three times it, ever fewer the nearer they are to it: so that from
# tick to tick a few wallets cross, as they do where those that are at risk were called or closed out before.
NEAREST, RANGE = 1.0002, 2.0
BUCKET_CALL_LINE, POOL_CALL_LINE = 1.09, 1.3
MOST_COINS = 6
DEBT_IN_VALUATION_ASSET = 0.8

Steps = NDArray[np.int64]
Reals = NDArray[np.float64]


def buckets_by_pair(count: int) -> list[int]:
    """How many of so many buckets each pair has, at least one."""
    shares = np.array(weights()) / sum(weights())
    counts = np.maximum(np.floor(shares * count), 1).astype(int)
    counts[0] += count - counts.sum()
    return [int(one) for one in counts]


def bucket_id(pair: int, number: int) -> str:
    """The account of a pair's bucket."""
    return f"i{pair:02d}-{number:06d}"


def pool_id(number: int) -> str:
    """The account of a cross pool."""
    return f"c-{number:06d}"


class Population:
    """Draws wallets at the prices of the opening market; the same seed draws the same wallets."""

    def __init__(self, seed: int, prices: Sequence[float]) -> None:
        self._rng = np.random.default_rng(seed)
        self._prices = np.array(prices)
        self._shares = np.array(weights()) / sum(weights())

    def buckets(self, count: int) -> Iterator[Wallets]:
        """So many buckets, a part for each pair, in order of the pairs' names."""
        for number, of_pair in enumerate(buckets_by_pair(count)):
            yield self.buckets_of(number, [bucket_id(number, one) for one in range(of_pair)])

    def buckets_of(self, number: int, account_ids: list[str]) -> Wallets:
        """Buckets of one pair: three of four are long, the others short."""
        rng, price, count = self._rng, self._prices[number], len(account_ids)
        debt, level = np.exp(rng.normal(8.0, 1.0, count)), self._levels(BUCKET_CALL_LINE, count)
        is_long = rng.random(count) < 0.75
        base = _steps(np.where(is_long, debt * level, debt) / price)
        quote = _steps(np.where(is_long, debt, debt * level))
        held = np.stack([np.where(is_long, base, 0), np.where(is_long, 0, quote)], axis=1)
        owed = np.stack([np.where(is_long, 0, base), np.where(is_long, quote, 0)], axis=1)
        places = np.broadcast_to(np.array([number + 2, VALUATION_PLACE]), (count, 2))
        return _wallets(isolated(valuation_pair(coins()[number])), account_ids, places, held, owed)

    def pools(self, count: int, at_once: int = 20_000) -> Iterator[Wallets]:
        """So many cross pools."""
        for start in range(0, count, at_once):
            yield self.pools_of([pool_id(one) for one in range(start, min(count, start + at_once))])

    def pools_of(self, account_ids: list[str]) -> Wallets:
        """Cross pools of the valuation asset and one to six coins, of which one may be owed."""
        rng, count = self._rng, len(account_ids)
        # The largest of weighted exponential times: a choice without repetition, by weight.
        times = rng.exponential(1.0, (count, ASSETS - 1)) / self._shares
        chosen = np.argsort(times, axis=1)[:, :MOST_COINS]
        has = np.arange(MOST_COINS) < rng.integers(1, MOST_COINS + 1, count)[:, None]
        values = np.where(has, np.exp(rng.normal(7.0, 1.0, (count, MOST_COINS))), 0.0)
        owes_coin = rng.random(count) > DEBT_IN_VALUATION_ASSET
        # Who owes a coin owes the first, and holds the valuation asset in its place.
        held_coins, held_quote = values.copy(), np.where(owes_coin, values[:, 0], 0.0)
        held_coins[owes_coin, 0] = 0.0
        debt = values.sum(axis=1) / self._levels(POOL_CALL_LINE, count)
        prices = self._prices[chosen]
        owed_coins = np.zeros_like(values)
        owed_coins[:, 0] = np.where(owes_coin, debt, 0.0)
        held = np.column_stack([_steps(held_coins / prices), _steps(held_quote)])
        owed = np.column_stack([_steps(owed_coins / prices), _steps(np.where(owes_coin, 0.0, debt))])
        places = np.column_stack([chosen + 2, np.full(count, VALUATION_PLACE)])
        return _wallets(CROSS, account_ids, places, held, owed)

    def _levels(self, line: float, count: int) -> Reals:
        return np.asarray(line * (NEAREST + RANGE * np.sqrt(self._rng.random(count))))


def _steps(amounts: Reals) -> Steps:
    """Amounts in steps of their scale, those that are something at least one."""
    return np.where(amounts > 0, np.maximum(np.rint(amounts * STEPS), 1), 0).astype(np.int64)


def _wallets(name: str, account_ids: list[str], places: Any, held: Steps, owed: Steps) -> Wallets:
    where = np.nonzero((held > 0) | (owed > 0))
    entry_held, entry_owed, entry_places = held[where], owed[where], places[where]
    texts = _balances(len(account_ids), where[0], entry_places, entry_held, entry_owed)
    # A quotient of two whole floats is the float nearest to it, as that of the text is.
    owed_floats = entry_owed / STEPS
    hours = np.where(entry_owed > 0, FIRST_HOUR, NEVER).astype(np.int32)
    entries = Entries(where[0], entry_places, entry_held / STEPS, owed_floats, owed_floats, hours)
    return Wallets([(name, len(account_ids))], account_ids, texts, {}, {}, entries)


def _balances(count: int, wallets: Steps, places: Steps, held: Steps, owed: Steps) -> list[str]:
    """The JSON texts, as margin_levels writes them."""
    symbols = ["", VALUATION_ASSET, *coins()]
    parts: list[list[str]] = [[] for _ in range(count)]
    columns = (column.tolist() for column in (wallets, places, held, owed))
    for wallet, place, free, borrowed in zip(*columns, strict=True):
        hour = HOUR if borrowed else "null"
        parts[wallet].append(f'"{symbols[place]}": ["{_plain(free)}", "0", "{_plain(borrowed)}", "0", {hour}]')
    return [f"{{{', '.join(each)}}}" for each in parts]


def _plain(steps: int) -> str:
    return f"{steps // STEPS}.{steps % STEPS:08d}" if steps else "0"


def joined(parts: Iterable[Wallets]) -> Wallets:
    """The wallets of all parts, none of which was called or set a leverage; the parts are in order of their names."""
    runs: list[tuple[str, int]] = []
    account_ids: list[str] = []
    balances: list[str] = []
    entries: list[Entries] = []
    for part in parts:
        entries.append(part.entries._replace(wallet=part.entries.wallet + len(account_ids)))
        runs += part.runs
        account_ids += part.account_ids
        balances += part.balances
    columns = (np.concatenate(column) for column in zip(*entries, strict=True))
    return Wallets(runs, account_ids, balances, {}, {}, Entries(*columns))
