"""Who reads the log by position, while many write it, misses nothing and never sees time run backwards."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from ledger.postgres import connect
from ledger.storage import EventDatastore, EventRecorder
from tests.ledger.write_process import answers_of, insert_batches, start

BATCHES = 60


class Tail(threading.Thread):
    """Reads on from the last position it saw, without a pause, as long as anybody writes and then to the end."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.seen: list[tuple[int, Any]] = []
        self.writers_are_done = threading.Event()

    def run(self) -> None:
        with connect(self.url, autocommit=True) as connection:
            while True:
                was_done = self.writers_are_done.is_set()
                if not self._read_on(connection) and was_done:
                    return

    def _read_on(self, connection: psycopg.Connection[Any]) -> bool:
        after = self.seen[-1][0] if self.seen else 0
        rows = connection.cursor(row_factory=tuple_row).execute(
            "select notification_id, recorded_at from events where notification_id > %s order by 1 limit 7", [after]
        )
        news = rows.fetchall()
        self.seen += news
        return bool(news)


def test_eight_writers_leave_no_gap_that_a_tailing_reader_could_pass_over(database: str) -> None:
    tail = Tail(database)
    tail.start()
    processes = [start("record", database, name, 3, BATCHES) for name in ("first", "second")]
    datastore = EventDatastore(database)
    with ThreadPoolExecutor(2) as pool:
        own = list(pool.map(lambda name: list(insert_batches(EventRecorder(datastore), name, BATCHES)), ["a", "b"]))
    datastore.close()
    acknowledged = [position for batches in own for batch in batches for position in batch]
    for process in processes:
        acknowledged += [position for batch in answers_of(process) for position in batch]
        assert process.wait(60) == 0
    tail.writers_are_done.set()
    tail.join(60)
    positions = [position for position, _ in tail.seen]
    assert len(acknowledged) == 8 * sum(1 + batch % 5 for batch in range(BATCHES))
    assert positions == list(range(1, len(acknowledged) + 1))
    assert sorted(acknowledged) == positions
    assert all(earlier <= later for (_, earlier), (_, later) in pairwise(tail.seen))


def test_a_writer_that_hangs_with_the_lock_holds_others_back_only_until_it_is_gone(database: str) -> None:
    datastore = EventDatastore(database)
    recorder = EventRecorder(datastore)
    positions: list[int] = []
    with connect(database) as hanging:
        hanging.execute("select pg_advisory_xact_lock(4712024)")
        writer = threading.Thread(target=lambda: positions.extend(*insert_batches(recorder, "waiting", 1)))
        writer.start()
        time.sleep(0.2)
        assert positions == []
        hanging.rollback()
        writer.join(10)
    assert positions == [1]
    datastore.close()
