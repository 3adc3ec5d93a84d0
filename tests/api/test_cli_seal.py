"""The seal from the command line: sealed, signed, printed, written to files, and checked."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.postgres import connect
from ledger.sealing import sealed_size
from tests.api.command_line import LEDGER, CommandLine
from tests.api.test_ledger_verify import verify
from tests.ledger.sealed import CHANGE, tamper
from tests.projections.logs import random_log, record


@pytest.fixture
def ledger(database: str, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """The command on a database with 500 events, and a signing key of its own."""
    record(database, random_log()[:500])
    monkeypatch.setenv("LEDGER_SIGNING_KEY", str(tmp_path / "keys" / "signing.pem"))
    command_line.use(database)
    return command_line


def test_a_log_is_sealed_signed_and_good_by_the_key_that_is_printed(
    ledger: CommandLine, database: str, tmp_path: Path
) -> None:
    key = ledger("seal-key")
    assert (key.code, key.out.count("\n")) == (0, 1)
    sealed = ledger("seal")
    assert sealed.code == 0
    assert sealed.out.splitlines()[1] == "500"
    assert "sealed 500 events, 500 altogether" in sealed.err
    again = ledger("seal")
    assert (again.out, "nothing new to sign" in again.err) == ("", True)
    assert verify(tmp_path, "--database", database, key=key.out.strip()) == (0, "500 events are as they were sealed\n")


def test_a_log_that_is_followed_is_sealed_as_it_grows_until_it_is_enough(
    ledger: CommandLine, database: str, tmp_path: Path
) -> None:
    with connect(database, autocommit=True) as connection, following() as process:
        until(lambda: sealed_size(connection) == 500)
        record(database, random_log()[500:510])
        until(lambda: sealed_size(connection) == 510)
        process.terminate()
        _, told = process.communicate(timeout=20)
        assert process.returncode == 0
    (key,) = re.findall(r"the public key is (\S+)", told)
    # What was not signed on the way is signed at the end.
    assert ledger("checkpoint").out.splitlines()[1] == "510"
    assert verify(tmp_path, "--database", database, key=key) == (0, "510 events are as they were sealed\n")


def test_who_asks_whether_the_log_is_sealed_in_time_is_told_where_it_is_not(ledger: CommandLine) -> None:
    late = ledger("checkpoint", "--within", "0")
    assert (late.code, late.out) == (1, "")
    assert "position 1 was recorded at" in late.err
    ledger("seal")
    assert ledger("checkpoint", "--within", "0").code == 0


@contextmanager
def following() -> Iterator["subprocess.Popen[str]"]:
    """`ledger seal --follow` in a process of its own; killed at the end."""
    with subprocess.Popen([LEDGER, "seal", "--follow"], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(is_so: Callable[[], bool]) -> None:
    """Returns as soon as it is so; fails where it is not within half a minute."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_checkpoints_are_printed_and_written_elsewhere_once(ledger: CommandLine, tmp_path: Path) -> None:
    assert "there is no checkpoint yet: `ledger seal` makes one" in ledger("checkpoint").out
    ledger("seal")
    printed = ledger("checkpoint")
    folder = tmp_path / "elsewhere"
    assert ledger("checkpoint", "--to", folder).out == f"wrote 1 checkpoints to {folder}\n"
    assert ledger("checkpoint", "--to", folder).out == f"wrote 0 checkpoints to {folder}\n"
    (file,) = folder.iterdir()
    assert file.read_text() == printed.out
    file.write_text("something else")
    refused = ledger("checkpoint", "--to", folder)
    assert (refused.code, refused.out) == (1, "")
    assert "says something else than the database's checkpoint" in refused.err


def test_checkpoints_are_written_as_they_are_signed_where_the_setting_says_so(
    ledger: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_CHECKPOINT_FOLDER", str(tmp_path / "elsewhere"))
    ledger("seal")
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == [f"{500:016}.checkpoint"]


def test_nothing_is_signed_by_a_key_that_others_may_read(ledger: CommandLine, tmp_path: Path) -> None:
    ledger("seal-key")
    (tmp_path / "keys" / "signing.pem").chmod(0o644)
    refused = ledger("seal")
    assert refused.code == 1
    assert "can be read by others: chmod 600" in refused.err


def test_a_log_with_a_hole_ends_the_sealing_with_1(ledger: CommandLine, database: str) -> None:
    tamper(database, "delete from events where notification_id = 100")
    refused = ledger("seal")
    assert refused.code == 1
    assert "log: event 100 is missing" in refused.err


def test_a_change_after_the_sealing_does_not_hinder_the_sealer_but_is_found(
    ledger: CommandLine, database: str, tmp_path: Path
) -> None:
    key = ledger("seal-key").out.strip()
    ledger("seal")
    tamper(database, CHANGE)
    assert ledger("seal").code == 0
    assert "TAMPERED: event 400 (" in verify(tmp_path, "--database", database, key=key)[1]
