"""All accounts as of a business time: most as they were at one position of the log, some folded apart.

Up to the last position with which all events are dated up to the time, every projection's state is what counts. Beyond
it, only accounts with something entered late are otherwise, and those whose settings were not set in the order of
their dates: each of these is folded by itself.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from projections.accounts.dated import DatedAccount
from projections.audit_trail.dates import dated_events
from projections.projector import Connection
from projections.questions.dated_account import dated_account

SETTINGS = (
    *("account.opened", "account.frozen", "account.unfrozen", "account.closed"),
    *("margin_mode.set", "leverage.set", "margin.called", "liquidation.started", "liquidation.completed"),
)
"""The topics of events of which the last by date holds."""

APART = """
select account_id from audit_trail where position = any(%(beyond)s) and left(account_id, 1) <> '@'
union
select account_id from audit_trail join account_dates using (account_id)
where topic = any(%(topics)s) and audit_trail.position <= %(position)s and lateness > 0 and disordered
"""


class DatedLog(NamedTuple):
    """Accounts are as they were at the position `through`, but those that stand `apart`, in order of their ids."""

    position: int
    until: datetime
    through: int
    apart: list[str]

    def accounts(self, connection: Connection, only: str | None = None) -> Iterator[tuple[str, DatedAccount]]:
        """The accounts that stand apart (or that one of them), as of the business time, in order of their ids."""
        for account_id in self.apart:
            if only in (None, account_id):
                account = dated_account(connection, self.position, account_id, self.until)
                if account is not None:
                    yield account_id, account


def dated_log(connection: Connection, position: int, until: datetime) -> DatedLog:
    """The log as of a business time, of what is known at the position."""
    through, beyond = dated_events(connection, position, until)
    rows = connection.execute(APART, {"beyond": list(beyond), "topics": list(SETTINGS), "position": position})
    return DatedLog(position, until, through, sorted(account_id for (account_id,) in rows))
