"""`ledger export`: beancount and hledger accept the journal, and hold in every book what the ledger holds."""

import csv
import io
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from api.export.names import asset_named, book_named
from ledger.events import AnyEvent
from ledger.log import read_log
from ledger.postgres import connect
from ledger.postings import postings
from projections.runner import catch_up
from tests.api.command_line import CommandLine
from tests.ledger.given import given, numbered
from tests.ledger.happenings import deposited, opened
from tests.projections.logs import random_log, record, recorded_log

Balances = dict[tuple[str, str], Decimal]
"""What every book holds of each asset, by the book's path."""
END = len(random_log())
WALLETS = ["spot", "cross", "isolated:BTC/USDT", "isolated:1INCH/TRUE"]
TOOLS = Path(sys.executable).parent
HLEDGER = shutil.which("hledger")
NO_HLEDGER = "hledger is not installed (Debian: apt-get install hledger)"
needs_hledger = pytest.mark.skipif(HLEDGER is None, reason=NO_HLEDGER)


@pytest.fixture(scope="module")
def recorded(module_database: str) -> str:
    """A database with a random log, projected."""
    recorded_log(module_database)
    catch_up(module_database)
    return module_database


@pytest.fixture
def ledger(command_line: CommandLine, recorded: str) -> CommandLine:
    command_line.use(recorded)
    return command_line


def held(url: str, until: int, account: str | None = None) -> Balances:
    """What the books hold at a position, added up from the events themselves; books that hold nothing are left out."""
    sums: Balances = {}
    with connect(url) as connection:
        for one in read_log(connection, 0, 2**31, until=until):
            if account in (None, one.event.account_id):
                for book, asset, amount in postings(one.event):
                    sums[book.path, asset] = sums.get((book.path, asset), Decimal(0)) + amount
    return {place: amount for place, amount in sums.items() if amount}


def run(*command: str | Path) -> str:
    """Runs a tool, which must be content."""
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def by_beancount(file: Path) -> Balances:
    """What beancount holds once it has checked the file."""
    assert run(TOOLS / "bean-check", file) == ""
    question = "select account, currency, str(sum(number)) as held group by account, currency"
    return balances(run(TOOLS / "bean-query", "-f", "csv", file, question), "account", "currency", "held")


def by_hledger(file: Path) -> Balances:
    """What hledger holds once it has checked the file strictly: assertions, declared accounts, commodities."""
    assert HLEDGER is not None
    run(HLEDGER, "-f", file, "check", "--strict")
    told = run(HLEDGER, "-f", file, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv")
    return balances(told, "account", "commodity", "balance")


def balances(told: str, account: str, commodity: str, amount: str) -> Balances:
    found: Balances = {}
    for row in csv.DictReader(io.StringIO(told)):
        number = Decimal(row[amount].strip())
        if number:
            found[book_named(row[account].strip()).path, asset_named(row[commodity].strip())] = number
    return found


def test_beancount_holds_in_every_book_what_the_ledger_holds(
    ledger: CommandLine, recorded: str, tmp_path: Path
) -> None:
    file = tmp_path / "journal.beancount"
    assert ledger("export", "beancount", "--out", file).code == 0
    assert by_beancount(file) == held(recorded, END)


@needs_hledger
def test_hledger_holds_in_every_book_what_the_ledger_holds(ledger: CommandLine, recorded: str, tmp_path: Path) -> None:
    file = tmp_path / "journal.hledger"
    assert ledger("export", "hledger", "--out", file).code == 0
    assert by_hledger(file) == held(recorded, END)


def test_a_range_opens_with_what_was_held_and_ends_with_what_is(
    ledger: CommandLine, recorded: str, tmp_path: Path
) -> None:
    file = tmp_path / "range"
    middle, end = END // 2, END - 100
    assert ledger("export", "beancount", "--from", str(middle), "--to", str(end), "--out", file).code == 0
    assert by_beancount(file) == held(recorded, end)
    text = file.read_text()
    assert f"  position: {middle}\n" not in text
    assert 'opening balance"' in text
    if HLEDGER is not None:
        assert ledger("export", "hledger", "--from", str(middle), "--to", str(end), "--out", file).code == 0
        assert by_hledger(file) == held(recorded, end)


def test_the_books_of_one_account_balance_by_themselves(ledger: CommandLine, recorded: str, tmp_path: Path) -> None:
    file = tmp_path / "alice"
    assert ledger("export", "beancount", "--account", "alice", "--from", str(END // 2), "--out", file).code == 0
    assert by_beancount(file) == held(recorded, END, "alice")
    assert "Account-bob" not in file.read_text()


def test_times_bound_a_range_as_positions_do(ledger: CommandLine) -> None:
    by_position = ledger("export", "hledger", "--from", "60", "--to", "300")
    by_time = ledger("export", "hledger", "--from", "2026-01-16T00:01:00Z", "--to", "2026-01-16T00:05:00Z")
    assert by_position.code == by_time.code == 0
    assert by_position.out == by_time.out


def test_each_event_that_posts_is_one_transaction_which_names_its_request(ledger: CommandLine) -> None:
    told = ledger("export", "beancount", "--from", "0", "--to", str(END)).out
    posting = [(place, event) for place, event in enumerate(random_log(), start=1) if postings(event)]
    assert [int(line.split()[1]) for line in told.splitlines() if line.startswith("  position: ")] == [
        place for place, _ in posting
    ]
    assert told.count("correlation_id: ") == len(posting)
    assert f'  correlation_id: "{posting[0][1].correlation_id}"\n' in told


def without_last_transaction(text: str) -> str:
    return text.rstrip().rpartition("\n2026")[0] + "\n"


def test_beancount_notices_a_transaction_that_is_missing(ledger: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_text(without_last_transaction(ledger("export", "beancount").out))
    ended = subprocess.run([TOOLS / "bean-check", file], capture_output=True, text=True)
    assert (ended.returncode, "Balance failed" in ended.stderr) == (1, True)


@needs_hledger
def test_hledger_notices_a_transaction_that_is_missing(ledger: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_text(without_last_transaction(ledger("export", "hledger").out))
    ended = subprocess.run(["hledger", "-f", file, "check"], capture_output=True, text=True)
    assert (ended.returncode, "balance assertion" in ended.stderr) == (1, True)


def test_csv_has_every_line_with_the_balance_it_leaves(ledger: CommandLine, recorded: str) -> None:
    rows = list(csv.DictReader(io.StringIO(ledger("export", "csv").out)))
    assert len(rows) == sum(len(postings(event)) for event in random_log())
    last: Balances = {(row["book"], row["asset"]): Decimal(row["balance"]) for row in rows}
    assert {place: amount for place, amount in last.items() if amount} == held(recorded, END)
    assert rows[0]["recorded_at"].startswith("2026-01-16T00:00:")


def test_csv_of_one_account_has_the_other_side_too(ledger: CommandLine) -> None:
    rows = list(csv.DictReader(io.StringIO(ledger("export", "csv", "--account", "alice").out)))
    sums: Balances = {}
    for row in rows:
        assert row["account_id"] in ("alice", "")
        sums[row["position"], row["asset"]] = sums.get((row["position"], row["asset"]), Decimal(0)) + Decimal(
            row["amount"]
        )
    assert set(sums.values()) == {Decimal(0)}


def test_what_cannot_be_exported_is_refused(ledger: CommandLine, tmp_path: Path) -> None:
    ended = ledger("export", "beancount", "--account", "nobody")
    assert (ended.code, ended.out) == (1, "")
    assert f"there is no account nobody at position {END}" in ended.err
    ended = ledger("export", "csv", "--from", "10", "--to", "5")
    assert (ended.code, ended.out) == (2, "")
    assert "--from lies at position 10" in ended.err
    ended = ledger("export", "csv", "--to", str(END + 1))
    assert ended.code == 2
    ended = ledger("export", "csv", "--out", tmp_path / "absent" / "file")
    assert ended.code == 2
    assert "cannot be written: No such file or directory" in ended.err


@pytest.mark.parametrize("form", ["beancount", "hledger", "csv"])
@pytest.mark.parametrize(
    ("point", "asked"),
    [
        (str(END + 1), f"position {END + 1}"),
        ("2099-01-01", "2099-01-01T00:00:00Z"),
        ("2026-01-17", "2026-01-17T00:00:00Z"),  # In the past, with nothing recorded since.
    ],
)
def test_what_begins_beyond_the_end_of_the_log_is_refused(
    ledger: CommandLine, tmp_path: Path, form: str, point: str, asked: str
) -> None:
    file = tmp_path / "journal"
    ended = ledger("export", form, "--from", point, "--out", file)
    assert (ended.code, ended.out, file.exists()) == (2, "", False)
    assert f"--from asks for what came after {asked}, the log ends at position {END}, recorded at 2026-01-" in ended.err


def test_what_begins_with_the_last_event_has_what_was_held(ledger: CommandLine) -> None:
    assert "opening balance" in ledger("export", "beancount", "--from", str(END)).out


@pytest.fixture
def elsewhere(command_line: CommandLine, database: str) -> CommandLine:
    """The command line on a database in which nothing is recorded yet."""
    command_line.use(database)
    return command_line


def test_an_empty_ledger_is_an_empty_journal(elsewhere: CommandLine, database: str, tmp_path: Path) -> None:
    catch_up(database)
    file = tmp_path / "empty"
    assert elsewhere("export", "beancount", "--out", file).code == 0
    assert by_beancount(file) == {}
    ended = elsewhere("export", "csv", "--from", "2026-01-01")
    assert (ended.code, ended.out) == (2, "")
    assert "the log ends at position 0" in ended.err


def record_strange_names(database: str, amount: str) -> None:
    """Deposits of assets and on accounts whose names the tools would not take as they are."""
    assets = ("1INCH", "TRUE", "USDT")
    for account_id in ("a.b_c:d-e", "A-ub", "-", "Account-x", "0:1"):
        happened = [opened(), *(deposited(amount, asset, deposit_id=asset) for asset in assets)]
        record(database, cast(list[AnyEvent], numbered(given(account_id=account_id), *happened)))
    catch_up(database)


def test_names_that_the_tools_would_not_take_come_back_as_they_were(
    elsewhere: CommandLine, database: str, tmp_path: Path
) -> None:
    record_strange_names(database, "1234567890.000000000000000001")
    file = tmp_path / "strange"
    assert elsewhere("export", "beancount", "--out", file).code == 0
    assert by_beancount(file) == held(database, 20)
    assert len(held(database, 20)) == 18
    if HLEDGER is not None:
        assert elsewhere("export", "hledger", "--out", file).code == 0
        assert by_hledger(file) == held(database, 20)


@needs_hledger
def test_hledger_keeps_all_digits_of_the_longest_amounts(elsewhere: CommandLine, database: str, tmp_path: Path) -> None:
    record_strange_names(database, "98765432109876543210.000000000000000001")
    file = tmp_path / "long"
    assert elsewhere("export", "hledger", "--out", file).code == 0
    assert by_hledger(file) == held(database, 20)


def test_lines_that_are_too_long_for_beancount_are_counted_and_the_first_is_named(
    elsewhere: CommandLine, database: str
) -> None:
    """28 digits are not yet too many, 29 are; each deposit has two lines, and each book that it left an assertion."""
    at_most, too_long = "9" * 28, "9" * 26 + ".001"
    happened = [opened(), deposited(at_most, "BTC", deposit_id="d1"), deposited(too_long, "USDT", deposit_id="d2")]
    record(database, cast(list[AnyEvent], numbered(given(account_id="alice"), *happened)))
    catch_up(database)
    whole = elsewhere("export", "beancount")
    assert (whole.code, too_long in whole.out) == (0, True)
    assert "4 lines have amounts of more than 28 digits" in whole.err
    assert "first of Equity:External, its closing balance" in whole.err
    assert "more than 28 digits" not in elsewhere("export", "beancount", "--to", "2").err
    assert "more than 28 digits" not in elsewhere("export", "hledger").err
