"""Killed in the middle, an export leaves an archive that goes on, and an import a database with nothing in it."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.export.manifest import MANIFEST
from ledger.postgres import connect
from tests.api.archives.rows import END, NOTHING, SIGNED, content, note, stored
from tests.api.command_line import LEDGER, CommandLine
from tests.api.test_ledger_verify import verify
from tests.projections.processes import wait_until

SMALL = 20
"""So short are segments here that an export is killed amid them."""


@pytest.mark.parametrize("table", ["idempotency_keys", "checkpoints", "seal_nodes"])
def test_an_import_that_is_killed_leaves_nothing_and_runs_again(
    ledger: CommandLine, archive: Path, recorded: str, empty: str, table: str
) -> None:
    ledger.use(empty)
    with connect(empty) as blocking:
        # All before this table is in, and what comes next has to wait.
        blocking.execute(f"lock table {table} in share mode".encode())
        with killed_at_last("import-log", archive):
            wait_until_it_waits(empty, table)
    assert stored(empty) == NOTHING
    assert ledger("import-log", archive).code == 0
    assert stored(empty) == stored(recorded)


@contextmanager
def killed_at_last(*arguments: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The `ledger` command in a process of its own, which is killed where the block ends, and must not have ended."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([LEDGER, *arguments], stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def wait_until_it_waits(url: str, table: str) -> None:
    """Waits until somebody waits for a table."""
    with connect(url, autocommit=True) as connection:
        question = "select from pg_locks where relation = %s::regclass and not granted"
        wait_until(lambda: connection.execute(question, [table]).fetchone() is not None, timeout_seconds=60)


def amid_the_segments(folder: Path) -> bool:
    return len(list(folder.glob("events-*.parquet"))) >= END // SMALL // 3


def amid_a_file(folder: Path) -> bool:
    return (folder / MANIFEST).exists() and any(folder.glob("*.part"))


def amid_the_checkpoints(folder: Path) -> bool:
    return note(folder, 300).exists()


@pytest.mark.parametrize("moment", [amid_the_segments, amid_a_file, amid_the_checkpoints])
def test_an_export_that_is_killed_goes_on_to_the_same_archive(
    ledger: CommandLine, tmp_path: Path, recorded: str, moment: Callable[[Path], bool]
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    arguments = ["--segment", str(SMALL), "--all"]
    with killed_at_last("export", "parquet", "--to", killed, *arguments) as process:
        while not moment(killed):
            assert process.poll() is None, "it ended before"
            time.sleep(0.0005)
    assert ledger("export", "parquet", "--to", killed, "--all").code == 0
    assert ledger("export", "parquet", "--to", whole, *arguments).code == 0
    assert content(killed) == content(whole)
    told = f"{END} events are as they were sealed; the last {END - SIGNED} are in no checkpoint yet\n"
    assert verify(tmp_path, "--archive", str(killed)) == (0, told)
