"""`ledger-verify --archive` finds every kind of tampering with an archive, and names its place."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.export.manifest import MANIFEST
from ledger.stored import StoredEvent
from tests.api.archives.rows import END, SEGMENT, SIGNED, forge, note, rewritten
from tests.api.test_ledger_verify import PROGRAM, verify
from tests.ledger.sealed import FORGED, KEY, SIZES

GOOD = f"{END} events are as they were sealed; the last {END - SIGNED} are in no checkpoint yet\n"
THIRD = f"{2 * SEGMENT + 1:012}-{3 * SEGMENT:012}.parquet"
"""The segment of event 400."""


def changed(events: list[StoredEvent], position: int, **fields: Any) -> list[StoredEvent]:
    return [*events[: position - 1], events[position - 1]._replace(**fields), *events[position:]]


def flipped(events: list[StoredEvent]) -> list[StoredEvent]:
    return changed(events, 400, state=events[399].state.replace(b"0", b"1", 1))


def inserted(events: list[StoredEvent]) -> list[StoredEvent]:
    moved = [event._replace(position=event.position + 1) for event in events[399:]]
    return [*events[:399], events[398]._replace(position=400, stream="forged", version=1), *moved]


def swapped(events: list[StoredEvent]) -> list[StoredEvent]:
    return [*events[:399], events[400]._replace(position=400), events[399]._replace(position=401), *events[401:]]


def test_an_untouched_archive_is_good(archive: Path, tmp_path: Path) -> None:
    assert verify(tmp_path, "--archive", str(archive)) == (0, GOOD)
    assert verify(tmp_path, "--archive", str(archive), "--checkpoints", str(archive / "checkpoints")) == (0, GOOD)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (flipped, "512.checkpoint: its root is not the log's: something in events 301 to 512 was changed"),
        (lambda events: [*events[:399], *events[400:]], "log: event 400 is missing"),
        (inserted, "512.checkpoint: its root is not the log's: something in events 301 to 512 was changed"),
        (lambda events: [*events[:400], events[399], *events[400:]], "log: position 400 comes again"),
        (swapped, "512.checkpoint: its root is not the log's: something in events 301 to 512 was changed"),
        (lambda events: [*events[:399], events[400], events[399], *events[401:]], "log: event 400 is missing"),
        (lambda events: events[:650], "700.checkpoint: events 651 to 700 are missing, the log ends before them"),
        (lambda events: changed(events, 7, recorded_at=events[0].recorded_at), "event 7 was recorded before event 6"),
    ],
)
def test_a_log_rewritten_with_good_hashes_and_manifest_is_found_and_its_place_named(
    archive: Path, tmp_path: Path, change: Callable[[list[StoredEvent]], list[StoredEvent]], place: str
) -> None:
    forge(archive, change)
    code, told = verify(tmp_path, "--archive", str(archive))
    assert (code, place in told) == (1, True), told
    assert "is not the file" not in told


def test_a_log_rewritten_or_cut_with_its_checkpoints_is_found_by_those_kept_elsewhere(
    archive: Path, tmp_path: Path
) -> None:
    elsewhere = Path(shutil.copytree(archive / "checkpoints", tmp_path / "elsewhere"))
    forge(archive, lambda events: flipped(events)[:650])
    for size in SIZES[1:]:
        note(archive, size).unlink()
    assert verify(tmp_path, "--archive", str(archive))[0] == 0
    code, told = verify(tmp_path, "--archive", str(archive), "--checkpoints", str(elsewhere))
    assert code == 1
    assert f"{elsewhere}/{512:016}.checkpoint: its root is not the log's: something in events 301 to 512" in told
    assert f"{elsewhere}/{700:016}.checkpoint: events 651 to 700 are missing" in told


def without_checkpoints(archive: Path) -> None:
    for size in SIZES:
        note(archive, size).unlink()


def flip_a_byte(path: Path, place: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda a: flip_a_byte(a / f"events-{THIRD}"), f"events-{THIRD}: it is not the file that manifest.json states"),
        (lambda a: flip_a_byte(a / f"keys-{THIRD}"), f"keys-{THIRD}: it is not the file that manifest.json states"),
        (lambda a: (a / f"events-{THIRD}").unlink(), f"events-{THIRD} is missing or cannot be read: No such file"),
        (lambda a: (a / f"keys-{THIRD}").unlink(), f"keys-{THIRD} is missing or cannot be read: No such file"),
        (lambda a: rewritten(a, lambda m: m["segments"].pop(2)), "log: event 301 to 450 is missing"),
        (
            lambda a: rewritten(a, lambda m: m["segments"][2].update(root="0")),
            f"events-{THIRD}: its events do not give",
        ),
        (lambda a: rewritten(a, lambda m: m["segments"][2].update(last=1)), f"events-{THIRD}: its events do not give"),
        (lambda a: rewritten(a, lambda m: m.pop("tail")), "manifest.json is no manifest of an archive: KeyError"),
        (lambda a: rewritten(a, lambda m: m.update(segments=[1])), "manifest.json is no manifest of an archive"),
        (lambda a: (a / MANIFEST).write_text("["), "manifest.json is no manifest of an archive: JSONDecodeError"),
        (lambda a: flip_a_byte(note(a, 512), 20), "512.checkpoint: it bears no good signature of a key that was given"),
        (lambda a: note(a, 512).write_text("512"), "512.checkpoint is no checkpoint"),
        (without_checkpoints, "log: there is no checkpoint, so nothing vouches for"),
    ],
)
def test_a_file_that_was_changed_is_named(
    archive: Path, tmp_path: Path, change: Callable[[Path], object], place: str
) -> None:
    change(archive)
    code, told = verify(tmp_path, "--archive", str(archive))
    assert (code, place in told) == (1, True), told
    assert "Traceback" not in told


def test_an_archive_is_as_good_as_the_key_that_signed_it(archive: Path, tmp_path: Path) -> None:
    code, told = verify(tmp_path, "--archive", str(archive), key=FORGED.public_key)
    assert (code, told.count("it bears no good signature")) == (1, len(SIZES))


def columns_changed(archive: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    path = archive / f"events-{THIRD}"
    pq.write_table(change(pq.read_table(path)), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop_columns(["state"]),
        lambda table: table.set_column(5, "state", pa.nulls(table.num_rows, pa.binary())),
        lambda table: table.set_column(0, "position", pa.array(["x"] * table.num_rows)),
        lambda table: table.set_column(2, "stream", pa.array([b"\xff"] * table.num_rows)),
        lambda table: table.set_column(1, "recorded_at", pa.array([-(2**63)] * table.num_rows)),
    ],
)
def test_columns_of_another_kind_end_with_a_finding(
    archive: Path, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    columns_changed(archive, change)
    code, told = verify(tmp_path, "--archive", str(archive))
    assert (code, f"events-{THIRD}" in told, "Traceback" in told) == (1, True, False), told


def test_without_pyarrow_an_archive_ends_with_2_and_says_what_is_needed(archive: Path, tmp_path: Path) -> None:
    program = "import runpy, sys; sys.modules['pyarrow'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [sys.executable, "-I", "-c", program, str(PROGRAM), "--archive", str(archive), "--key", KEY.public_key]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ended.returncode, ended.stderr) == (2, "")
    assert ended.stdout.startswith("an archive is read with pyarrow; install it: ")
