"""The margin wallets that changed between two positions of the log, read in bulk: exactly as text, and as floats."""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

import numpy as np

from projections.margin_levels.queries import COLUMNS
from projections.projector import Connection
from projections.watch.amounts import NEVER, Entries
from projections.watch.kept import Wallets

WALLETS_AT_ONCE = 100_000

Copy = tuple[int, int]
"""The live tables of the wallets and of the market, by their numbers in the database."""

# Wallets that did not change since the position are read as they are, each of the others by one descent.
CHANGED = f"""
    select {COLUMNS} from margin_wallets where position > %(after)s and position <= %(position)s
    union all
    select past.* from margin_wallets as wallet cross join lateral (
        select {COLUMNS} from margin_wallet_states as state
        where state.account_id = wallet.account_id and state.wallet = wallet.wallet
        and state.position <= %(position)s order by state.position desc limit 1
    ) as past
    where wallet.position > %(position)s and past.position > %(after)s
"""
IS_WATCHED = "owes and liquidation_id is null"
# An event is of one account, so that no two wallets of one name have the same last position.
ORDER = 'wallet collate "C", position'
GONE = f"copy (select wallet, account_id from ({CHANGED}) as changed where not ({IS_WATCHED})) to stdout"
WATCHED = f"""
copy (
    select wallet, account_id, leverage, called_at, balances::text
    from ({CHANGED}) as changed where {IS_WATCHED} order by {ORDER}
) to stdout
"""
WATCHED_TYPES = ["text", "text", "numeric", "timestamptz", "text"]
# Amounts are cast from their decimal texts, so each is the float nearest to it. An hour is cut to a whole one.
ENTRIES = f"""
copy (
    select changed.number::int4, asset.place::int4,
        (entry.value->>0)::float8 + (entry.value->>1)::float8, (entry.value->>2)::float8 + (entry.value->>3)::float8,
        (entry.value->>2)::float8,
        coalesce(floor(extract(epoch from (entry.value->>4)::timestamptz) / 3600)::int4, {NEVER})
    from (
        select row_number() over (order by {ORDER}) - 1 as number, balances
        from ({CHANGED}) as changed where {IS_WATCHED}
    ) as changed
    cross join lateral jsonb_each(balances) as entry
    join unnest(%(assets)s::text[]) with ordinality as asset (symbol, place) on asset.symbol = entry.key
    order by changed.number
) to stdout (format binary)
"""
# PostgreSQL's binary form: a signature, for each row the number of its fields and each field after its length, an end.
SIGNATURE_BYTES, END_BYTES = 19, 2
BINARY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(
            one
            for name, kind in zip(Entries._fields, (">i4", ">i4", ">f8", ">f8", ">f8", ">i4"), strict=True)
            for one in ((f"length_of_{name}", ">i4"), (name, kind))
        ),
    ]
)
NATIVE = dict(zip(Entries._fields, (np.int64, np.int64, np.float64, np.float64, np.float64, np.int32), strict=True))


def read_copy(connection: Connection) -> Copy:
    """Which tables are live: a rebuild puts others in their place, in which also what did not change may be another."""
    row = connection.execute("select 'margin_wallets'::regclass::oid, 'market_settings'::regclass::oid").fetchone()
    assert row is not None
    return row[0], row[1]


def read_gone(connection: Connection, after: int, position: int) -> list[tuple[str, str]]:
    """The wallets, by name and account, that changed and owe nothing or are being liquidated."""
    with connection.cursor() as cursor, cursor.copy(GONE, {"after": after, "position": position}) as copy:
        copy.set_types(["text", "text"])
        return [(name, account_id) for name, account_id in copy.rows()]


def read_watched(connection: Connection, after: int, position: int, assets: list[str]) -> Iterator[Wallets]:
    """The wallets that changed, owe something and are not being liquidated, in parts.

    The connection is in a snapshot. An asset's place is where it stands in `assets`, from 1 on.
    """
    entries = _read_entries(connection, after, position, assets)
    start = 0
    with connection.cursor() as cursor, cursor.copy(WATCHED, {"after": after, "position": position}) as copy:
        copy.set_types(WATCHED_TYPES)
        rows = copy.rows()
        while part := list(islice(rows, WALLETS_AT_ONCE)):
            yield _wallets(part, entries.of_wallets(start, start + len(part)))
            start += len(part)


def _wallets(rows: list[tuple[Any, ...]], entries: Entries) -> Wallets:
    names, account_ids, leverages, called_at, balances = zip(*rows, strict=True)
    return Wallets(
        [(name, sum(1 for _ in same)) for name, same in groupby(names)],
        list(account_ids),
        list(balances),
        {number: leverage for number, leverage in enumerate(leverages) if leverage is not None},
        {number: at for number, at in enumerate(called_at) if at is not None},
        entries,
    )


def _read_entries(connection: Connection, after: int, position: int, assets: list[str]) -> Entries:
    asked = {"after": after, "position": position, "assets": assets}
    with connection.cursor() as cursor, cursor.copy(ENTRIES, asked) as copy:
        read = b"".join(copy)
    count = (len(read) - SIGNATURE_BYTES - END_BYTES) // BINARY_ROW.itemsize
    rows = np.frombuffer(read, BINARY_ROW, count, SIGNATURE_BYTES)
    entries = Entries(*(rows[name].astype(kind) for name, kind in NATIVE.items()))
    return entries.at((entries.held > 0) | (entries.owed > 0))
