"""The next command of a simulation: any kind, those that lead somewhere more often."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.simulation.drawing import ASSETS, PAIRS, WALLETS, plain
from tests.simulation.drawing_funds import DrawsFunds
from tests.simulation.drawing_trades import DrawsTrades
from tests.simulation.model import base, down
from tests.simulation.model_margin import row_of


class Steps(DrawsFunds, DrawsTrades):
    """Draws whole commands."""

    def command(self, name: str | None = None) -> dict[str, Any]:
        name = name or self.choose.pick(WEIGHTED)
        content: dict[str, Any] = getattr(self, name)()
        if name in BACK_DATED and not self.choose.number(0, 19):
            dated = self.world.now - timedelta(minutes=self.choose.number(1, 300))
            content["effective_at"] = dated.isoformat()
        return {"type": name, **content}

    def pass_time(self, command: dict[str, Any]) -> timedelta:
        """Seconds between commands; hours mostly just before prices are marked, so that they are rarely stale."""
        if (command["type"] == "mark_prices" and not self.choose.number(0, 2)) or not self.choose.number(0, 49):
            return timedelta(minutes=self.choose.number(1, 200))
        return timedelta(seconds=self.choose.number(0, 6))

    def examine(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        owing = [wallet for wallet in WALLETS if holder.owes(wallet)]
        return {"account_id": name, "wallet": self.choose.pick(owing or WALLETS)}

    liquidate = examine

    def mark_prices(self) -> dict[str, Any]:
        """Mostly a gentle move, sometimes to where a wallet stands at one of its lines."""
        pairs = ("BTC/USDT", "ETH/USDT")
        prices = {pair: self.world.prices[pair][0] * self.choose.number(96, 105) / 100 for pair in pairs}
        if not self.choose.number(0, 3):
            pair = self.choose.pick(pairs)
            prices[pair] = self._critical_price(pair) or prices[pair]
        # A price that wandered off comes back to where the random amounts mean something.
        starts = {"BTC/USDT": Fraction(50000), "ETH/USDT": Fraction(2500)}
        bounded = {pair: min(max(price, starts[pair] / 8), starts[pair] * 8) for pair, price in prices.items()}
        return {"prices": {pair: plain(down(price, 2)) for pair, price in bounded.items()}, "source": "index"}

    def _critical_price(self, pair: str) -> Fraction | None:
        """The price at which a wallet that owes stands at its liquidation or call line, or a little beyond."""
        asset, name = base(pair), self.account()
        holder = self.world.holders[name]
        owing = [wallet for wallet in WALLETS if holder.owes(wallet)]
        if not owing:
            return None
        wallet = self.choose.pick(owing)
        line = row_of(self.world, holder, wallet)
        ratio = self.choose.pick((line.liquidation, line.liquidation, line.call)) if line else Fraction(11, 10)
        others = Fraction(0)
        for other in ASSETS:
            if other != asset:
                four, price = holder.at(wallet, other), self.world.price(other, "cross", None)
                others += ratio * (four[2] + four[3]) * price - (four[0] + four[1]) * price
        four = holder.at(wallet, asset)
        exposure = four[0] + four[1] - ratio * (four[2] + four[3])
        if not exposure or others / exposure <= 0:
            return None
        return others / exposure * Fraction(self.choose.pick((30, 30, 27, 33, 20)), 30)

    def set_interest_rate(self) -> dict[str, Any]:
        return {"asset": self.asset(), "daily_rate": plain(Fraction(self.choose.number(0, 300), 10**5))}

    def set_asset_limits(self) -> dict[str, Any]:
        tiers = self.choose.pick(
            (
                [{"ratio": "1"}],
                [{"up_to": "10000", "ratio": "0.95"}, {"ratio": "0.8"}],
                [{"up_to": "30000", "ratio": "0.9"}, {"up_to": "60000", "ratio": "0.5"}],
            )
        )
        uses = ["transfer", "borrow", "trade"]
        enabled = uses if self.choose.number(0, 2) else self.choose.pick((uses[:2], uses[1:], uses[::2]))
        return {"asset": self.asset(), "collateral_tiers": tiers, "enabled": enabled}

    def set_pair_status(self) -> dict[str, Any]:
        status = self.choose.pick(("trading", "trading", "halted", "reduce_only"))
        return {"pair": self.choose.pick(tuple(PAIRS)), "status": status}

    def set_risk_limits(self) -> dict[str, Any]:
        first = {"max_leverage": "5", "initial": "1.25", "margin_call": "1.2", "liquidation": "1.1"}
        second = {"max_leverage": "3", "initial": "1.5", "margin_call": "1.3", "liquidation": "1.2"}
        tiers = [
            {**first, "base_limit": "1", "quote_limit": "20000"},
            {**second, "base_limit": "10", "quote_limit": "60000"},
        ]
        return {"scope": self.choose.pick(("BTC/USDT", "ETH/USDT")), "tiers": tiers}

    def fund_insurance(self) -> dict[str, Any]:
        return {"asset": "USDT", "amount": str(self.choose.number(1, 1000))}

    def withdraw_insurance(self) -> dict[str, Any]:
        return {"asset": "USDT", "amount": str(self.choose.number(1, 1500))}


WEIGHTS = {
    "open_account": 1,
    "freeze_account": 1,
    "unfreeze_account": 3,
    "close_account": 1,
    "deposit": 5,
    "request_withdrawal": 2,
    "settle_withdrawal": 1,
    "cancel_withdrawal": 1,
    "transfer": 9,
    "add_margin": 7,
    "remove_margin": 3,
    "send": 2,
    "set_margin_mode": 4,
    "set_leverage": 3,
    "borrow": 14,
    "repay": 6,
    "accrue_interest": 2,
    "place_hold": 4,
    "release_hold": 2,
    "book_fill": 12,
    "book_trade": 6,
    "examine": 9,
    "liquidate": 2,
    "mark_prices": 14,
    "set_interest_rate": 1,
    "set_asset_limits": 1,
    "set_pair_status": 2,
    "set_risk_limits": 1,
    "fund_insurance": 1,
    "withdraw_insurance": 1,
}
BACK_DATED = ("deposit", "borrow", "repay", "transfer", "book_fill", "set_interest_rate", "place_hold")
WEIGHTED = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))
