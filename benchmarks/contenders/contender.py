"""What every contender is: a name and a turn."""

from typing import Protocol

from benchmarks.measuring import Turn


class Contender(Protocol):
    name: str

    def turn(self, seconds: float) -> Turn:
        """One turn of about so many seconds, prepared before its clock runs."""

    def close(self) -> None:
        """Let go of what it holds."""
