"""Margin arithmetic: levels, bands, limits and liquidation prices of one margin wallet, exact and pure.

Formulas are those of the domain, section 5: A_i = free + locked, D_i = borrowed + interest, P_i the mark price,
c_i the collateral ratio (1 in a bucket), L the leverage, T the transfer-out line, LR the liquidation line.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from ledger.lines import Lines, bucket_lines, cross_lines, is_within
from ledger.market import AssetListing, Market, RiskLimits
from ledger.money import ONE, ZERO, Ratio, base_of, compare_ratio, divide_down, divide_up, quote_of
from ledger.tiers import CollateralTier
from ledger.wallets import Balance, Wallet
from ledger.words import CROSS, Band, pair_of

LEVEL_SCALE = 8
NORMAL = Band.NORMAL


class Valuation(NamedTuple):
    """Sums over a wallet in the valuation asset: A_i P_i, D_i P_i, A_i P_i c_i."""

    assets: Decimal
    debt: Decimal
    collateral: Decimal

    @property
    def equity(self) -> Decimal:
        return self.assets - self.debt

    @property
    def level(self) -> Ratio:
        """ML = A / D; infinite while nothing is owed."""
        return Ratio(self.assets, self.debt)

    @property
    def collateral_level(self) -> Ratio:
        """CML = C / D; infinite while nothing is owed."""
        return Ratio(self.collateral, self.debt)

    @property
    def debt_ratio(self) -> Ratio:
        """D / A."""
        return Ratio(self.debt, self.assets)


@dataclass(slots=True)
class Margin:
    """A margin wallet and what it is judged by; prices by asset, listings None where all counts in full.

    Never changed once made: its valuation and its lines are worked out when they are first asked for.
    """

    wallet: Wallet
    prices: Mapping[str, Decimal]
    limits: RiskLimits
    leverage: Decimal
    listings: Mapping[str, AssetListing] | None
    _valuation: Valuation | None = field(default=None, init=False, repr=False, compare=False)
    _lines: Lines | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def valuation(self) -> Valuation:
        known = self._valuation
        if known is None:
            known = self._valuation = self._valued()
        return known

    def _valued(self) -> Valuation:
        prices, listings = self.prices, self.listings
        assets = debt = collateral = ZERO
        for asset, (free, locked, borrowed, interest) in self.wallet.balances.items():
            held, owed = free + locked, borrowed + interest
            if held or owed:
                price = prices[asset]
                value = held * price
                assets += value
                debt += owed * price
                if listings is not None:
                    collateral += collateral_value(value, listings[asset].collateral_tiers)
        return Valuation(assets, debt, assets if listings is None else collateral)

    @property
    def lines(self) -> Lines:
        known = self._lines
        if known is None:
            known = self._lines = self._lines_of_its_tier()
        return known

    def _lines_of_its_tier(self) -> Lines:
        pair = pair_of(self.wallet.name)
        if pair is None:
            return cross_lines(self.limits.tiers, self.leverage)
        return bucket_lines(
            self.limits.tiers, self.leverage, self._borrowed(base_of(pair)), self._borrowed(quote_of(pair))
        )

    def _borrowed(self, asset: str) -> Decimal:
        return self.wallet.balance(asset).borrowed

    @property
    def band(self) -> Band:
        return band_of(self.valuation, self.lines)

    @property
    def is_within_tiers(self) -> bool:
        """Whether what the bucket has borrowed stays within the limits of its last tier."""
        pair = pair_of(self.wallet.name)
        return pair is None or is_within(
            self.limits.tiers[-1], self._borrowed(base_of(pair)), self._borrowed(quote_of(pair))
        )

    def changed(self, asset: str, *, free: Decimal = ZERO, borrowed: Decimal = ZERO) -> "Margin":
        """This wallet with that much more of an asset free and borrowed."""
        old = self.wallet.balance(asset)
        balance = Balance(old.free + free, old.locked, old.borrowed + borrowed, old.interest)
        after = self.with_balances({asset: balance})
        after._valuation = self._valuation_with(asset, old.held, free, borrowed)
        if not borrowed:
            after._lines = self._lines
        return after

    def _valuation_with(self, asset: str, held: Decimal, free: Decimal, borrowed: Decimal) -> Valuation:
        """The sums with that much more of an asset: all other assets count as before and are not summed again."""
        price, (assets, debt, collateral) = self.prices[asset], self.valuation
        more = free * price
        if borrowed:
            debt += borrowed * price
        if self.listings is None:
            return Valuation(assets + more, debt, collateral + more)
        value, tiers = held * price, self.listings[asset].collateral_tiers
        collateral += collateral_value(value + more, tiers) - collateral_value(value, tiers)
        return Valuation(assets + more, debt, collateral)

    def with_balances(self, balances: Mapping[str, Balance]) -> "Margin":
        """This wallet with other balances of some assets."""
        wallet = self.wallet.with_balances({**self.wallet.balances, **balances})
        return Margin(wallet, self.prices, self.limits, self.leverage, self.listings)

    def at_leverage(self, leverage: Decimal) -> "Margin":
        """This wallet judged at another leverage."""
        return Margin(self.wallet, self.prices, self.limits, leverage, self.listings)

    def allows_borrowing(self) -> bool:
        """Whether the level, in cross CML, is at least the initial ratio."""
        return compare_ratio(self.valuation.collateral_level, self.lines.initial) >= 0

    def allows_transfer_out(self, asset: str, amount: Decimal) -> bool:
        """Whether that much may leave: the band is normal, and the level then, in cross CML, at least T or infinite."""
        if self.band is not NORMAL:
            return False
        after = self.changed(asset, free=-amount)
        return after.valuation.collateral >= after.lines.transfer_out * after.valuation.debt


def margin_of(wallet: Wallet, prices: Mapping[str, Decimal], market: Market, leverage: Decimal) -> Margin:
    """A wallet judged by the market's limits; in the cross pool by its collateral tiers too."""
    pair = pair_of(wallet.name)
    return Margin(wallet, prices, market.limits_of(pair or CROSS), leverage, market.assets if pair is None else None)


def valued_assets(wallet: Wallet, also: Iterable[str] = ()) -> list[str]:
    """The assets whose prices a wallet's level needs, sorted; those it neither holds nor owes need none."""
    return sorted({*[asset for asset, balance in wallet.balances.items() if any(balance)], *also})


def collateral_value(value: Decimal, tiers: Sequence[CollateralTier]) -> Decimal:
    """What a value counts as collateral, tiered like tax brackets; what is past the last tier counts nothing."""
    first = tiers[0]
    if first.up_to is None:
        # Most assets count at one ratio, without an end.
        return value * first.ratio if value > 0 else ZERO
    counted = lower = ZERO
    for tier in tiers:
        upper = value if tier.up_to is None else min(value, tier.up_to)
        if upper <= lower:
            break
        counted += (upper - lower) * tier.ratio
        lower = upper
    return counted


def band_of(valuation: Valuation, lines: Lines) -> Band:
    """The band of a wallet; a bound belongs to the worse band.

    The transfer-out line comes before the initial ratio, which at a leverage below 2 lies above it. A level is not
    divided out: assets / debt is compared with a line as assets with line x debt.
    """
    assets, debt, collateral = valuation
    if not debt:
        return NORMAL
    if assets <= lines.liquidation * debt:
        return Band.LIQUIDATION
    if assets <= lines.margin_call * debt:
        return Band.MARGIN_CALL
    if collateral > lines.transfer_out * debt:
        return NORMAL
    numerator, denominator = lines.initial
    return Band.TRANSFER_BLOCKED if collateral * denominator > numerator * debt else Band.BORROW_BLOCKED


def show_level(level: Ratio) -> str | None:
    """A level for show: 8 decimals, rounded down; None while nothing is owed."""
    return f"{divide_down(level.numerator, level.denominator, LEVEL_SCALE):f}" if level.denominator else None


def max_borrow(margin: Margin, asset: str, scale: int, limit: Decimal | None) -> Decimal:
    """The largest loan of an asset that would be accepted, at its scale; `limit` is what its borrow limit leaves.

    For flat ratios it is (C - IR D) / (IR - c_i) in value; collateral tiers and risk tiers only lower it.
    """

    def accepts(amount: Decimal) -> bool:
        after = margin.changed(asset, free=amount, borrowed=amount)
        return (limit is None or amount <= limit) and after.is_within_tiers and after.allows_borrowing()

    initial = margin.lines.initial
    if not initial.denominator or not margin.prices[asset]:
        return ZERO
    valuation = margin.valuation
    ratio = ONE if margin.listings is None else margin.listings[asset].collateral_tiers[0].ratio
    spare = valuation.collateral * initial.denominator - valuation.debt * initial.numerator
    each = (initial.numerator - ratio * initial.denominator) * margin.prices[asset]
    highest = divide_down(max(spare, ZERO), each, scale)
    return _largest(accepts, highest if limit is None else min(highest, _cut(limit, scale)), scale)


def max_transfer_out(margin: Margin, asset: str, scale: int) -> Decimal:
    """The largest amount of an asset that may leave, at its scale: at most free, and the level stays at T or above.

    For flat ratios it is (C - T D) / c_i in value; while nothing is owed it is all of free.
    """

    def accepts(amount: Decimal) -> bool:
        return margin.allows_transfer_out(asset, amount)

    return _largest(accepts, margin.wallet.balance(asset).free, scale)


def _cut(limit: Decimal, scale: int) -> Decimal:
    return divide_down(max(limit, ZERO), ONE, scale)


def _largest(accepts: Callable[[Decimal], bool], highest: Decimal, scale: int) -> Decimal:
    """The largest amount up to `highest`, in steps of the scale, that is accepted; found by halving the range.

    What is accepted is accepted for every smaller amount too, so the answer is exactly where the decision turns.
    """
    if highest <= 0:
        return ZERO
    if accepts(highest):
        return highest
    accepted, refused = 0, int(highest.scaleb(scale))
    while refused - accepted > 1:
        middle = (accepted + refused) // 2
        if accepts(Decimal(middle).scaleb(-scale)):
            accepted = middle
        else:
            refused = middle
    return Decimal(accepted).scaleb(-scale)


def liquidation_price(margin: Margin, price_scale: int) -> Decimal | None:
    """The price of a bucket's pair at which its level is LR: (D_quote LR - A_quote) / (A_base - D_base LR).

    At the price scale, rounded up for a long and down for a short; None unless positive.
    """
    pair = pair_of(margin.wallet.name)
    assert pair is not None, "only a bucket has one liquidation price"
    base, quote, line = (
        margin.wallet.balance(base_of(pair)),
        margin.wallet.balance(quote_of(pair)),
        margin.lines.liquidation,
    )
    return _price(quote.owed * line - quote.held, base.held - base.owed * line, price_scale)


def reference_liquidation_price(margin: Margin, asset: str, price_scale: int) -> Decimal | None:
    """The price of an asset at which the pool's level is LR, all other prices fixed; rounded like a bucket's.

    (LR x the sum of other debts - the sum of other assets) / (A_i - LR D_i).
    """
    valuation = margin.with_balances({asset: Balance()}).valuation
    line, own = margin.lines.liquidation, margin.wallet.balance(asset)
    return _price(line * valuation.debt - valuation.assets, own.held - line * own.owed, price_scale)


def _price(numerator: Decimal, denominator: Decimal, scale: int) -> Decimal | None:
    if not denominator or not numerator or (numerator > 0) != (denominator > 0):
        return None
    divide = divide_up if denominator > 0 else divide_down
    price = divide(numerator, denominator, scale)
    return price if price > 0 else None
