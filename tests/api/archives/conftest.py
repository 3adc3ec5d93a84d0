"""A sealed log of random events, an archive of it, and the command line beside a database with nothing in it."""

import shutil
from pathlib import Path

import pytest

from api.export.archiving import export_log
from ledger.postgres import connect
from tests.api.archives.rows import SEGMENT, sealed_log
from tests.api.command_line import CommandLine


@pytest.fixture(scope="module")
def recorded(module_database: str) -> str:
    """A database with a random log and checkpoints of it, which nobody changes."""
    sealed_log(module_database)
    return module_database


@pytest.fixture(scope="module")
def archived(recorded: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the whole random log, with its tail."""
    folder = tmp_path_factory.mktemp("archived")
    with connect(recorded) as connection:
        export_log(connection, folder, segment_events=SEGMENT, with_tail=True, progress=lambda *_: None)
    return folder


@pytest.fixture
def archive(archived: Path, tmp_path: Path) -> Path:
    """A copy of that archive, which a test may change."""
    return Path(shutil.copytree(archived, tmp_path / "archive"))


@pytest.fixture
def ledger(command_line: CommandLine, recorded: str) -> CommandLine:
    """The command line on the database with the random log."""
    command_line.use(recorded)
    return command_line


@pytest.fixture
def empty(database: str) -> str:
    """A second database, in which nothing is recorded."""
    return database


@pytest.fixture
def growing(ledger: CommandLine, archived: Path, database: str) -> str:
    """A database with the same log, restored, which a test may go on with; the command line works on it."""
    ledger.use(database)
    assert ledger("import-log", archived).code == 0
    return database
