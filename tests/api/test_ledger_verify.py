"""`ledger-verify` finds every kind of tampering and names its place; it is run alone, as it would be carried away."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.postgres import connect
from ledger.proofs import inclusion_proof
from tests.house.files import ROOT, parsed
from tests.ledger.sealed import (
    CHANGE,
    FORGED,
    KEY,
    UNSEAL,
    UNSEAL_NODES,
    UNSIGN,
    seal_again,
    seal_log_of,
    tamper,
)
from tests.projections.logs import random_log, record

PROGRAM = ROOT / "api" / "ledger_verify.py"
ALLOWED = sys.stdlib_module_names | {"psycopg", "cryptography", "pyarrow"}
CUT = "delete from events where notification_id > 650"
# Position 400 moves out of the way first, for positions are unique at every moment.
SHIFT = [
    "update events set notification_id = notification_id + 10000 where notification_id >= 400",
    "update events set notification_id = notification_id - 9999 where notification_id >= 10400",
]
INSERT = (
    "insert into events select 400, originator_version, recorded_at, 'forged', topic, state"
    " from events where notification_id = 399"
)
SWAP = [
    "update events set notification_id = 10000 where notification_id = 400",
    "update events set notification_id = 400 where notification_id = 401",
    "update events set notification_id = 401 where notification_id = 10000",
]


def verify(folder: Path, *arguments: str, key: str = KEY.public_key) -> tuple[int, str]:
    """Runs a copy of the one file in a folder of its own, without the project; its exit code and what it printed."""
    program = shutil.copy(PROGRAM, folder)
    command = [sys.executable, "-I", program, *arguments, "--key", key]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def sealed(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A database with a sealed log that its tests only read, and the folder of its checkpoints."""
    folder = tmp_path_factory.mktemp("checkpoints")
    seal_log_of(module_database, folder)
    return module_database, folder


def test_the_verifier_knows_nothing_but_its_libraries() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(parsed(PROGRAM))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert imported - ALLOWED == set()


def test_an_untouched_log_is_good(sealed: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = sealed
    found = verify(tmp_path, "--database", url, "--checkpoints", str(folder), "--origin", origin_of(url))
    assert found == (0, "700 events are as they were sealed\n")


def test_what_is_in_no_checkpoint_yet_is_told(database: str, tmp_path: Path) -> None:
    seal_log_of(database)
    record(database, random_log()[700:710])
    code, told = verify(tmp_path, "--database", database)
    assert (code, told) == (0, "710 events are as they were sealed; the last 10 are in no checkpoint yet\n")


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        pytest.param([CHANGE], "event 400 (", id="a flipped byte"),
        pytest.param(
            ["update events set topic = 'x.y' where notification_id = 7"], "event 7 (x.y ", id="another topic"
        ),
        pytest.param(
            ["update events set recorded_at = recorded_at + interval '1us' where notification_id = 7"],
            "event 7 (",
            id="another time",
        ),
        pytest.param(
            ["update events set recorded_at = recorded_at - interval '2 s' where notification_id = 7"],
            "event 7 was recorded before event 6",
            id="a time that goes back",
        ),
        pytest.param(
            ["update events set originator_version = 10000 where notification_id = 9"],
            "event 9 is version 10000 of ",
            id="another version",
        ),
        pytest.param(
            ["delete from events where notification_id = 400"], "log: event 400 is missing", id="a deleted event"
        ),
        pytest.param(
            ["delete from events where notification_id between 400 and 405"],
            "log: event 400 to 405 is missing",
            id="several deleted events",
        ),
        pytest.param([*SHIFT, INSERT], "event 400 (", id="an inserted event"),
        pytest.param(SWAP, "event 400 (", id="two events in another order"),
        pytest.param([CUT], "log: it ends at position 650, but events 651 to 700 were sealed", id="a cut tail"),
        pytest.param(
            ["update seal_leaves set hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) where first_position = 257"],
            "event 257 (",
            id="a changed leaf of the seal",
        ),
        pytest.param(
            ["update seal_nodes set hash = sha256(hash) where number = 1"],
            "seal: the root of events 257 to 512 is not what these events give",
            id="a changed node of the seal",
        ),
        pytest.param(
            ["update checkpoints set note = replace(note, '512', '513') where size = 512"],
            "checkpoint 512 of the database: it bears no good signature",
            id="a changed note",
        ),
        pytest.param(
            ["update checkpoints set root = sha256(root) where size = 512"],
            "checkpoint 512 of the database: it is stored as another than was signed",
            id="a changed root",
        ),
        pytest.param(
            ["delete from checkpoints", "delete from seal_leaves", "delete from seal_nodes"],
            "log: there is no checkpoint, so nothing vouches for events 1 to 700",
            id="no seal at all",
        ),
    ],
)
def test_tampering_is_found_and_its_place_named(
    database: str, tmp_path: Path, statements: list[str], place: str
) -> None:
    seal_log_of(database)
    tamper(database, *statements)
    code, told = verify(tmp_path, "--database", database)
    assert code == 1
    assert f"TAMPERED: {place}" in told


def test_a_suffix_rewritten_with_good_hashes_is_found_by_the_signed_checkpoints(database: str, tmp_path: Path) -> None:
    seal_log_of(database)
    tamper(database, CHANGE, UNSEAL, UNSEAL_NODES)
    tamper(database, "delete from checkpoints where size = 700")
    with pytest.raises(RuntimeError, match="is not what the checkpoint of 512 stated"):
        seal_again(database, FORGED)
    code, told = verify(tmp_path, "--database", database)
    assert code == 1
    assert "checkpoint 512 of the database: its root is not the log's: something in events 301 to 512 was chan" in told
    assert "event 400" not in told


def test_a_suffix_rewritten_with_its_checkpoints_is_found_by_their_signatures(database: str, tmp_path: Path) -> None:
    seal_log_of(database)
    tamper(database, CHANGE, UNSEAL, UNSEAL_NODES, UNSIGN)
    seal_again(database, FORGED)
    code, told = verify(tmp_path, "--database", database)
    assert (code, told) == (
        1,
        "TAMPERED: checkpoint 700 of the database: it bears no good signature of a key that was given\n",
    )


def test_a_suffix_rewritten_by_who_has_the_key_is_found_by_checkpoints_elsewhere(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    seal_log_of(database, folder)
    tamper(database, CHANGE, UNSEAL, UNSEAL_NODES, UNSIGN)
    seal_again(database, KEY)
    assert verify(tmp_path, "--database", database)[0] == 0
    code, told = verify(tmp_path, "--database", database, "--checkpoints", str(folder))
    assert code == 1
    assert f"{512:016}.checkpoint: its root is not the log's: something in events 301 to 512 was changed" in told


def test_a_tail_cut_with_its_seal_and_checkpoints_is_found_by_checkpoints_elsewhere(
    database: str, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    seal_log_of(database, folder)
    tamper(
        database,
        "delete from events where notification_id > 300",
        "delete from seal_leaves where first_position > 300",
        UNSIGN,
        UNSEAL_NODES,
    )
    assert verify(tmp_path, "--database", database)[0] == 0
    code, told = verify(tmp_path, "--database", database, "--checkpoints", str(folder / f"{700:016}.checkpoint"))
    assert code == 1
    assert f"{700:016}.checkpoint: events 301 to 700 are missing, the log ends before them" in told


@pytest.mark.parametrize("size", [300, 512, 700])
def test_a_checkpoint_that_was_kept_and_is_not_in_the_database_any_more_is_told_by_its_size(
    database: str, tmp_path: Path, size: int
) -> None:
    folder = tmp_path / "elsewhere"
    seal_log_of(database, folder)
    tamper(database, f"delete from checkpoints where size = {size}")
    file = folder / f"{size:016}.checkpoint"
    told = f"TAMPERED: {file}: the checkpoint of {size} events is not in the database any more\n"
    for kept in (folder, file):
        assert verify(tmp_path, "--database", database, "--checkpoints", str(kept)) == (1, told)


def test_missing_checkpoints_are_told_beside_a_gap_in_the_log(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    seal_log_of(database, folder)
    tamper(database, "delete from checkpoints where size = 512", "delete from events where notification_id = 1")
    code, told = verify(tmp_path, "--database", database, "--checkpoints", str(folder))
    assert code == 1
    assert "log: event 1 is missing" in told
    assert "the checkpoint of 512 events is not in the database any more" in told


def test_checkpoints_of_a_retired_key_are_good_with_its_public_key(database: str, tmp_path: Path) -> None:
    seal_log_of(database)
    record(database, random_log()[700:710])
    seal_again(database, FORGED)
    assert verify(tmp_path, "--database", database)[0] == 1
    (tmp_path / "keys").write_text(f"{KEY.public_key}\n{FORGED.public_key}\n")
    assert verify(tmp_path, "--database", database, key="keys") == (0, "710 events are as they were sealed\n")


@pytest.mark.parametrize(("position", "size"), [(1, 300), (299, 512), (512, 512), (513, 700), (700, 700)])
def test_a_proof_of_the_api_is_good_and_a_changed_one_is_not(
    sealed: tuple[str, Path], tmp_path: Path, position: int, size: int
) -> None:
    with connect(sealed[0]) as connection:
        proof = inclusion_proof(connection, position, size)
    assert proof_is_good(tmp_path, proof) == (0, f"event {position} is in the log\n")
    for changed in (
        {"path": [*proof["path"][1:], proof["path"][0]]},
        {"path": proof["path"][:-1]},
        {"position": position % 700 + 1},
        {"note": proof["note"].replace("time 2", "time 3")},
    ):
        assert proof_is_good(tmp_path, {**proof, **changed})[0] == 1, changed


def proof_is_good(folder: Path, proof: object) -> tuple[int, str]:
    (folder / "proof.json").write_text(json.dumps(proof))
    return verify(folder, "--proof", "proof.json")


def test_another_logs_checkpoints_are_not_taken_for_this_ones(sealed: tuple[str, Path], tmp_path: Path) -> None:
    code, told = verify(tmp_path, "--database", sealed[0], "--origin", "margin-ledger/another")
    assert code == 1
    assert f"it is of the log {origin_of(sealed[0])}, not of margin-ledger/another" in told


@pytest.mark.parametrize(
    "arguments", [[], ["--database", "x", "--archive", "y"], ["--archive", "missing"], ["--checkpoints", "missing"]]
)
def test_what_cannot_be_understood_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    assert verify(tmp_path, *arguments)[0] == 2


def test_a_key_that_is_none_ends_with_2(sealed: tuple[str, Path], tmp_path: Path) -> None:
    for key in ("nonsense", KEY.public_key.replace(KEY.key_id, "00000000"), KEY.public_key[:-5]):
        assert verify(tmp_path, "--database", sealed[0], key=key)[0] == 2


def test_a_database_without_a_ledger_ends_with_2_and_one_that_is_not_there_with_3(
    empty_database: str, tmp_path: Path
) -> None:
    assert verify(tmp_path, "--database", empty_database)[0] == 2
    assert verify(tmp_path, "--database", f"host={tmp_path} dbname=ledger")[0] == 3


def origin_of(url: str) -> str:
    with connect(url) as connection:
        return f"margin-ledger/{connection.info.dbname}"
