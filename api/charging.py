"""Interest by the clock hour of the prices' time: of all who owe, hours that were missed at the rates of their time."""

from collections.abc import Sequence
from datetime import datetime

from ledger import Command, parse_command
from ledger.wallets import hour_of
from projections.loans.queries import accounts_with_uncharged_hours
from projections.projector import Connection

READS = ("loans",)
"""The projections that tell who is to be charged."""
ASKED_AT_ONCE = 1_000


class Charging:
    """Who is still to be charged for the hours up to the newest prices; begun anew whenever these enter another hour.

    What is left of an hour when the next one begins is charged with that one, at its own rate. Each account is charged
    under the hour's own key, so whoever else charges it, it is charged once.
    """

    def __init__(self) -> None:
        self.hour: datetime | None = None
        self._account_ids: Sequence[str] = ()
        self._done = 0

    @property
    def left(self) -> int:
        """How many accounts are still to be charged."""
        return len(self._account_ids) - self._done

    def is_new(self, newest_prices_at: datetime | None) -> bool:
        """Whether prices have entered an hour that nobody was looked up for."""
        return newest_prices_at is not None and (self.hour is None or hour_of(newest_prices_at) > self.hour)

    def begin(self, connection: Connection, position: int, newest_prices_at: datetime) -> None:
        """Looks up who has hours to be charged, as of a position."""
        hour = hour_of(newest_prices_at)
        self._account_ids = accounts_with_uncharged_hours(connection, position, hour)
        self._done, self.hour = 0, hour

    def commands(self) -> list[Command]:
        """What is to be asked next, in order of the accounts; nothing once all are charged."""
        if self.hour is None:
            return []
        stated = self.hour.isoformat().replace("+00:00", "Z")
        asked = {"type": "accrue_interest", "hour": stated, "idempotency_key": f"interest:{stated}"}
        accounts = self._account_ids[self._done : self._done + ASKED_AT_ONCE]
        return [parse_command({**asked, "account_id": one}) for one in accounts]

    def was_done(self, accounts: int) -> None:
        """Takes so many accounts off."""
        self._done += accounts
