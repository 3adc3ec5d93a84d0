"""The doors give out checkpoints and proofs, to whom they concern, and what they give out is good."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.examples_of_proofs import CHECKPOINT_KEYS, INCLUSION
from tests.api.house import House, deposit, open_account
from tests.api.test_ledger_verify import verify
from tests.ledger.sealed import KEY, seal_again

CHECKPOINTS = ["/v1/checkpoints", "/v1/checkpoints/latest", "/v1/checkpoints/keys"]


@pytest.fixture(scope="module")
def sealed(house: House) -> House:
    """The house with two accounts, and a checkpoint before and after the second."""
    house.send(open_account("alice"), deposit("alice", "10", "d1"))
    seal_again(house.url, KEY)
    house.send(open_account("bob"), deposit("bob", "10", "d1"))
    seal_again(house.url, KEY)
    return house


def position_of(house: House, account_id: str) -> int:
    events = house.get(f"/v1/accounts/{account_id}/events").json()["events"]
    return int(events[-1]["position"])


def proof_is_good(folder: Path, proof: Any, key: str = KEY.public_key) -> tuple[int, str]:
    (folder / "proof.json").write_text(json.dumps(proof))
    return verify(folder, "--proof", "proof.json", key=key)


def test_checkpoints_are_told_by_size_the_latest_last(sealed: House) -> None:
    listed = sealed.get("/v1/checkpoints").json()["checkpoints"]
    assert [one["size"] for one in listed] == [position_of(sealed, "alice"), position_of(sealed, "bob")]
    assert sealed.get("/v1/checkpoints/latest").json() == listed[-1]
    assert sealed.get(f"/v1/checkpoints/{listed[0]['size']}").json() == listed[0]
    page = sealed.get("/v1/checkpoints", params={"limit": 1}).json()
    assert page == {"checkpoints": listed[:1], "next": listed[0]["size"]}
    assert sealed.get("/v1/checkpoints", params={"after": page["next"]}).json()["checkpoints"] == listed[1:]


def test_a_checkpoint_that_was_never_made_is_unknown(sealed: House) -> None:
    answer = sealed.get("/v1/checkpoints/1")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_checkpoint")


def test_the_public_keys_are_told(sealed: House) -> None:
    keys = sealed.get("/v1/checkpoints/keys").json()["keys"]
    assert [(one["key_id"], one["public_key"]) for one in keys] == [(KEY.key_id, KEY.public_key)]


def test_an_event_of_an_account_is_proved_to_its_customer(sealed: House, tmp_path: Path) -> None:
    position = position_of(sealed, "alice")
    proof = sealed.get(f"/v1/accounts/alice/events/{position}/proof", who="alice").json()
    assert proof == sealed.get(f"/v1/events/{position}/proof", who="auditor").json()
    assert proof["size"] == position_of(sealed, "bob")
    assert proof_is_good(tmp_path, proof) == (0, f"event {position} is in the log\n")


def test_a_customer_gets_no_proof_of_anothers_event_and_learns_of_none(sealed: House) -> None:
    of_bob = position_of(sealed, "bob")
    assert sealed.get(f"/v1/events/{of_bob}/proof", who="alice").status_code == 403
    assert sealed.get(f"/v1/accounts/bob/events/{of_bob}/proof", who="alice").status_code == 403
    answers = [sealed.get(f"/v1/accounts/alice/events/{position}/proof", who="alice") for position in (of_bob, 10**9)]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "unknown_event")] * 2
    assert "bob" not in answers[0].text


@pytest.mark.parametrize("who", ["alice", "service", "operator", "auditor", "admin"])
@pytest.mark.parametrize("path", CHECKPOINTS)
def test_checkpoints_are_for_everybody_with_a_key(sealed: House, path: str, who: str) -> None:
    assert sealed.get(path, who=who).status_code == 200
    assert sealed.http.get(path).status_code == 401


def test_a_log_is_proved_to_go_on_from_an_earlier_one(sealed: House) -> None:
    first, last = sealed.get("/v1/checkpoints").json()["checkpoints"]
    sizes = {"from_size": first["size"], "to_size": last["size"]}
    proof = sealed.get("/v1/checkpoints/consistency", params=sizes).json()
    assert (proof["from_root"], proof["root"], proof["note"]) == (first["root"], last["root"], last["note"])
    assert proof["path"]


@pytest.mark.parametrize(
    ("sizes", "status", "code"),
    [((5, 4), 400, "malformed"), ((0, 4), 400, "malformed"), ((4, 10**9), 404, "not_sealed")],
)
def test_a_proof_between_sizes_that_cannot_be_is_refused(
    sealed: House, sizes: tuple[int, int], status: int, code: str
) -> None:
    answer = sealed.get("/v1/checkpoints/consistency", params={"from_size": sizes[0], "to_size": sizes[1]})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_event_newer_than_the_latest_checkpoint_is_not_sealed_yet(sealed: House) -> None:
    sealed.send(deposit("alice", "1", "later"))
    answer = sealed.get(f"/v1/events/{position_of(sealed, 'alice')}/proof")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_sealed")


def test_the_documented_example_is_a_good_proof(tmp_path: Path) -> None:
    key = str(CHECKPOINT_KEYS["keys"][0]["public_key"])
    assert proof_is_good(tmp_path, INCLUSION, key) == (0, "event 2 is in the log\n")
