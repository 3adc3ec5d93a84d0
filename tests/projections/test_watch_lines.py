"""What lies exactly at a line, or so near that floats cannot tell, is decided exactly; what lies clear of it is not."""

import random
from decimal import Decimal

import pytest

from ledger.money import VALUATION_ASSET, base_of, quote_of
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, isolated, pair_of
from projections.margin_levels.queries import OwingWallet
from tests.ledger.given import NOON
from tests.ledger.happenings import hours, risk_limits, tier
from tests.projections.watched import (
    NAMES,
    PRICES,
    SCALES,
    World,
    at_its_line,
    marked,
    price_at_its_line,
    prices_beside,
)

MANY, FEWER = 200, 40
FINE_SCALE = 18
"""Finer than floats are."""
BUCKET = "isolated"
"""The bucket of the asset itself."""
LIMITED_PAIRS, SIDES = ["BTC/USDT", "ETH/BTC"], ["base", "quote"]
Ratios = tuple[str, str, str]
HIGHER: Ratios = ("1.25", "1.19", "1.15")
LOWER: Ratios = ("1.25", "1.15", "1.12")


def owing(name: str, balances: dict[str, Balance], account_id: str = "alice") -> OwingWallet:
    return OwingWallet(account_id, Wallet(name, balances), 1, None, None, None)


def at_lines(world: World, seed: int, line: str) -> list[OwingWallet]:
    """Many wallets of all kinds, each exactly at its line of this name."""
    rng, found = random.Random(seed), list[OwingWallet]()
    while len(found) < MANY:
        one = at_its_line(_drawn(rng, f"a{len(found)}"), world.market, line)
        if one is not None:
            found.append(one)
    return found


def _drawn(rng: random.Random, account_id: str) -> OwingWallet:
    """Up to ten of each of its assets, held or owed."""
    name = rng.choice(NAMES)
    pair = pair_of(name)
    assets = rng.sample(list(SCALES), rng.randint(2, len(SCALES))) if pair is None else pair.split("/")
    one = owing(name, {}, account_id)
    for asset in assets:
        amount = Decimal(rng.randint(1, 10 ** (SCALES[asset] + 1))).scaleb(-SCALES[asset])
        one.wallet.balances[asset] = Balance(free=amount) if rng.random() < 0.5 else Balance(borrowed=amount)
    if not one.wallet.owes:
        one.wallet.balances[assets[0]] = Balance(borrowed=Decimal(1))
    return one


def raised(one: OwingWallet, part: Decimal) -> OwingWallet:
    """The wallet with so much more of all that it holds."""
    more = {asset: balance._replace(free=balance.free * (1 + part)) for asset, balance in one.wallet.balances.items()}
    return one._replace(wallet=one.wallet.with_balances(more))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("line", ["margin_call", "liquidation"])
def test_all_wallets_that_are_exactly_at_their_lines_come_through_the_screen(line: str, seed: int) -> None:
    """Sums and critical prices in floats lie now above the line, now below."""
    world = World()
    called_at = NOON - hours(1) if line == "liquidation" else None
    world.put(*(one._replace(called_at=called_at) for one in at_lines(world, seed, line)))
    assert (world.check(), world.watch.decisions) == (MANY, MANY)


def test_a_price_at_a_line_in_decimals_or_in_floats_or_a_hair_beside_is_decided_exactly() -> None:
    """Each of many wallets, somewhat above its line, meets it at a price of one of its assets."""
    world, found = World(), 0
    many = [raised(one, Decimal("0.01")) for one in at_lines(world, 5, "margin_call")[:FEWER]]
    for one in many:
        world.put(one)
        asset = next(asset for asset in one.wallet.balances if asset != VALUATION_ASSET)
        price = price_at_its_line(one, world.market, asset, "margin_call", FINE_SCALE)
        for there in [] if price is None else prices_beside(price, FINE_SCALE):
            world.change(marked({f"{asset}/USDT": f"{there:f}"}, NOON))
            found += world.check()
        world.change(marked(PRICES, NOON))
        assert world.check() == 0
    assert found > FEWER


@pytest.mark.parametrize("part", ["0.00000001", "0.001"])
def test_no_wallet_a_hundred_millionth_above_its_line_comes_through(part: str) -> None:
    """As the slack is a billionth to each side."""
    world = World()
    world.put(*(raised(one, Decimal(part)) for one in at_lines(world, 4, "margin_call")))
    assert (world.check(), world.watch.decisions) == (0, 0)


@pytest.mark.parametrize("name", [CROSS, BUCKET])
@pytest.mark.parametrize(("asset", "due"), [("XRP", 1), ("DAI", 24)])
def test_interest_that_is_due_is_owed_rounded_up_in_each_hour(name: str, asset: str, due: int) -> None:
    """10 owed are 11, with one hour of XRP rounded up to a whole one or a day of DAI: a level of 1.20, not of 1.32."""
    world = World()
    world.put(_owing_ten(world, name, asset, due))
    assert world.check() == 1


@pytest.mark.parametrize("name", [CROSS, BUCKET])
@pytest.mark.parametrize(("asset", "due"), [("XRP", 1), ("DAI", 24)])
def test_the_bound_of_interest_that_is_due_is_at_most_a_step_an_hour_above_it(name: str, asset: str, due: int) -> None:
    """So a thousandth above the line of the 11 is clear of it."""
    world = World()
    there = at_its_line(_owing_ten(world, name, asset, due), world.market, "margin_call")
    assert there is not None
    world.put(raised(there, Decimal("0.001")))
    assert (world.check(), world.watch.decisions) == (0, 0)


def _owing_ten(world: World, name: str, asset: str, due: int) -> OwingWallet:
    """A wallet that owes 10 of an asset, so many hours of it uncharged, and holds USDT worth 13.2 of it."""
    free = Decimal("13.2") * world.market.last_prices([asset]).of[asset]
    own_name = isolated(f"{asset}/USDT") if name == BUCKET else name
    one = owing(own_name, {asset: Balance(borrowed=Decimal(10)), "USDT": Balance(free=free)})
    one.wallet.next_hours[asset] = NOON - hours(due - 1)
    return one


@pytest.mark.parametrize("pair", LIMITED_PAIRS)
@pytest.mark.parametrize("side", SIDES)
def test_a_loan_of_exactly_the_limit_is_judged_by_its_own_tier_though_the_next_has_lower_lines(
    pair: str, side: str
) -> None:
    assert _called_at_a_limit(pair, side, "0.3", HIGHER, LOWER) == 1
    assert _called_at_a_limit(pair, side, "0.3", LOWER, HIGHER) == 0


@pytest.mark.parametrize("pair", LIMITED_PAIRS)
@pytest.mark.parametrize("side", SIDES)
def test_a_loan_beyond_the_limit_by_less_than_floats_can_tell_is_judged_by_the_next_tier(pair: str, side: str) -> None:
    limit = "0.299999999999999999999999999999"
    assert _called_at_a_limit(pair, side, limit, LOWER, HIGHER) == 1
    assert _called_at_a_limit(pair, side, limit, HIGHER, LOWER) == 0


def _called_at_a_limit(pair: str, side: str, limit: str, own: Ratios, above: Ratios) -> int:
    """Whether a bucket that owes 0.3 of one side is called at a level of 1.17; the first of two tiers has the limit."""
    world = World()
    limits = {"base_limit": "1", "quote_limit": "1", f"{side}_limit": limit}
    world.change(risk_limits(pair, tier("5", *own, **limits), tier("3", *above)))
    asset = base_of(pair) if side == "base" else quote_of(pair)
    world.put(owing(isolated(pair), {asset: Balance(free=Decimal("0.351"), borrowed=Decimal("0.3"))}))
    return world.check()


def test_a_loan_one_step_beyond_a_tier_is_judged_by_the_next_one() -> None:
    """80,000 USDT borrowed is tier 1, called at 1.09; a step more is tier 2, liquidated at 1.15: 92,000 held."""
    world = World()
    for account_id, borrowed in (("alice", "80000"), ("bob", "80000.00000001")):
        balances = {"BTC": Balance(), "USDT": Balance(free=Decimal(92_000), borrowed=Decimal(borrowed))}
        wallet = Wallet(isolated("BTC/USDT"), balances)
        world.put(OwingWallet(account_id, wallet, 1, None, None, None))
    world.check()
    assert [(one.account_id, one.band) for one in world.watch.candidates()] == [("bob", "liquidation")]
