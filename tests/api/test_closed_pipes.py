"""Whoever reads what a command prints may stop reading: the command then ends quietly, as one killed by SIGPIPE."""

import os
import subprocess

import pytest

from ledger.postgres import connect
from projections.runner import catch_up
from tests.api.command_line import LEDGER
from tests.ledger.submitting import ask, depositing, open_ledger

PIPE_BYTES = 65_536
SIGPIPE_CODE = 141
COMMANDS = {
    "beancount": ["export", "beancount"],
    "hledger": ["export", "hledger"],
    "csv": ["export", "csv"],
    "replay": ["replay", "alice"],
    "replay --json": ["replay", "alice", "--json"],
    "statement": ["statement", "alice"],
    "statement csv": ["statement", "alice", "--format", "csv"],
    "reads": ["reads", "--limit", "3000"],
}


@pytest.fixture(scope="module")
def url(module_database: str) -> str:
    """A database of which every command tells more than a pipe holds."""
    with open_ledger(module_database) as ledger:
        ask(ledger, *(depositing("1", f"d{number}") for number in range(1500)))
    catch_up(module_database)
    with connect(module_database) as connection:
        connection.execute(
            "insert into reads (actor, what) select 'local:root', 'ledger diff' from generate_series(1, 3000)"
        )
    return module_database


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_command_whose_reader_has_seen_enough_ends_without_a_complaint(url: str, arguments: list[str]) -> None:
    environment = {**os.environ, "LEDGER_DATABASE_URL": url, "COLUMNS": "120"}
    environment.pop("PYTHONUNBUFFERED", None)  # Python would then lose unseen what a pipe does not take at once.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([LEDGER, *arguments], env=environment, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() != b""
        process.stdout.close()
        complaints = process.stderr.read().decode()
    assert process.returncode == SIGPIPE_CODE, complaints
    assert "Traceback" not in complaints
    assert "BrokenPipe" not in complaints
