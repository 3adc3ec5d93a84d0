"""The story of statements on a database, projected, which nobody changes."""

import pytest

from projections.runner import catch_up
from tests.api.command_line import CommandLine
from tests.api.statements.telling import tell
from tests.projections.story import Story


def told_in(url: str) -> Story:
    """The story, recorded and projected."""
    story = Story(url)
    tell(story)
    story.write()
    catch_up(url)
    return story


@pytest.fixture(scope="module")
def story(module_database: str) -> Story:
    return told_in(module_database)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line; it must be told which database to use."""
    return CommandLine(monkeypatch, capsys)
