"""Whatever happens to wallets and prices, the watch finds the candidates that exact decimals find, and no others."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from ledger.money import ZERO, step_of
from ledger.wallets import Balance, Wallet
from ledger.words import pair_of
from projections.margin_levels.queries import OwingWallet
from tests.ledger.given import NOON
from tests.ledger.happenings import hours, rate_set, risk_limits, tier
from tests.projections.watched import (
    NAMES,
    PRICE_SCALE,
    PRICES,
    SCALES,
    TIERS,
    World,
    at_its_line,
    marked,
    price_at_its_line,
    prices_beside,
)

# Prices are cut to these: what a market may list, and finer than floats are.
PRICE_SCALES = [PRICE_SCALE, 18]
LIMITS = {
    asset: sorted({Decimal(row[f"{side}_limit"]) for row in TIERS})
    for asset, side in (("BTC", "base"), ("USDT", "quote"))
}
"""What a bucket of BTC/USDT may borrow of each, by its tiers."""


def amounts(scale: int) -> st.SearchStrategy[Decimal]:
    """Nothing, whole numbers, and any number of steps up to the worth of some wallets."""
    steps = st.integers(0, 10 ** (scale + 2)).map(lambda count: Decimal(count).scaleb(-scale))
    return st.one_of(st.just(ZERO), st.just(ZERO), st.integers(1, 9).map(Decimal), steps)


def loans(asset: str) -> st.SearchStrategy[Decimal]:
    """Any amount, and the limits of tiers, exactly or a step beside."""
    if asset not in LIMITS:
        return amounts(SCALES[asset])
    beside = st.integers(-1, 1).map(lambda steps: steps * step_of(SCALES[asset]))
    on_limits = st.tuples(st.sampled_from(LIMITS[asset]), beside).map(lambda terms: terms[0] + terms[1])
    return st.one_of(amounts(SCALES[asset]), on_limits)


@st.composite
def wallets(draw: st.DrawFn) -> OwingWallet:
    """A wallet that may owe; of six accounts, so that it takes the place of others."""
    name = draw(st.sampled_from(NAMES))
    pair = pair_of(name)
    assets = draw(st.lists(st.sampled_from(list(SCALES)), unique=True, min_size=1)) if pair is None else pair.split("/")
    wallet = Wallet(name)
    for asset in assets:
        free, locked, interest = (draw(amounts(SCALES[asset])) for _ in range(3))
        balance = Balance(free, locked, draw(loans(asset)), interest)
        wallet.balances[asset] = balance
        if balance.borrowed:
            wallet.next_hours[asset] = NOON + hours(draw(st.integers(-3, 3)))
    leverage = draw(st.sampled_from([None, Decimal(3), Decimal(5)])) if pair is None else None
    called_at = draw(st.sampled_from([None, NOON - hours(24), NOON - hours(23), NOON - hours(1), NOON + hours(1)]))
    liquidation_id = draw(st.sampled_from([None, None, None, "alice.7"]))
    account_id = draw(st.sampled_from(["alice", "bob", "carol", "dan", "erin", "frank"]))
    return OwingWallet(account_id, wallet, 1, leverage, liquidation_id, called_at)


@pytest.mark.long
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
    """The price at which a wallet is at a line, the float nearest to it, or one beside either."""
    one = _an_owing_wallet(world, data)
    if one is None:
        return
    asset = data.draw(st.sampled_from(sorted(one.wallet.balances)))
    scale, line = data.draw(st.sampled_from(PRICE_SCALES)), data.draw(st.sampled_from(["margin_call", "liquidation"]))
    price = price_at_its_line(one, world.market, asset, line, scale)
    if price is not None:
        there = data.draw(st.sampled_from(prices_beside(price, scale)))
        world.change(marked({f"{asset}/USDT": f"{there:f}"}, world.at), at=world.at)


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
