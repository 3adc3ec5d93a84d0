"""Who leads a projection: the one session that holds its advisory lock, until it ends or gives the lock away."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from zlib import crc32

from ledger.postgres import Connection

# Any numbers will do, so long as every process takes the same ones.
LEADERS = 4_712_027
REBUILDS = 4_712_028
VERIFICATION = 4_712_029
BUILDERS = 4_712_030


class Leader(NamedTuple):
    """The database session that leads a projection, and what its process calls itself."""

    pid: int
    application: str


def number_of(name: str) -> int:
    """The number that stands for a projection in its locks."""
    return crc32(name.encode()) & 0x7FFF_FFFF


def try_to_lead(connection: Connection, names: Iterable[str]) -> list[str]:
    """Takes the locks of those projections that nobody leads; this session keeps them until it ends."""
    numbers = {number_of(name): name for name in names}
    rows = connection.execute(
        "select number from unnest(%s::int[]) as number where pg_try_advisory_lock(%s, number)",
        [list(numbers), LEADERS],
    )
    return [numbers[number] for (number,) in rows]


def wanted_by_others(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those projections whose lock another session waits for: a rebuild that is ready to swap."""
    numbers = {number_of(name): name for name in names}
    rows = connection.execute(
        "select distinct objid::bigint from pg_locks where locktype = 'advisory' and not granted"
        " and classid::bigint = %s and objid::bigint = any(%s)"
        " and database = (select oid from pg_database where datname = current_database())",
        [LEADERS, list(numbers)],
    )
    return [numbers[number] for (number,) in rows]


def give_away(connection: Connection, name: str) -> None:
    """Ends this session's lead of a projection; whoever waits for the lock has it at once."""
    connection.execute("select pg_advisory_unlock(%s, %s)", [LEADERS, number_of(name)])


def lead_until_commit(connection: Connection, name: str) -> None:
    """Leads a projection for the open transaction, once its leader gives it away, which it does between batches."""
    connection.execute("select pg_advisory_xact_lock(%s, %s)", [LEADERS, number_of(name)])


@contextmanager
def leading(connection: Connection, name: str) -> Iterator[None]:
    """Leads a projection for a while, once its leader gives it away, over as many transactions as need be."""
    connection.execute("select pg_advisory_lock(%s, %s)", [LEADERS, number_of(name)])
    try:
        yield
    finally:
        if not connection.closed:
            give_away(connection, name)


@contextmanager
def alone(connection: Connection, kind: int, name: str) -> Iterator[bool]:
    """Holds a session's lock of that kind on a name; False where another session holds it."""
    row = connection.execute("select pg_try_advisory_lock(%s, %s)", [kind, number_of(name)]).fetchone()
    assert row is not None
    try:
        yield row[0]
    finally:
        if row[0] and not connection.closed:
            connection.execute("select pg_advisory_unlock(%s, %s)", [kind, number_of(name)])


def leaders(connection: Connection) -> dict[int, Leader]:
    """The leaders of all projections that have one, by the number of the projection."""
    rows = connection.execute(
        "select objid::bigint, pid, coalesce(application_name, '') from pg_locks"
        " left join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and classid::bigint = %s"
        " and database = (select oid from pg_database where datname = current_database())",
        [LEADERS],
    )
    return {number: Leader(pid, application) for number, pid, application in rows}


def held(connection: Connection, kind: int) -> set[int]:
    """The numbers of the names on which some session holds a lock of that kind; nobody is kept from taking any."""
    rows = connection.execute(
        "select objid::bigint from pg_locks where locktype = 'advisory' and granted and classid::bigint = %s"
        " and database = (select oid from pg_database where datname = current_database())",
        [kind],
    )
    return {number for (number,) in rows}


def end_holders(connection: Connection, kind: int, names: Iterable[str]) -> None:
    """Ends the sessions that hold locks of that kind on names, and waits until they are gone."""
    for name in names:
        with connection.transaction():
            # Sessions are ended in the name of the user that logged in, whose they are too.
            connection.execute("set local role none")
            connection.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                " and classid::bigint = %s and objid::bigint = %s"
                " and database = (select oid from pg_database where datname = current_database())",
                [kind, number_of(name)],
            )
        connection.execute("select pg_advisory_lock(%s, %s)", [kind, number_of(name)])
        connection.execute("select pg_advisory_unlock(%s, %s)", [kind, number_of(name)])
