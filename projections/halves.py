"""One half of the accounts: two processes each take the events of one, and tell each other what counts for all.

Which half a stream belongs to is the server's hash of its name, so the other half's events are not even read. A few
rows rest on the events of all accounts: balances of the house's books, sums of the trial balance, dates of the log. For
these the two tell each other of each batch what their own events add, and go through both in log order.
"""

from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from typing import TypeVar

from ledger.log import RecordedEvent, read_half
from ledger.postgres import Connection

T = TypeVar("T")


class OtherHalfGone(BaseException):
    """The other process does not go on, for a reason of its own; no failure of what is being done here."""


class Half:
    """The half of this process, and the way to the other one; the first half also writes the rows of no account."""

    def __init__(self, number: int, pipe: Pipe) -> None:
        self.number = number
        self._pipe = pipe

    @property
    def is_first(self) -> bool:
        return self.number == 0

    def read(self, connection: Connection, after: int, until: int) -> list[RecordedEvent]:
        """Its events after a position up to another."""
        return read_half(connection, after, until, self.number)

    def exchange(self, about: tuple[str, int], own: Sequence[T]) -> Sequence[T]:
        """What the other half has to say about the same, after telling it what this one has.

        Raises OtherHalfGone where the other process has ended, or speaks of something else.
        """
        try:
            # One speaks while the other listens: two that speak at once would both wait until they are heard.
            if self.is_first:
                self._pipe.send((about, own))
            others_about, others = self._pipe.recv()
            if not self.is_first:
                self._pipe.send((about, own))
        except (EOFError, OSError) as error:
            raise OtherHalfGone from error
        if others_about != about:
            raise OtherHalfGone
        return others  # type: ignore[no-any-return]
