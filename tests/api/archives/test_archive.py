"""`ledger export parquet` and `ledger import-log`: the same log comes back byte for byte, or nothing does."""

import json
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq

from api.export.chain import root_of
from api.export.manifest import MANIFEST
from ledger.postgres import connect
from projections.verify import verify
from tests.api.archives.rows import END, SEGMENT, WHOLE, content, rewritten, stored
from tests.api.command_line import LEDGER, CommandLine
from tests.projections.logs import long_log, record


def grow(url: str) -> int:
    """Adds events to a log, and returns its end."""
    return record(url, [event for event in long_log(1) if not event.account_id.startswith("@")])


def roots(told: str) -> list[str]:
    return [line for line in told.splitlines() if line.startswith("root ")]


def test_an_archive_restores_the_same_log_and_is_the_same_archive_again(
    ledger: CommandLine, archive: Path, recorded: str, empty: str, tmp_path: Path
) -> None:
    exported = ledger("export", "parquet", "--to", archive, "--all")
    ledger.use(empty)
    restored = ledger("import-log", archive)
    assert (restored.code, roots(restored.out)) == (0, roots(exported.out))
    assert f"restored {END:,} events" in restored.out
    assert stored(empty) == stored(recorded)
    assert ledger("export", "parquet", "--to", tmp_path / "again", "--segment", str(SEGMENT), "--all").code == 0
    assert content(tmp_path / "again") == content(archive)


def test_projections_build_themselves_on_a_restored_log_and_verification_agrees(
    ledger: CommandLine, archive: Path, empty: str
) -> None:
    ledger.use(empty)
    assert ledger("import-log", archive).code == 0
    report = verify(empty)
    assert (report.differences, report.events, report.trial_balance_zero) == ([], END, True)


def test_only_whole_segments_are_sealed_and_a_second_run_adds_only_new_ones(
    ledger: CommandLine, tmp_path: Path, growing: str
) -> None:
    folder = tmp_path / "archive"
    first = ledger("export", "parquet", "--to", folder, "--segment", str(SEGMENT))
    assert f"sealed {WHOLE // SEGMENT} segments" in first.out
    assert f"{END - WHOLE} events are not yet a whole segment" in first.out
    before = content(folder)
    places = {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert "sealed 0 segments" in ledger("export", "parquet", "--to", folder).out
    assert content(folder) == before
    end = grow(growing)
    assert f"sealed {(end - WHOLE) // SEGMENT} segments" in ledger("export", "parquet", "--to", folder).out
    assert {path: path.stat().st_mtime_ns for path in places} == places


def test_a_tail_gives_way_to_the_segment_that_it_becomes(ledger: CommandLine, archive: Path, growing: str) -> None:
    tail = archive / f"events-{WHOLE + 1:012}-{END:012}.parquet"
    assert tail.exists()
    end = grow(growing)
    assert ledger("export", "parquet", "--to", archive).code == 0
    assert not tail.exists()
    named = {path.name for path in archive.glob("events-*")}
    assert named == {
        f"events-{first + 1:012}-{first + SEGMENT:012}.parquet" for first in range(0, end - SEGMENT, SEGMENT)
    }


def test_other_programs_read_the_rows_as_they_are_stored(archive: Path, recorded: str) -> None:
    table = pq.read_table(archive / f"events-{1:012}-{SEGMENT:012}.parquet")
    first = stored(recorded)[0][0]
    assert table.column_names == ["position", "recorded_at", "stream", "version", "topic", "state"]
    assert tuple(table.slice(0, 1).to_pylist()[0].values()) == first


def test_the_root_is_that_of_the_rows_in_their_order_and_time(recorded: str) -> None:
    events = stored(recorded)[0][:20]
    root = root_of(events)
    assert root_of(events[10:], before=root_of(events[:10])) == root
    one = events[3]
    others = [
        one._replace(state=one.state + b" "),
        one._replace(recorded_at=one.recorded_at + timedelta(microseconds=1)),
        one._replace(stream=one.stream + "1"),
        one._replace(stream=one.stream[:-1], topic=one.stream[-1] + one.topic),
    ]
    roots = [root_of([*events[:3], other, *events[4:]]) for other in others]
    assert len({root, root_of(events[1:]), root_of(events[:-1]), root_of(reversed(events)), *roots}) == 8


def test_an_archive_is_known_by_its_root(ledger: CommandLine, archive: Path, empty: str) -> None:
    ledger.use(empty)
    ended = ledger("import-log", archive, "--root", "00" * 32)
    assert (ended.code, "was asked for" in ended.err) == (1, True)
    root = json.loads((archive / MANIFEST).read_text())["tail"]["root"]
    assert ledger("import-log", archive, "--root", root).code == 0


def test_a_file_left_by_a_killed_export_is_kept_if_it_is_the_same_and_never_overwritten(
    ledger: CommandLine, archive: Path
) -> None:
    last = f"-{WHOLE - SEGMENT + 1:012}-{WHOLE:012}.parquet"
    rewritten(archive, lambda manifest: (manifest["segments"].pop(), manifest.update(tail=None)))
    (archive / f"keys{last}.part").write_text("half")
    before = content(archive)
    assert ledger("export", "parquet", "--to", archive).code == 0
    assert content(archive)[f"events{last}"] == before[f"events{last}"]
    assert not list(archive.glob("*.part"))
    rewritten(archive, lambda manifest: manifest["segments"].pop())
    (archive / f"keys{last}").write_text("other")
    ended = ledger("export", "parquet", "--to", archive)
    assert (ended.code, f"keys{last} is there, is not in the manifest" in ended.err) == (1, True)
    assert (archive / f"keys{last}").read_text() == "other"


def test_an_import_that_is_killed_leaves_nothing_and_runs_again(
    ledger: CommandLine, archive: Path, recorded: str, empty: str
) -> None:
    ledger.use(empty)
    with connect(empty) as blocking:
        # All events of the first segment are in, and its keys have to wait.
        blocking.execute("lock table idempotency_keys in share mode")
        with subprocess.Popen([LEDGER, "import-log", archive], stderr=subprocess.DEVNULL) as process:
            wait_until_it_waits(empty)
            process.send_signal(signal.SIGKILL)
    assert stored(empty) == ([], [])
    assert ledger("import-log", archive).code == 0
    assert stored(empty) == stored(recorded)


def wait_until_it_waits(url: str) -> None:
    """Waits until somebody waits for the table of keys."""
    question = "select from pg_locks where relation = 'idempotency_keys'::regclass and not granted"
    with connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + 60
        while connection.execute(question).fetchone() is None:
            assert time.monotonic() < deadline, "no import came so far"
            time.sleep(0.01)


def test_an_empty_log_has_an_archive_too(ledger: CommandLine, empty: str, tmp_path: Path) -> None:
    ledger.use(empty)
    assert ledger("export", "parquet", "--to", tmp_path, "--all").code == 0
    assert "restored 0 events" in ledger("import-log", tmp_path).out
