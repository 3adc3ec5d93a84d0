"""Draws commands of the life cycle, funding, margin settings and loans."""

from fractions import Fraction
from typing import Any

from tests.simulation.drawing import ASSETS, WALLETS, Drawing
from tests.simulation.model import down


class DrawsFunds(Drawing):
    """Each method draws the fields of the command of its name."""

    def open_account(self) -> dict[str, Any]:
        return {"account_id": self.choose.pick((self.account(), f"guest{self.choose.number(1, 30)}"))}

    def freeze_account(self) -> dict[str, Any]:
        blocks = ("deposit", "withdraw", "transfer", "borrow", "trade")
        again = [(name, block) for name, holder in self.world.holders.items() for block in sorted(holder.blocks)]
        if again and self.choose.number(0, 1):
            name, block = self.choose.pick(again)
            return {"account_id": name, "blocks": [block]}
        return {"account_id": self.account(), "blocks": [self.choose.pick(blocks)]}

    def unfreeze_account(self) -> dict[str, Any]:
        return {"account_id": self.account()}

    def close_account(self) -> dict[str, Any]:
        return {"account_id": self.choose.pick((self.account(), *self.world.holders))}

    def deposit(self) -> dict[str, Any]:
        asset = self.asset()
        return {"account_id": self.account(), "asset": asset, "amount": self.amount(Fraction(0), asset)}

    def request_withdrawal(self) -> dict[str, Any]:
        name, asset = self.account(), self.asset()
        amount = self.amount(self.world.holders[name].free("spot", asset), asset)
        return {"account_id": name, "withdrawal_id": self.own_id("W"), "asset": asset, "amount": amount}

    def settle_withdrawal(self) -> dict[str, Any]:
        return {"account_id": self.account(), "withdrawal_id": self.own_id("W")}

    cancel_withdrawal = settle_withdrawal

    def transfer(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        inner = self.wallet_of(holder)
        wallets = ["spot", inner] if self.choose.number(0, 7) else [inner, self.wallet_of(holder)]
        source, target = wallets if self.choose.number(0, 1) else reversed(wallets)
        asset = self.asset_of(target if source == "spot" else source)
        amount = self.amount(holder.free(source, asset), asset)
        return {"account_id": name, "from": source, "to": target, "asset": asset, "amount": amount}

    def add_margin(self) -> dict[str, Any]:
        return self._margin("from", "spot")

    def remove_margin(self) -> dict[str, Any]:
        return self._margin("to", None)

    def _margin(self, word: str, source: str | None) -> dict[str, Any]:
        name, pair = self.account(), self.pair()
        asset = self.asset_of(f"isolated:{pair}")
        other = self.choose.pick(("spot", "spot", "cross"))
        free = self.world.holders[name].free(other if source else f"isolated:{pair}", asset)
        return {"account_id": name, "pair": pair, "asset": asset, "amount": self.amount(free, asset), word: other}

    def send(self) -> dict[str, Any]:
        name, asset = self.account(), self.asset()
        amount = self.amount(self.world.holders[name].free("spot", asset), asset)
        return {"account_id": name, "to_account_id": self.account(), "asset": asset, "amount": amount}

    # Margin settings and loans

    def set_margin_mode(self) -> dict[str, Any]:
        mode = self.choose.pick(("cross", "isolated", "isolated"))
        return {"account_id": self.account(), "pair": self.pair(), "mode": mode}

    def set_leverage(self) -> dict[str, Any]:
        wallet = self.choose.pick(WALLETS)
        leverage = self.choose.pick(("1", "2", "2.5", "3", "5", "10"))
        return {"account_id": self.account(), "wallet": wallet, "leverage": leverage}

    def borrow(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        wallet = self.wallet_of(holder)
        asset = self.asset_of(wallet)
        price = self.world.price(asset, "cross", None)
        equity = sum((holder.net(wallet, a) * self.world.price(a, "cross", None) for a in ASSETS), Fraction(0))
        room = down(max(equity, Fraction(0)) * self.choose.number(1, 9) / 4 / price, ASSETS[asset])
        return {"account_id": name, "wallet": wallet, "asset": asset, "amount": self.amount(room, asset)}

    def repay(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        wallet = self.wallet_of(holder)
        owed = [a for a in ASSETS if holder.owed(wallet, a)]
        asset = self.choose.pick(owed) if owed else self.asset_of(wallet)
        if not self.choose.number(0, 4):
            return {"account_id": name, "wallet": wallet, "asset": asset, "amount": "all"}
        there = min(holder.owed(wallet, asset), holder.free(wallet, asset))
        return {"account_id": name, "wallet": wallet, "asset": asset, "amount": self.amount(there, asset)}

    def accrue_interest(self) -> dict[str, Any]:
        hour = self.world.now.replace(minute=0, second=0, microsecond=0).isoformat()
        return {"account_id": self.account(), "hour": hour, "effective_at": self.world.now.isoformat()}
