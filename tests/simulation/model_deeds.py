"""What an event that may be reversed did in the model, and that it was undone."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

INTEREST = 3
ACCRUED = "interest.accrued"


@dataclass
class Deed:
    """What an event that may be reversed did: to wallets, by asset and number; to a position; and the other part of it.

    `trade` is the wallet, the pair, the signed quantity and the price; `other` the deed on the other account.
    """

    name: str
    topic: str
    changes: list[tuple[str, str, int, Fraction]]
    trade: tuple[str, str, Fraction, Fraction] | None = None
    of_liquidation: bool = False
    other: "Deed | None" = None
    reversed: bool = False

    @property
    def wallets(self) -> list[str]:
        return sorted({wallet for wallet, _, _, _ in self.changes})


class KeepsDeeds:
    """What the last command did, in order; deeds get their versions from the ledger, which alone counts events."""

    holders: dict[str, Any]
    done: list[Deed]

    def do(self, holder: Any, topic: str, changes: list[tuple[str, str, int, Fraction]], **more: Any) -> Deed:
        """Remember what an event did to an account."""
        name = next(name for name, one in self.holders.items() if one is holder)
        self.done.append(Deed(name, topic, changes, **more))
        return self.done[-1]

    def owe(self, holder: Any, wallet: str, asset: str, cost: Fraction) -> None:
        """Charge interest; all that one command charges a wallet is one deed."""
        holder.at(wallet, asset)[INTEREST] += cost
        name = next(name for name, one in self.holders.items() if one is holder)
        same = [deed for deed in self.done if (deed.name, deed.topic, deed.wallets) == (name, ACCRUED, [wallet])]
        if cost:
            deed = same[0] if same else self.do(holder, ACCRUED, [])
            deed.changes.append((wallet, asset, INTEREST, cost))
