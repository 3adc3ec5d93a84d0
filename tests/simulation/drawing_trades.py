"""Draws holds, fills and trades."""

from fractions import Fraction
from typing import Any

from tests.simulation.drawing import ASSETS, PAIRS, Drawing, plain
from tests.simulation.model import Holder, base, down, quote


class DrawsTrades(Drawing):
    """Each method draws the fields of the command of its name."""

    def place_hold(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        wallet = self.choose.pick(("spot", self.wallet_of(holder)))
        asset = self.asset_of(wallet)
        amount = self.amount(holder.free(wallet, asset), asset)
        return {"account_id": name, "hold_id": self.own_id("H"), "wallet": wallet, "asset": asset, "amount": amount}

    def release_hold(self) -> dict[str, Any]:
        return {"account_id": self.account(), "hold_id": self.own_id("H")}

    def book_fill(self) -> dict[str, Any]:
        name, side = self.account(), self.choose.pick(("buy", "sell"))
        trade = self._trade(self.world.holders[name], side)
        return {"account_id": name, "side": side, **trade, **self._terms(name, trade["pair"], side)}

    def book_trade(self) -> dict[str, Any]:
        buyer = self.account()
        others = [name for name in self.world.holders if name != buyer]
        seller = self.choose.pick(others) if self.choose.number(0, 9) else buyer
        trade = self._trade(self.world.holders[buyer], "buy")
        if self.choose.number(0, 1):
            trade["quantity"] = plain(Fraction(self.choose.number(1, 20), 10**4))
        sides = {
            "buyer": {"account_id": buyer, **self._terms(buyer, trade["pair"], "buy")},
            "seller": {"account_id": seller, **self._terms(seller, trade["pair"], "sell")},
        }
        return {**trade, **sides}

    def _trade(self, holder: Holder, side: str) -> dict[str, Any]:
        """A trade near the mark price, of a size that the wallet may bear."""
        pair = self.pair()
        mark = self.world.price(base(pair), "cross", None) / self.world.price(quote(pair), "cross", None)
        price = max(down(mark * self.choose.number(90, 110) / 100, PAIRS[pair][0]), Fraction(1, 10 ** PAIRS[pair][0]))
        wallet = "cross" if holder.mode(pair) == "cross" else f"isolated:{pair}"
        asset = quote(pair) if side == "buy" else base(pair)
        room = holder.free(wallet, asset) * self.choose.number(1, 4) / 2
        quantity = max(down(room / (price if side == "buy" else 1), 4), Fraction(self.choose.number(1, 3000), 10**4))
        return {
            "trade_id": f"T{self.choose.number(1, 10**12)}",
            "pair": pair,
            "quantity": plain(quantity),
            "price": plain(price),
        }

    def _terms(self, name: str, pair: str, side: str) -> dict[str, Any]:
        """Fee, wallet, hold and automatic loans of one side; the fee stays below what is received."""
        holder, received = self.world.holders[name], base(pair) if side == "buy" else quote(pair)
        fee_asset = self.choose.pick((received, received, self.asset()))
        fee = plain(Fraction(self.choose.number(-3, 9), 10 ** ASSETS[fee_asset]))
        terms: dict[str, Any] = {"fee": fee, "fee_asset": fee_asset}
        if not self.choose.number(0, 3):
            terms["wallet"] = "spot"
        else:
            terms["auto_borrow"], terms["auto_repay"] = self.choose.pick(
                ((True, True), (True, False), (False, True), (False, False))
            )
        paid = quote(pair) if side == "buy" else base(pair)
        fitting = [hold_id for hold_id, hold in holder.holds.items() if hold[1] == paid]
        if fitting and self.choose.number(0, 1) and not terms.get("auto_borrow"):
            terms["hold_id"] = self.choose.pick(fitting)
        return terms
