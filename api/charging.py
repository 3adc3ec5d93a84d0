"""Interest by the clock hour of the prices' time: of all who owe, hours that were missed at the rates of their time."""

import time
from collections.abc import Sequence
from datetime import datetime

from ledger import Command, parse_command
from ledger.wallets import hour_of
from projections.loans.queries import accounts_with_uncharged_hours
from projections.projector import Connection

READS = ("loans",)
"""The projections that tell who is to be charged."""
ASKED_AT_ONCE = 1_000
PUT_OFF_SECONDS = 5.0


class Charging:
    """Who is still to be charged for the hours up to the newest prices; begun anew whenever these enter another hour.

    What is left of an hour when the next one begins is charged with that one, at its own rate. Each account is charged
    under the hour's own key, so whoever else charges it, it is charged once. One that could not be charged is put off
    for a while, and stops no other.
    """

    def __init__(self) -> None:
        self.hour: datetime | None = None
        self._account_ids: Sequence[str] = ()
        self._done = 0
        self._put_off: dict[str, float] = {}

    @property
    def left(self) -> int:
        """How many accounts are still to be charged, those that are put off too."""
        return len(self._account_ids) - self._done + len(self._put_off)

    @property
    def has_more(self) -> bool:
        """Whether somebody can be charged now."""
        return self._done < len(self._account_ids) or bool(self._ready())

    def _ready(self) -> list[str]:
        now = time.monotonic()
        return [account_id for account_id, until in self._put_off.items() if until <= now]

    def is_new(self, newest_prices_at: datetime | None) -> bool:
        """Whether prices have entered an hour that nobody was looked up for."""
        return newest_prices_at is not None and (self.hour is None or hour_of(newest_prices_at) > self.hour)

    def begin(self, connection: Connection, position: int, newest_prices_at: datetime) -> None:
        """Looks up who has hours to be charged, as of a position."""
        hour = hour_of(newest_prices_at)
        self._account_ids = accounts_with_uncharged_hours(connection, position, hour)
        self._done, self.hour = 0, hour
        self._put_off.clear()

    def commands(self) -> list[Command]:
        """What is to be asked next, in order of the accounts; nothing once all are charged."""
        if self.hour is None:
            return []
        stated = self.hour.isoformat().replace("+00:00", "Z")
        asked = {"type": "accrue_interest", "hour": stated, "idempotency_key": f"interest:{stated}"}
        accounts = self._account_ids[self._done : self._done + ASKED_AT_ONCE] or self._ready()
        return [parse_command({**asked, "account_id": one}) for one in accounts]

    def was_asked(self, account_id: str, *, is_charged: bool) -> None:
        """Takes one off, in the order of `commands`, or puts it off where it could not be charged."""
        if self._put_off.pop(account_id, None) is None:
            self._done += 1
        if not is_charged:
            self._put_off[account_id] = time.monotonic() + PUT_OFF_SECONDS
