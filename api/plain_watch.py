"""The wallets at risk found by looking at every wallet that owes: exact, and as slow as there are many."""

from decimal import Decimal
from typing import Self

from projections.projector import Connection
from projections.questions.levels import Candidate, candidates


class Watch:
    """What asks to be examined as of a position of the log."""

    def __init__(self, position: int, found: list[Candidate]) -> None:
        self.position = position
        self._found = found

    @classmethod
    def opened(cls, connection: Connection, position: int) -> Self:
        """All wallets that owe, as of a position."""
        return cls(position, list(candidates(connection, position)))

    def follow(self, connection: Connection, position: int) -> None:
        """Takes in what changed up to a later position."""
        self._found, self.position = list(candidates(connection, position)), position

    def candidates(self) -> list[Candidate]:
        """The wallets that an examination would act on, most under water first, then by account and wallet."""
        return sorted(self._found, key=lambda one: (Decimal(one.level or 0), one.account_id, one.wallet))
