"""A liquidation reckoned up event by event from what its start states: sold, repaid, charged, covered, left."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ledger import events as e
from ledger.log import RecordedEvent
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, base_of, plain, quote_of, step_of
from ledger.words import Execution, Side
from projections.questions.explanation_checks import LEVEL_DECIMALS, Check, cut, prices_of, raised, same

Amounts = dict[str, Decimal]


@dataclass(slots=True)
class Closing:
    """What a wallet holds and owes of each asset as its liquidation goes on, and the sums so far.

    It begins with the balances that liquidation.started states, and each event is checked against it before its own
    numbers are taken in. `prices` are those that events state to have been closed out at, in the valuation asset.
    """

    market: Market
    prices: Amounts
    held: Amounts
    interest: Amounts
    principal: Amounts
    fee_rate: Decimal
    is_external: bool
    sold: Amounts = field(default_factory=dict)
    repaid: Amounts = field(default_factory=dict)
    repaid_interest: Amounts = field(default_factory=dict)
    bought: Amounts = field(default_factory=dict)
    charged: Amounts = field(default_factory=dict)
    covered: Amounts = field(default_factory=dict)
    fee: Amounts = field(default_factory=dict)
    trade_fees: Amounts = field(default_factory=dict)
    covered_value: Decimal = ZERO
    rounding: Decimal = ZERO
    order: list[str] | None = None

    @classmethod
    def of(cls, started: e.LiquidationStarted, market: Market) -> "Closing":
        """A liquidation at its start; the market is needed for the scales of assets alone."""
        balances = started.balances
        return cls(
            market,
            prices_of(started.prices),
            {asset: one.free + one.locked for asset, one in balances.items()},
            {asset: one.interest for asset, one in balances.items()},
            {asset: one.borrowed for asset, one in balances.items()},
            started.fee_rate,
            started.execution is Execution.EXTERNAL,
        )

    def owed(self, asset: str) -> Decimal:
        return self.interest.get(asset, ZERO) + self.principal.get(asset, ZERO)

    def take(self, recorded: RecordedEvent) -> list[Check]:
        """Checks an event of the liquidation's wallet against what came before it, and takes its numbers in."""
        event = recorded.event
        if isinstance(event, e.LiquidationFilled | e.DeficitCovered | e.LiquidationCompleted):
            self.prices = {**self.prices, **(getattr(event, "closing_prices", None) or {})}
            self.order = self.order or self._order()
        match event:
            case e.LiquidationFilled():
                return list(self._filled(recorded, event))
            case e.TradeBooked():
                return list(self._traded(recorded, event))
            case e.LoanRepaid():
                return list(self._repaid(recorded, event))
            case e.DeficitCovered():
                return list(self._covered(recorded, event))
            case e.LiquidationCompleted():
                return list(self._completed(recorded, event))
            case e.InterestAccrued():
                for line in event.lines:
                    _add(self.interest, line.asset, line.amount)
                    _add(self.charged, line.asset, line.amount)
        return []

    def _order(self) -> list[str]:
        """Assets held, in order of value, largest first, then by symbol (domain, section 7)."""
        present = [asset for asset, amount in self.held.items() if amount]
        return sorted(present, key=lambda asset: (-self.held[asset] * self.prices.get(asset, ZERO), asset))

    def _scale(self, asset: str) -> int:
        return self.market.asset(asset).scale

    def _price(self, asset: str) -> Fraction:
        return Fraction(self.prices.get(asset, ZERO))

    def _filled(self, recorded: RecordedEvent, event: e.LiquidationFilled) -> Iterator[Check]:
        """A debt is credited with the worth of what is taken, rounded down, and no more is taken than that needs."""
        asset, debt, name = event.asset, event.debt_asset, f"fill {event.asset} for {event.debt_asset}"
        held, owed = self.held.get(asset, ZERO), self.owed(debt)
        credited = event.interest + event.principal
        yield same(f"{name}: asset_price", recorded, event.asset_price, self.prices.get(asset))
        yield same(f"{name}: debt_price", recorded, event.debt_price, self.prices.get(debt))
        price, debt_price = Fraction(event.asset_price), Fraction(event.debt_price)
        if price > 0 and debt_price > 0:
            needed = min(held, raised(Fraction(credited) * debt_price / price, self._scale(asset)))
            worth = min(owed, cut(Fraction(event.taken) * price / debt_price, self._scale(debt)))
            # All that is held may be worth less than one step of the debt more than is credited.
            yield same(f"{name}: taken", recorded, event.taken, held if event.taken == held != needed else needed)
            yield same(f"{name}: credited", recorded, credited, worth)
        yield same(f"{name}: interest", recorded, event.interest, min(credited, self.interest.get(debt, ZERO)))
        self.rounding += event.taken * event.asset_price - credited * event.debt_price
        _add(self.held, asset, -event.taken)
        if not (self.is_external and asset == debt):
            # What fills of others brought in was counted when they sold for it.
            _add(self.sold, asset, event.taken)
        self._pay(debt, event.interest, event.principal)
        yield self._is_not_below_zero(recorded, name, asset, debt)

    def _traded(self, recorded: RecordedEvent, event: e.TradeBooked) -> Iterator[Check]:
        """A fill of an external execution: what is paid counts as sold."""
        base, quote = base_of(event.pair), quote_of(event.pair)
        step, product = step_of(self._scale(quote)), event.quantity * event.price
        within = abs(event.quote_amount - product) <= step
        yield Check("fill: quote_amount", recorded.position, plain(event.quote_amount), plain(product), within)
        sells = event.side is Side.SELL
        paid, got = (base, event.quantity), (quote, event.quote_amount)
        paid, got = (paid, got) if sells else (got, paid)
        for totals, (asset, amount) in ((self.sold, paid), (self.bought, got), (self.held, got)):
            _add(totals, asset, amount)
        _add(self.held, paid[0], -paid[1])
        _add(self.held, event.fee_asset, -event.fee)
        _add(self.trade_fees, event.fee_asset, event.fee)
        yield self._is_not_below_zero(recorded, "fill", base, quote)

    def _repaid(self, recorded: RecordedEvent, event: e.LoanRepaid) -> Iterator[Check]:
        amount, owed = event.interest + event.principal, self.interest.get(event.asset, ZERO)
        yield same(f"repaid {event.asset}: interest", recorded, event.interest, min(amount, owed))
        _add(self.held, event.asset, -amount)
        self._pay(event.asset, event.interest, event.principal)
        yield self._is_not_below_zero(recorded, "repaid", event.asset, event.asset)

    def _covered(self, recorded: RecordedEvent, event: e.DeficitCovered) -> Iterator[Check]:
        """The fund pays what is still owed, in the valuation asset at the mark price, rounded up."""
        name, asset = f"deficit {event.asset}", event.asset
        yield same(f"{name}: interest", recorded, event.interest, self.interest.get(asset, ZERO))
        yield same(f"{name}: principal", recorded, event.principal, self.principal.get(asset, ZERO))
        yield same(f"{name}: price", recorded, event.price, self.prices.get(asset))
        worth = Fraction(event.interest + event.principal) * Fraction(event.price)
        yield same(f"{name}: value", recorded, event.value, raised(worth, self._scale(VALUATION_ASSET)))
        _add(self.covered, asset, event.interest + event.principal)
        self.covered_value += event.value
        _add(self.interest, asset, -event.interest)
        _add(self.principal, asset, -event.principal)

    def _completed(self, recorded: RecordedEvent, event: e.LiquidationCompleted) -> Iterator[Check]:
        """The sums of the liquidation, its fee, and what the wallet keeps."""
        yield from _each("sold", recorded, event.sold, self.sold)
        yield from _each("repaid", recorded, event.repaid, self.repaid)
        repaid_value = sum((amount * self.prices.get(asset, ZERO) for asset, amount in self.repaid.items()), ZERO)
        yield same("repaid_value", recorded, event.repaid_value, repaid_value)
        yield same("fee_rate", recorded, event.fee_rate, self.fee_rate)
        yield same("fee_value", recorded, event.fee_value, repaid_value * self.fee_rate)
        yield from _each("fee", recorded, event.fee, self._fee(repaid_value * self.fee_rate))
        yield from _each("covered", recorded, event.covered, self.covered)
        yield same("covered_value", recorded, event.covered_value, self.covered_value)
        for asset, amount in event.fee.items():
            _add(self.held, asset, -amount)
            _add(self.fee, asset, amount)
        yield from _each("left", recorded, event.left, {one: amount for one, amount in self.held.items() if amount})
        owed = {asset: self.owed(asset) for asset in self.principal if self.owed(asset)}
        yield from _each("owed", recorded, event.owed or {}, owed)
        yield same("level in the end", recorded, event.level, self._level(owed))

    def _level(self, owed: Amounts) -> str | None:
        """A / D of what is held and owed by now, cut to 8 decimals; None where nothing is owed."""
        assets, debt = (
            sum((Fraction(amount) * self._price(asset) for asset, amount in part.items()), Fraction(0))
            for part in (self.held, owed)
        )
        return f"{cut(assets / debt, LEVEL_DECIMALS):f}" if debt else None

    def _fee(self, value: Decimal) -> Amounts:
        """The fee in the order of assets, rounded up, at most what is left of each."""
        fee: Amounts = {}
        rest = Fraction(value)
        for asset in self.order or ():
            held, price = self.held.get(asset, ZERO), self._price(asset)
            if rest > 0 and held and price:
                fee[asset] = min(held, raised(rest / price, self._scale(asset)))
                rest -= Fraction(fee[asset]) * price
        return fee

    def _pay(self, debt: str, interest: Decimal, principal: Decimal) -> None:
        _add(self.interest, debt, -interest)
        _add(self.principal, debt, -principal)
        _add(self.repaid, debt, interest + principal)
        _add(self.repaid_interest, debt, interest)

    def _is_not_below_zero(self, recorded: RecordedEvent, name: str, asset: str, debt: str) -> Check:
        left = (self.held.get(asset, ZERO), self.interest.get(debt, ZERO), self.principal.get(debt, ZERO))
        told = f"{plain(left[0])} {asset} held, {plain(left[1] + left[2])} {debt} owed"
        return Check(f"{name}: leaves nothing below zero", recorded.position, "0 or more", told, min(left) >= 0)

    def checks_of_end(self, recorded: RecordedEvent, balances: Mapping[str, Any]) -> Iterator[Check]:
        """What the wallet has after the last event, as its events leave it, beside what was reckoned here."""
        for asset in sorted({*balances, *self.held}):
            there = balances.get(asset)
            held, owed = (ZERO, ZERO) if there is None else (there.held, there.owed)
            yield same(f"{asset} held in the end", recorded, held, self.held.get(asset, ZERO))
            yield same(f"{asset} owed in the end", recorded, owed, self.owed(asset))

    def outcome(self) -> dict[str, Any]:
        """What was sold, repaid, charged, covered and left, by asset, with the value at the prices closed out at."""
        owed = {asset: self.owed(asset) for asset in self.principal}
        return {
            "sold": self._valued(self.sold),
            "bought": self._valued(self.bought),
            "repaid": self._valued(self.repaid),
            "repaid_interest": self._valued(self.repaid_interest),
            "charged": {
                "interest": self._valued(self.charged),
                "fee": self._valued(self.fee),
                "trade_fees": self._valued(self.trade_fees),
            },
            "covered": self._valued(self.covered),
            "covered_value": plain(self.covered_value),
            "left": self._valued(self.held),
            "owed": self._valued(owed),
            "lost_to_rounding": plain(self.rounding),
        }

    def _valued(self, amounts: Mapping[str, Decimal]) -> dict[str, dict[str, str | None]]:
        return {
            asset: {
                "amount": plain(amount),
                "value": plain(amount * self.prices[asset]) if asset in self.prices else None,
            }
            for asset, amount in sorted(amounts.items())
            if amount
        }


def _add(totals: Amounts, asset: str, amount: Decimal) -> None:
    totals[asset] = totals.get(asset, ZERO) + amount


def _each(name: str, recorded: RecordedEvent, stated: Mapping[str, Decimal], found: Amounts) -> Iterable[Check]:
    """Amounts by asset; an asset of which there is nothing need not be named."""
    for asset in sorted({*stated, *found}):
        yield same(f"{name}.{asset}", recorded, stated.get(asset, ZERO), found.get(asset, ZERO))
