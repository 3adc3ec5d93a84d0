"""A close-out on its way: what a liquidated wallet holds and owes so far, and the repayments that the house makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ledger import events as e
from ledger.account.draft import Draft
from ledger.account.relief import Standing, Step, Terms
from ledger.account.state import RunningLiquidation
from ledger.margin import Margin, margin_of
from ledger.money import ZERO, Ratio, compare_ratio
from ledger.wallets import Balance
from ledger.words import Execution

Prices = Mapping[str, Decimal]


@dataclass(slots=True)
class Closing:
    """`prices` are in the valuation asset, by asset; debts and assets are in the order in which they are taken."""

    draft: Draft
    wallet: str
    prices: Prices
    debts: list[str]
    assets: list[str]

    @classmethod
    def of(cls, draft: Draft, wallet: str, prices: Prices) -> "Closing":
        """With the debts and assets there are, largest value first, then by symbol."""
        balances = draft.wallet(wallet).balances
        debts = _in_order_of_value({asset: balance.owed for asset, balance in balances.items()}, prices)
        assets = _in_order_of_value({asset: balance.held for asset, balance in balances.items()}, prices)
        return cls(draft, wallet, prices, debts, assets)

    @property
    def running(self) -> RunningLiquidation:
        return self.draft.account.liquidations[self.wallet]

    @property
    def target(self) -> Decimal | None:
        """The level to come back to, as set when the liquidation started."""
        return self.running.target

    def balance(self, asset: str) -> Balance:
        return self.draft.wallet(self.wallet).balance(asset)

    def scale(self, asset: str) -> int:
        return self.draft.market.asset(asset).scale

    @property
    def terms(self) -> Terms:
        scales = {asset: self.scale(asset) for asset in (*self.assets, *self.debts)}
        return Terms(self.prices, scales, self.running.fee_rate)

    @property
    def standing(self) -> Standing:
        held = {asset: self.balance(asset).held for asset in self.assets}
        debt = sum((self.balance(asset).owed * self.prices[asset] for asset in self.debts), ZERO)
        return Standing(held, debt, self.repaid_value)

    @property
    def repaid_value(self) -> Decimal:
        """What was repaid since the liquidation started, in value."""
        return sum((amount * self.prices[asset] for asset, amount in self.running.repaid.items()), ZERO)

    @property
    def level(self) -> Ratio:
        """The margin level once the fee of what was repaid so far is taken."""
        return self.standing.level(self.terms)

    @property
    def margin(self) -> Margin:
        """The wallet as it is, before the fee: its lines and its tier."""
        wallet, draft = self.draft.wallet(self.wallet), self.draft
        return margin_of(wallet, self.prices, draft.market, draft.leverage(self.wallet))

    def is_at_target(self) -> bool:
        """Whether a target is set and the level is there."""
        return self.target is not None and compare_ratio(self.level, Ratio.of(self.target)) >= 0

    def is_above_line(self) -> bool:
        """Whether the level is above the liquidation line of the tier that the wallet is in now."""
        return compare_ratio(self.level, Ratio.of(self.margin.lines.liquidation)) > 0

    def repay(self, asset: str, debt: str, wanted: Decimal, to_tier: int | None = None) -> bool:
        """Repay so much of a debt from an asset, as far as it goes, or less where that is enough for the target.

        Returns whether the target is met.
        """
        held, owed = self.balance(asset).held, self.balance(debt).owed
        if not held or not wanted:
            return False
        price, debt_price = self.prices[asset], self.prices[debt]
        step = Step(asset, held, price, self.scale(asset), owed, debt_price, self.scale(debt))
        least = None if self.target is None else step.least(self.standing, self.terms, self.target, wanted)
        self._record(step, debt, wanted if least is None else least, to_tier)
        return least is not None

    def _record(self, step: Step, debt: str, wanted: Decimal, to_tier: int | None) -> None:
        taken, credited = step.repaying(wanted)
        interest = min(credited, self.balance(debt).interest)
        self.draft.record(
            e.LiquidationFilled,
            liquidation_id=self.running.liquidation_id,
            wallet=self.wallet,
            asset=step.asset,
            taken=taken,
            asset_price=step.price,
            debt_asset=debt,
            interest=interest,
            principal=credited - interest,
            debt_price=step.debt_price,
            closing_prices=self.other_prices(),
            to_tier=to_tier,
        )

    def other_prices(self) -> dict[str, Decimal] | None:
        """The prices of an external execution's completion; the house closes out at those that it started at."""
        return dict(self.prices) if self.running.execution is Execution.EXTERNAL else None


def _in_order_of_value(amounts: Mapping[str, Decimal], prices: Prices) -> list[str]:
    """The assets of which there is something, largest value first, then by symbol."""
    present = [asset for asset, amount in amounts.items() if amount]
    return sorted(present, key=lambda asset: (-amounts[asset] * prices[asset], asset))
