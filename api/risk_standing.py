"""How the risk engine stands: written by whoever leads it, shown by status, health and metrics of any process."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ledger.postgres import Connection
from projections.leadership import leaders, number_of

ENGINE = "risk engine"
"""The name under which the engine is led, among those of the projections."""
_WRITTEN = """
insert into public.risk_engine as engine (position, watched, asking, waiting, uncharged, step_seconds)
values (%(position)s, %(watched)s, %(asking)s, %(waiting)s, %(uncharged)s, %(step_seconds)s)
on conflict (is_only_row) do update set position = excluded.position, watched = excluded.watched,
    asking = excluded.asking, waiting = excluded.waiting, uncharged = excluded.uncharged,
    step_seconds = excluded.step_seconds, stepped_at = excluded.stepped_at
"""


class Stand(NamedTuple):
    """The engine after a step: all that asked for it up to `position` was examined, but for those that wait.

    `watched` counts the wallets that owe, `asking` by band those that asked to be examined, `uncharged` the accounts
    that wait to be charged their interest; `step_seconds` is how long the step took.
    """

    position: int
    watched: int
    asking: dict[str, int]
    waiting: int
    uncharged: int
    step_seconds: float
    stepped_at: datetime | None = None


class Led(NamedTuple):
    """The engine as an operator sees it; `stand` is None before its first step, `leader` while nobody leads it."""

    stand: Stand | None
    leader_pid: int | None
    leader: str | None


def write_stand(connection: Connection, stand: Stand) -> None:
    """Keeps how the engine stands; not worth to wait for the disk, for the next step writes it again."""
    with connection.transaction():
        connection.execute("set local synchronous_commit to off")
        connection.execute(_WRITTEN, {**stand._asdict(), "asking": Jsonb(stand.asking)})


def read_engine(connection: Connection) -> Led:
    """The last step of the engine, and who leads it now."""
    with connection.cursor(row_factory=class_row(Stand)) as cursor:
        cursor.execute(
            "select position, watched, asking, waiting, uncharged, step_seconds, stepped_at from public.risk_engine"
        )
        stand = cursor.fetchone()
    leader = leaders(connection).get(number_of(ENGINE))
    return Led(stand, leader and leader.pid, leader and leader.application)


def shown(engine: Led) -> dict[str, Any]:
    """The engine as health answers it."""
    stand = {} if engine.stand is None else engine.stand._asdict()
    return {"led": engine.leader_pid is not None, **{name: stand.get(name) for name in Stand._fields}}
