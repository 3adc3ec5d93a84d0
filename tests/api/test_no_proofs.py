"""What `ledger-verify --proof` is given and is no proof of inclusion ends with 2 and a sentence, never a traceback."""

from pathlib import Path
from typing import Any

import pytest

from ledger.postgres import connect
from ledger.proofs import inclusion_proof
from tests.api.test_ledger_verify import proof_is_good, verify
from tests.ledger.sealed import seal_log_of


@pytest.fixture(scope="module")
def proof(module_database: str) -> dict[str, Any]:
    """A good proof, for tests to spoil."""
    seal_log_of(module_database)
    with connect(module_database) as connection:
        return inclusion_proof(connection, 1, 300)


def is_no_proof(ended: tuple[int, str]) -> bool:
    code, told = ended
    return code == 2 and told.count("\n") == 1 and "it is no proof of inclusion as the API answers it: " in told


def test_a_good_proof_is_one(proof: dict[str, Any], tmp_path: Path) -> None:
    assert proof_is_good(tmp_path, proof) == (0, "event 1 is in the log\n")


@pytest.mark.parametrize("kind", [list, str])
def test_what_is_no_object_is_no_proof(proof: dict[str, Any], tmp_path: Path, kind: type) -> None:
    assert is_no_proof(proof_is_good(tmp_path, kind([proof])))


@pytest.mark.parametrize(
    "changed",
    [
        {"leaf": "AAAA"},
        {"leaf": ""},
        {"leaf": 7},
        {"path": 7},
        {"path": [7]},
        {"path": "no base64"},
        {"position": "1"},
        {"position": None},
        {"note": 7},
        {"note": None},
    ],
)
def test_what_has_a_field_of_another_kind_is_no_proof(
    proof: dict[str, Any], tmp_path: Path, changed: dict[str, Any]
) -> None:
    assert is_no_proof(proof_is_good(tmp_path, {**proof, **changed}))


def test_a_path_without_end_is_no_proof(proof: dict[str, Any], tmp_path: Path) -> None:
    note = proof["note"].replace("300", str(2**9_000), 1)
    assert is_no_proof(proof_is_good(tmp_path, {**proof, "note": note, "path": proof["path"] * 2_000}))


@pytest.mark.parametrize("content", ["[" * 200_000, "no JSON", ""])
def test_what_is_no_json_is_no_proof(tmp_path: Path, content: str) -> None:
    (tmp_path / "proof.json").write_text(content)
    assert is_no_proof(verify(tmp_path, "--proof", "proof.json"))
