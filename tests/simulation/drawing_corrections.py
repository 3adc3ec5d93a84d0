"""Draws reversals of what was done, and adjustments by two actors."""

from typing import Any

from tests.simulation.drawing import Drawing

ACTORS = ("operator:ann", "operator:ben")


class DrawsCorrections(Drawing):
    """Each method draws the fields of the command of its name."""

    def reverse_event(self) -> dict[str, Any]:
        """Mostly one of the last deeds that can be undone; else any version, or the one after the last."""
        name = self.account()
        holder = self.world.holders[name]
        done = [version for version, deed in holder.deeds.items() if not deed.reversed][-12:]
        if done and self.choose.number(0, 4):
            return {"account_id": name, "version": self.choose.pick(done)}
        return {"account_id": name, "version": self.choose.number(1, holder.version + 1)}

    def propose_adjustment(self) -> dict[str, Any]:
        name = self.account()
        holder = self.world.holders[name]
        wallet = self.choose.pick(("spot", "spot", self.wallet_of(holder)))
        asset = self.asset_of(wallet)
        amount = self.amount(holder.free(wallet, asset), asset)
        terms = {"wallet": wallet, "asset": asset, "amount": f"{self.choose.pick(('', '-'))}{amount}"}
        named = {"account_id": name, "adjustment_id": f"A{self.choose.number(1, 40)}", "reason_code": "reconciliation"}
        return {**named, **terms, "actor": self.choose.pick(ACTORS)}

    def approve_adjustment(self) -> dict[str, Any]:
        """Mostly one that is pending, and mostly by the other of the two."""
        pending = [
            (name, adjustment_id, proposed_by)
            for name, holder in self.world.holders.items()
            for adjustment_id, (*_, status, proposed_by) in holder.adjustments.items()
            if status == "proposed"
        ]
        if pending and self.choose.number(0, 5):
            name, adjustment_id, proposed_by = self.choose.pick(pending)
            others = tuple(actor for actor in ACTORS if actor != proposed_by)
            actor = self.choose.pick((proposed_by, *others * 3))
            return {"account_id": name, "adjustment_id": adjustment_id, "actor": actor}
        unknown = {"account_id": self.account(), "adjustment_id": f"A{self.choose.number(1, 41)}"}
        return {**unknown, "actor": self.choose.pick(ACTORS)}

    reject_adjustment = approve_adjustment
