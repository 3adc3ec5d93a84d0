"""`ledger reads`, and the lines that the command line leaves where it reads of customers."""

import os
import pwd
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.command_line import looking
from ledger.embedded import EmbeddedServer
from ledger.postgres import connect, migrate
from projections.runner import catch_up
from tests.api.command_line import LISTINGS, CommandLine, deposit, opened, write_lines
from tests.databases import make_home, remove_home

# Modules of commands that read and leave no line, for what they tell is of the ledger and of no customer.
TELL_OF_NO_CUSTOMER = {"erasing", "sealing", "status", "verifying"}
# It sorts the lines of a file in the database before it knows of whom they tell; then it reads, and leaves lines.
OPENS_IT_BEFORE = {"reconciling"}
ME = f"local:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def ledger(run: CommandLine, database: str, tmp_path: Path) -> CommandLine:
    """The command on a ledger with two accounts."""
    run.use(database)
    commands = [*LISTINGS, opened("alice"), deposit("alice", "5", deposit_id="d1"), opened("bob")]
    assert run("import", write_lines(tmp_path / "commands.ndjson", commands)).code == 0
    catch_up(database)
    return run


def left(url: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute("select actor, purpose, what, account_id from reads order by number").fetchall()


@pytest.mark.parametrize(
    ("arguments", "what", "account_id"),
    [
        (["diff", "alice"], "ledger diff", "alice"),
        (["replay", "alice"], "ledger replay", "alice"),
        (["replay", "@prices"], "ledger replay", None),
        (["explain", "alice.2"], "ledger explain", "alice"),
        (["exposure"], "ledger exposure", None),
        (["stress", "--shock", "BTC/USDT=-20%"], "ledger stress", None),
        (["export", "csv", "--account", "alice"], "ledger export", "alice"),
        (["export", "beancount"], "ledger export", None),
        (["export", "parquet", "--to", "ARCHIVE"], "ledger export parquet", None),
        (["keys", "list"], "ledger keys list", None),
        (["reads", "--account", "bob"], "ledger reads", "bob"),
    ],
)
def test_a_command_that_reads_of_customers_leaves_a_line(
    ledger: CommandLine, database: str, tmp_path: Path, arguments: list[str], what: str, account_id: str | None
) -> None:
    ended = ledger("--purpose", "ticket 7", *(str(tmp_path / one) if one == "ARCHIVE" else one for one in arguments))
    assert left(database) == [(ME, "ticket 7", what, account_id)], ended.err


def test_an_export_of_several_accounts_leaves_a_line_for_each(ledger: CommandLine, database: str) -> None:
    ledger("export", "csv", "--account", "alice", "--account", "bob")
    assert [one[3] for one in left(database)] == ["alice", "bob"]


@pytest.mark.parametrize(
    "arguments", [["status"], ["verify"], ["checkpoint"], ["keys", "create", "--role", "admin", "--name", "a"]]
)
def test_a_command_that_tells_of_no_customer_leaves_none(
    ledger: CommandLine, database: str, arguments: list[str]
) -> None:
    ledger(*arguments)
    assert left(database) == []


def test_reads_are_listed_the_last_first_and_a_page_at_a_time(ledger: CommandLine) -> None:
    ledger("--purpose", "first", "replay", "alice")
    ledger("--purpose", "second", "replay", "alice", "--to", "5")
    shown = ledger("reads", "--actor", ME, "--limit", "2").out
    newest, before = [line for line in shown.splitlines() if ME in line]
    assert "ledger reads" in newest
    assert "second" in before
    assert "replay alice --to 5" in before
    assert "first" not in shown
    place = shown.split()[-1]
    assert "first" in ledger("reads", "--before", place).out
    assert '"purpose": "first"' in ledger("reads", "--json").out


@pytest.mark.parametrize("wrong", [["--before", "7"], ["--from", "soon"], ["--limit", "0"]])
def test_a_question_about_reads_that_cannot_be_understood_ends_with_2(ledger: CommandLine, wrong: list[str]) -> None:
    assert ledger("reads", *wrong).code == 2


def test_where_a_purpose_is_required_the_command_line_states_one_too(
    ledger: CommandLine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_PURPOSE_REQUIRED", "true")
    refused = ledger("replay", "alice")
    assert (refused.code, refused.out) == (2, "")
    assert "--purpose" in refused.err
    assert left(database) == []
    assert ledger("--purpose", "ticket 7", "replay", "alice").code == 0


@pytest.fixture
def replica(run: CommandLine, tmp_path: Path) -> Iterator[CommandLine]:
    """The command on a server of its own that follows another, and so takes no line."""
    home = make_home()
    server = EmbeddedServer(home)
    try:
        with server as url:
            migrate(url)
            run.use(url)
            commands = [*LISTINGS, opened("alice")]
            assert run("import", write_lines(tmp_path / "commands.ndjson", commands)).code == 0
        (server.data / "standby.signal").touch()
        with server:
            yield run
    finally:
        remove_home(home)


def test_a_read_only_replica_is_read_only_where_it_is_said_to_go_unlogged(replica: CommandLine) -> None:
    refused = replica("replay", "alice")
    assert (refused.code, refused.out) == (1, "")
    assert "--unlogged" in refused.err
    answered = replica("--unlogged", "replay", "alice")
    assert (answered.code, "account.opened" in answered.out) == (0, True)
    assert "not logged" in answered.err


@pytest.mark.parametrize("options", [[], ["--unlogged"]])
def test_a_session_that_is_read_only_by_default_leaves_its_line_all_the_same(
    ledger: CommandLine, database: str, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    with monkeypatch.context() as session:
        session.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
        assert ledger(*options, "replay", "alice").code == 0
    assert [one[2] for one in left(database)] == ["ledger replay"]


@pytest.mark.parametrize("purpose", [["--purpose", "ticket 7"], ["--purpose=ticket 7"]])
def test_the_arguments_of_a_read_do_not_tell_its_purpose(
    ledger: CommandLine, database: str, purpose: list[str]
) -> None:
    ledger(*purpose, "--unlogged", "replay", "alice", "--to", "5")
    with connect(database) as connection:
        told = connection.execute("select purpose, parameters ->> 'arguments' from reads").fetchall()
    assert told == [("ticket 7", "--unlogged replay alice --to 5")]


def test_unlogged_hides_nothing_where_reads_can_be_logged(ledger: CommandLine, database: str) -> None:
    assert ledger("--unlogged", "replay", "alice").code == 0
    assert [one[2] for one in left(database)] == ["ledger replay"]


def test_a_command_that_opens_the_database_for_reading_leaves_a_line_or_tells_of_no_customer() -> None:
    folder = Path(looking.__file__).parent
    unlogged = {path.stem for path in folder.glob("*.py") if re.search(r"import .*\breadable_url\b", path.read_text())}
    assert unlogged == {"looking", *TELL_OF_NO_CUSTOMER, *OPENS_IT_BEFORE}
