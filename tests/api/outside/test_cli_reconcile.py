"""`ledger reconcile`: what is matched, different or missing on either side, by business and by recorded time."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.command_line import CommandLine, write_lines
from tests.api.outside.statements import MARCH, projected, row, write_statement

Rows = Sequence[tuple[str, ...]]


def booked(amount: str, reference: str | None = None, *, hours: float = 0, **fields: Any) -> dict[str, Any]:
    """A deposit so many hours after ten o'clock on the second of March; its key is all it says."""
    said = {"account_id": "alice", "asset": "USDT", "amount": amount, "reference": reference, **fields}
    at = (MARCH + timedelta(hours=hours)).isoformat()
    key = f"{amount}/{reference}/{hours}/{said['account_id']}/{said['asset']}"
    return {"type": "deposit", **said, "effective_at": at, "idempotency_key": key}


class Books:
    """A ledger in which something is booked, and files held against it."""

    def __init__(self, ledger: CommandLine, folder: Path, database: str) -> None:
        self.ledger, self.folder, self.database = ledger, folder, database

    def book(self, *commands: dict[str, Any]) -> None:
        ended = self.ledger("import", write_lines(self.folder / "booked.ndjson", commands))
        assert ended.code == 0, ended.err
        projected(self.database)

    def file(self, rows: Rows) -> Path:
        return write_statement(self.folder / "march.csv", rows)

    def told(self, rows: Rows, *options: str, view: str = "effective_at") -> list[tuple[Any, ...]]:
        """What is listed: kind, line, position, and the fields that differ; the sums add up in every report."""
        report = self.report(rows, *options)
        for one in report["views"].values():
            for closing in one["totals"].values():
                assert closing["journal_agrees"]
        return [
            (item["kind"], item["line"], item["position"], *item["differs"]) for item in report["views"][view]["items"]
        ]

    def report(self, rows: Rows, *options: str) -> dict[str, Any]:
        ended = self.ledger("reconcile", self.file(rows), "--json", *options)
        report = json.loads(ended.out)
        assert isinstance(report, dict)
        assert ended.code == (0 if report["agrees"] else 1)
        return report


@pytest.fixture
def books(ledger: CommandLine, tmp_path: Path, database: str) -> Books:
    return Books(ledger, tmp_path, database)


def test_what_is_imported_is_matched_wholly(books: Books) -> None:
    rows = [row("100", "R1"), row("-30.5", "R2", hours=1), row("7", hours=2), row("7", hours=2)]
    assert books.ledger("import-statement", books.file(rows)).code == 0
    projected(books.database)
    report = books.report(rows)
    assert report["agrees"]
    assert report["position"] == 10
    view = report["views"]["effective_at"]
    assert view["kinds"]["matched"] == {"lines": 4, "postings": 4}
    assert (view["totals"]["USDT"]["there"], view["totals"]["USDT"]["here"]) == ("83.5", "83.5")
    # All of it was entered months after its time, which the view by recorded time says of each.
    assert [one[0] for one in books.told(rows, view="recorded_at")] == ["late"] * 4


def test_each_difference_is_named_with_its_field(books: Books) -> None:
    books.book(
        booked("100", "R1"),
        booked("50", "R2", hours=1),
        booked("7", "R3", hours=2),
        booked("9", "R4", hours=3),
        booked("11", "R5", hours=4, account_id="bob"),
        booked("3", "R7", hours=5),
    )
    rows = [
        row("100.00", "R1"),
        row("51", "R2", hours=1),
        row("9", "R44", hours=3),
        row("11", "R5", hours=4),
        row("8", "R6", hours=5),
        row("3", "R7", hours=6),
        row("1", "R8", hours=7, account="bob"),
    ]
    assert books.told(rows) == [
        ("different", 3, 7, "amount"),
        ("missing_there", None, 8),
        ("different", 4, 9, "reference"),
        ("different", 5, 10, "account"),
        ("missing_here", 6, None),
        ("missing_here", 8, None),
    ]


def test_a_payment_entered_late_is_matched_by_its_business_time_and_told_as_not_known_then(books: Books) -> None:
    books.book(booked("100", "R1"))
    assert books.told([row("100", "R1"), row("100", "R1")][:1]) == []
    assert books.told([row("100", "R1")], view="recorded_at") == [("late", 2, 6)]


def test_what_was_recorded_in_the_period_but_is_dated_elsewhere_is_of_another_period(books: Books) -> None:
    books.book(booked("100", "R1"))
    wide = ["--account", "alice", "--asset", "USDT", "--from", "2026-03-20"]
    file = books.folder / "empty.csv"
    file.write_text("time,amount,reference\n")
    ended = books.ledger("reconcile", file, *wide, "--to", "2999-01-01", "--json")
    assert ended.code == 0
    items = json.loads(ended.out)["views"]["recorded_at"]["items"]
    assert [(one["kind"], one["position"]) for one in items] == [("other_period", 6)]


def test_a_line_dated_far_from_its_posting_differs_in_time(books: Books) -> None:
    now = {"type": "deposit", "account_id": "alice", "asset": "USDT", "amount": "5", "reference": "R1"}
    books.book({**now, "idempotency_key": "K1"})
    at = json.loads(books.ledger("reconcile", books.file([row("5", "R1")]), "--json").out)
    assert [one["kind"] for one in at["views"]["effective_at"]["items"]] == ["missing_here"]
    wide = ["--from", "2026-03-01", "--to", "2999-01-01"]
    assert books.told([row("5", "R1")], *wide) == []


def test_without_references_the_nearest_time_decides_within_the_tolerance(books: Books) -> None:
    books.book(booked("5", hours=0), booked("5", hours=24), booked("5", hours=48))
    rows = [row("5", hours=25), row("5", hours=49)]
    assert books.told(rows, "--from", "2026-03-01", "--to", "2026-03-05") == [("missing_there", None, 6)]
    near = books.told(rows, "--tolerance", "30m", "--from", "2026-03-01", "--to", "2026-03-05")
    assert sorted(one[0] for one in near) == ["missing_here"] * 2 + ["missing_there"] * 3


def test_lines_of_days_find_the_postings_of_their_days(books: Books) -> None:
    books.book(booked("5", hours=24), booked("5", hours=48))
    days = [("2026-03-02", "alice", "USDT", "5", ""), ("2026-03-04", "alice", "USDT", "5", "")]
    assert books.told(days, "--tolerance", "13h") == [("missing_here", 2, None), ("missing_there", None, 6)]
    # The last day is compared to its end.
    books.book(booked("6", hours=60))
    assert ("missing_there", None, 8) in books.told(days, "--tolerance", "13h")


def test_equal_lines_of_one_reference_are_paired_one_to_one(books: Books) -> None:
    books.book(booked("5", "R1", hours=0), booked("5", "R1", hours=1), booked("1", "R1", hours=1))
    assert books.told([row("5", "R1"), row("5", "R1"), row("1", "R1")]) == []
    assert books.told([row("5", "R1"), row("5", "R1"), row("5", "R1"), row("1", "R1", hours=1)]) == [
        ("missing_here", 3, None)
    ]


def test_an_id_of_our_own_serves_where_no_reference_is_stated(books: Books) -> None:
    deposit = {key: value for key, value in booked("5").items() if key not in ("reference", "idempotency_key")}
    books.book({**deposit, "deposit_id": "D-1"})
    assert books.told([row("5", "D-1")], "--tolerance", "1s") == []
    assert books.told([row("6", "D-1")]) == [("different", 2, 6, "amount")]
    assert books.told([row("5", "X-1")]) == []


def test_a_reversed_booking_undoes_itself_unless_the_statement_has_both(books: Books) -> None:
    reversal = {"type": "reverse_event", "account_id": "alice", "version": 2, "idempotency_key": "undo"}
    books.book(booked("5", "R1"), {**reversal, "effective_at": (MARCH + timedelta(hours=1)).isoformat()})
    both = [row("5", "R1"), row("-5", "R1", hours=1)]
    assert books.told(both) == []
    other = [row("1", "R2", account="bob"), row("1", "R3", account="alice", hours=2)]
    assert books.told(other)[:2] == [("missing_here", 2, None), ("reversed", None, 6)]
    assert books.told([row("5", "R1")], "--to", "2026-03-03") == [("missing_there", None, 7)]


def test_only_accounts_and_assets_of_the_file_count(books: Books) -> None:
    books.book(booked("5", "R1"), booked("6", "R2", account_id="bob"), booked("7", "R3", asset="BTC"))
    assert books.told([row("5", "R1")]) == []


def test_an_earlier_position_knows_no_more_than_was_known_then(books: Books) -> None:
    books.book(booked("5", "R1"), booked("6", "R2"))
    rows = [row("5", "R1"), row("6", "R2")]
    assert books.told(rows, "--position", "6") == [("missing_here", 3, None)]
    assert books.ledger("reconcile", books.file(rows), "--position", "8").code == 2


def test_tables_and_csv_say_the_same(books: Books) -> None:
    books.book(booked("5", "R1"), booked("6", "R2"))
    file = books.file([row("5", "R1"), row("7", "R2")])
    ended = books.ledger("reconcile", file)
    assert ended.code == 1
    assert "march.csv against the journal at position 7" in ended.out
    assert "USDT: 12 there, 11 here, 1 between them; the journal's own sum is what was compared" in ended.out
    assert "7 / 6" in ended.out
    assert ended.out.endswith("they differ\n")
    rows = list(csv.DictReader(io.StringIO(books.ledger("reconcile", file, "--csv", "--matched").out)))
    by_time = [(one["kind"], one["line"], one["differs"]) for one in rows if one["view"] == "effective_at"]
    assert by_time == [("matched", "2", ""), ("different", "3", "amount")]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "2026-03-05", "--to", "2026-03-01"], "ends before it begins"),
        (["--from", "0001-01-01"], "in the years 1971 to 9997"),
        (["--to", "9999-12-31"], "in the years 1971 to 9997"),
        (["--tolerance", "soon"], "is no time such as 30m"),
        (["--tolerance", "367d"], "longer than 366 days"),
        (["--from", "March"], "is no time such as"),
        (["--json", "--csv"], "state one of them"),
    ],
)
def test_what_cannot_be_asked_is_refused(books: Books, options: list[str], why: str) -> None:
    books.book()
    ended = books.ledger("reconcile", books.file([row("1")]), *options)
    assert ended.code == 2
    assert why in ended.err


def test_a_line_that_cannot_be_read_is_bad_input(books: Books) -> None:
    ended = books.ledger("reconcile", books.file([row("1"), row("1e400")]))
    assert ended.code == 2
    assert "line 3: amount '1e400' is none" in ended.err
    assert books.ledger("reconcile", books.folder / "absent.csv").code == 2
