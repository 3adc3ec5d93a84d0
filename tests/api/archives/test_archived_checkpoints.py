"""An archive carries the log's checkpoints; a restored log goes on from them, and no other goes along."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.postgres import connect
from ledger.proofs import consistency_proof, inclusion_proof
from ledger.signing import Checkpoint, SigningKey, read_checkpoint
from tests.api.archives.rows import END, NOTHING, SEGMENT, SIGNED, note, rewritten, stored
from tests.api.command_line import CommandLine
from tests.api.test_ledger_verify import verify
from tests.ledger.sealed import FORGED, KEY, SIZES, seal_again, tamper
from tests.projections.logs import random_log, record


def test_a_restored_log_is_sealed_and_proves_what_its_old_checkpoints_state(
    ledger: CommandLine, archive: Path, recorded: str, empty: str, tmp_path: Path
) -> None:
    ledger.use(empty)
    restored = ledger("import-log", archive)
    assert f"checkpoints {len(SIZES)}, the last of {SIGNED} events" in restored.out
    seal_again(empty, FORGED)
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY.public_key}\n{FORGED.public_key}\n")
    checkpoints = ["--checkpoints", str(archive / "checkpoints"), "--origin", origin_of(recorded)]
    told = verify(tmp_path, "--database", empty, *checkpoints, key=str(keys))
    assert told == (0, f"{END} events are as they were sealed\n")
    with connect(empty) as new, connect(recorded) as old:
        assert inclusion_proof(new, 299, 512) == inclusion_proof(old, 299, 512)
        assert consistency_proof(new, 300, 700) == consistency_proof(old, 300, 700)
        assert consistency_proof(new, 700, END)["from_root"] == consistency_proof(old, 512, 700)["root"]


def origin_of(url: str) -> str:
    return read_checkpoint(stored(url)[2][0][3]).origin


def test_a_log_that_was_never_signed_is_sealed_when_it_is_restored(
    ledger: CommandLine, empty: str, archive: Path
) -> None:
    for size in SIZES:
        note(archive, size).unlink()
    ledger.use(empty)
    ended = ledger("import-log", archive)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "checkpoints 0")
    assert verify(archive, "--database", empty)[0] == 1
    seal_again(empty, KEY)
    assert verify(archive, "--database", empty) == (0, f"{END} events are as they were sealed\n")


def test_a_checkpoint_kept_elsewhere_says_whether_an_archive_is_what_it_was(
    ledger: CommandLine, archive: Path, empty: str, tmp_path: Path
) -> None:
    ledger.use(empty)
    kept = tmp_path / "kept"
    kept.write_bytes(note(archive, 512).read_bytes())
    note(archive, 512).unlink()
    other = tmp_path / "other"
    other.write_text(signed(KEY, 512, b"x" * 32))
    for file, key, code, said in (
        (kept, FORGED.public_key, 1, "none of the keys that were given has signed it"),
        (other, KEY.public_key, 1, "the first 512 events give"),
        (tmp_path / "absent", KEY.public_key, 1, "cannot be read"),
        (kept, "nonsense", 2, "there is no file nonsense, and a key is NAME+ID+KEY"),
        (kept, None, 2, "--checkpoint and --key go together"),
    ):
        ended = ledger("import-log", archive, "--checkpoint", file, *([] if key is None else ["--key", key]))
        assert (ended.code, said in ended.err) == (code, True), ended.err
        assert stored(empty) == NOTHING
    assert ledger("import-log", archive, "--checkpoint", kept, "--key", KEY.public_key).code == 0


def test_a_checkpoint_kept_elsewhere_of_a_longer_log_says_that_the_end_is_missing(
    ledger: CommandLine, archive: Path, empty: str, tmp_path: Path
) -> None:
    ledger.use(empty)
    kept = tmp_path / "kept"
    kept.write_text(signed(KEY, END + 1, b"x" * 32))
    ended = ledger("import-log", archive, "--checkpoint", kept, "--key", KEY.public_key)
    assert (ended.code, f"the archive ends at event {END}: its end is missing" in ended.err) == (1, True)


def signed(key: SigningKey, size: int, root: bytes) -> str:
    return key.sign(Checkpoint("margin-ledger/ledger", size, root, datetime(2026, 1, 17, tzinfo=UTC)))


def named_otherwise(archive: Path) -> None:
    note(archive, 512).rename(note(archive, 511))


def without_keys(archive: Path) -> None:
    rewritten(archive, lambda manifest: manifest.update(public_keys=[]))


def with_a_key_that_is_none(archive: Path) -> None:
    rewritten(archive, lambda manifest: manifest.update(public_keys=["key"]))


def cut(archive: Path) -> None:
    def last_two(manifest: dict[str, Any]) -> None:
        manifest.update(segments=manifest["segments"][:-1], tail=None)

    rewritten(archive, last_two)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: note(a, 512).write_bytes(b"\xff"), "512.checkpoint cannot be read"),
        (lambda a: note(a, 512).write_text("512"), "512.checkpoint was changed: it is no checkpoint"),
        (
            lambda a: note(a, 512).write_text(signed(FORGED, 512, b"x" * 32)),
            "512.checkpoint was changed, or is another",
        ),
        (lambda a: note(a, 512).write_text(signed(KEY, 512, b"x" * 32)), "the first 512 events give"),
        (named_otherwise, "511.checkpoint states 512 events"),
        (without_keys, "300.checkpoint was changed, or is another's: no key that manifest.json names"),
        (with_a_key_that_is_none, "manifest.json: 'key' is no Ed25519 key"),
        (cut, f"was signed when the log had 700 events, the archive ends at event {4 * SEGMENT}"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(
    ledger: CommandLine, archive: Path, empty: str, change: Callable[[Path], object], said: str
) -> None:
    change(archive)
    ledger.use(empty)
    ended = ledger("import-log", archive)
    assert (ended.code, said in ended.err) == (1, True), ended.err
    assert stored(empty) == NOTHING


CHANGE_ROOT = "update checkpoints set note = replace(note, chr(10) || '700', chr(10) || '701') where size = 700"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update events set topic = 'x.y' where notification_id = 400", "the first 512 events give"),
        ("delete from events where notification_id > 650", "had 700 events, the log ends at event 650"),
        (CHANGE_ROOT, "the database's checkpoint of 700 events states 701 events"),
        ("update checkpoints set note = replace(note, '26', '25') where size = 700", "of 700 events was changed, or"),
        ("delete from checkpoint_keys", "none of the database's public keys has signed it"),
    ],
)
def test_a_log_that_is_not_what_its_checkpoints_state_is_not_archived(
    ledger: CommandLine, growing: str, tmp_path: Path, statement: str, said: str
) -> None:
    tamper(growing, statement)
    ended = ledger("export", "parquet", "--to", tmp_path / "archive", "--segment", str(SEGMENT), "--all")
    assert (ended.code, said in ended.err) == (1, True), ended.err


def test_a_checkpoint_that_was_archived_is_never_written_over(ledger: CommandLine, archive: Path, growing: str) -> None:
    note(archive, 512).write_text("mine")
    ended = ledger("export", "parquet", "--to", archive)
    assert (ended.code, "says something else than the database's checkpoint" in ended.err) == (1, True)
    assert note(archive, 512).read_text() == "mine"


def test_what_changed_since_it_was_archived_as_a_tail_is_noticed(
    ledger: CommandLine, archive: Path, growing: str
) -> None:
    record(growing, [event.model_copy(update={"account_id": "other"}) for event in random_log()[-1:]])
    tamper(growing, f"update events set topic = 'x.y' where notification_id = {END}")
    ended = ledger("export", "parquet", "--to", archive)
    assert (ended.code, f"to {END} of the log are not those in" in ended.err) == (1, True)
