"""The command line: what each command answers, and the exit codes that scripts rely on."""

import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from api.command_line.commands import COMMANDS
from ledger.postgres import connect
from projections.leadership import REBUILDS, VERIFICATION, alone
from tests.api.command_line import LISTINGS, CommandLine, deposit, opened, served, write_lines
from tests.projections.test_verify import tamper

SOME_DEPOSITS = [*LISTINGS, opened("alice"), deposit("alice", "40"), deposit("alice", "2.5")]


@pytest.fixture
def ledger(command_line: CommandLine, database: str) -> CommandLine:
    command_line.use(database)
    return command_line


@pytest.fixture
def with_deposits(ledger: CommandLine, tmp_path: Path) -> CommandLine:
    assert ledger("import", write_lines(tmp_path / "deposits.ndjson", SOME_DEPOSITS)).code == 0
    return ledger


def test_migrate_says_what_it_applied_and_then_that_there_is_nothing_to_do(
    command_line: CommandLine, empty_database: str
) -> None:
    command_line.use(empty_database)
    assert command_line("status").err.startswith("the database lacks")
    assert "applied 0001" in command_line("migrate").out
    assert command_line("migrate") == (0, "nothing to do: the database has this ledger's schema\n", "")


def test_a_database_that_cannot_be_reached_ends_with_3(ledger: CommandLine) -> None:
    ledger.use("postgresql://127.0.0.1:1/nowhere")
    ended = ledger("status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("the database cannot be reached")


def test_what_is_no_connection_string_ends_with_2(ledger: CommandLine) -> None:
    ledger.use("nonsense")
    ended = ledger("verify")
    assert ended.code == 2
    assert "LEDGER_DATABASE_URL is no connection string" in ended.err


def test_an_unknown_command_and_an_unknown_option_end_with_2(ledger: CommandLine) -> None:
    assert ledger("frobnicate").code == 2
    assert ledger("verify", "--quickly").code == 2


def test_the_help_has_every_command_and_every_command_a_help(ledger: CommandLine) -> None:
    listed = ledger("--help").out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.splitlines() if line[2:3].strip()] == list(COMMANDS)
    for name in COMMANDS:
        ended = ledger(name, "--help")
        assert ended.code == 0
        assert f" {name} " in ended.out.splitlines()[0]


@pytest.mark.parametrize(("command", "module"), [("keys", "keys"), ("checkpoint", "sealing")])
def test_a_command_loads_no_other_command(command: str, module: str) -> None:
    code = (
        "import sys; from contextlib import suppress; from api.cli import main\n"
        f"sys.argv = ['ledger', '{command}', '--help']\n"
        "with suppress(SystemExit): main()\n"
        "modules = ('keys', 'sealing', 'serving', 'backtesting')\n"
        "print({name for name in modules if f'api.command_line.{name}' in sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == f"{{'{module}'}}"


def test_status_tells_the_logs_end_and_every_projection(with_deposits: CommandLine) -> None:
    assert with_deposits("rebuild").code == 0
    ended = with_deposits("status")
    assert ended.code == 0
    assert "the log ends at position 6" in ended.out
    assert "trial_balance" in ended.out
    assert "trial balance at position 6: zero for all of 1 assets" in ended.out


def test_status_names_the_copies_that_a_killed_rebuild_left_and_none_that_is_being_made(
    with_deposits: CommandLine, database: str
) -> None:
    assert with_deposits("rebuild").code == 0
    with connect(database, autocommit=True) as connection:
        for name in ("rebuild_balances", "rebuild_loans", "verify_loans"):
            connection.execute("select make_schema_of_copy(%s)", [name])
        with alone(connection, REBUILDS, "balances"):
            ended = with_deposits("status")
        told = "left over by a rebuild or verification that was killed: rebuild_loans, verify_loans; the next"
        assert (ended.code, told in ended.out) == (0, True)
        with alone(connection, VERIFICATION, "verify"):
            assert "killed: rebuild_balances, rebuild_loans; " in with_deposits("status").out
    assert with_deposits("rebuild").code == 0
    assert "left over" not in with_deposits("status").out


def test_status_of_projections_that_were_never_started_ends_with_1_and_says_what_starts_them(
    command_line: CommandLine, unprojected_database: str
) -> None:
    command_line.use(unprojected_database)
    ended = command_line("status")
    assert ended.code == 1
    assert "was never started: ledger project or ledger serve starts it" in ended.out


def test_status_and_verify_end_with_1_where_the_log_was_cut_at_its_end(
    with_deposits: CommandLine, database: str
) -> None:
    assert with_deposits("rebuild").code == 0
    tamper(database, "delete from events where notification_id = 6")
    ended = with_deposits("status")
    assert ended.code == 1
    assert "projection balances stands at 6, beyond the log's end at 5: the log was cut" in ended.out
    ended = with_deposits("verify")
    assert ended.code == 1
    assert "difference: projection balances stands at 6, beyond the log's end at 5" in ended.out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'x'", "its bytes are no funds.deposited (JSON is expected)"),
        ("topic = 'nope'", "no kind of event has the topic 'nope'"),
    ],
)
def test_an_event_that_cannot_be_read_is_named_by_replay_and_verify(
    with_deposits: CommandLine, database: str, change: str, why: str
) -> None:
    tamper(database, f"update events set {change} where notification_id = 5")
    ended = with_deposits("replay", "alice")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"event_unreadable: event 5 cannot be read: {why}\n"
    assert "1 events" in with_deposits("replay", "alice", "--position", "4").out, "what came before can be read"
    ended = with_deposits("verify")
    assert ended.code == 1
    assert "log: event 5 cannot be read" in ended.out
    assert "Traceback" not in ended.out + ended.err


def test_replay_tells_what_each_event_changed(with_deposits: CommandLine) -> None:
    ended = with_deposits("replay", "alice")
    assert ended.code == 0
    assert "alice as of position 6, the log's end: 3 events" in ended.out
    assert "+ account/alice/spot +2.5 USDT" in ended.out
    assert "= spot USDT: free 40 -> 42.5" in ended.out


def test_replay_answers_as_of_a_position(with_deposits: CommandLine) -> None:
    state = json.loads(with_deposits("replay", "alice", "--position", "5", "--json").out)
    assert [event["position"] for event in state["events"]] == [4, 5]
    assert state["events"][1]["balances"] == [
        {
            "wallet": "spot",
            "asset": "USDT",
            "before": {"free": "0", "locked": "0", "borrowed": "0", "interest": "0"},
            "after": {"free": "40", "locked": "0", "borrowed": "0", "interest": "0"},
        }
    ]
    assert state["state"]["wallets"]["spot"]["assets"]["USDT"]["free"] == "40"


def test_replay_answers_as_of_a_business_time_in_its_order(ledger: CommandLine, tmp_path: Path) -> None:
    late = deposit("alice", "7", effective_at="2020-03-12T12:00:00Z")
    early = deposit("alice", "5", effective_at="2020-03-12T10:00:00Z")
    first = {**opened("alice"), "effective_at": "2020-03-12T09:00:00Z"}
    ledger("import", write_lines(tmp_path / "dated.ndjson", [*LISTINGS, first, late, early]))
    state = json.loads(ledger("replay", "alice", "--effective-at", "2020-03-12T11:00:00Z", "--json").out)
    assert [event["position"] for event in state["events"]] == [4, 6]
    assert state["state"]["wallets"]["spot"]["assets"]["USDT"]["free"] == "5"


def test_replay_of_nobody_and_of_two_times_at_once_is_refused(with_deposits: CommandLine) -> None:
    assert with_deposits("replay", "nobody").code == 1
    assert with_deposits("replay", "alice", "--position", "99").err == "the log ends at position 6, 99 is yet to come\n"
    assert with_deposits("replay", "alice", "--recorded-at", "soon").code == 2
    assert with_deposits("replay", "alice", "--position", "5", "--recorded-at", "2020-01-01").code == 2


def test_verify_agrees_and_then_finds_what_was_changed_behind_its_back(
    with_deposits: CommandLine, database: str
) -> None:
    ended = with_deposits("verify")
    assert ended.code == 0
    assert "verified 6 events and 1 accounts up to position 6: no difference; trial balance zero" in ended.out
    with connect(database) as connection:
        connection.execute("update projections.balance_states set free = free + 1 where position = 6")
    ended = with_deposits("verify")
    assert ended.code == 1
    assert "difference: projection balances" in ended.out


def test_rebuild_reports_what_was_wrong_and_repairs_it(with_deposits: CommandLine, database: str) -> None:
    assert with_deposits("verify").code == 0
    with connect(database) as connection:
        connection.execute("update projections.balance_states set free = free + 1 where position = 6")
    ended = with_deposits("rebuild", "balances")
    assert ended.code == 1
    assert "balances: rebuilt at position 6" in ended.out
    assert with_deposits("verify").code == 0
    assert with_deposits("rebuild", "weather").code == 2


def test_a_new_key_stands_alone_on_stdout(ledger: CommandLine) -> None:
    ended = ledger("keys", "create", "--role", "service", "--name", "matching")
    assert ended.code == 0
    assert ended.out.startswith("mlk_")
    assert ended.out.count("\n") == 1
    assert ended.out.strip() not in ledger("keys", "list").out
    assert "matching" in ledger("keys", "list").out


def test_a_key_of_an_account_that_is_not_opened_is_made_with_a_note(ledger: CommandLine, tmp_path: Path) -> None:
    """Accounts may be opened later, but a name may also be misspelt."""
    told = ledger("keys", "create", "--role", "customer", "--name", "early", "--account", "late")
    assert (told.code, len(told.out.splitlines())) == (0, 1)
    assert "account late is not opened yet" in told.err
    assert ledger("import", write_lines(tmp_path / "opening", [opened("late")])).code == 0
    told = ledger("keys", "create", "--role", "customer", "--name", "on-time", "--account", "late")
    assert (told.code, "not opened" in told.err) == (0, False)


def test_keys_are_revoked_once_and_refused_where_they_make_no_sense(ledger: CommandLine) -> None:
    ledger("keys", "create", "--role", "auditor", "--name", "audit")
    assert ledger("keys", "revoke", "audit").code == 0
    assert "revoked" in ledger("keys", "list").out
    assert ledger("keys", "revoke", "audit").code == 1
    assert ledger("keys", "revoke", "nobody").code == 1
    assert ledger("keys", "create", "--role", "customer", "--name", "alice").code == 2
    assert ledger("keys", "create", "--role", "king", "--name", "arthur").code == 2


def test_the_option_demo_asks_for_a_demo_that_was_played(ledger: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.command_line.database.DEMO_DATABASE", "ledger_demo_that_never_was")
    assert ledger("--demo", "status").code == 3


def test_serve_answers_until_it_is_told_to_stop(unprojected_database: str) -> None:
    with served(unprojected_database) as address, urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
        assert json.load(answer)["status"] == "ok"


def test_a_port_that_is_taken_is_said(ledger: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = ledger("serve", "--port", str(taken.getsockname()[1]))
    assert ended.code == 1
    assert "choose others with --host and --port" in ended.err
