"""The writer's two connections to the database: one that writes, and one that looks up what the next batch needs."""

from typing import NamedTuple

from ledger.idempotency import FIND_KEYS
from ledger.log import Connection
from ledger.originals import FIND_DECISIONS
from ledger.postgres import SERVICE, connect
from ledger.present import Present
from ledger.snapshots import FIND_ACCOUNTS
from ledger.storage import RECORD, read_committed
from ledger.wire import Wire

CONNECT_TIMEOUT_SECONDS = 5
# These connections only ever look up by index: no plan made while the tables were small may scan them when they are
# large. A writer that hangs while it holds the ordering lock is cut off by the server, so that others can go on.
CONNECTION_SETTINGS = """
set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set timezone = 'UTC';
set default_transaction_isolation = 'read committed';
set idle_in_transaction_session_timeout = '30s'; set lock_timeout = '45s';
"""
KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}


class Link(NamedTuple):
    """A connection, and the way of prepared statements on it."""

    connection: Connection
    wire: Wire


class Connections:
    """Connects when first asked, and again after `drop`; another log found then is not taken for the known one."""

    def __init__(self, url: str, present: Present) -> None:
        self._url = url
        self._present = present
        self._writing: Link | None = None
        self._reading: Link | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection to write on."""
        return self._writing is not None

    def writing(self) -> Link:
        """The connection that writes."""
        if self._writing is None:
            self._writing = self._connect("ledger writer")
            self._present.recognise(self._writing.connection)
        return self._writing

    def reading(self) -> Link:
        """The connection that looks up."""
        if self._reading is None:
            self._reading = self._connect("ledger lookup")
        return self._reading

    def drop(self) -> None:
        """Close both."""
        for link in (self._writing, self._reading):
            if link is not None:
                link.connection.close()
        self._writing = self._reading = None

    def _connect(self, name: str) -> Link:
        connection = connect(
            self._url,
            application_name=name,
            role=SERVICE,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            **KEEPALIVES,
        )
        try:
            read_committed(connection)
            connection.execute(CONNECTION_SETTINGS)
            return Link(connection, Wire(connection, RECORD, FIND_KEYS, FIND_ACCOUNTS, FIND_DECISIONS))
        except BaseException:
            connection.close()
            raise
