"""`ledger import-statement`: each line booked once with its time and its text, whatever is run how often."""

import json
import os
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.command_line import importing, importing_statement
from ledger.events import (
    AdjustmentPosted,
    AdjustmentProposed,
    FundsDeposited,
    WithdrawalRequested,
    WithdrawalSettled,
    made,
)
from ledger.log import read_log
from ledger.postgres import connect
from ledger.private_texts import texts_of
from ledger.shown_texts import texts_shown
from tests.api.command_line import LEDGER, CommandLine, write_lines
from tests.api.outside.statements import HEADER, count_of_events, projected, row, write_statement

START = 5
"""How many events there are before the first line is booked."""
ROWS = [row("100", "R1"), row("-30.5", "R2", hours=1), row("7", hours=2), row("7", hours=2)]


def events(database: str, after: int = START) -> list[Any]:
    """The events, their texts as they were stated."""
    with connect(database) as connection:
        shown = [
            (one.event, texts_shown(connection, texts_of(one.event))) for one in read_log(connection, after, 1_000)
        ]
    return [made(type(event), event.__dict__ | texts) for event, texts in shown]


def test_lines_are_booked_with_their_times_references_and_texts(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    ended = ledger("import-statement", write_statement(tmp_path / "march.csv", ROWS), "--actor", "ann")
    assert (ended.code, ended.out) == (0, "4 lines: 4 booked, 0 already there, 0 refused\n")
    deposit, requested, settled, *unnamed = events(database)
    assert isinstance(deposit, FundsDeposited)
    assert (deposit.amount, deposit.reference, deposit.actor) == (Decimal(100), "R1", "ann")
    assert deposit.source_line == "march.csv:2: 2026-03-02T10:00:00Z,alice,USDT,100,R1"
    assert isinstance(requested, WithdrawalRequested)
    assert isinstance(settled, WithdrawalSettled)
    assert (settled.amount, settled.reference) == (Decimal("30.5"), "R2")
    assert requested.source_line == settled.source_line
    assert settled.effective_at.isoformat() == "2026-03-02T11:00:00+00:00"
    assert ledger("verify").code == 0
    assert [one.idempotency_key for one in unnamed] == [
        unnamed[0].idempotency_key, f"{unnamed[0].idempotency_key}.2",
    ]  # fmt: skip


def test_a_second_run_and_an_overlapping_file_change_nothing_that_is_there(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    assert ledger("import-statement", write_statement(tmp_path / "monday.csv", ROWS)).code == 0
    again = ledger("import-statement", tmp_path / "monday.csv")
    assert (again.code, again.out) == (0, "4 lines: 0 booked, 4 already there, 0 refused\n")
    tuesday = write_statement(tmp_path / "tuesday.csv", [row("1", "R3", hours=24), *reversed(ROWS[1:])])
    assert ledger("import-statement", tuesday).out == "4 lines: 1 booked, 3 already there, 0 refused\n"
    assert count_of_events(database) == START + 6


def test_a_line_that_says_something_else_under_its_reference_is_refused_and_not_booked_twice(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    ledger("import-statement", write_statement(tmp_path / "a.csv", [row("100", "R1")]))
    changed = write_statement(tmp_path / "b.csv", [row("101", "R1"), row("5", "R2")])
    ended = ledger("import-statement", changed)
    assert (ended.code, ended.out) == (1, "2 lines: 1 booked, 0 already there, 1 refused\n")
    assert "line 2: idempotency_key_reused" in ended.err
    assert "with amount 100, this request says amount 101" in ended.err
    assert count_of_events(database, "funds.deposited") == 2


def test_where_references_come_again_a_line_is_named_by_all_it_says(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    for day in (0, 24):
        rent = write_statement(tmp_path / f"{day}.csv", [row("100", "rent", hours=day)])
        for said in ("1 booked, 0 already there", "0 booked, 1 already there"):
            assert said in ledger("import-statement", rent, "--identity", "line").out
    assert count_of_events(database, "funds.deposited") == 2


def test_nothing_is_booked_from_a_file_with_a_line_that_cannot_be_read(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    ended = ledger("import-statement", write_statement(tmp_path / "a.csv", [*ROWS, row("1e400"), row("1", asset="x")]))
    assert ended.code == 2
    assert "line 6: amount '1e400' is none" in ended.err
    assert "line 7: asset 'x' is none" in ended.err
    assert "2 lines cannot be read; nothing was done" in ended.err
    assert count_of_events(database) == START


def test_a_refused_line_stops_no_other_and_is_reported(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    rows = [row("-1", "R0"), row("100", "R1"), row("1", "R2", account="carol"), row("3", "R3"), row("5", "R4")]
    report = tmp_path / "report.ndjson"
    file = write_statement(tmp_path / "a.csv", rows)
    ended = ledger("import-statement", file, "--report", report)
    assert (ended.code, ended.out) == (1, "5 lines: 3 booked, 0 already there, 2 refused\n")
    told = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(one["line"], one["code"]) for one in told] == [(2, "insufficient_funds"), (4, "unknown_account")]
    assert "1 booked, 3 already there, 1 refused" in ledger("import-statement", file).out


def test_a_line_too_long_to_be_kept_is_refused(ledger: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER},note\n{','.join(row('1', 'R1'))},{'x' * 4000}\n")
    ended = ledger("import-statement", file)
    assert ended.code == 1
    assert "3,000 can be kept" in ended.err


def test_a_dry_run_shows_what_would_be_booked_and_records_nothing(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    ledger("import-statement", write_statement(tmp_path / "a.csv", ROWS[:1]))
    before = count_of_events(database)
    file = write_statement(tmp_path / "b.csv", [*ROWS, row("-77", "R5"), row("-8", "R6"), row("8", "R7")])
    ended = ledger("import-statement", file, "--dry-run")
    # The withdrawal of 77 takes what the lines before it brought.
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "7 lines: 5 would be booked, 1 already there, 1 refused")
    assert "line 3: request_withdrawal of -30.5 USDT on alice" in ended.out
    assert "line 7: insufficient_funds" in ended.err
    assert count_of_events(database) == before
    assert ledger("import-statement", file).out == "7 lines: 5 booked, 1 already there, 1 refused\n"


def test_adjustments_wait_for_another_actor_and_then_count_when_their_lines_do(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    file = write_statement(tmp_path / "a.csv", [row("100", "R1"), row("-30", "R2", hours=1)])
    assert ledger("import-statement", file, "--adjust", "other").code == 2
    ended = ledger("import-statement", file, "--adjust", "reconciliation", "--actor", "ann")
    assert (ended.code, ended.out) == (0, "2 lines: 2 proposed, 0 already there, 0 refused\n")
    proposed = events(database)
    assert all(isinstance(one, AdjustmentProposed) for one in proposed)
    approve = [
        {"type": "approve_adjustment", "account_id": "alice", "adjustment_id": one.adjustment_id} for one in proposed
    ]
    approvals = write_lines(tmp_path / "approve.ndjson", approve)
    assert ledger("import", approvals, "--actor", "ann").code == 1
    assert ledger("import", approvals, "--actor", "ben").code == 0
    posted = events(database, START + 2)
    assert [(type(one), one.amount) for one in posted] == [
        (AdjustmentPosted, Decimal(100)),
        (AdjustmentPosted, Decimal(-30)),
    ]
    assert [one.effective_at for one in posted] == [one.effective_at for one in proposed]
    projected(database)
    assert ledger("reconcile", file).code == 0
    assert "2 already there" in ledger("import-statement", file, "--adjust", "reconciliation").out


def test_a_killed_import_is_run_again_and_books_nothing_twice(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    rows = [row("2" if n % 3 else "-1", f"R{n}" if n % 2 else "", hours=n / 100) for n in range(1, 6_001)]
    file = write_statement(tmp_path / "long.csv", rows)
    command = [str(LEDGER), "import-statement", str(file)]
    environment = {**os.environ, "LEDGER_DATABASE_URL": database}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while count_of_events(database) < START + 1_000 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    booked = count_of_events(database, "funds.deposited")
    assert 0 < booked < 4_000
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as beside:
        ended = ledger("import-statement", file)
        _, complaints = beside.communicate(timeout=120)
    assert (ended.code, beside.returncode) == (0, 0), complaints.decode()
    assert [count_of_events(database, topic) for topic in ("funds.deposited", "withdrawal.settled")] == [4_000, 2_000]
    projected(database)
    assert ledger("reconcile", file).code == 0


def test_an_interrupted_import_goes_on(ledger: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_statement, "BATCH_LINES", 2)
    file = write_statement(tmp_path / "a.csv", ROWS)
    count = importing.Tally.count

    def interrupted(tally: importing.Tally, *of_line: Any) -> None:
        count(tally, *of_line)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(importing.Tally, "count", interrupted)
        ended = ledger("import-statement", file)
    assert ended.code == 1
    assert "interrupted after 1 lines; run it again to go on" in ended.err
    assert ledger("import-statement", file).out == "4 lines: 0 booked, 4 already there, 0 refused\n"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--column", "price=X"], "does not say FIELD=HEADER"),
        (["--column", "time"], "does not say FIELD=HEADER"),
        (["--column", "time=A", "--column", "time=B"], "does not say FIELD=HEADER"),
        (["--column", "reference=Text"], "there is no column 'Text' for the reference"),
        (["--delimiter", ";;"], "is no single sign"),
        (["--decimal-comma", "--thousands", ","], "is no single sign beside"),
        (["--time-zone", "Mars/Olympus"], "is none that is known"),
        (["--time-zone", "../../etc/passwd"], "is none that is known"),
        (["--time-format", "%Q"], "is no format"),
        (["--time-format", "%H:%M"], "does not say day and year"),
        (["--encoding", "utf-16"], "in which lines can be found"),
        (["--encoding", "base64"], "in which lines can be found"),
        (["--account", "a/b"], "account 'a/b' is none"),
        (["--reason", "because"], "state --adjust beside it"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(
    ledger: CommandLine, tmp_path: Path, options: list[str], why: str
) -> None:
    ended = ledger("import-statement", write_statement(tmp_path / "a.csv", ROWS), *options)
    assert ended.code == 2
    assert why in ended.err
