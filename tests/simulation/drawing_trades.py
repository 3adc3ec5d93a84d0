"""Draws holds, fills and trades."""

from fractions import Fraction
from typing import Any

from tests.simulation.drawing import ACCOUNTS, ASSETS, PAIRS, WALLETS, Drawing, plain
from tests.simulation.model import Holder, base, down, pair_in, quote


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
        liquidated = self._liquidated()
        if liquidated and self.choose.number(0, 1):
            return self._fill_of_liquidation(*self.choose.pick(liquidated))
        name, side = self.account(), self.choose.pick(("buy", "sell"))
        if not self.choose.number(0, 2):
            return self._leveraged(name, side)
        trade = self._trade(self.world.holders[name], side)
        return {"account_id": name, "side": side, **trade, **self._terms(name, trade["pair"], side)}

    def _leveraged(self, name: str, side: str) -> dict[str, Any]:
        """A fill at the mark price that borrows what it lacks, of up to three times what its wallet is worth."""
        holder, pair = self.world.holders[name], self.pair()
        wallet = "cross" if holder.mode(pair) == "cross" else f"isolated:{pair}"
        marks = {asset: self.world.price(asset, "cross", None) for asset in ASSETS}
        equity = sum((holder.net(wallet, asset) * price for asset, price in marks.items()), Fraction(0))
        room = max(equity, Fraction(0)) * self.choose.number(2, 9) / 3 / marks[base(pair)]
        trade = self._trade(holder, side, pair)
        price = max(down(marks[base(pair)] / marks[quote(pair)], PAIRS[pair][0]), Fraction(1, 10 ** PAIRS[pair][0]))
        trade |= {"quantity": plain(max(down(room, 4), Fraction(1, 10**4))), "price": plain(price)}
        terms = {"fee": "0", "fee_asset": quote(pair), "auto_borrow": True, "auto_repay": True}
        return {"account_id": name, "side": side, **trade, **terms}

    def _liquidated(self) -> list[tuple[str, str]]:
        """The accounts and wallets that are closed out by fills."""
        return [
            (name, wallet)
            for name, holder in self.world.holders.items()
            for wallet in holder.running
            if wallet != "cross" or any(holder.mode(pair) == "cross" for pair in PAIRS)
        ]

    def _fill_of_liquidation(self, name: str, wallet: str) -> dict[str, Any]:
        """Mostly one that sells something of the wallet for something it owes; seldom of another wallet or id."""
        holder, bucket = self.world.holders[name], pair_in(wallet)
        fitting = [bucket] if bucket else [pair for pair in PAIRS if holder.mode(pair) == "cross"]
        pair = self.choose.pick(fitting)
        sells = holder.free(wallet, base(pair)) > 0 and bool(self.choose.number(0, 3))
        side = "sell" if sells else "buy"
        trade = self._trade(holder, side, pair)
        paid = base(pair) if side == "sell" else quote(pair)
        room = holder.free(wallet, paid) * self.choose.number(1, 4) / 4
        unit = Fraction(1, 10**4)
        trade["quantity"] = plain(max(down(room / (1 if side == "sell" else Fraction(trade["price"])), 4), unit))
        terms = self._terms(name, pair, side)
        terms = {key: value for key, value in terms.items() if key not in ("hold_id", "wallet")}
        terms["auto_repay"] = bool(self.choose.number(0, 4))
        running = holder.running[wallet].name if self.choose.number(0, 14) else f"{name}.{self.choose.number(1, 99)}"
        return {"account_id": name, "side": side, **trade, **terms, "liquidation_id": running}

    def liquidate(self) -> dict[str, Any]:
        examined: dict[str, Any] = self.examine()
        return {**examined, "execution": self.choose.pick(("external", "external", "house"))}

    def complete_liquidation(self) -> dict[str, Any]:
        liquidated = self._liquidated()
        if not liquidated or not self.choose.number(0, 9):
            name = self.account()
            return {"account_id": name, "liquidation_id": f"{name}.{self.choose.number(1, 99)}"}
        name, wallet = self.choose.pick(liquidated)
        return {"account_id": name, "liquidation_id": self.world.holders[name].running[wallet].name}

    def examine(self) -> dict[str, Any]:
        if self.pressed:
            name, wallet = self.pressed
            self.pressed = None
            return {"account_id": name, "wallet": wallet}
        name = self.account()
        holder = self.world.holders[name]
        owing = [wallet for wallet in WALLETS if holder.owes(wallet)]
        return {"account_id": name, "wallet": self.choose.pick(owing or WALLETS)}

    def book_trade(self) -> dict[str, Any]:
        buyer = self.account()
        others = [name for name in ACCOUNTS if name != buyer]
        seller = self.choose.pick(others) if self.choose.number(0, 9) else buyer
        trade = self._trade(self.world.holders[buyer], "buy")
        if self.choose.number(0, 1):
            trade["quantity"] = plain(Fraction(self.choose.number(1, 20), 10**4))
        sides = {
            "buyer": {"account_id": buyer, **self._terms(buyer, trade["pair"], "buy")},
            "seller": {"account_id": seller, **self._terms(seller, trade["pair"], "sell")},
        }
        return {**trade, **sides}

    def _trade(self, holder: Holder, side: str, pair: str | None = None) -> dict[str, Any]:
        """A trade near the mark price, of a size that the wallet may bear."""
        pair = pair or self._pair_of_shared_base(holder) or self.pair()
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

    def _pair_of_shared_base(self, holder: Holder) -> str | None:
        """Where the pool has a position in ether, now and then the other pair of ether: what is taken they share."""
        there = [pair for pair in PAIRS if base(pair) == "ETH" and holder.mode(pair) == "cross"]
        if len(there) < 2 or self.choose.number(0, 2):
            return None
        return self.choose.pick(there)

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
        if fitting and self.choose.number(0, 1):
            terms["hold_id"] = self.choose.pick(fitting)
        return terms
