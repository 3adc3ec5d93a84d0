"""The log of reads beside the event loop: lines that wait are written together, and each before its answer goes out."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from psycopg.errors import QueryCanceled
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.failures import DATABASE_LOST
from api.reads.read import Read, write_reads
from ledger.connections import CONNECT_TIMEOUT_SECONDS, KEEPALIVES
from ledger.postgres import SERVICE, Connection, connect

MOST_AT_ONCE = 1000
TIMEOUT = "set statement_timeout to '5s'"
"""Whoever waits for his line holds an answer that is ready: rather refused than kept waiting for ever."""


class ReadSettings(BaseSettings):
    """What is asked of readers, from the environment with the prefix `LEDGER_`."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    purpose_required: bool = False


class ReadLog:
    """Writes lines from one event loop, on a connection and in a thread of its own, as many together as wait."""

    def __init__(self, url: str, settings: ReadSettings | None = None) -> None:
        self.purpose_required = (settings or ReadSettings()).purpose_required
        self._url = url
        self._thread = ThreadPoolExecutor(1, "reads")
        self._connection: Connection | None = None
        self._waiting: list[tuple[Read, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, read: Read) -> None:
        """Returns once the line is committed; raises what the database says where it cannot be."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((read, waiter))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await waiter

    async def _write_all(self) -> None:
        """What comes while one batch is being written goes with the next."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._write(batch)
        finally:
            self._writing = None

    async def _write(self, batch: list[tuple[Read, asyncio.Future[None]]]) -> None:
        failure: Exception | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, [read for read, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, DATABASE_LOST):
                # One line that cannot be written must not take those beside it along.
                for one in batch:
                    await self._write([one])
                return
            failure = error
        for _, waiter in batch:
            if waiter.done():
                continue  # Its asker has gone; the line stays, for the answer was made.
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)

    def _insert(self, reads: Sequence[Read]) -> None:
        """A connection that was kept may have died since: then once more on a new one. A line may thus stand twice."""
        kept = self._connection
        try:
            self._insert_once(reads)
        except DATABASE_LOST as error:
            if kept is None or isinstance(error, QueryCanceled):
                raise
            self._insert_once(reads)

    def _insert_once(self, reads: Sequence[Read]) -> None:
        try:
            if self._connection is None:
                self._connection = self._connected()
            write_reads(self._connection, reads)
        except BaseException:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            raise

    def _connected(self) -> Connection:
        connection = connect(
            self._url,
            application_name="ledger reads",
            role=SERVICE,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            **KEEPALIVES,
        )
        connection.execute(TIMEOUT)
        return connection
