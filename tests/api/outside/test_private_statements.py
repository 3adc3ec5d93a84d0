"""Names in outside statements: stored encrypted, compared as they were stated, and gone once they are erased."""

import json
from pathlib import Path
from typing import Any

from ledger.postgres import connect
from tests.api.command_line import CommandLine, write_lines
from tests.api.outside.statements import HEADER, count_of_events, projected, row, write_statement
from tests.ledger.texts import everything_in, sealed_everywhere, stored_texts

NAME = "Zacharias Quendt"
ROWS = [row("100", f"from {NAME}"), row("-30", f"to {NAME}", hours=1), row("7", hours=2)]
DAY = 24
ERASE = ("erase", "alice", "--reason-code", "customer_request")


def reconciled(ledger: CommandLine, file: Path, *options: str) -> dict[str, Any]:
    ended = ledger("reconcile", file, "--json", *options)
    report = json.loads(ended.out)
    assert isinstance(report, dict)
    assert ended.code == (0 if report["agrees"] else 1)
    return report


def shifted(file: Path, rows: list[tuple[str, ...]], hours: float) -> Path:
    """The same payments as another tells them, so much later: nothing but the reference tells which is which."""
    later = [row(amount, reference, hours=hours + n) for n, (_, _, _, amount, reference) in enumerate(rows)]
    return write_statement(file, later)


def count_of_text_keys(database: str) -> int:
    with connect(database) as connection:
        return len(connection.execute("select id from text_keys").fetchall())


def test_a_name_in_a_line_is_nowhere_in_the_database_and_is_told_where_it_is_compared(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    lines = [",".join((*cells, f"for {NAME}")) for cells in ROWS]
    file = tmp_path / "march.csv"
    file.write_text("\n".join([f"{HEADER},note", *lines, ""]))
    assert ledger("import-statement", file).code == 0
    projected(database)
    assert NAME.split()[1] not in everything_in(database)
    assert sealed_everywhere(database)
    assert [sorted(texts) for texts in stored_texts(database).values()] == [
        ["reference", "source_line"], ["source_line"], ["reference", "source_line"], ["source_line"],
    ]  # fmt: skip
    assert reconciled(ledger, file)["agrees"]
    told = ledger("reconcile", file, "--csv", "--matched").out
    assert f"from {NAME},from {NAME}" in told
    assert NAME.split()[1] not in everything_in(database)


def test_what_is_erased_is_matched_by_amount_and_time_and_the_report_says_so(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    file = write_statement(tmp_path / "march.csv", ROWS[:2])
    late = shifted(tmp_path / "late.csv", ROWS[:2], 3 * DAY)
    period = ("--from", "2026-03-01", "--to", "2026-03-09")
    assert ledger("import-statement", file).code == 0
    projected(database)
    before = reconciled(ledger, late, *period, "--tolerance", "1d")
    assert (before["agrees"], before["references_not_shown"]) == (True, {})
    assert ledger(*ERASE).code == 0
    projected(database)
    assert reconciled(ledger, file)["agrees"]
    after = reconciled(ledger, late, *period, "--tolerance", "1d")
    assert (after["agrees"], after["references_not_shown"]) == (False, {"erased": 2})
    assert [one["kind"] for one in after["views"]["effective_at"]["items"]] == [
        *["missing_there"] * 2, *["missing_here"] * 2,
    ]  # fmt: skip
    assert reconciled(ledger, late, *period, "--tolerance", "4d")["agrees"]
    assert "2 references of the journal are erased" in ledger("reconcile", file).out
    assert ledger("import-statement", file).out == "2 lines: 0 booked, 2 already there, 0 refused\n"


def test_without_the_privacy_key_references_are_unreadable_and_the_rest_is_compared(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    file = write_statement(tmp_path / "march.csv", ROWS)
    assert ledger("import-statement", file).code == 0
    projected(database)
    with ledger.monkeypatch.context() as elsewhere:
        elsewhere.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "other"))
        report = reconciled(ledger, file)
    assert (report["agrees"], report["references_not_shown"]) == (True, {"unreadable": 2})


def test_an_adjustment_and_its_reversal_are_known_by_the_reference_of_the_proposal(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    file = write_statement(tmp_path / "march.csv", [row("100", f"from {NAME}")])
    assert ledger("import-statement", file, "--adjust", "reconciliation", "--actor", "ann").code == 0
    with connect(database) as connection:
        found = connection.execute(
            "select convert_from(state, 'UTF8')::json ->> 'adjustment_id' from events"
        ).fetchall()
    approve = {"type": "approve_adjustment", "account_id": "alice", "adjustment_id": found[-1][0]}
    assert ledger("import", write_lines(tmp_path / "a.ndjson", [approve]), "--actor", "ben").code == 0
    undo = {"type": "reverse_event", "account_id": "alice", "version": 3, "effective_at": "2026-03-02T12:00:00Z"}
    assert ledger("import", write_lines(tmp_path / "u.ndjson", [{**undo, "idempotency_key": "u"}])).code == 0
    projected(database)
    assert NAME.split()[1] not in everything_in(database)
    both = [row("100", f"from {NAME}"), row("-100", f"from {NAME}", hours=2)]
    late = shifted(tmp_path / "late.csv", both, 3 * DAY)
    period = ("--from", "2026-03-01", "--to", "2026-03-09", "--tolerance", "1h")
    assert reconciled(ledger, late, *period)["views"]["effective_at"]["kinds"]["matched"] == {"lines": 2, "postings": 2}


def test_a_dry_run_makes_no_key_and_knows_a_line_that_is_there(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    assert ledger("import-statement", write_statement(tmp_path / "a.csv", ROWS[:1])).code == 0
    keys, events = count_of_text_keys(database), count_of_events(database)
    of_both = [*ROWS, row("5", f"to {NAME}", account="bob")]
    file = write_statement(tmp_path / "b.csv", of_both)
    said = "4 lines: 3 would be booked, 1 already there, 0 refused"
    assert ledger("import-statement", file, "--dry-run").out.splitlines()[-1] == said
    assert (count_of_text_keys(database), count_of_events(database)) == (keys, events)
    assert ledger(*ERASE).code == 0
    keys = count_of_text_keys(database)
    assert ledger("import-statement", file, "--dry-run").out.splitlines()[-1] == said
    assert count_of_text_keys(database) == keys
    assert ledger("import-statement", file).out == "4 lines: 3 booked, 1 already there, 0 refused\n"


def test_a_dry_run_without_the_privacy_key_ends_as_the_booking_would(
    ledger: CommandLine, tmp_path: Path, database: str
) -> None:
    assert ledger("import-statement", write_statement(tmp_path / "a.csv", ROWS[:1])).code == 0
    ledger.monkeypatch.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "other"))
    for account in ("alice", "bob"):
        file = write_statement(tmp_path / "b.csv", [row("5", "R5", account=account)])
        dry, booked = ledger("import-statement", file, "--dry-run"), ledger("import-statement", file)
        assert (dry.code, dry.err) == (booked.code, booked.err)
        assert "cannot be stored encrypted now" in dry.err


def test_a_text_that_begins_as_a_sealed_one_is_refused(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    before = count_of_events(database)
    for sign in ("\x01", "\x00"):
        file = tmp_path / "a.csv"
        file.write_text(f"{HEADER},note\n{','.join(row('1', 'R1'))},{sign}x\n")
        assert ledger("import-statement", file).code in (1, 2)
        file.write_text(f"{HEADER}\n{','.join(row('1', sign))}\n")
        assert ledger("import-statement", file).code in (1, 2)
    assert count_of_events(database) == before


def test_comparing_and_trying_leave_lines_of_who_looked(ledger: CommandLine, tmp_path: Path, database: str) -> None:
    file = write_statement(tmp_path / "a.csv", [*ROWS, row("5", "R5", account="bob")])
    assert ledger("import-statement", file).code == 0
    projected(database)
    ledger("--purpose", "ticket 7", "reconcile", file)
    ledger("--purpose", "ticket 8", "import-statement", file, "--dry-run")
    with connect(database) as connection:
        left = connection.execute("select purpose, what, account_id from reads order by number").fetchall()
    assert left == [
        ("ticket 7", "ledger reconcile", "alice"),
        ("ticket 7", "ledger reconcile", "bob"),
        ("ticket 8", "ledger import-statement", None),
    ]
