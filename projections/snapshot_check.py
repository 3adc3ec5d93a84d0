"""Checks the snapshots of the write side: each must be what folding its stream from the first event gives."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import cast

from ledger import exchange
from ledger.account import fold
from ledger.errors import EventUnreadable
from ledger.events import AccountEvent, ExchangeEvent
from ledger.log import RecordedEvent, read_streams
from ledger.market import Market
from ledger.postgres import Connection
from ledger.snapshots import MARKET, StoredSnapshot, read_state, stored_snapshots
from ledger.words import EXCHANGE, PRICES

SNAPSHOTS_AT_ONCE = 50


def differences(connection: Connection) -> Iterator[str]:
    """Every snapshot that the rules in force would use and that is not true of its stream."""
    after = ""
    while snapshots := stored_snapshots(connection, after, SNAPSHOTS_AT_ONCE):
        after = snapshots[-1].stream
        try:
            events = _events(connection, snapshots)
        except EventUnreadable as unreadable:
            yield f"streams of snapshots up to {after} cannot all be read: {unreadable}"
            continue
        for snapshot in snapshots:
            recorded = [one for stream in _streams(snapshot) for one in events.get(stream, [])]
            if (difference := _difference(snapshot, recorded)) is not None:
                yield f"snapshot of {snapshot.stream} at version {snapshot.version} {difference}"


def _difference(snapshot: StoredSnapshot, recorded: Sequence[RecordedEvent]) -> str | None:
    try:
        stands = _stands(snapshot, recorded)
    except ValueError as error:
        return f"cannot be read: {' '.join(str(error).split())}"
    return None if stands else "is not what folding its events gives"


def _streams(snapshot: StoredSnapshot) -> tuple[str, ...]:
    return (EXCHANGE, PRICES) if snapshot.stream == MARKET else (snapshot.stream,)


def _events(connection: Connection, snapshots: Sequence[StoredSnapshot]) -> dict[str, list[RecordedEvent]]:
    streams = [stream for snapshot in snapshots for stream in _streams(snapshot)]
    recorded = read_streams(connection, streams, max(snapshot.position for snapshot in snapshots))
    return {stream: list(group) for stream, group in groupby(recorded, key=lambda one: one.event.account_id)}


def _stands(snapshot: StoredSnapshot, recorded: Sequence[RecordedEvent]) -> bool:
    kept = read_state(snapshot.stream, snapshot.state)
    events = [one.event for one in recorded if one.position <= snapshot.position]
    if snapshot.stream != MARKET:
        account = fold(snapshot.stream, [cast(AccountEvent, event) for event in events])
        return (account.version, account) == (snapshot.version, kept)
    market = Market()
    for event in events:
        exchange.evolve(market, cast(ExchangeEvent, event))
    return (market.version + market.prices_version, market) == (snapshot.version, kept)
