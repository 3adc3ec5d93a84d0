"""The log is sealed as it grows: leaves byte by byte, roots and proofs of what is stored, signed checkpoints, files."""

import base64
import struct
import threading
import time
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger import sealing
from ledger.errors import Malformed, NotSealed, UnknownCheckpoint, UnknownEvent
from ledger.merkle import leaf_hash, node_hash, perfect_root
from ledger.postgres import connect
from ledger.proofs import consistency_proof, inclusion_proof, latest_checkpoint, list_checkpoints, public_keys
from ledger.sealer import (
    Sealer,
    SealSettings,
    open_sealing,
    seal_log,
    seal_to_end,
    sign_checkpoint,
    write_checkpoints,
)
from ledger.sealing import SealBroken, Tree, sealed_size
from ledger.signing import SigningRefused, signing_key
from tests.ledger.sealed import CHANGE, KEY, SIZES, UNSEAL, seal_again, seal_log_of, tamper
from tests.ledger.test_merkle import defined_root, led_to
from tests.projections.logs import long_log, random_log, record
from tests.projections.processes import wait_until


@pytest.fixture(scope="module")
def sealed(module_database: str) -> str:
    """A database with a sealed log that its tests only read."""
    seal_log_of(module_database)
    return module_database


def leaves_of(url: str, size: int) -> list[bytes]:
    """The leaves of the first events, packed here as the README has them."""
    with connect(url) as connection:
        rows = connection.execute(
            "select notification_id, (extract(epoch from recorded_at) * 1000000)::bigint, originator_id,"
            " originator_version, topic, state from events where notification_id <= %s order by 1",
            [size],
        ).fetchall()
    return [
        struct.pack(">HIqIqIq", 6, 8, position, 8, at - 946_684_800_000_000, 8, version)
        + b"".join(struct.pack(">I", len(part)) + part for part in (stream.encode(), topic.encode(), state))
        for position, at, stream, version, topic, state in rows
    ]


@pytest.mark.parametrize("size", [1, 255, 256, 257, *SIZES])
def test_the_root_of_what_is_stored_is_that_of_the_events(sealed: str, size: int) -> None:
    with connect(sealed) as connection:
        assert Tree(connection).root(size) == defined_root(leaves_of(sealed, size))


def test_an_event_is_proved_by_its_own_bytes(sealed: str) -> None:
    with connect(sealed) as connection:
        proof = inclusion_proof(connection, 299)
        assert (proof["size"], proof["note"]) == (700, latest_checkpoint(connection)["note"])
    assert base64.b64decode(proof["leaf"]) == leaves_of(sealed, 299)[-1]
    path = [base64.b64decode(step) for step in proof["path"]]
    led = led_to(298, 700, leaf_hash(base64.b64decode(proof["leaf"])), path)
    assert base64.b64encode(led).decode() == proof["root"]


def test_a_proof_states_no_note_where_no_checkpoint_has_its_size(sealed: str) -> None:
    with connect(sealed) as connection:
        assert inclusion_proof(connection, 1, 2)["note"] is None
        assert consistency_proof(connection, 300, 512)["note"] is not None


def test_proofs_of_what_is_not_there_are_refused(sealed: str) -> None:
    with connect(sealed) as connection:
        with pytest.raises(UnknownEvent, match="the log has no event at position 701"):
            inclusion_proof(connection, 701)
        with pytest.raises(UnknownEvent, match="account nobody has no event at position 1"):
            inclusion_proof(connection, 1, account_id="nobody")
        with pytest.raises(Malformed, match="of 299 events does not reach position 300"):
            inclusion_proof(connection, 300, 299)
        with pytest.raises(NotSealed, match="701 events was asked for, 700 are sealed"):
            inclusion_proof(connection, 300, 701)
        with pytest.raises(Malformed, match="of 300 events cannot go on from one of 512"):
            consistency_proof(connection, 512, 300)


def test_checkpoints_and_keys_are_listed(sealed: str) -> None:
    with connect(sealed) as connection:
        assert [one["size"] for one in list_checkpoints(connection, 0, 10)] == list(SIZES)
        assert [one["size"] for one in list_checkpoints(connection, 300, 1)] == [512]
        assert [one["public_key"] for one in public_keys(connection)] == [KEY.public_key]


def test_an_empty_log_has_no_checkpoint(database: str) -> None:
    with open_sealing(database) as connection:
        assert (seal_to_end(connection), sign_checkpoint(connection, KEY)) == (0, None)
        with pytest.raises(UnknownCheckpoint, match="no checkpoint yet"):
            latest_checkpoint(connection)


def test_a_log_that_did_not_grow_is_not_signed_again(database: str) -> None:
    seal_log_of(database)
    with open_sealing(database) as connection:
        assert (seal_to_end(connection), sign_checkpoint(connection, KEY)) == (0, None)


def test_a_log_of_many_tiles_is_sealed_to_its_end(database: str) -> None:
    events = long_log(6)
    end = record(database, [*events, *random_log()[:0]])
    assert end > 2 * 256
    with open_sealing(database) as connection:
        assert seal_to_end(connection) == end == sealed_size(connection)
        tree = Tree(connection)
        assert tree.perfect(9, 0) == node_hash(tree.perfect(8, 0), tree.perfect(8, 1))
        assert tree.perfect(8, 0) == perfect_root(b"".join(map(leaf_hash, leaves_of(database, 256))))


def test_two_sealers_at_once_seal_everything_once(database: str) -> None:
    end = record(database, long_log(6))
    totals: list[int] = []

    def sealing() -> None:
        with open_sealing(database) as connection:
            totals.append(seal_to_end(connection))

    threads = [threading.Thread(target=sealing) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(totals) == end


@pytest.mark.parametrize(
    ("missing", "first"), [("= 1", 1), ("= 256", 256), ("= 300", 300), ("between 250 and 520", 250), ("<= 256", 1)]
)
def test_a_log_with_a_hole_is_not_sealed(database: str, missing: str, first: int) -> None:
    record(database, random_log()[:600])
    tamper(database, f"delete from events where notification_id {missing}")
    with open_sealing(database) as connection, pytest.raises(SealBroken, match=f"log: event {first} is missing"):
        seal_to_end(connection)


def test_a_hole_near_the_end_is_not_sealed_over(database: str) -> None:
    record(database, random_log()[:600])
    tamper(database, "delete from events where notification_id = 590")
    with open_sealing(database) as connection:
        with pytest.raises(SealBroken, match="log: event 590 is missing"):
            seal_to_end(connection)
        assert sealed_size(connection) == 0


def test_a_tree_that_does_not_go_on_from_the_last_checkpoint_is_not_signed(database: str) -> None:
    seal_log_of(database)
    tamper(database, CHANGE, UNSEAL, "delete from seal_nodes where number > 0")
    record(database, random_log()[700:710])
    with pytest.raises(SealBroken, match="is not what the checkpoint of 700 stated"):
        seal_again(database, KEY)


def test_checkpoints_are_written_to_files_once_and_never_over_others(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    seal_log_of(database, folder)
    files = sorted(file.name for file in folder.iterdir())
    assert files == [f"{size:016}.checkpoint" for size in SIZES]
    with connect(database) as connection:
        assert (folder / files[-1]).read_text() == latest_checkpoint(connection)["note"]
        assert write_checkpoints(connection, folder) == 0
        (folder / files[0]).write_text("something else")
        with pytest.raises(SealBroken, match="says something else than the database's checkpoint"):
            write_checkpoints(connection, folder)
    assert (folder / files[0]).read_text() == "something else"


def test_the_sealer_signs_once_the_log_is_quiet(database: str, tmp_path: Path) -> None:
    settings = SealSettings(signing_key=tmp_path / "key.pem", checkpoint_folder=tmp_path / "kept")
    stop = threading.Event()
    thread = threading.Thread(target=seal_log, args=(database, stop, settings))
    thread.start()
    try:
        record(database, random_log()[:30])
        wait_until(lambda: (tmp_path / "kept" / f"{30:016}.checkpoint").exists())
        record(database, random_log()[30:40])
        wait_until(lambda: (tmp_path / "kept" / f"{40:016}.checkpoint").exists())
    finally:
        stop.set()
        thread.join(30)
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {f"{size:016}.checkpoint" for size in (30, 40)}


def test_checkpoints_of_a_time_without_a_folder_and_of_other_sealers_are_written_once_there_is_one(
    database: str, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    alone = SealSettings(signing_key=tmp_path / "key.pem", checkpoint_seconds=0.0)
    keeping = alone.model_copy(update={"checkpoint_folder": folder})
    folder.write_text("in the way")
    with open_sealing(database) as connection:
        first = Sealer(connection, keeping)
        for end, sealer in ((10, first), (20, first), (30, Sealer(connection, alone))):
            record(database, random_log()[end - 10 : end])
            time.sleep(0.001)
            assert sealer.step() == 10
        with pytest.raises(OSError, match="kept"):
            first.sign()
        folder.unlink()
        first.step()
        files = [folder / f"{size:016}.checkpoint" for size in (10, 20, 30)]
        assert sorted(folder.iterdir()) == files
        # Another one knows what is there by its name, and writes what is missing.
        files[1].unlink()
        Sealer(connection, keeping).sign()
        assert sorted(folder.iterdir()) == files


def test_a_sealer_whose_key_file_is_lost_goes_on_with_its_key(database: str, tmp_path: Path) -> None:
    settings = SealSettings(signing_key=tmp_path / "key.pem", checkpoint_folder=tmp_path / "kept")
    stop = threading.Event()
    thread = threading.Thread(target=seal_log, args=(database, stop, settings))
    thread.start()
    try:
        record(database, random_log()[:30])
        wait_until(lambda: (tmp_path / "kept" / f"{30:016}.checkpoint").exists())
        (tmp_path / "key.pem").unlink()
        tamper(
            database, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ledger sealing'"
        )
        record(database, random_log()[30:40])
        wait_until(lambda: (tmp_path / "kept" / f"{40:016}.checkpoint").exists())
    finally:
        stop.set()
        thread.join(30)
    assert not (tmp_path / "key.pem").exists()
    with connect(database) as connection:
        assert connection.execute("select count(*) from checkpoint_keys").fetchone() == (1,)


def test_the_sealer_signs_at_intervals_while_the_log_grows(database: str, tmp_path: Path) -> None:
    with open_sealing(database) as connection:
        sealer = Sealer(connection, SealSettings(signing_key=tmp_path / "key.pem", checkpoint_seconds=0.0))
        for number in range(3):
            record(database, random_log()[number : number + 1])
            time.sleep(0.001)
            assert sealer.step() == 1
        assert [one["size"] for one in list_checkpoints(connection, 0, 10)] == [1, 2, 3]


def test_the_sealer_signs_within_a_backlog_only_where_it_never_gets_to_its_end(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "TILES_AT_ONCE", 1)
    record(database, random_log()[:600])
    with open_sealing(database) as connection:
        settings = SealSettings(signing_key=tmp_path / "key.pem", checkpoint_seconds=1.0)
        sealer = Sealer(connection, settings)
        time.sleep(1)
        assert [sealer.step(), list_checkpoints(connection, 0, 10)] == [256, []]
        assert [sealer.step(), list_checkpoints(connection, 0, 10)] == [256, []]
        assert sealer.step() == 600 - 512
        assert [one["size"] for one in list_checkpoints(connection, 0, 10)] == [600]
        record(database, random_log()[600:])
        settings.checkpoint_seconds = 0.0
        assert sealer.step() == 768 - 600
        assert [one["size"] for one in list_checkpoints(connection, 0, 10)] == [600, 768]


def test_a_signing_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "key.pem"
    key = signing_key(file)
    assert signing_key(file).public_key == key.public_key
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["key.pem"]
    file.chmod(0o640)
    with pytest.raises(SigningRefused, match="can be read by others"):
        signing_key(file)


def test_what_is_no_ed25519_key_signs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("no key")
    file.chmod(0o600)
    with pytest.raises(SigningRefused, match="holds no signing key"):
        signing_key(file)
    other = generate_private_key(SECP256R1())
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SigningRefused, match="is no Ed25519 key"):
        signing_key(file)


def test_a_seal_that_was_stored_is_not_stored_again(sealed: str) -> None:
    with connect(sealed) as connection, pytest.raises(psycopg.errors.CheckViolation, match="lies_in_one_tile"):
        connection.execute("insert into seal_leaves values (956, %s)", [b"x" * 32 * 200])
