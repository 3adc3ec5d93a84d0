"""The command line on a database of the test's own, with two accounts in it."""

from pathlib import Path

import pytest

from tests.api.command_line import CommandLine
from tests.api.outside.statements import open_accounts


@pytest.fixture
def ledger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str, tmp_path: Path
) -> CommandLine:
    command_line = CommandLine(monkeypatch, capsys)
    command_line.use(database)
    open_accounts(command_line, tmp_path)
    return command_line
