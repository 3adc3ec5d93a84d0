"""Of any wallet in trouble: what a liquidation to a target takes, and that it takes no step more than it must."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.account import Account
from ledger.words import CROSS
from tests.ledger.asking import liquidate
from tests.ledger.given import decided
from tests.ledger.happenings import BTC_BUCKET, risk_limits, tier
from tests.ledger.portfolios import SCALES, Portfolio, portfolios, require_sound

ROWS = (tier("3", "1.5", "1.3", "1.1"), tier("5", "1.25", "1.16", "1.1"))
THOUSANDTHS = st.integers(1101, 1600).map(lambda thousandths: Decimal(thousandths).scaleb(-3))
FINE_PARTS = st.sampled_from(("0", "0.000000000001", "0.00033333333333333333")).map(Decimal)
TARGETS = st.tuples(THOUSANDTHS, FINE_PARTS).map(lambda parts: f"{sum(parts):f}")
FEES = st.sampled_from(("0", "0.001", "0.02", "0.05"))
Amounts = Mapping[str, Decimal]


class Ended:
    """A liquidation from its start to its end."""

    def __init__(self, before: Account, after: Account, events: list[e.Event]) -> None:
        self.before, self.after = before, after
        self.fills = [event for event in events if isinstance(event, e.LiquidationFilled)]
        self.deficits = [event for event in events if isinstance(event, e.DeficitCovered)]
        (self.start,) = [event for event in events if isinstance(event, e.LiquidationStarted)]
        (self.end,) = [event for event in events if isinstance(event, e.LiquidationCompleted)]

    def gone(self, asset: str) -> Decimal:
        """What was taken of an asset, the fee included."""
        return self.end.sold.get(asset, Decimal(0)) + self.end.fee.get(asset, Decimal(0))


def ended(portfolio: Portfolio, wallet: str, limits: dict[str, str], *tiers: object) -> Ended:
    """The wallet liquidated by the house under these limits; all that must hold of every liquidation is looked at."""
    market = portfolio.market(risk_limits("cross" if wallet == CROSS else "BTC/USDT", *tiers, **limits))  # type: ignore[arg-type]
    before = portfolio.account(wallet)
    events, accounts = decided(market, before, **liquidate(wallet))
    again, _ = decided(market, before, **liquidate(wallet))
    assert events == again, "the same is decided of the same"
    require_sound(before, accounts["alice"], events, wallet)
    return Ended(before, accounts["alice"], events)


def level_of(portfolio: Portfolio, held: Amounts, owed: Amounts) -> Fraction:
    prices = {"USDT": Decimal(1), **portfolio.prices}
    assets = sum((Fraction(amount * prices[asset]) for asset, amount in held.items()), Fraction(0))
    return assets / sum((Fraction(amount * prices[asset]) for asset, amount in owed.items()), Fraction(0))


def held_and_owed(account: Account, wallet: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    balances = account.wallets.wallet(wallet).balances
    return ({asset: four.held for asset, four in balances.items()}, {a: four.owed for a, four in balances.items()})


def level_with_a_step_less(portfolio: Portfolio, liquidation: Ended, wallet: str) -> Fraction:
    """Where the level would be if one step less of the last asset had been taken; reckoned here in fractions."""
    prices = {asset: Fraction(price) for asset, price in {"USDT": Decimal(1), **portfolio.prices}.items()}
    start, debts = held_and_owed(liquidation.before, wallet)
    held = {asset: Fraction(amount) for asset, amount in start.items()}
    owed = {asset: Fraction(amount) for asset, amount in debts.items()}
    repaid = Fraction(0)
    for fill in liquidation.fills:
        taken, credit = Fraction(fill.taken), Fraction(fill.interest + fill.principal)
        if fill is liquidation.fills[-1]:
            taken -= Fraction(1, 10 ** SCALES[fill.asset])
            scale = SCALES[fill.debt_asset]
            credit = Fraction(floor(taken * prices[fill.asset] / prices[fill.debt_asset] * 10**scale), 10**scale)
        held[fill.asset] -= taken
        owed[fill.debt_asset] -= credit
        repaid += credit * prices[fill.debt_asset]
    fee = repaid * Fraction(liquidation.end.fee_rate)
    for asset in sorted(
        (name for name in start if start[name]), key=lambda name: (-Fraction(start[name]) * prices[name], name)
    ):
        steps = Fraction(max(0, ceil(fee / prices[asset] * 10 ** SCALES[asset])), 10 ** SCALES[asset])
        fee -= min(held[asset], steps) * prices[asset]
        held[asset] -= min(held[asset], steps)
    worth = sum((amount * prices[asset] for asset, amount in held.items()), Fraction(0))
    return worth / sum((amount * prices[asset] for asset, amount in owed.items()), Fraction(0))


@settings(max_examples=150, deadline=None)
@given(portfolio=portfolios(), target=TARGETS, fee=FEES)
def test_a_liquidation_to_a_target_takes_what_the_target_needs_and_no_step_more(
    portfolio: Portfolio, target: str, fee: str
) -> None:
    held, owed = held_and_owed(portfolio.account(CROSS), CROSS)
    level = level_of(portfolio, held, owed)
    assume(level <= Fraction("1.1"))
    partial = ended(portfolio, CROSS, {"fee": fee, "liquidation_target": target}, *ROWS)
    full = ended(portfolio, CROSS, {"fee": fee}, *ROWS)
    assert partial.start.target == Decimal(target)
    if partial.end.owed is None:
        # It was out of reach: the same is done as without a target.
        assert (partial.fills, partial.deficits) == (full.fills, full.deficits)
        return
    assert not partial.deficits
    after = held_and_owed(partial.after, CROSS)
    assert {asset: amount for asset, amount in after[1].items() if amount} == partial.end.owed
    assert {asset: amount for asset, amount in after[0].items() if amount} == partial.end.left
    assert level_of(portfolio, *after) >= Fraction(target)
    assert level_with_a_step_less(portfolio, partial, CROSS) < Fraction(target)
    for asset in SCALES:
        assert partial.gone(asset) <= full.gone(asset)
        assert partial.end.repaid.get(asset, 0) <= full.end.repaid.get(asset, 0)


@settings(max_examples=100, deadline=None)
@given(portfolio=portfolios(worst=1030), target=TARGETS)
def test_a_wallet_that_can_be_brought_back_is_never_closed_out_in_full(portfolio: Portfolio, target: str) -> None:
    """Above 1 + fee by more than what rounding may take, with a target above it too, less than all is enough."""
    held, owed = held_and_owed(portfolio.account(CROSS), CROSS)
    level, fee = level_of(portfolio, held, owed), Fraction("0.02")
    assume(level <= Fraction("1.1"))
    prices = {"USDT": Decimal(1), **portfolio.prices}
    debt = sum(Fraction(amount * prices[asset]) for asset, amount in owed.items())
    step = max(Fraction(prices[asset]) / 10 ** SCALES[asset] for asset in (*portfolio.held, *portfolio.principal))
    fills = 2 * len(portfolio.held) * len(portfolio.principal) + 2
    assume((level - 1 - fee) * debt > 3 * fills * step)
    assert ended(portfolio, CROSS, {"liquidation_target": target}, *ROWS).end.owed is not None


TIERS = (
    tier("10", "1.111", "1.09", "1.03", base_limit="0.1", quote_limit="2000"),
    tier("5", "1.25", "1.19", "1.06", base_limit="1", quote_limit="50000"),
    tier("3", "1.5", "1.22", "1.1"),
)


def tier_of(portfolio: Portfolio) -> int:
    """The first of TIERS that what is borrowed fits."""
    base, quote = (portfolio.principal.get(asset, Decimal(0)) for asset in ("BTC", "USDT"))
    limits = ((1, "0.1", "2000"), (2, "1", "50000"), (3, "Infinity", "Infinity"))
    return next(number for number, most, cost in limits if base <= Decimal(most) and quote <= Decimal(cost))


@settings(max_examples=150, deadline=None)
@given(portfolio=portfolios(("BTC", "USDT")), fee=FEES)
def test_a_large_bucket_steps_down_to_the_first_tier_whose_line_it_is_above(portfolio: Portfolio, fee: str) -> None:
    held, owed = held_and_owed(portfolio.account(BTC_BUCKET), BTC_BUCKET)
    first = tier_of(portfolio)
    lines = [Fraction(row["liquidation"]) for row in TIERS]
    assume(level_of(portfolio, held, owed) <= lines[first - 1])
    liquidation = ended(portfolio, BTC_BUCKET, {"fee": fee}, *TIERS)
    assert liquidation.start.tier == first
    steps = [fill.to_tier for fill in liquidation.fills if fill.to_tier is not None]
    assert steps == sorted(steps, reverse=True)
    assert all(step < first for step in steps)
    end = liquidation.end
    if end.owed is None:
        return
    assert end.tier is not None
    assert end.tier < first
    assert (end.covered, liquidation.deficits) == ({}, [])
    level = level_of(portfolio, *held_and_owed(liquidation.after, BTC_BUCKET))
    assert level > lines[end.tier - 1] == Fraction(end.liquidation_level or 0)
    assert [fill.to_tier for fill in liquidation.fills][-1] is not None, "it ends with a step down"


LIMITED = {"base_limit": "BTC", "quote_limit": "USDT"}
FINER_THAN_A_STEP = st.integers(1, 999).map(lambda parts: Decimal(parts).scaleb(-12))


def with_limits(change: Callable[[str, Decimal], Decimal], *rows: dict[str, str]) -> list[dict[str, str]]:
    """The tiers with each limit changed; what changes it is told whose asset it is."""
    changed = [
        {name: f"{change(asset, Decimal(row[name])):f}" for name, asset in LIMITED.items() if name in row}
        for row in rows
    ]
    return [{**row, **limits} for row, limits in zip(rows, changed, strict=True)]


@settings(max_examples=150, deadline=None)
@given(portfolio=portfolios(("BTC", "USDT")), target=st.none() | TARGETS, finer=FINER_THAN_A_STEP)
def test_limits_of_old_events_finer_than_their_assets_count_as_the_amounts_below_them(
    portfolio: Portfolio, target: str | None, finer: Decimal
) -> None:
    """What is borrowed is at the asset's scale, so it is within the one where it is within the other."""
    held, owed = held_and_owed(portfolio.account(BTC_BUCKET), BTC_BUCKET)
    assume(level_of(portfolio, held, owed) <= Fraction(TIERS[tier_of(portfolio) - 1]["liquidation"]))
    fine = with_limits(lambda _, limit: limit - finer, *TIERS)
    below = with_limits(lambda asset, limit: limit - Decimal(1).scaleb(-SCALES[asset]), *TIERS)
    aim = {} if target is None else {"liquidation_target": target}
    by_fine, by_below = (ended(portfolio, BTC_BUCKET, aim, *tiers) for tiers in (fine, below))
    assert (by_fine.start, by_fine.fills) == (by_below.start, by_below.fills)
    assert (by_fine.deficits, by_fine.end) == (by_below.deficits, by_below.end)


@settings(max_examples=100, deadline=None)
@given(portfolio=portfolios(("BTC", "USDT")), target=TARGETS)
def test_with_tiers_and_a_target_a_bucket_is_left_at_the_target_only(portfolio: Portfolio, target: str) -> None:
    held, owed = held_and_owed(portfolio.account(BTC_BUCKET), BTC_BUCKET)
    assume(level_of(portfolio, held, owed) <= Fraction("1.03"))
    liquidation = ended(portfolio, BTC_BUCKET, {"liquidation_target": target}, *TIERS)
    if liquidation.end.owed is not None:
        assert level_of(portfolio, *held_and_owed(liquidation.after, BTC_BUCKET)) >= Fraction(target)
        assert level_with_a_step_less(portfolio, liquidation, BTC_BUCKET) < Fraction(target)
