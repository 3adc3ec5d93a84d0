"""Verification holds the keys of accounts' texts against the log: there until an erasure, and never after it."""

from collections.abc import Iterator

import pytest

from ledger import Ledger
from ledger.postgres import connect
from ledger.private_texts import key_id_of
from projections.runner import catch_up
from projections.verify import verify
from tests.ledger.submitting import ask, depositing, open_ledger
from tests.ledger.texts import stored_texts

ERASING = {"type": "erase_texts", "account_id": "alice", "reason_code": "legal_order", "idempotency_key": "e-1"}
UNGUARD = "alter table text_keys disable trigger all"
DESTROY = "update text_keys set wrapped = null, destroyed_at = now() where account_id = 'alice'"
REVIVE = "update text_keys set wrapped = 'kept', destroyed_at = null where account_id = 'alice' and generation = 0"


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """A ledger with a text on each of two accounts."""
    with open_ledger(database) as ledger:
        ask(ledger, depositing("1", "d1", reference="one"), depositing("1", "d2", "bob", reference="two"))
        yield ledger


def change(database: str, *statements: str) -> None:
    with connect(database) as connection:
        for statement in (UNGUARD, *statements):
            connection.execute(statement.encode())


def found(database: str) -> list[str]:
    catch_up(database)
    return verify(database).differences


def test_keys_that_are_there_or_were_erased_are_as_the_log_says(ledger: Ledger, database: str) -> None:
    assert found(database) == []
    ask(ledger, ERASING, depositing("1", "d3", reference="new"))
    assert found(database) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("delete from text_keys where account_id = 'alice'", "is missing, though no event erased them"),
        ("update text_keys set account_id = 'carol' where account_id = 'alice'", "is missing, though no event erased"),
        (DESTROY, "was destroyed, though no event says so"),
    ],
)
def test_a_key_that_is_gone_without_an_erasure_is_named_by_its_account(
    ledger: Ledger, database: str, statement: str, told: str
) -> None:
    position, text = next((at, texts["reference"]) for at, texts in stored_texts(database).items())
    change(database, statement)
    assert ledger
    head, named = found(database)
    assert head == "keys of texts: 1 differ from what the log says"
    sealed = f"  key {key_id_of(text)} of account alice, which sealed texts from event {position} on,"
    assert named.startswith(f"{sealed} {told}")


def test_a_key_that_is_there_after_its_erasure_is_named_by_its_account(ledger: Ledger, database: str) -> None:
    ask(ledger, ERASING)
    change(database, REVIVE)
    _, named = found(database)
    assert "of account alice, " in named
    assert named.endswith("is still there, though these texts were erased")


def test_keys_missing_of_a_log_that_was_restored_from_an_archive_are_no_difference(
    ledger: Ledger, database: str
) -> None:
    """An archive has no keys; those of texts that came after it must be there all the same."""
    change(
        database,
        "insert into restorations (last_position) select max(notification_id) from events",
        "delete from text_keys",
    )
    assert found(database) == []
    with Ledger(database) as later:
        ask(later, depositing("1", "d4", reference="later"))
    change(database, "delete from text_keys")
    assert len(found(database)) == 2
