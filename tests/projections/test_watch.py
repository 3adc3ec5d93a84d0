"""Whatever happens to wallets and prices, the watch finds the candidates that exact decimals find, and no others."""

import copy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, divide_down, quote_of, step_of
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, isolated, pair_of
from projections.margin_levels.queries import OwingWallet
from projections.questions.levels import candidate_of, margin_after_interest
from projections.watch.watch import Watch
from tests.ledger.given import NOON, given_market, happened, market_after
from tests.ledger.happenings import (
    asset_listed,
    hours,
    pair_listed,
    rate_set,
    risk_limits,
    tier,
)
from tests.projections.watched import columns_of, exact_candidates

SCALES = {"USDT": 8, "BTC": 8, "ETH": 6, "SOL": 2, "DAI": 18, "XRP": 0}
RATES = {"USDT": "0.024", "BTC": "0.0024", "ETH": "0.0048", "SOL": "0", "DAI": "0.1", "XRP": "0"}
PRICES = {"BTC/USDT": "50000", "ETH/USDT": "2000", "SOL/USDT": "100", "DAI/USDT": "1", "XRP/USDT": "0.5"}
PAIRS = {"BTC/USDT": "10", "ETH/USDT": "5", "SOL/USDT": "3", "DAI/USDT": "3", "XRP/USDT": "3", "ETH/BTC": "3"}
PRICE_SCALE = 4
NAMES = [CROSS, isolated("BTC/USDT"), isolated("ETH/USDT"), isolated("ETH/BTC")]
# The second tier is easier to come to by its base, the third by its quote; lines need not rise with the tiers.
TIERS = [
    tier("10", "1.111", "1.09", "1.05", base_limit="2", quote_limit="80000"),
    tier("5", "1.25", "1.19", "1.15", base_limit="3", quote_limit="200000"),
    tier("3", "1.5", "1.15", "1.12", base_limit="5", quote_limit="200000"),
]


def marked(prices: dict[str, str], at: datetime) -> Any:
    return happened(e.PricesMarked, at=at, prices=prices, source="index")


def opening_market() -> Market:
    """Six assets, six pairs; BTC/USDT has three tiers."""
    assets = [asset_listed(asset, RATES[asset], scale) for asset, scale in SCALES.items()]
    pairs = [pair_listed(pair, leverage, PRICE_SCALE) for pair, leverage in PAIRS.items()]
    return given_market(*assets, *pairs, risk_limits("BTC/USDT", *TIERS), marked(PRICES, NOON))


class World:
    """A market and wallets, and a watch that is told of all that happens to them."""

    def __init__(self) -> None:
        self.market = opening_market()
        self.wallets: dict[tuple[str, str], OwingWallet] = {}
        self.watch = Watch(self.market)

    @property
    def at(self) -> datetime:
        assert self.market.newest_prices_at is not None
        return self.market.newest_prices_at

    def change(self, *news: Any, at: datetime = NOON) -> None:
        """Something happens on the exchange."""
        self.market = market_after(copy.deepcopy(self.market), *news, at=at)
        self.watch.mark(self.market)

    def put(self, *wallets: OwingWallet) -> None:
        """Wallets come to be so."""
        self.wallets |= {(one.wallet.name, one.account_id): one for one in wallets}
        watched = [one for one in wallets if one.wallet.owes and one.liquidation_id is None]
        self.watch.drop([(one.wallet.name, one.account_id) for one in wallets if one not in watched])
        self.watch.put(columns_of(watched, self.market))

    def check(self) -> None:
        """The watch and the exact loop agree."""
        found = self.watch.candidates()
        owing = [one for one in self.wallets.values() if one.wallet.owes]
        assert len(found) == len(set(found))
        assert set(found) == exact_candidates(owing, self.market)
        priced = [(Decimal(one.level), one.account_id, one.wallet) for one in found if one.level is not None]
        assert priced == sorted(priced)
        assert all(one.level is None for one in found[len(priced) :])


def amounts(scale: int) -> st.SearchStrategy[Decimal]:
    """Nothing, whole numbers, and any number of steps up to the worth of some wallets."""
    steps = st.integers(0, 10 ** (scale + 2)).map(lambda count: Decimal(count).scaleb(-scale))
    return st.one_of(st.just(ZERO), st.just(ZERO), st.integers(1, 9).map(Decimal), steps)


@st.composite
def wallets(draw: st.DrawFn) -> OwingWallet:
    """A wallet that may owe; of six accounts, so that it takes the place of others."""
    name = draw(st.sampled_from(NAMES))
    pair = pair_of(name)
    assets = draw(st.lists(st.sampled_from(list(SCALES)), unique=True, min_size=1)) if pair is None else pair.split("/")
    wallet = Wallet(name)
    for asset in assets:
        balance = Balance(*(draw(amounts(SCALES[asset])) for _ in Balance._fields))
        wallet.balances[asset] = balance
        if balance.borrowed:
            wallet.next_hours[asset] = NOON + hours(draw(st.integers(-3, 3)))
    leverage = draw(st.sampled_from([None, Decimal(3), Decimal(5)])) if pair is None else None
    called_at = draw(st.sampled_from([None, NOON - hours(24), NOON - hours(23), NOON - hours(1), NOON + hours(1)]))
    liquidation_id = draw(st.sampled_from([None, None, None, "alice.7"]))
    account_id = draw(st.sampled_from(["alice", "bob", "carol", "dan", "erin", "frank"]))
    return OwingWallet(account_id, wallet, 1, leverage, liquidation_id, called_at)


def at_its_line(one: OwingWallet, market: Market, line_name: str, steps: int) -> OwingWallet | None:
    """The wallet with as much USDT as brings it exactly to a line, or so many steps beside it."""
    margin = margin_after_interest(one, market)
    if margin is None or ((pair := pair_of(one.wallet.name)) is not None and quote_of(pair) != VALUATION_ASSET):
        return None
    line: Decimal = getattr(margin.lines, line_name)
    old = one.wallet.balance(VALUATION_ASSET)
    free = line * margin.valuation.debt - (margin.valuation.assets - old.free) + steps * step_of(18)
    if free < 0:
        return None
    balances = {**one.wallet.balances, VALUATION_ASSET: old._replace(free=free)}
    return one._replace(wallet=one.wallet.with_balances(balances))


def price_at_its_line(one: OwingWallet, market: Market, asset: str, line_name: str) -> Decimal | None:
    """The price of an asset at which the wallet is at its line, the others fixed, cut to the price scale."""
    margin = margin_after_interest(one, market)
    if margin is None or asset == VALUATION_ASSET:
        return None
    line: Decimal = getattr(margin.lines, line_name)
    own = margin.wallet.balance(asset)
    others = margin.with_balances({asset: Balance()}).valuation
    each = own.held - line * own.owed
    if not each:
        return None
    price = divide_down(line * others.debt - others.assets, each, PRICE_SCALE)
    return price if price > 0 else None


@settings(max_examples=150, deadline=None)
@examples(st.data())
def test_the_watch_finds_what_the_exact_loop_finds_through_changes_and_ticks(data: st.DataObject) -> None:
    world = World()
    world.put(*data.draw(st.lists(wallets(), unique_by=lambda one: (one.account_id, one.wallet.name))))
    world.check()
    for _ in range(data.draw(st.integers(1, 8))):
        happens = data.draw(
            st.sampled_from(
                [
                    _wallets_change,
                    _prices_move,
                    _a_price_meets_a_line,
                    _a_wallet_meets_a_line,
                    _time_passes,
                    _a_rate_is_set,
                    _limits_are_set,
                ]
            )
        )
        happens(world, data)
        world.check()


def _wallets_change(world: World, data: st.DataObject) -> None:
    new = data.draw(st.lists(wallets(), max_size=4, unique_by=lambda one: (one.account_id, one.wallet.name)))
    world.put(*new)


def _prices_move(world: World, data: st.DataObject) -> None:
    """Some pairs; the others grow old where time passes."""
    pairs = data.draw(st.lists(st.sampled_from(list(PRICES)), unique=True, min_size=1))
    moves = {pair: data.draw(st.integers(1, 3 * 10**PRICE_SCALE)) * Decimal(PRICES[pair]) for pair in pairs}
    later = world.at + timedelta(seconds=data.draw(st.sampled_from([0, 30, 61])))
    world.change(marked({pair: f"{move.scaleb(-PRICE_SCALE):f}" for pair, move in moves.items()}, later), at=later)


def _an_owing_wallet(world: World, data: st.DataObject) -> OwingWallet | None:
    owing = [one for one in world.wallets.values() if one.wallet.owes]
    return data.draw(st.sampled_from(owing)) if owing else None


def _a_price_meets_a_line(world: World, data: st.DataObject) -> None:
    """The price at which a wallet is at a line, or a step of the price scale beside it."""
    one = _an_owing_wallet(world, data)
    if one is None:
        return
    asset = data.draw(st.sampled_from(sorted(one.wallet.balances)))
    price = price_at_its_line(one, world.market, asset, data.draw(st.sampled_from(["margin_call", "liquidation"])))
    price = None if price is None else price + data.draw(st.integers(-1, 2)) * step_of(PRICE_SCALE)
    if price is not None and price > 0:
        world.change(marked({f"{asset}/USDT": f"{price:f}"}, world.at), at=world.at)


def _a_wallet_meets_a_line(world: World, data: st.DataObject) -> None:
    one = _an_owing_wallet(world, data)
    line = data.draw(st.sampled_from(["margin_call", "liquidation"]))
    there = None if one is None else at_its_line(one, world.market, line, data.draw(st.integers(-1, 1)))
    if there is not None:
        world.put(there)


def _time_passes(world: World, data: st.DataObject) -> None:
    """All prices are marked as they were, later: hours fall due, calls are allowed again."""
    later = world.at + hours(data.draw(st.sampled_from([0.01, 1, 2, 23, 25])))
    prices = {pair: f"{mark.price:f}" for pair, mark in world.market.prices.items()}
    world.change(marked(prices, later), at=later)


def _a_rate_is_set(world: World, data: st.DataObject) -> None:
    asset, rate = data.draw(st.sampled_from(list(SCALES))), data.draw(st.sampled_from(["0", "0.001", "0.9"]))
    world.change(rate_set(asset, rate, NOON + hours(data.draw(st.integers(-2, 3)))))


def _limits_are_set(world: World, data: st.DataObject) -> None:
    """Lines of the pool, an age of a pair, or other tiers of it."""
    rows = [tier("3", "1.6", "1.4", "1.2"), tier("5", "1.3", "1.2", "1.1")]
    world.change(
        data.draw(
            st.sampled_from(
                [
                    risk_limits("cross", *rows),
                    risk_limits("cross", *rows, age_seconds=10**6),
                    risk_limits("ETH/USDT", tier("5", "1.3", "1.25", "1.2"), age_seconds=10**6),
                    risk_limits("BTC/USDT", *TIERS[:2]),
                    risk_limits("ETH/BTC", *TIERS[1:], age_seconds=10**6),
                ]
            )
        )
    )


@settings(max_examples=75, deadline=None)
@examples(st.data())
def test_what_would_cross_at_supposed_prices_is_what_the_exact_bands_say(data: st.DataObject) -> None:
    world = World()
    world.put(*data.draw(st.lists(wallets(), min_size=1, unique_by=lambda one: (one.account_id, one.wallet.name))))
    one = _an_owing_wallet(world, data)
    supposed = {"ETH/USDT": Decimal(data.draw(st.integers(1, 6000)))}
    if one is not None:
        asset = data.draw(st.sampled_from(sorted(one.wallet.balances)))
        price = price_at_its_line(one, world.market, asset, data.draw(st.sampled_from(["margin_call", "liquidation"])))
        supposed |= {} if price is None else {f"{asset}/USDT": price}
    before = world.watch.candidates()
    crossing = world.watch.crossing(supposed)
    there = marked({pair: f"{price:f}" for pair, price in supposed.items()}, world.at)
    then = market_after(copy.deepcopy(world.market), there, at=world.at)
    assert [(one.account_id, one.wallet) for one in crossing] == _called_or_worse(world, then)
    assert world.watch.candidates() == before


def _called_or_worse(world: World, market: Market) -> list[tuple[str, str]]:
    """Exactly, whoever was called when; the lowest level first."""
    found = []
    for one in world.wallets.values():
        if one.wallet.owes and one.liquidation_id is None:
            again = candidate_of(one._replace(called_at=None), market)
            if again is not None and again.level is not None:
                found.append((Decimal(again.level), one.account_id, one.wallet.name))
    return [(account_id, name) for _, account_id, name in sorted(found)]


def test_a_loan_one_step_beyond_a_tier_is_judged_by_the_next_one_though_floats_cannot_tell() -> None:
    """80,000 USDT borrowed is tier 1, called at 1.09; a step more is tier 2, liquidated at 1.15: 92,000 held."""
    world = World()
    for account_id, borrowed in (("alice", "80000"), ("bob", "80000.00000001")):
        balances = {"BTC": Balance(), "USDT": Balance(free=Decimal(92_000), borrowed=Decimal(borrowed))}
        wallet = Wallet(isolated("BTC/USDT"), balances)
        world.put(OwingWallet(account_id, wallet, 1, None, None, None))
    world.check()
    assert [(one.account_id, one.band) for one in world.watch.candidates()] == [("bob", "liquidation")]
