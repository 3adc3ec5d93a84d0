"""A statement has the same bytes whenever it is asked for: those that are kept here, and those from before."""

from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from api.statement.document import FORMS
from ledger.postgres import connect
from projections.catalogue import ALL
from projections.journal import statement_queries
from projections.questions.statement import open_statement
from projections.questions.statement_range import Asked
from projections.rebuild import rebuild
from projections.runner import catch_up
from projections.snapshot import AsOf
from tests.api.statements.conftest import told_in
from tests.api.statements.telling import later
from tests.ledger.given import NOON
from tests.projections.story import Story

KEPT = Path(__file__).parent / "kept"
END = 45
RANGES = {
    "positions": Asked("alice", AsOf("position", 15), AsOf("position", END - 12)),
    "times": Asked("alice", None, AsOf("recorded_at", NOON + timedelta(hours=12, seconds=30))),
    "business times": Asked(
        "alice", AsOf("effective_at", NOON - timedelta(days=1)), AsOf("effective_at", NOON + timedelta(hours=1)), END
    ),
    "a wallet": Asked("alice", None, AsOf("position", END), wallet="isolated:BTC/USDT"),
    "a liquidation": Asked("dan", None, AsOf("position", END)),
}


def bytes_of(url: str, asked: Asked, form: str) -> str:
    with connect(url) as connection, open_statement(connection, asked) as statement:
        return "".join(FORMS[form].write(statement))


def all_bytes(url: str) -> dict[tuple[str, str], str]:
    return {(name, form): bytes_of(url, asked, form) for name, asked in RANGES.items() for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_given_out_once_is_given_out_for_ever(story: Story, form: str) -> None:
    """To change a document is to give it another format: these files stay as they are."""
    assert story.position == END
    kept = (KEPT / f"alice.{form}").read_bytes()
    assert bytes_of(story.url, Asked("alice", None, AsOf("position", END)), form).encode() == kept


def test_nothing_that_is_recorded_or_rebuilt_later_changes_a_statement(database: str) -> None:
    story = told_in(database)
    before = all_bytes(database)
    later(story)
    story.write()
    catch_up(database)
    assert story.position > END + 10
    assert all_bytes(database) == before
    assert [report.differences for report in rebuild(database, ALL)] == [0] * len(ALL)
    assert all_bytes(database) == before
    now = bytes_of(database, Asked("alice", None, AsOf("position", story.position)), "json")
    assert now.count('"reason":"later"') > 20
    assert "later" not in before["times", "json"]


def test_neither_the_servers_settings_nor_how_it_is_read_change_a_statement(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_in(database)
    before = all_bytes(database)
    monkeypatch.setattr(statement_queries, "LINES_AT_ONCE", 3)
    with connect(database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        settings = {"timezone": "Pacific/Chatham", "datestyle": "German", "intervalstyle": "sql_standard"}
        for setting, value in {**settings, "extra_float_digits": "-5", "enable_indexscan": "off"}.items():
            changing = sql.SQL("alter database {} set {} to {}")
            connection.execute(changing.format(name, sql.Identifier(setting), sql.Literal(value)))
    assert all_bytes(database) == before
