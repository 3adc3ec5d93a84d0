"""Archives, logs and databases that do not fit are refused by name, and nothing is changed."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.merkle import Growing
from ledger.postgres import read_migrations
from ledger.signing import base64_of
from tests.api.archives.rows import END, NOTHING, SEGMENT, WHOLE, content, forge, rewritten, stored
from tests.api.command_line import CommandLine
from tests.ledger.sealed import tamper
from tests.projections.logs import long_log, recorded_log


def flipped(path: Path) -> None:
    """Changes one byte in the middle of a file."""
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


@pytest.mark.parametrize(("harm", "said"), [(flipped, "was changed"), (Path.unlink, "is missing")])
@pytest.mark.parametrize("kind", ["events", "keys"])
def test_a_file_that_was_changed_or_is_missing_is_named(
    ledger: CommandLine, archive: Path, empty: str, harm: Callable[[Path], object], said: str, kind: str
) -> None:
    name = f"{kind}-{SEGMENT + 1:012}-{2 * SEGMENT:012}.parquet"
    harm(archive / name)
    exported = ledger("export", "parquet", "--to", archive)
    ledger.use(empty)
    restored = ledger("import-log", archive)
    for ended in (exported, restored):
        assert ended.code == 1
        assert f"{name} {said}" in ended.err
    assert stored(empty) == NOTHING


NEWEST = read_migrations()[-1].number
ZEROS = base64_of(bytes(32))
# Peaks of no log, and the root that follows from them.
PEAKS = [bytes([number]) * 32 for number in range(SEGMENT.bit_count())]
LIKE_ANOTHER = {"peaks": [base64_of(peak) for peak in PEAKS], "root": base64_of(Growing(SEGMENT, PEAKS).root())}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["segments"][0].update(root=ZEROS), f"the segment that ends at {SEGMENT}: its peaks give"),
        (lambda m: m["segments"][1]["peaks"].pop(), f"that ends at {2 * SEGMENT}: a tree of {2 * SEGMENT} leaves has"),
        (lambda m: m["segments"][0].update(m["segments"][0] | LIKE_ANOTHER), f"-{SEGMENT:012}.parquet gives the root"),
        (lambda m: m["segments"][1].update(keys_root=ZEROS), f"-{2 * SEGMENT:012}.parquet gives the root"),
        (lambda m: m["segments"][1].update(keys_root="0"), "is no manifest of an archive: segments.1.keys_root: "),
        (lambda m: m["segments"].pop(1), f"after event {SEGMENT}"),
        (lambda m: m.update(schema_number=NEWEST - 1), "is of an older schema"),
        (lambda m: m.update(schema_number=NEWEST + 1), "is of a newer schema"),
        (lambda m: m.update(schema_checksum="0"), "is of another schema"),
        (lambda m: m.update(format=1), "has format 1, this ledger reads and writes format 2"),
        (lambda m: m.pop("segments"), f"has a segment of events {WHOLE + 1} to {END} after event 0"),
        (lambda m: m.pop("format"), "is no manifest of an archive: format: is needed"),
        (lambda m: m["segments"][0]["events"].update(name="../x"), "is no file of its own folder"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    ledger: CommandLine, archive: Path, empty: str, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    rewritten(archive, change)
    ledger.use(empty)
    ended = ledger("import-log", archive)
    assert ended.code == 1
    assert said in ended.err
    assert stored(empty) == NOTHING


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda events: [*events[:9], events[10], events[9], *events[11:]], "has event 11 where 10 is due"),
        (lambda events: [*events[:9], events[10], *events[10:]], "has event 11 where 10 is due"),
        (
            lambda events: [
                *events[:9],
                events[9]._replace(version=events[8].version, stream=events[8].stream),
                *events[10:],
            ],
            "events_version_of_a_stream_is_taken_once",
        ),
    ],
)
def test_a_log_that_cannot_be_is_not_restored_though_its_hashes_fit(
    ledger: CommandLine, archive: Path, empty: str, change: Callable[[Any], Any], said: str
) -> None:
    forge(archive, change)
    ledger.use(empty)
    ended = ledger("import-log", archive)
    assert (ended.code, said in ended.err) == (1, True), ended.err
    assert stored(empty) == NOTHING


def test_a_log_with_a_gap_is_not_archived(ledger: CommandLine, growing: str, tmp_path: Path) -> None:
    tamper(growing, "delete from events where notification_id = 10")
    ended = ledger("export", "parquet", "--to", tmp_path, "--segment", str(SEGMENT))
    assert (ended.code, f"events from 1 to {SEGMENT}: positions are missing" in ended.err) == (1, True)


def test_a_database_that_is_not_empty_takes_no_log(ledger: CommandLine, archive: Path, recorded: str) -> None:
    before = stored(recorded)
    ended = ledger("import-log", archive)
    assert (ended.code, "into an empty database only" in ended.err) == (1, True)
    assert stored(recorded) == before


def test_a_folder_without_a_manifest_is_no_archive(ledger: CommandLine, tmp_path: Path, empty: str) -> None:
    ledger.use(empty)
    ended = ledger("import-log", tmp_path)
    assert (ended.code, "is no archive" in ended.err) == (1, True)


def test_the_archive_of_another_log_is_not_added_to(ledger: CommandLine, archive: Path, empty: str) -> None:
    recorded_log(empty, long_log(2))
    before = content(archive)
    ledger.use(empty)
    ended = ledger("export", "parquet", "--to", archive)
    assert (ended.code, "is the archive of another log, or this log was changed" in ended.err) == (1, True)
    assert content(archive) == before


def test_an_event_that_was_changed_after_it_was_sealed_is_noticed(
    ledger: CommandLine, archive: Path, growing: str
) -> None:
    tamper(growing, f"update events set recorded_at = recorded_at + interval '1us' where notification_id = {WHOLE}")
    ended = ledger("export", "parquet", "--to", archive)
    assert (ended.code, f"the events {WHOLE - SEGMENT + 1} to {WHOLE} of the log" in ended.err) == (1, True)


def test_two_exports_do_not_write_into_one_folder(ledger: CommandLine, archive: Path) -> None:
    before = content(archive)
    descriptor = os.open(archive, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ended = ledger("export", "parquet", "--to", archive)
    finally:
        os.close(descriptor)
    assert (ended.code, f"another export writes into {archive}" in ended.err) == (1, True)
    assert content(archive) == before
    assert ledger("export", "parquet", "--to", archive).code == 0
