"""An exchange that may lie about what it owes, with its own good key: it publishes and proves any leaves it likes."""

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.liabilities import TreeLine, text_of
from ledger.merkle import Perfect, inclusion, root
from ledger.money import plain
from ledger.signing import Checkpoint, SigningKey, base64_of
from ledger.sum_tree import EMPTY, amount_of, context_of, id_of, leaf_node
from tests.ledger.given import NOON
from tests.ledger.sealed import KEY

WRAP = 1 << 256
ONE = 10**18
"""One of an asset, in units as leaves count them."""
BTC, ETH = ("balances", "BTC"), ("balances", "ETH")
Which = tuple[str, str]


class Leaf(NamedTuple):
    """A leaf; of a number below zero it has what is left of it in 256 bits."""

    account_id: str
    part: int
    units: int
    salt: bytes = b"s" * 32

    @property
    def content(self) -> bytes:
        return id_of(self.salt, self.account_id, self.part) + (self.units % WRAP).to_bytes(32, "big")


def owed(**whole: int) -> list[Leaf]:
    """An honest list: each account's whole number of an asset, in two leaves."""
    return [Leaf(name, part, units) for name, one in whole.items() for part, units in enumerate((one * ONE - 3, 3))]


def wrapping(left: bytes, right: bytes) -> bytes:
    """The node above two, with what is left of the sum in 256 bits."""
    total = (int.from_bytes(left[32:], "big") + int.from_bytes(right[32:], "big")) % WRAP
    return hashlib.sha256(b"\x01" + left + right).digest() + total.to_bytes(32, "big")


def only_the_total(left: bytes, right: bytes) -> bytes:
    """The node above two as it was first proposed: it hashes the sum of sums, not the two."""
    total = (int.from_bytes(left[32:], "big") + int.from_bytes(right[32:], "big")).to_bytes(32, "big")
    return hashlib.sha256(b"\x01" + total + left[:32] + right[:32]).digest() + total


class Exchange:
    """What it publishes at a checkpoint, and what it tells its customers."""

    def __init__(
        self,
        trees: dict[Which, list[Leaf]],
        *,
        size: int = 700,
        join: Callable[[bytes, bytes], bytes] = wrapping,
        key: SigningKey = KEY,
    ) -> None:
        self._checkpoint = Checkpoint("margin-ledger/exchange", size, b"r" * 32, NOON)
        self._join, self._key = join, key
        loans: dict[Which, list[Leaf]] = {("loans", asset): [] for _, asset in trees}
        self.trees = {which: sorted(leaves, key=lambda leaf: leaf.content) for which, leaves in (loans | trees).items()}

    def publication(self, totals: dict[Which, str] | None = None, roots: dict[Which, str] | None = None) -> Any:
        """As the API answers it; `totals` and `roots` are told instead of the true ones."""
        lines = []
        for which, leaves in sorted(self.trees.items()):
            node = root(len(leaves), self._perfect(which), self._join) if leaves else EMPTY
            told = (
                (roots or {}).get(which, base64_of(node[:32])),
                (totals or {}).get(which, plain(amount_of(node[32:]))),
            )
            lines.append(TreeLine(*which, *told, len(leaves)))
        note = self._key.sign_text(text_of(self._checkpoint.text, lines))
        return {"checkpoint": self._key.sign(self._checkpoint), "note": note}

    def proof(self, account_id: str) -> Any:
        """As the API answers it, of the leaves that are this account's."""
        trees = []
        for (kind, asset), leaves in self.trees.items():
            own = sorted((leaf.part, place, leaf) for place, leaf in enumerate(leaves) if leaf.account_id == account_id)
            parts = [self.part((kind, asset), place, leaf) for _, place, leaf in own]
            amount = sum((leaf.units for *_, leaf in own), 0)
            if parts:
                trees.append({"kind": kind, "asset": asset, "amount": told_of(amount), "parts": parts})
        return {"account_id": account_id, "size": self._checkpoint.size, "trees": trees}

    def part(self, which: Which, place: int, leaf: Leaf) -> Any:
        """A leaf at a place, and its path."""
        path = inclusion(place, len(self.trees[which]), self._perfect(which), self._join)
        beside = [{"hash": base64_of(node[:32]), "sum": plain(amount_of(node[32:]))} for node in path]
        return {"salt": base64_of(leaf.salt), "place": place, "amount": told_of(leaf.units), "path": beside}

    def _perfect(self, which: Which) -> Perfect:
        context = context_of(self._checkpoint.text, *which)

        def perfect(height: int, number: int) -> bytes:
            if height == 0:
                return leaf_node(context, self.trees[which][number].content)
            return self._join(perfect(height - 1, 2 * number), perfect(height - 1, 2 * number + 1))

        return perfect


def told_of(units: int) -> str:
    """Units as an amount of the asset."""
    return plain(Decimal(units).scaleb(-18))
