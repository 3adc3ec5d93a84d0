"""What counts as of the point of a snapshot: of one account, of all, or in the whole log with its prices."""

from projections.accounts.dates import counted
from projections.audit_trail.dates import dated_events, dated_trail
from projections.dating import Dated
from projections.snapshot import Snapshot


def known_of_account(snapshot: Snapshot, account_id: str) -> Dated:
    """The events of an account; through 0 with none beyond where a business time is asked for and none is so old."""
    if snapshot.effective_at is None:
        return Dated(snapshot.position)
    return counted(snapshot.connection, snapshot.position, account_id, snapshot.effective_at).dated


def known_of_accounts(snapshot: Snapshot, account_id: str | None = None) -> Dated:
    """The events of that account, or else of all accounts and of the exchange, but not its prices."""
    if account_id is not None:
        return known_of_account(snapshot, account_id)
    if snapshot.effective_at is None:
        return Dated(snapshot.position)
    return dated_events(snapshot.connection, snapshot.position, snapshot.effective_at)


def known_of_trail(snapshot: Snapshot, account_id: str | None = None) -> Dated:
    """All events, of an account or of the exchange; up to `through` there may also be some that are dated later."""
    if snapshot.effective_at is None:
        return Dated(snapshot.position)
    if account_id is not None and not account_id.startswith("@"):
        return known_of_account(snapshot, account_id)
    return dated_trail(snapshot.connection, snapshot.position, snapshot.effective_at)
