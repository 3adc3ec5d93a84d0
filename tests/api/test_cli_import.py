"""`ledger import`: every line once, however often it runs, and every refused line with its number."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.command_line import importing
from api.command_line.reading import Line
from ledger.log import log_end, read_log
from ledger.postgres import connect
from tests.api.command_line import LISTINGS, CommandLine, deposit, opened, write_lines


@pytest.fixture
def ledger(command_line: CommandLine, database: str) -> CommandLine:
    command_line.use(database)
    return command_line


def position(database: str) -> int:
    with connect(database) as connection:
        return log_end(connection).position


def test_a_file_that_is_imported_twice_is_recorded_once(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    file = write_lines(
        tmp_path / "lines.ndjson", [*LISTINGS, opened("alice"), deposit("alice", "1"), deposit("alice", "1")]
    )
    first, second = ledger("import", file), ledger("import", file)
    assert first.code == second.code == 0
    assert "6 recorded, 0 recorded before, 0 refused" in first.out
    assert "0 recorded, 6 recorded before, 0 refused" in second.out
    assert position(database) == 6


def test_prices_and_openings_without_a_key_are_recorded_once_too(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    prices = {"type": "mark_prices", "prices": {"BTC/USDT": "60000"}, "source": "test"}
    file = write_lines(tmp_path / "lines.ndjson", [*LISTINGS, opened("alice"), prices])
    assert ledger("import", file).code == 0
    assert "5 recorded before" in ledger("import", file).out
    assert position(database) == 5


def test_refused_lines_are_told_with_their_number_and_all_of_them_reported(
    ledger: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LINES_SHOWN", 2)
    lines: list[dict[str, Any] | str] = [
        *LISTINGS,
        "",
        opened("alice"),
        deposit("alice", "-1"),
        "[]",
        "{broken",
        deposit("bob", "1"),
        '{"type": "hop"}',
    ]
    report = tmp_path / "report.ndjson"
    ended = ledger("import", write_lines(tmp_path / "lines.ndjson", lines), "--report", report)
    assert ended.code == 1
    assert "line 6: malformed: deposit is malformed: amount" in ended.err
    assert "line 7: malformed: the line is JSON, but no object" in ended.err
    assert "line 8" not in ended.err
    assert "4 recorded, 0 recorded before, 5 refused" in ended.out
    reported = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(one["line"], one["code"]) for one in reported] == [
        (6, "malformed"),
        (7, "malformed"),
        (8, "malformed"),
        (9, "unknown_account"),
        (10, "malformed"),
    ]
    assert json.loads(reported[3]["content"]) == deposit("bob", "1")


def test_an_import_that_was_cut_short_goes_on(
    ledger: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 5)
    lines = [*LISTINGS, opened("alice"), *[deposit("alice", "1") for _ in range(46)]]
    file = write_lines(tmp_path / "lines.ndjson", lines)
    hand_in, handed = importing.Desk.hand_in, 0

    def cut_short(desk: importing.Desk, batch: list[Line]) -> importing.Batch:
        nonlocal handed
        handed += 1
        if handed == 6:
            raise KeyboardInterrupt
        return hand_in(desk, batch)

    monkeypatch.setattr(importing.Desk, "hand_in", cut_short)
    ended = ledger("import", file)
    assert ended.code == 1
    assert "run it again to go on" in ended.err
    assert position(database) < 50
    ended = ledger("import", file)
    assert ended.code == 0
    assert "50 lines" in ended.out
    assert position(database) == 50


def test_standard_input_is_imported_like_a_file(ledger: CommandLine, database: str) -> None:
    lines = "\n".join(json.dumps(line) for line in [*LISTINGS, opened("alice"), deposit("alice", "1")]).encode()
    assert ledger("import", "-", stdin=lines).code == 0
    assert "5 recorded before" in ledger("import", "-", stdin=lines).out
    assert position(database) == 5


def test_the_same_line_of_another_file_is_another_command(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    opening = write_lines(tmp_path / "opening.ndjson", [*LISTINGS, opened("alice")])
    monday = write_lines(tmp_path / "monday.ndjson", [deposit("alice", "1"), deposit("alice", "2")])
    tuesday = write_lines(tmp_path / "tuesday.ndjson", [deposit("alice", "1"), deposit("alice", "3")])
    for file in (opening, monday, tuesday):
        assert ledger("import", file).code == 0
    assert position(database) == 8


def test_a_line_keeps_the_key_and_the_thing_it_names(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    lines = [
        *LISTINGS,
        opened("alice"),
        deposit("alice", "1", deposit_id="d1"),
        deposit("alice", "1", idempotency_key="k"),
    ]
    ledger("import", write_lines(tmp_path / "lines.ndjson", lines), "--actor", "migration")
    with connect(database) as connection:
        events = [one.event for one in read_log(connection, 4, 10)]
    assert [(event.idempotency_key, event.actor) for event in events] == [
        ("deposit:d1", "migration"),
        ("k", "migration"),
    ]


def test_interest_of_all_who_owe_is_charged_after_what_stands_before_it(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    at = {"effective_at": "2020-03-12T10:30:00Z"}
    lines = [
        *LISTINGS,
        {**opened("alice"), **at},
        deposit("alice", "100", **at),
        {
            "type": "transfer",
            "account_id": "alice",
            "from": "spot",
            "to": "cross",
            "asset": "USDT",
            "amount": "100",
            **at,
        },
        {"type": "borrow", "account_id": "alice", "wallet": "cross", "asset": "USDT", "amount": "50", **at},
        {"type": "accrue_interest", "hour": "2020-03-12T12:00:00Z"},
        deposit("alice", "1"),
    ]
    file = write_lines(tmp_path / "lines.ndjson", lines)
    assert ledger("import", file).code == 0
    with connect(database) as connection:
        topics = [one.event.TOPIC for one in read_log(connection, 6, 10)]
    assert topics == ["loan.borrowed", "interest.accrued", "interest.accrued", "funds.deposited"]
    assert ledger("verify").code == 0


def test_a_file_that_is_not_there_ends_with_2(ledger: CommandLine, tmp_path: Path) -> None:
    ended = ledger("import", tmp_path / "absent.ndjson")
    assert ended.code == 2
    assert "cannot be read: No such file or directory" in ended.err
    assert ledger("import", tmp_path).code == 2
