"""How far each projection has come: its row in `projection_positions`, and what an operator is shown of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ledger.log import log_end
from ledger.postgres import PROJECTIONS, Connection
from projections.catalogue import ALL
from projections.leadership import leaders, number_of
from projections.tables import LIVE, create_indexes, create_tables, definition_of, work_in


class Overtaken(Exception):
    """Another session moved the projection: what is kept in memory of it is not true any more."""


class Standing(NamedTuple):
    """A projection's row: the last event that is in its tables, and why it stands still, where it does."""

    position: int
    definition: str
    error: str | None
    error_position: int | None
    failed_at: datetime | None

    def obstacle(self, name: str) -> str | None:
        """Why the projection does not go on, in a sentence; None where nothing stands in its way."""
        if self.definition != definition_of(name).checksum:
            return f"projection {name} has tables of another table.sql than this program's: run ledger rebuild {name}"
        if self.error is not None:
            return f"projection {name} stands still before event {self.error_position}: {self.error}"
        return None


NEVER_STARTED = Standing(0, "", None, None, None)


class ProjectionStatus(NamedTuple):
    """A projection as an operator sees it; `lag` counts the events it has yet to project.

    `leader_pid` is the database session that leads it, `leader` what its process calls itself; None without a leader.
    """

    name: str
    position: int
    lag: int
    error: str | None
    error_position: int | None
    failed_at: datetime | None
    leader_pid: int | None
    leader: str | None


def standings(connection: Connection) -> dict[str, Standing]:
    """Every projection that was ever started."""
    rows = connection.execute(
        "select name, position, definition, error, error_position, failed_at from public.projection_positions"
    )
    return {name: Standing(*rest) for name, *rest in rows}


def ensure_tables(connection: Connection, names: Iterable[str]) -> None:
    """Makes the tables of projections that were never started; several processes may do so at once."""
    work_in(connection, LIVE)
    for name in names:
        with connection.transaction():
            # Whoever is the first to start a projection, its tables belong to those who go on with it.
            connection.execute(f"set local role {PROJECTIONS}")
            started = connection.execute(
                "insert into projection_positions (name, definition) values (%s, %s) on conflict do nothing",
                [name, definition_of(name).checksum],
            )
            if started.rowcount == 1:
                create_tables(connection, name)
                create_indexes(connection, name)


def advance(connection: Connection, name: str, before: int, after: int) -> None:
    """Moves a projection on, inside the transaction that writes its rows; Overtaken unless it stood at `before`."""
    moved = connection.execute(
        "update projection_positions set position = %s, error = null, error_position = null, failed_at = null"
        " where name = %s and position = %s",
        [after, name, before],
    )
    if moved.rowcount != 1:
        raise Overtaken(f"projection {name} no longer stands at {before}")


def record_failure(connection: Connection, name: str, position: int, text: str) -> None:
    """Keeps why a projection stands still; `position` is that of the event that it could not project.

    `failed_at` stays that of the first failure at this event, however often it is tried again.
    """
    connection.execute(
        "update projection_positions set error = %(text)s, error_position = %(position)s,"
        " failed_at = case when error_position = %(position)s then failed_at else now() end where name = %(name)s",
        {"text": text, "position": position, "name": name},
    )


def status(connection: Connection) -> list[ProjectionStatus]:
    """Every projection, by name: how far it is, how far behind the log, its error, and who leads it."""
    known, led = standings(connection), leaders(connection)
    end = log_end(connection).position  # After the standings: a log only grows, so none is beyond it then.
    shown = []
    for name in sorted(set(known) | set(ALL)):
        standing, leader = known.get(name, NEVER_STARTED), led.get(number_of(name))
        failure = (_error(name, known.get(name), end), standing.error_position, standing.failed_at)
        by = (None, None) if leader is None else (leader.pid, leader.application)
        shown.append(ProjectionStatus(name, standing.position, end - standing.position, *failure, *by))
    return shown


def beyond_the_end(name: str, position: int, end: int) -> str:
    """What is said of a projection that has events which the log has not."""
    return f"projection {name} stands at {position}, beyond the log's end at {end}: the log was cut"


def _error(name: str, standing: Standing | None, end: int) -> str | None:
    if standing is None:
        return f"projection {name} was never started: ledger project or ledger serve starts it"
    return beyond_the_end(name, standing.position, end) if standing.position > end else standing.obstacle(name)
