"""Conditions that a replay stops at, such as `cross.level < 1.3`: read from text, and exactly held against a state."""

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from ledger.errors import Malformed
from ledger.margin import Margin
from ledger.market import Market
from ledger.money import ZERO, Ratio, base_of, compare_ratio, parse_amount, plain, quote_of
from ledger.wallets import Balance
from ledger.words import CROSS, SPOT, AssetSymbol, Band, WalletName, pair_of
from projections.questions.figures import level_figure
from projections.questions.margin_wallet import UNPRICED, band
from projections.questions.walk import Walk

COMPARED: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
AMOUNTS = (*Balance._fields, "net")
SUMS: dict[str, Callable[[Margin], Decimal]] = {
    "assets": lambda margin: margin.valuation.assets,
    "debt": lambda margin: margin.valuation.debt,
    "equity": lambda margin: margin.valuation.equity,
}
LEVELS: dict[str, Callable[[Margin], Ratio]] = {
    "level": lambda margin: margin.valuation.level,
    "collateral_level": lambda margin: margin.valuation.collateral_level,
}
BAND, NONE = "band", "none"
BANDS = (*map(str, Band), UNPRICED)
FORM = "write it as WALLET.FIGURE or WALLET.ASSET.FIGURE, one of < <= > >= = !=, and a value: cross.level < 1.3"
_PARTS = re.compile(r"\s*([^\s<>=!]+)\s*([<>=!]+)\s*([^\s<>=!]+)\s*")


class Condition(NamedTuple):
    """A figure of a wallet (of an asset in it), compared with a value; `value` is None for `none`: no level."""

    text: str
    wallet: str
    asset: str | None
    figure: str
    compared: str
    value: Decimal | str | None

    def require_listed(self, market: Market) -> None:
        """Refuses with UnknownPair or UnknownAsset what no event can be about."""
        if (pair := pair_of(self.wallet)) is not None:
            market.pair(pair)
        if self.asset is not None:
            market.asset(self.asset)

    @property
    def moves_with_prices(self) -> bool:
        return self.asset is None

    def holds(self, walk: Walk) -> bool:
        """Whether it holds now. A figure that lacks a price, and a level without debt, compare with no number."""
        found, compare, value = self._found(walk), COMPARED[self.compared], self.value
        if self.figure != BAND and found == UNPRICED:
            return False
        if not isinstance(value, Decimal):
            return compare(int(found != value), 0)
        if isinstance(found, Ratio):
            return compare(compare_ratio(found, Ratio.of(value)), 0)
        return isinstance(found, Decimal) and compare(int((found - value).compare(ZERO)), 0)

    def told(self, walk: Walk) -> str:
        """The figure now, as it is shown: levels at 8 decimals, down."""
        found = self._found(walk)
        if isinstance(found, Ratio):
            return level_figure(found) or NONE
        return plain(found) if isinstance(found, Decimal) else found or NONE

    def _found(self, walk: Walk) -> Decimal | Ratio | str | None:
        if self.asset is not None:
            amount: Decimal = getattr(walk.account.wallets.wallet(self.wallet).balance(self.asset), self.figure)
            return amount
        margin = walk.margin(self.wallet)
        if self.figure == BAND:
            return band(margin)
        if margin is None:
            return UNPRICED
        if self.figure in SUMS:
            return SUMS[self.figure](margin)
        level = LEVELS[self.figure](margin)
        return level if level.denominator > 0 else None


def read_condition(text: str) -> Condition:
    """The condition that a text states; Malformed says what of it cannot be understood, and what could be written."""
    parts = _PARTS.fullmatch(text)
    if parts is None or parts[2] not in COMPARED:
        raise Malformed(f"{text!r} is no condition; {FORM}")
    *place, figure = _split(text, parts[1])
    wallet = _valid(WalletName, place[0], f"{place[0]!r} in {text!r} is no wallet: spot, cross or isolated:BTC/USDT")
    if len(place) == 1:
        _require_figure(text, wallet, figure)
        return Condition(text, wallet, None, figure, parts[2], _value(text, figure, parts[2], parts[3]))
    asset = _valid(AssetSymbol, place[1], f"{place[1]!r} in {text!r} is no asset, such as USDT")
    _require_amount(text, wallet, asset, figure)
    return Condition(text, wallet, asset, figure, parts[2], _amount(text, parts[3]))


def _split(text: str, subject: str) -> list[str]:
    names = subject.split(".")
    if not 2 <= len(names) <= 3:
        raise Malformed(f"{subject!r} in {text!r} does not name a figure; {FORM}")
    return names


def _valid(kind: Any, name: str, complaint: str) -> str:
    try:
        return str(TypeAdapter(kind).validate_python(name))
    except ValidationError:
        raise Malformed(complaint) from None


def _require_figure(text: str, wallet: str, figure: str) -> None:
    known = [*LEVELS, *SUMS, BAND] if wallet == CROSS else ["level", *SUMS, BAND]
    if figure in AMOUNTS:
        raise Malformed(f"{figure} in {text!r} is of an asset: write {wallet}.USDT.{figure}")
    if wallet == SPOT:
        raise Malformed(
            f"spot has no {figure!r}, as it lends nothing: of spot ask for an asset, such as spot.USDT.free"
        )
    if figure not in known:
        raise Malformed(f"{figure!r} in {text!r} is no figure of {wallet}, which has {', '.join(known)}")


def _require_amount(text: str, wallet: str, asset: str, figure: str) -> None:
    if figure not in AMOUNTS:
        raise Malformed(
            f"{figure!r} in {text!r} is nothing that a wallet has of an asset, which is {', '.join(AMOUNTS)}"
        )
    pair = pair_of(wallet)
    if pair is not None and asset not in (base_of(pair), quote_of(pair)):
        raise Malformed(f"{wallet} holds {base_of(pair)} and {quote_of(pair)} only, {text!r} asks for {asset}")


def _value(text: str, figure: str, compared: str, value: str) -> Decimal | str | None:
    is_word = figure == BAND or (figure in LEVELS and value == NONE)
    if not is_word:
        return _amount(text, value)
    if compared not in ("=", "!="):
        raise Malformed(f"{compared} in {text!r} compares numbers; {value!r} is compared with = or !=")
    if figure == BAND and value not in BANDS:
        raise Malformed(f"{value!r} in {text!r} is no band: {', '.join(BANDS)}")
    return value if figure == BAND else None


def _amount(text: str, value: str) -> Decimal:
    try:
        return parse_amount(value)
    except ValueError as error:
        raise Malformed(f"{value!r} in {text!r} cannot be compared with: {error}") from None
