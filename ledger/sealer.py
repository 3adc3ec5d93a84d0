"""The sealer: follows the log, seals what is recorded, signs checkpoints, and writes them to files elsewhere."""

import logging
import os
import threading
import time
from datetime import datetime
from itertools import takewhile
from pathlib import Path

import psycopg
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger import postgres
from ledger.log import Connection
from ledger.postgres import SERVICE, connect
from ledger.sealing import SealBroken, Tree, is_whole, lock_seal, seal, sealed_size
from ledger.signing import Checkpoint, SigningKey, SigningRefused, signing_key
from ledger.storage import read_committed

POLL_SECONDS = 0.5
QUIET_SECONDS = 1.0
LAST_PAUSE_SECONDS = 15.0
LONGEST_WAIT_INTERVALS = 10
"""After so many intervals a checkpoint is signed also within a decision: the log may never be sealed to its end."""

logger = logging.getLogger("ledger.sealing")

_LATEST = "select size, root, checkpointed_at from checkpoints order by size desc limit 1"


class SealSettings(BaseSettings):
    """How the log is sealed, from the environment.

    `LEDGER_SIGNING_KEY` names the file of the key, by default `signing-key.pem` in the ledger's home. A checkpoint is
    signed every `LEDGER_CHECKPOINT_SECONDS` while the log grows, and written to `LEDGER_CHECKPOINT_FOLDER` if set.
    """

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    signing_key: Path | None = None
    checkpoint_folder: Path | None = None
    checkpoint_seconds: float = 60.0

    @property
    def key_file(self) -> Path:
        """Where the signing key is, or will be made."""
        home = postgres.Settings().home or postgres.default_home()
        return self.signing_key or home / "signing-key.pem"


def open_sealing(url: str) -> Connection:
    """A connection to seal on."""
    connection = connect(url, application_name="ledger sealing", role=SERVICE, autocommit=True, connect_timeout=5)
    read_committed(connection)
    return connection


def seal_to_end(connection: Connection) -> int:
    """Seals all that is recorded; returns how many events were sealed."""
    total = 0
    while sealed := seal(connection):
        total += sealed
    return total


def sign_checkpoint(connection: Connection, key: SigningKey) -> Checkpoint | None:
    """Signs and stores a checkpoint of what is sealed; None where that has one, or nothing is sealed yet.

    Raises SealBroken, and signs nothing, where the stored tree is not one that goes on from the latest checkpoint.
    """
    with connection.transaction():
        lock_seal(connection)
        latest = connection.execute(_LATEST).fetchone()
        size, tree = sealed_size(connection), Tree(connection)
        if latest is not None and (size < latest[0] or tree.root(latest[0]) != latest[1]):
            raise SealBroken(f"seal: what is sealed, {size} events, is not what the checkpoint of {latest[0]} stated")
        if size == (0 if latest is None else latest[0]):
            return None
        origin, at = _origin_and_time(connection)
        checkpoint = Checkpoint(origin, size, tree.root(size), at)
        connection.execute(
            "insert into checkpoint_keys (key_id, public_key) values (%s, %s) on conflict do nothing",
            [key.key_id, key.public_key],
        )
        connection.execute(
            "insert into checkpoints (size, root, checkpointed_at, note) values (%s, %s, %s, %s)",
            [size, checkpoint.root, at, key.sign(checkpoint)],
        )
    return checkpoint


def _origin_and_time(connection: Connection) -> tuple[str, datetime]:
    """What names this log, and the database's clock, or the latest checkpoint's time where the clock went back.

    A log keeps the name of its first checkpoint, also where it was restored into a database that is named otherwise.
    """
    row = connection.execute(
        "select coalesce((select split_part(note, E'\\n', 1) from checkpoints order by size desc limit 1),"
        " 'margin-ledger/' || current_database()),"
        " greatest(clock_timestamp(), (select max(checkpointed_at) from checkpoints))"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def write_checkpoints(connection: Connection, folder: Path, after: int = 0, until: int | None = None) -> int:
    """Writes checkpoints beyond a size, up to another, to a folder, a file `SIZE.checkpoint` each.

    Returns how many were not there yet. A file is never overwritten: SealBroken where one says something else than the
    database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    query = "select size, note from checkpoints where size > %s and size <= coalesce(%s, size) order by size"
    for size, note in connection.execute(query, [after, until]):
        written += write_once(folder / file_name(size), note.encode())
    return written


def file_name(size: int) -> str:
    """How the file of a checkpoint is called."""
    return f"{size:016}.checkpoint"


def write_once(file: Path, content: bytes, what: str = "checkpoint") -> bool:
    """Writes a file that is not there yet, and says whether; SealBroken where one is that says something else."""
    if not file.exists():
        # Linked to its name when it is whole and on the disk.
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        with unfinished.open("wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        try:
            os.link(unfinished, file)
            return True
        except FileExistsError:
            pass  # Another process was quicker, and must have written the same.
        finally:
            unfinished.unlink()
    if file.read_bytes() != content:
        raise SealBroken(f"the file {file} says something else than the database's {what}: one of both was changed")
    return False


class Sealer:
    """Seals step by step; a checkpoint is signed at intervals while the log grows, and once it is quiet.

    Where what is sealed may end within a decision, with more to seal, it waits: liabilities cannot be published there.
    """

    def __init__(self, connection: Connection, settings: SealSettings, key: SigningKey | None = None) -> None:
        self._connection = connection
        self._settings = settings
        self._key = key or signing_key(settings.key_file)
        self._written = 0
        self._grew_at = self._signed_at = time.monotonic()

    def step(self) -> int:
        """Seals what there is, and signs if it is time; returns how many events were sealed."""
        sealed, now = seal(self._connection), time.monotonic()
        if sealed:
            self._grew_at = now
        is_quiet = not sealed and self._signed_at <= self._grew_at <= now - QUIET_SECONDS
        waited, interval = now - self._signed_at, self._settings.checkpoint_seconds
        is_overdue = waited >= LONGEST_WAIT_INTERVALS * interval
        if (is_quiet or waited >= interval) and (is_overdue or is_whole(self._connection)):
            self.sign_anyway()
        return sealed

    def sign_anyway(self) -> None:
        """Signs as `sign` does; where files cannot be written, all that are missing are when it signs next."""
        try:
            self.sign()
        except OSError as error:
            folder = self._settings.checkpoint_folder
            logger.warning("sealing: checkpoints cannot be written to %s for now: %s", folder, error.strerror)

    def sign(self) -> Checkpoint | None:
        """Signs a checkpoint if there is anything new, and writes all that are not yet where the settings say."""
        checkpoint = sign_checkpoint(self._connection, self._key)
        self._signed_at = time.monotonic()
        if self._settings.checkpoint_folder is not None:
            self._write_missing(self._settings.checkpoint_folder)
        return checkpoint

    def _write_missing(self, folder: Path) -> None:
        """Writes what this or another sealer signed and did not write; of a long row of files it reads the names."""
        query = "select size from checkpoints where size > %s order by size"
        sizes = [size for (size,) in self._connection.execute(query, [self._written])]
        there = {file.name for file in folder.iterdir()} if self._written == 0 and folder.is_dir() else set()
        for size in takewhile(lambda size: file_name(size) in there, sizes):
            self._written = size
        write_checkpoints(self._connection, folder, self._written)
        self._written = sizes[-1] if sizes else self._written


def seal_log(url: str, stop: threading.Event, settings: SealSettings | None = None) -> None:
    """Seals until `stop` is set, through whatever fails meanwhile; several processes may, and take turns."""
    settings = settings or SealSettings()
    pause, key = POLL_SECONDS, None
    while not stop.is_set():
        try:
            # Once: a file that is lost meanwhile is no reason to make another key that nobody knows.
            key = key or signing_key(settings.key_file)
            with open_sealing(url) as connection:
                sealer = Sealer(connection, settings, key)
                while not stop.is_set():
                    if not sealer.step():
                        stop.wait(POLL_SECONDS)
                    pause = POLL_SECONDS
                # What was recorded just before the end, if it is not much.
                seal(connection)
                if is_whole(connection):
                    sealer.sign_anyway()
        except Exception as error:
            is_unexpected = not isinstance(error, psycopg.Error | SealBroken | SigningRefused)
            logger.warning("sealing: %s; trying again in %.1f s", str(error).strip(), pause, exc_info=is_unexpected)
            stop.wait(pause)
            pause = min(2 * pause, LAST_PAUSE_SECONDS)
