"""Many wallets at once: sorted, merged, moved from width to width, let go of, they stay what exact decimals find."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ledger.events import MarkPrice
from ledger.market import AssetListing, Market, PairListing, Rates
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, isolated
from projections.margin_levels.queries import OwingWallet
from projections.watch.watch import Watch
from tests.ledger.given import NOON
from tests.projections.watched import columns_of, exact_candidates

COINS = [f"COIN{number}" for number in range(12)]
PAIRS = [f"{coin}/USDT" for coin in COINS]
COMMON_COINS = COINS[:9]
"""The others are held by few: where one of them moves, the pools that have it are picked."""
BUCKET_PAIRS = [*PAIRS[:3], "COIN0/COIN1"]
HOUR = timedelta(hours=1)


class Crowd:
    """Wallets around their lines, at prices of about 100, and the watch of them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        symbols = ["USDT", *COINS]
        self.market = Market(
            assets={symbol: AssetListing(symbol, 8, Rates(Decimal("0.001"))) for symbol in symbols},
            pairs={pair: PairListing(pair, 2, Decimal(5)) for pair in [*PAIRS, "COIN0/COIN1"]},
        )
        self.wallets: dict[tuple[str, str], OwingWallet] = {}
        self.mark(dict.fromkeys(PAIRS, Decimal(100)), NOON)
        self.watch = Watch(self.market)

    def mark(self, prices: dict[str, Decimal], at: datetime) -> None:
        """The market after a vector."""
        version = self.market.prices_version + 1
        marks = {pair: MarkPrice(price=price, effective_at=at, version=version) for pair, price in prices.items()}
        prices_now = {**self.market.prices, **marks}
        self.market = replace(self.market, prices_version=version, newest_prices_at=at, prices=prices_now)

    def put(self, count: int) -> None:
        """So many wallets, some of them in the places of others; one of eight is gone again."""
        new = {(one.wallet.name, one.account_id): one for one in (self._drawn() for _ in range(count))}
        gone = {key for key in new if self.rng.random() < 0.125}
        self.wallets |= new
        for key in gone:
            del self.wallets[key]
        self.watch.drop(gone)
        self.watch.put(columns_of([one for key, one in new.items() if key not in gone], self.market))

    def take(self, *wallets: OwingWallet) -> None:
        """These wallets as they are now."""
        self.wallets |= {(one.wallet.name, one.account_id): one for one in wallets}
        self.watch.put(columns_of(wallets, self.market))

    def move(self, coin: str, price: str) -> None:
        """One coin has another price."""
        self.mark({f"{coin}/USDT": Decimal(price)}, NOON)
        self.watch.mark(self.market)

    def _drawn(self) -> OwingWallet:
        rng = self.rng
        if rng.random() < 0.6:
            pair = rng.choice(BUCKET_PAIRS)
            name, assets = isolated(pair), pair.split("/")
        else:
            coins = COMMON_COINS if rng.random() < 0.8 else COINS
            name, assets = CROSS, ["USDT", *rng.sample(coins, rng.randint(1, 9))]
        held, owed = rng.sample(assets, 2)
        wallet = Wallet(name, {asset: Balance(Decimal(rng.randint(0, 3))) for asset in assets})
        worth = {asset: Decimal(1 if asset == "USDT" else 100) for asset in assets}
        level = Decimal(rng.randint(1050, 1600)) / 1000
        debt = Decimal(rng.randint(1, 100))
        wallet.balances[owed] = Balance(borrowed=debt)
        wallet.balances[held] = Balance(free=debt * worth[owed] * level / worth[held])
        wallet.next_hours[owed] = NOON + rng.randint(0, 2) * HOUR
        called_at = rng.choice([None, None, NOON - 23 * HOUR])
        return OwingWallet(f"a{rng.randint(0, 1500)}", wallet, 1, None, None, called_at)

    def check(self) -> int:
        """How many candidates there are, which are those of the exact loop."""
        found = self.watch.candidates()
        assert len(found) == len(set(found))
        assert set(found) == exact_candidates(self.wallets.values(), self.market)
        assert len(self.watch) == len(self.wallets)
        return len(found)


def pool(number: int, coin: str, free: str) -> OwingWallet:
    """A pool of so much of a coin, that owes 100 USDT."""
    wallet = Wallet(CROSS, {coin: Balance(Decimal(free)), "USDT": Balance(borrowed=Decimal(100))})
    return OwingWallet(f"a{number}", wallet, 1, None, None, None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crowd_is_found_exactly_through_hundreds_of_changes_and_ticks(seed: int) -> None:
    crowd = Crowd(seed)
    crowd.put(3000)
    found = crowd.check()
    for _ in range(12):
        crowd.put(crowd.rng.choice([0, 3, 400]))
        pairs = crowd.rng.sample(PAIRS, crowd.rng.choice([1, 1, len(PAIRS)]))
        moved = {pair: crowd.market.prices[pair].price + Decimal(crowd.rng.randint(-200, 200)) / 100 for pair in pairs}
        assert crowd.market.newest_prices_at is not None
        crowd.mark(moved, crowd.market.newest_prices_at + crowd.rng.choice([timedelta(0), timedelta(seconds=20), HOUR]))
        crowd.watch.mark(crowd.market)
        found += crowd.check()
    assert found > 1000


def test_a_tick_that_moves_no_price_of_a_wallet_decides_it_no_second_time() -> None:
    crowd = Crowd(4)
    crowd.put(2000)
    assert crowd.check() > 100
    decided = crowd.watch.decisions
    crowd.check()
    # COIN11 is nobody's but some pools': the buckets and the other pools are known.
    exposed = sum("COIN11" in one.wallet.balances for one in crowd.wallets.values())
    crowd.mark({"COIN11/USDT": Decimal("100.01")}, NOON)
    crowd.watch.mark(crowd.market)
    crowd.check()
    assert 0 < crowd.watch.decisions - decided <= exposed


def test_who_was_called_within_a_day_is_not_decided_again_at_every_tick() -> None:
    crowd = Crowd(5)
    called_at = NOON - HOUR
    crowd.take(*(pool(number, "COIN0", "1.2")._replace(called_at=called_at) for number in range(500)))
    for step in range(5):
        crowd.move("COIN0", f"100.0{step}")
        assert crowd.check() == 0
    assert crowd.watch.decisions == 0
    crowd.mark(dict.fromkeys(PAIRS, Decimal(100)), NOON + 23 * HOUR)
    crowd.watch.mark(crowd.market)
    assert crowd.check() == 500


def test_a_coin_that_one_pool_took_in_the_place_of_another_moves_that_pool() -> None:
    """It has as many assets as before, in the same columns; one pool of forty is picked, not all are computed."""
    crowd = Crowd(6)
    crowd.take(*(pool(number, "COIN0", "2") for number in range(40)))
    for number, coin in enumerate(COINS[1:]):
        crowd.take(pool(number, coin, "2"))
        assert crowd.check() == 0
        crowd.move(coin, "60")
        assert crowd.check() == 1
        crowd.move(coin, "100")
        assert crowd.check() == 0


def test_a_coin_that_a_pool_has_no_more_does_not_move_it() -> None:
    """Though it moved it before; its coins are exchanged more often than it takes to list anew what moves what."""
    crowd = Crowd(7)
    crowd.take(*(pool(number, "COIN0", "2") for number in range(40)))
    for step in range(60):
        crowd.take(pool(7, COINS[1 + step % 3], "2"))
        crowd.move(COINS[1 + (step + 1) % 3], "60")
        assert crowd.check() == 0
        crowd.move(COINS[1 + (step + 1) % 3], "100")
        crowd.move(COINS[1 + step % 3], "60")
        assert crowd.check() == 1
        crowd.move(COINS[1 + step % 3], "100")
    assert crowd.check() == 0


def test_the_screen_lets_hardly_any_wallet_through_that_is_no_candidate() -> None:
    crowd = Crowd(8)
    crowd.put(3000)
    found = crowd.check()
    assert 100 < found <= crowd.watch.decisions < found + 10
