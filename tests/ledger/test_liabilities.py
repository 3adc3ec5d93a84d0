"""What is owed is published gross, in salted leaves, in agreement with the books, and the same each time."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api import liability_verify
from api.answers import json_of
from ledger.errors import UnknownAccount, UnknownCheckpoint, UnknownPublication
from ledger.liabilities import LiabilitiesDiffer, latest_liabilities, liabilities_of, list_liabilities
from ledger.liability_proofs import all_leaves, liability_proof
from ledger.liability_secret import LiabilitySecretMissing, LiabilitySettings, master_secret
from ledger.postgres import connect
from ledger.sealing import SealBroken
from ledger.signing import SigningRefused
from tests.ledger.owing import MASTER, open_and_seal, owning, published, unpublish
from tests.ledger.sealed import KEY, tamper

FEW = [owning("alice", "5", debt="2"), owning("bob", "0.00000001"), owning("bob", "7", "USDT"), owning("carol", "0")]
KEYS = liability_verify.read_keys(KEY.public_key)


@pytest.fixture(autouse=True)
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the master secret that these publications are made with."""
    file = tmp_path / "secret"
    file.write_bytes(MASTER)
    file.chmod(0o600)
    monkeypatch.setenv("LEDGER_LIABILITY_SECRET", str(file))
    return file


@pytest.fixture
def opened(database: str) -> str:
    """A database with a checkpoint after alice, bob and carol were opened."""
    open_and_seal(database, ["alice", "bob", "carol"])
    return database


def told_to(url: str, account_id: str, size: int | None = None) -> dict[str, Any]:
    """A proof as its customer gets it."""
    with connect(url) as connection:
        proof: dict[str, Any] = json.loads(json_of(liability_proof(connection, account_id, size)))
    return proof


def leaves_of(url: str, size: int) -> list[tuple[str, str, bytes, Decimal]]:
    with connect(url) as connection:
        return list(all_leaves(connection, size))


def test_totals_are_gross_and_loans_stand_apart(opened: str) -> None:
    publication = published(opened, FEW)
    told = {(tree["kind"], tree["asset"]): (tree["total"], tree["leaves"]) for tree in publication["trees"]}
    assert told == {
        ("balances", "BTC"): ("5.00000001", 4),
        ("balances", "USDT"): ("7", 2),
        ("loans", "BTC"): ("2", 2),
        ("loans", "USDT"): ("0", 0),
    }


def test_the_same_checkpoint_is_published_in_the_same_bytes_each_time(opened: str) -> None:
    first = published(opened, FEW)
    leaves = leaves_of(opened, 3)
    unpublish(opened)
    assert published(opened, FEW[::-1]) == first
    assert leaves_of(opened, 3) == leaves


def test_ids_of_two_publications_or_two_assets_have_nothing_in_common(opened: str) -> None:
    published(opened, FEW)
    open_and_seal(opened, ["dan"])
    published(opened, FEW)
    ids = [leaf_id for size in (3, 4) for _, _, leaf_id, _ in leaves_of(opened, size)]
    assert len(ids) == 16
    assert len(set(ids)) == len(ids)


def test_an_amount_is_split_so_that_no_leaf_tells_it(opened: str) -> None:
    published(opened, [owning("alice", "5"), owning("bob", "5")])
    amounts = [amount for *_, amount in leaves_of(opened, 3)]
    assert sum(amounts) == 10
    assert Decimal(5) not in amounts
    assert len(set(amounts)) == 4


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 700])
def test_every_account_is_proved_whatever_the_number_of_leaves(database: str, count: int) -> None:
    accounts = [owning(f"customer-{number}", f"{number}.5", debt="0.1") for number in range(count)]
    open_and_seal(database, [one.account_id for one in accounts])
    publication = liability_verify.read_publication(published(database, accounts), KEYS)
    for account in accounts[:: max(1, count // 40)]:
        name = account.account_id
        told = liability_verify.check_proof(told_to(database, name), publication, name, {})
        assert told[0].startswith(f"balances BTC: {account.balance} owed to {name} is in the total of ")
        assert told[1].startswith(f"loans BTC: 0.1 owed by {name} is in the total of ")


def test_an_account_that_has_nothing_is_told_so(opened: str) -> None:
    published(opened, FEW)
    assert told_to(opened, "carol") == {"account_id": "carol", "size": 3, "trees": []}


def test_an_earlier_publication_is_proved_as_it_was(opened: str) -> None:
    published(opened, FEW)
    before = told_to(opened, "alice")
    open_and_seal(opened, ["dan"])
    published(opened, [owning("alice", "4")])
    assert told_to(opened, "alice", 3) == before
    assert told_to(opened, "alice")["size"] == 4


@pytest.mark.parametrize("booked", ["5.00000002", "5", "0"])
def test_accounts_that_do_not_come_to_what_the_books_say_are_not_published(opened: str, booked: str) -> None:
    with pytest.raises(LiabilitiesDiffer, match=f"come to 5.00000001 at position 3, the trial balance says {booked}"):
        published(opened, FEW, {("balances", "BTC"): Decimal(booked)})
    with connect(opened) as connection, pytest.raises(UnknownPublication, match="`ledger liabilities` makes one"):
        latest_liabilities(connection)
    assert leaves_of(opened, 3) == []


def test_what_the_books_have_and_no_account_is_not_published(opened: str) -> None:
    with pytest.raises(LiabilitiesDiffer, match="balances of all accounts in ETH come to 0 at position 3"):
        published(opened, [], {("balances", "ETH"): Decimal(1)})


def test_a_balance_below_zero_is_never_published(opened: str) -> None:
    with pytest.raises(LiabilitiesDiffer, match="balances of account alice in BTC: -1 is below zero"):
        published(opened, [owning("alice", "-1"), owning("bob", "2")])


def test_publications_are_told_by_the_size_of_their_checkpoint(opened: str) -> None:
    first = published(opened, FEW)
    open_and_seal(opened, ["dan"])
    second = published(opened, FEW)
    with connect(opened) as connection:
        assert list_liabilities(connection, 0, 10) == [first, second]
        assert list_liabilities(connection, 3, 10) == [second]
        assert latest_liabilities(connection) == second
        assert liabilities_of(connection, 3) == first
        with pytest.raises(UnknownPublication, match="at a checkpoint of 2 events"):
            liabilities_of(connection, 2)


def test_nothing_is_published_where_there_is_no_checkpoint(opened: str) -> None:
    with pytest.raises(UnknownCheckpoint, match="of 2 events"):
        published(opened, FEW, size=2)


@pytest.mark.parametrize("column", ["root = sha256(root)", "checkpointed_at = checkpointed_at + interval '1 s'"])
def test_nothing_is_published_at_a_checkpoint_that_was_changed(opened: str, column: str) -> None:
    tamper(opened, f"update checkpoints set {column}")
    with pytest.raises(SealBroken, match="the checkpoint of 3 events is not what was sealed"):
        published(opened, FEW)


def test_an_account_that_was_not_open_there_has_no_proof(opened: str) -> None:
    published(opened, FEW)
    open_and_seal(opened, ["dan"])
    with pytest.raises(UnknownAccount, match="account dan was not open at position 3"):
        told_to(opened, "dan")


def test_without_the_secret_of_the_publication_no_proof_is_given(opened: str, secret: Path) -> None:
    published(opened, FEW)
    secret.write_bytes(b"another")
    with pytest.raises(LiabilitySecretMissing, match="was salted with another secret"):
        told_to(opened, "alice")
    secret.unlink()
    with pytest.raises(LiabilitySecretMissing, match="cannot be read"):
        told_to(opened, "alice")


def test_the_secret_is_made_once_for_its_owner_alone(secret: Path) -> None:
    secret.unlink()
    file = LiabilitySettings().file
    made = master_secret(file, is_made=True)
    assert master_secret(file) == master_secret(file, is_made=True) == made
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    with pytest.raises(SigningRefused, match="can be read by others"):
        master_secret(file)
