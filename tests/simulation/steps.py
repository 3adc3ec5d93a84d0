"""The next command of a simulation: any kind, those that lead somewhere more often."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.simulation.drawing import ASSETS, PAIRS, WALLETS, plain
from tests.simulation.drawing_corrections import DrawsCorrections
from tests.simulation.drawing_funds import DrawsFunds
from tests.simulation.drawing_prices import DrawsPrices
from tests.simulation.drawing_trades import DrawsTrades
from tests.simulation.model import base, down
from tests.simulation.model_margin import row_of


class Steps(DrawsFunds, DrawsTrades, DrawsPrices, DrawsCorrections):
    """Draws whole commands."""

    def command(self, name: str | None = None) -> dict[str, Any]:
        if name is None and not self.choose.number(0, 9) and (cure := self._cure()):
            return cure
        name = name or self.choose.pick(self._leading() or WEIGHTED)
        content: dict[str, Any] = getattr(self, name)()
        if name in BACK_DATED and not self.choose.number(0, 19):
            dated = self.world.now - timedelta(minutes=self.choose.number(1, 300))
            content["effective_at"] = dated.isoformat()
        if "account_id" in content and name != "open_account" and not self.choose.number(0, 79):
            content["account_id"] = "nobody"
        if "account_id" in content and "liquidation_id" not in content and not self.choose.number(0, 29):
            holder = self.world.holders.get(content["account_id"])
            content["expected_version"] = (holder.version if holder else 0) + self.choose.pick((0, 0, 1))
        return {"type": name, **content}

    def _leading(self) -> tuple[str, ...] | None:
        """What leads on from here: examining a wallet that prices press, fills and the end of a liquidation."""
        if self.pressed and self.choose.number(0, 3):
            return ("examine", "liquidate", "liquidate")
        if self._liquidated() and not self.choose.number(0, 4):
            return (*["book_fill"] * 5, "complete_liquidation")
        return None

    def _cure(self) -> dict[str, Any] | None:
        """The command that lifts one of the obstacles there are, so that a life does not end at them."""
        uses = ["transfer", "borrow", "trade"]
        plainly = {"collateral_tiers": [{"ratio": "1"}], "borrow_limit": None, "enabled": uses}
        cures: list[dict[str, Any]] = [
            {"type": "set_pair_status", "pair": pair, "status": "trading"}
            for pair, listing in self.world.pairs.items()
            if listing.status != "trading"
        ]
        cures += [
            {"type": "set_asset_limits", "asset": asset, **plainly}
            for asset, known in self.world.assets.items()
            if known.borrow_limit is not None or not known.tiers[0][1] or len(known.enabled) < len(uses)
        ]
        cures += [
            {"type": "unfreeze_account", "account_id": name}
            for name, holder in self.world.holders.items()
            if holder.frozen and not holder.closed
        ]
        return self.choose.pick(cures) if cures else None

    def pass_time(self, command: dict[str, Any]) -> timedelta:
        """Seconds between commands; hours mostly just before prices are marked, so that they are rarely stale."""
        if (command["type"] == "mark_prices" and not self.choose.number(0, 2)) or not self.choose.number(0, 49):
            return timedelta(minutes=self.choose.number(1, 200))
        return timedelta(seconds=self.choose.number(0, 6))

    def mark_prices(self) -> dict[str, Any]:
        """Mostly a gentle move, sometimes to where a wallet stands at one of its lines."""
        pairs = ("BTC/USDT", "ETH/USDT")
        prices = {pair: self.world.prices[pair][0] * self.choose.number(96, 105) / 100 for pair in pairs}
        self.pressed = None
        if not self.choose.number(0, 2):
            pair = self.choose.pick(pairs)
            critical = self._critical_price(pair)
            if critical is not None:
                # The other prices stay, so that the wallet stands where it was reckoned to.
                prices = {other: self.world.prices[other][0] for other in pairs} | {pair: critical}
        # A price that wandered off comes back to where the random amounts mean something.
        starts = {"BTC/USDT": Fraction(50000), "ETH/USDT": Fraction(2500)}
        bounded = {pair: min(max(price, starts[pair] / 8), starts[pair] * 8) for pair, price in prices.items()}
        written = {pair: plain(down(price, 2)) for pair, price in bounded.items()}
        marked = self._marked(written)
        if not self.choose.number(0, 5):
            marked = self.bad_prices(marked)
        return {"prices": marked, "source": self.source()}

    def _marked(self, prices: dict[str, str]) -> dict[str, str]:
        """Mostly the whole vector; else a part, so that the others get old, or with a pair that values nothing."""
        kind = self.choose.number(0, 19)
        if kind < 3:
            pair = self.choose.pick(tuple(prices))
            return {pair: prices[pair]}
        if kind == 3:
            return {"ETH/BTC": "0.05"}
        return {**prices, "ETH/BTC": "0.0487"} if kind == 4 else {**prices, "ABC/USDT": "1"} if kind == 5 else prices

    def _critical_price(self, pair: str) -> Fraction | None:
        """The price at which a wallet that owes stands at its liquidation or call line, or a little beyond."""
        asset, everybody = base(pair), self.world.holders.items()
        owing = [(name, wallet) for name, holder in everybody for wallet in WALLETS if holder.owes(wallet)]
        if not owing:
            return None
        name, wallet = self.choose.pick(owing)
        holder = self.world.holders[name]
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
        self.pressed = (name, wallet)
        # At the line, on its better side, or beyond it: below for a long, above for a short.
        beyond = (30, 31, 29, 27, 20) if exposure > 0 else (30, 29, 31, 33, 40)
        return others / exposure * Fraction(self.choose.pick(beyond), 30)

    def set_interest_rate(self) -> dict[str, Any]:
        asset = self.choose.pick((*ASSETS, *ASSETS, "ABC"))
        return {"asset": asset, "daily_rate": plain(Fraction(self.choose.number(0, 300), 10**5))}

    def set_asset_limits(self) -> dict[str, Any]:
        asset = self.asset()
        if not self.choose.number(0, 2):
            # A limit near what somebody owes; null lifts it.
            borrowed = [
                sum((holder.at(wallet, asset)[2] for wallet in WALLETS), Fraction(0))
                for holder in self.world.holders.values()
            ]
            limit = down(max(borrowed) * self.choose.number(5, 20) / 10, ASSETS[asset])
            return {"asset": asset, "borrow_limit": plain(limit) if self.choose.number(0, 2) else None}
        tiers = self.choose.pick(
            (
                [{"ratio": "1"}],
                [{"ratio": "0"}],
                [{"up_to": "10000", "ratio": "0.95"}, {"ratio": "0.8"}],
                [{"up_to": "30000", "ratio": "0.9"}, {"up_to": "60000", "ratio": "0.5"}],
            )
        )
        uses = ["transfer", "borrow", "trade"]
        enabled = uses if self.choose.number(0, 2) else self.choose.pick((uses[:2], uses[1:], uses[::2]))
        return {"asset": asset, "collateral_tiers": tiers, "enabled": enabled}

    def set_pair_status(self) -> dict[str, Any]:
        status = self.choose.pick(("trading", "trading", "halted", "reduce_only"))
        return {"pair": self.choose.pick(tuple(PAIRS)), "status": status}

    def set_risk_limits(self) -> dict[str, Any]:
        if self.choose.number(0, 2):
            return self._other_limits()
        first = {"max_leverage": "5", "initial": "1.25", "margin_call": "1.2", "liquidation": "1.1"}
        second = {"max_leverage": "3", "initial": "1.5", "margin_call": "1.3", "liquidation": "1.2"}
        tiers = [
            {**first, "base_limit": "1", "quote_limit": "20000"},
            {**second, "base_limit": "10", "quote_limit": "60000"},
        ]
        return {"scope": self.choose.pick(("BTC/USDT", "ETH/USDT")), "tiers": tiers}

    def _other_limits(self) -> dict[str, Any]:
        """Rows of the cross pool, an age of prices, a fee, what counts as dust."""
        scope = self.choose.pick(("cross", "cross", *PAIRS))
        kind = self.choose.number(0, 4)
        if kind == 4:
            limit = self.choose.pick(("0.05", "0.2", "0.5", None, None, None))
            return {"scope": self.choose.pick(tuple(PAIRS)), "price_jump_limit": limit}
        if kind == 0:
            third = {"max_leverage": "3", "initial": "1.5", "margin_call": "1.3", "liquidation": "1.1"}
            harder = {**third, "margin_call": "1.4", "liquidation": "1.2", "initial": "1.6", "transfer_out": "2.2"}
            fifth = {"max_leverage": "5", "initial": "1.3", "margin_call": "1.2", "liquidation": "1.12"}
            return {"scope": "cross", "tiers": self.choose.pick(([third], [harder], [fifth], [harder, fifth]))}
        if kind == 1:
            return {"scope": scope, "price_max_age_seconds": self.choose.pick((10, 60, 60, 3600))}
        if kind == 2:
            return {"scope": scope, "liquidation_fee": self.choose.pick(("0", "0.02", "0.035", "1"))}
        return {"scope": scope, "dust": self.choose.pick(("0", "1", "100"))}

    def fund_insurance(self) -> dict[str, Any]:
        return {"asset": self.choose.pick(("USDT", "USDT", "USDT", "ABC")), "amount": str(self.choose.number(1, 1000))}

    def list_asset(self) -> dict[str, Any]:
        return {"asset": self.asset(), "scale": 2, "daily_interest_rate": "0.01"}

    def list_pair(self) -> dict[str, Any]:
        pair = self.choose.pick(("BTC/USDT", "ETH/ABC", "BTC/ETH"))
        return {"pair": pair, "price_scale": 2, "max_leverage": "20" if pair == "BTC/ETH" else "5"}

    def withdraw_insurance(self) -> dict[str, Any]:
        return {"asset": "USDT", "amount": str(self.choose.number(1, 1500))}


WEIGHTS = {
    "open_account": 1,
    "freeze_account": 2,
    "unfreeze_account": 2,
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
    "liquidate": 5,
    "complete_liquidation": 1,
    "reverse_event": 8,
    "propose_adjustment": 3,
    "approve_adjustment": 3,
    "reject_adjustment": 1,
    "mark_prices": 14,
    "confirm_price": 2,
    "reject_price": 1,
    "set_interest_rate": 1,
    "list_asset": 1,
    "list_pair": 1,
    "set_asset_limits": 2,
    "set_pair_status": 2,
    "set_risk_limits": 2,
    "fund_insurance": 1,
    "withdraw_insurance": 1,
}
BACK_DATED = (
    *("mark_prices", "deposit", "borrow", "repay", "transfer", "book_fill", "set_interest_rate", "place_hold"),
    *("reverse_event", "approve_adjustment"),
)
WEIGHTED = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))
