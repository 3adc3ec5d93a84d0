"""`ledger export parquet` and `ledger import-log`: the same log comes back byte for byte, or nothing does."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from api.export.manifest import MANIFEST, required_manifest
from ledger.postgres import connect
from ledger.sealing import Tree, read_leaves
from ledger.signing import base64_of
from projections.verify import verify
from tests.api.archives.rows import END, SEGMENT, SIGNED, WHOLE, content, note, rewritten, stored
from tests.api.command_line import CommandLine
from tests.ledger.sealed import KEY, SIZES, seal_again
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


def test_the_roots_are_those_of_the_sealed_log(archive: Path, recorded: str) -> None:
    segments = required_manifest(archive).segments
    with connect(recorded) as connection:
        tree = Tree(connection)
        for segment in segments[: SIGNED // SEGMENT]:
            assert segment.root == base64_of(tree.root(segment.last))


def test_a_stored_event_has_the_leaf_that_the_server_sends(recorded: str) -> None:
    with connect(recorded) as connection:
        assert [event.leaf for event in stored(recorded)[0]] == read_leaves(connection, 0, END)


def test_checkpoints_go_along_as_they_were_signed_and_later_ones_are_taken_on(
    ledger: CommandLine, archive: Path, growing: str
) -> None:
    assert {size: note(archive, size).read_text() for size in SIZES} == {row[0]: row[3] for row in stored(growing)[2]}
    said = ledger("export", "parquet", "--to", archive)
    assert f"events {SIGNED + 1} to {END} are in no checkpoint that goes along" in said.err
    seal_again(growing, KEY)
    assert "checkpoint" not in ledger("export", "parquet", "--to", archive).err
    assert note(archive, END).exists()
    end = grow(growing)
    seal_again(growing, KEY)
    assert ledger("export", "parquet", "--to", archive).code == 0
    assert not note(archive, end).exists()  # The archive does not reach it yet.


def test_an_archive_is_known_by_its_root(ledger: CommandLine, archive: Path, empty: str) -> None:
    ledger.use(empty)
    root = json.loads((archive / MANIFEST).read_text())["tail"]["root"]
    ended = ledger("import-log", archive, "--root", root.lower())
    assert (ended.code, "was asked for" in ended.err) == (1, True)
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


def test_an_empty_log_has_an_archive_too(ledger: CommandLine, empty: str, tmp_path: Path) -> None:
    ledger.use(empty)
    assert ledger("export", "parquet", "--to", tmp_path, "--all").code == 0
    assert "restored 0 events" in ledger("import-log", tmp_path).out
