"""The wallets of a run: drawn, watched, changed, and a sample of them for the exact loop."""

import json
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from benchmarks.screen import Screen
from benchmarks.watching.plan import RiskPlan
from benchmarks.watching.population import Population, bucket_id, buckets_by_pair, joined, pool_id
from benchmarks.watching.prices import ASSETS, Wandering, coins, opening_market, weights
from ledger.money import valuation_pair
from projections.margin_levels.queries import OwingWallet
from projections.margin_levels.wallet_rows import wallet_of
from projections.questions.levels import Candidate
from projections.watch.kept import Wallets
from projections.watch.watch import Watch

# Places are counted from one, and the valuation asset has the first.
FIRST_COIN = 2


class Crowd:
    """A watch over all wallets, and the prices that they wander with."""

    def __init__(self, plan: RiskPlan, screen: Screen) -> None:
        market = opening_market()
        prices = [float(market.prices[valuation_pair(coin)].price) for coin in coins()]
        self._plan = plan
        self._population = Population(plan.seed, prices)
        self._rng = np.random.default_rng(plan.seed)
        self.wandering = Wandering(plan.seed, market)
        self.watch = Watch(market)
        self.sample: list[OwingWallet] = []
        self._holders = np.zeros(FIRST_COIN + ASSETS, np.int64)
        told = screen.step("drawing wallets", plan.wallets)
        for part in self._parts():
            self._add(part)
            told(len(part.account_ids))
        self.watch.candidates()

    def _parts(self) -> Iterator[Wallets]:
        yield from self._population.buckets(self._plan.isolated)
        yield from self._population.pools(self._plan.pools)

    def _add(self, wallets: Wallets) -> None:
        self.watch.put(wallets)
        self._holders += np.bincount(wallets.entries.place, minlength=len(self._holders))
        ((name, count),) = wallets.runs
        # Those of each kind as many as there are of it among all.
        step = self._plan.wallets // self._plan.sample
        for number in range(-len(self.watch) % step, count, step):
            wallet = wallet_of(name, json.loads(wallets.balances[number]))
            self.sample.append(OwingWallet(wallets.account_ids[number], wallet, 1, None, None, None))

    @property
    def exposed_part(self) -> float:
        """The part of the wallets that a tick of one pair moves, in the mean over such ticks."""
        shares = np.array(weights()) / sum(weights())
        return float(shares @ self._holders[FIRST_COIN : FIRST_COIN + len(shares)]) / self._plan.wallets

    def changed(self, count: int) -> Wallets:
        """So many of the wallets with other amounts: of each kind and pair as many as there are of it among all."""
        part = count / self._plan.wallets
        pools = self._some(self._plan.pools, part)
        parts = [self._population.pools_of([pool_id(one) for one in pools])]
        for pair, held in enumerate(buckets_by_pair(self._plan.isolated)):
            if len(some := self._some(held, part)):
                parts.append(self._population.buckets_of(pair, [bucket_id(pair, one) for one in some]))
        return joined(parts)

    def _some(self, count: int, part: float) -> Sequence[int]:
        return [int(one) for one in self._rng.choice(count, round(count * part), replace=False)]

    def act_on(self, found: Iterable[Candidate]) -> None:
        """Those that were called or liquidated are watched no more."""
        self.watch.drop([(one.wallet, one.account_id) for one in found])
