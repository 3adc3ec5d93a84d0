"""What is measured of a running ledger: the log, projections, prices, risk engine, writer, streams; numbers only."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import psycopg
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from api.doors import Doors
from api.risk_standing import Led, Stand, read_engine
from ledger.errors import ProjectionsBehind
from ledger.log import LogEnd, log_end
from ledger.postgres import Connection
from projections.progress import ProjectionStatus, status
from projections.questions.feeds import READS, Feed, feeds
from projections.questions.liquidations import overdue_now
from projections.snapshot import open_snapshot

CONNECTION_WAIT_SECONDS = 2.0
OUTCOMES = ("recorded", "replayed", "refused")
STREAMS = ("events", "margin_levels")


class Measures(Collector):
    """Measures when it is asked. Without the database it still tells what this process knows by itself."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def collect(self) -> Iterator[Metric]:
        yield from self._of_this_process()
        try:
            with self._doors.pool.connection(timeout=CONNECTION_WAIT_SECONDS) as connection:
                end, projections, engine = log_end(connection), status(connection), read_engine(connection)
                prices = _feeds(connection)
                overdue = list(_overdue(connection))
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests):
            yield _gauge("ledger_database_up", "Whether the database answers.", 0)
            return
        yield _gauge("ledger_database_up", "Whether the database answers.", 1)
        yield from _of_the_log(end)
        yield from _of_projections(projections)
        yield from _of_the_engine(engine)
        yield from _of_prices(prices)
        yield from overdue

    def _of_this_process(self) -> Iterator[Metric]:
        doors = self._doors
        yield _gauge("ledger_waiting_commands", "Commands that wait to be decided.", doors.ledger.waiting_commands)
        decided = CounterMetricFamily(
            "ledger_commands_decided", "Commands that came by HTTP and were decided.", labels=["outcome"]
        )
        for outcome in OUTCOMES:
            decided.add_metric([outcome], doors.decided[outcome])
        yield decided
        streams = GaugeMetricFamily("ledger_open_streams", "Streams that are open.", labels=["stream"])
        for kind in STREAMS:
            streams.add_metric([kind], doors.streams.open[kind])
        yield streams


def registry_of(doors: Doors) -> CollectorRegistry:
    """Everything that is measured, and what the process takes of the machine."""
    registry = CollectorRegistry()
    registry.register(Measures(doors))
    ProcessCollector(registry=registry)
    return registry


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _of_the_log(end: LogEnd) -> Iterator[Metric]:
    yield _gauge("ledger_log_position", "The position of the last event of the log.", end.position)
    yield CounterMetricFamily("ledger_events_recorded", "Events ever recorded, by whatever process.", end.position)
    if end.recorded_at is not None:
        text = "How long ago the last event was recorded."
        yield _gauge("ledger_newest_event_age_seconds", text, _seconds_since(end.recorded_at))


def _of_projections(found: Sequence[ProjectionStatus]) -> Iterator[Metric]:
    for name, (text, value) in OF_A_PROJECTION.items():
        family = GaugeMetricFamily(f"ledger_projection_{name}", text, labels=["projection"])
        for one in found:
            family.add_metric([one.name], float(value(one)))
        yield family


def _of_the_engine(engine: Led) -> Iterator[Metric]:
    yield _gauge("ledger_risk_led", "Whether a session leads the risk engine.", engine.leader_pid is not None)
    if engine.stand is None:
        return
    for name, (text, value) in OF_THE_ENGINE.items():
        yield _gauge(f"ledger_risk_{name}", text, value(engine.stand))
    asking = GaugeMetricFamily("ledger_risk_asking", "Wallets that asked to be examined.", labels=["band"])
    for band, count in sorted(engine.stand.asking.items()):
        asking.add_metric([band], count)
    yield asking


def _feeds(connection: Connection) -> list[Feed]:
    """What is known of the prices; nothing while their projection stands still, which is measured too."""
    connection.rollback()
    try:
        with open_snapshot(connection, stale=True, names=READS) as snapshot:
            return feeds(snapshot.connection, snapshot.position, datetime.now(UTC))
    except ProjectionsBehind:
        return []


def _of_prices(found: Sequence[Feed]) -> Iterator[Metric]:
    for name, (text, value) in OF_A_PRICE.items():
        family = GaugeMetricFamily(f"ledger_price_{name}", text, labels=["pair"])
        for one in found:
            family.add_metric([one.pair], float(value(one)))
        yield family


def _overdue(connection: Connection) -> Iterator[Metric]:
    """Of what the projections have; nothing where they do not answer."""
    text = "Liquidations that run beyond the time limit of their external execution, by the prices' time."
    try:
        with open_snapshot(connection, stale=True, timeout_seconds=0, names=("liquidations", "market")) as snapshot:
            yield _gauge("ledger_overdue_liquidations", text, overdue_now(snapshot.connection, snapshot.position))
    except ProjectionsBehind:
        return


def _seconds_since(moment: datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (datetime.now(UTC) - moment).total_seconds())


OF_A_PROJECTION: dict[str, tuple[str, Callable[[ProjectionStatus], float]]] = {
    "position": ("The last event that the projection has.", lambda one: one.position),
    "lag": ("Events that the projection has yet to take in.", lambda one: one.lag),
    "led": ("Whether a session leads the projection.", lambda one: one.leader_pid is not None),
    "failed": ("Whether the projection stands still.", lambda one: one.error is not None),
    "failed_position": ("The event before which it stands still; 0: none.", lambda one: one.error_position or 0),
    "failed_seconds": ("How long it has stood still there.", lambda one: _seconds_since(one.failed_at)),
}

OF_THE_ENGINE: dict[str, tuple[str, Callable[[Stand], float]]] = {
    "position": ("The log position up to which the engine has examined.", lambda stand: stand.position),
    "watched_wallets": ("Wallets that owe.", lambda stand: stand.watched),
    "waiting_wallets": ("Wallets that wait to be examined.", lambda stand: stand.waiting),
    "uncharged_accounts": ("Accounts that wait to be charged their interest.", lambda stand: stand.uncharged),
    "step_seconds": ("How long its last step took.", lambda stand: stand.step_seconds),
    "step_age_seconds": ("How long ago its last step was.", lambda stand: _seconds_since(stand.stepped_at)),
}

OF_A_PRICE: dict[str, tuple[str, Callable[[Feed], float]]] = {
    "age_seconds": ("How old the pair's last price is by the clock.", lambda one: one.age_seconds),
    "behind_seconds": ("How far it is behind the newest price vector.", lambda one: one.behind_seconds),
    "max_age_seconds": ("How old it may be.", lambda one: one.max_age_seconds),
    "stale": ("Whether decisions dated now are refused for it.", lambda one: one.is_stale),
    "held": ("Prices of the pair that wait to be confirmed, one for each source.", lambda one: len(one.held)),
}
