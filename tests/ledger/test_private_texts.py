"""Reasons and references are stored encrypted under a key of their account, and go with it."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger import Ledger, Refused
from ledger.postgres import PROJECTIONS, SERVICE, connect
from ledger.privacy_key import PrivacyRefused
from ledger.private_texts import read_sealed
from ledger.text_keys import key_file_of, rotate_privacy_key
from projections.runner import catch_up
from projections.verify import verify
from tests.ledger.submitting import ask, ask_one, code, depositing, free, open_ledger, sending, trading
from tests.ledger.texts import everything_in, raw_log, sealed_everywhere, shown_log, stored_texts

NAME = "Zacharias Quendt"
ERASING = {"type": "erase_texts", "account_id": "alice", "reason_code": "customer_request", "idempotency_key": "e-1"}


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with open_ledger(database) as opened:
        yield opened


def key_ids(url: str, position: int) -> set[str]:
    return {read_sealed(text).key_id for text in stored_texts(url)[position].values()}


def test_no_text_that_was_stated_is_anywhere_in_the_database(ledger: Ledger, database: str) -> None:
    told = {"reason": f"asked by {NAME}"}
    withdrawal = {"account_id": "alice", "withdrawal_id": "w"}
    outcomes = ask(
        ledger,
        depositing("400", "d1", reference=f"transfer of {NAME}", **told),
        depositing("1", "d2", "bob"),
        {"type": "deposit", "account_id": "bob", "asset": "BTC", "amount": "1", "deposit_id": "d3", **told},
        {**sending("15", "s1"), **told},
        {**trading("t1"), **told},
        {"type": "request_withdrawal", "asset": "USDT", "amount": "1", **withdrawal, **told},
        {"type": "settle_withdrawal", "reference": f"paid to {NAME}", **withdrawal},
        {"type": "freeze_account", "account_id": "bob", "idempotency_key": "f", **told},
        {**depositing("1", "d1"), **told},  # Refused: the key was used.
    )
    assert [code(outcome) for outcome in outcomes] == ["recorded"] * 8 + ["idempotency_key_reused"]
    catch_up(database)
    assert NAME.split()[1] not in everything_in(database)
    assert sealed_everywhere(database)
    texts = [text for told in shown_log(database).values() for text in told.values()]
    assert texts.count(f"asked by {NAME}") == 8
    assert {f"transfer of {NAME}", f"paid to {NAME}"} <= set(texts)


def test_an_event_is_sealed_under_the_key_of_its_own_account(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("40", "d1"), {**sending("15", "s1"), "reason": NAME}, {**sending("1", "s2"), "reason": NAME})
    of_alice, of_bob = key_ids(database, 7) | key_ids(database, 9), key_ids(database, 8)
    assert (len(of_alice), len(of_bob)) == (1, 1)
    assert of_alice != of_bob
    texts = stored_texts(database)
    assert texts[7] == texts[9]
    assert texts[7] != texts[8]


def test_a_repeated_command_is_known_by_its_text(ledger: Ledger) -> None:
    asked = depositing("40", "d1", reference=NAME)
    other = ask(ledger, asked, asked, depositing("40", "d1", reference="another"), depositing("40", "d1"))
    assert [code(outcome) for outcome in other] == ["recorded", "replayed", *["idempotency_key_reused"] * 2]
    refused = other[2]
    assert isinstance(refused, Refused)
    assert refused.refusal.members == {"field": "reference"}
    assert NAME not in refused.refusal.detail
    assert free(ledger, "alice") == 40


def test_the_exchange_s_own_reasons_are_about_no_account_and_stay_as_they_are(ledger: Ledger, database: str) -> None:
    rate = {"type": "set_interest_rate", "asset": "BTC", "daily_rate": "0.1", "idempotency_key": "r", "reason": "costs"}
    assert code(ask_one(ledger, rate)) == "recorded"
    assert stored_texts(database)[6] == {"reason": "costs"}


def test_what_is_erased_is_readable_no_more_and_nothing_else_changes(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("40", "d1", reference=NAME, reason="by post"), depositing("5", "d2", "bob", reference=NAME))
    before = raw_log(database)
    assert code(ask_one(ledger, ERASING)) == "recorded"
    assert raw_log(database)[:-1] == before
    assert shown_log(database) == {
        6: {"reason": None, "reference": None, "erased": ["reason", "reference"]},
        7: {"reference": NAME},
    }
    assert free(ledger, "alice") == 40
    catch_up(database)
    found = verify(database)
    assert (found.differences, found.trial_balance_zero) == ([], True)


def test_a_text_after_an_erasure_has_a_key_of_its_own(ledger: Ledger, database: str) -> None:
    """Also in the same batch, where the erasure is not recorded yet when the text is sealed."""
    ask(ledger, depositing("1", "d1", reference="old"))
    outcomes = ask(ledger, depositing("1", "d2", reference="last"), ERASING, depositing("1", "d3", reference="new"))
    assert [code(outcome) for outcome in outcomes] == ["recorded"] * 3
    ask(ledger, depositing("1", "d4", reference="newer"))
    told = [texts["reference"] for texts in shown_log(database).values()]
    assert told == [None, None, "new", "newer"]
    ask(ledger, {**ERASING, "idempotency_key": "e-2"})
    assert [texts["reference"] for texts in shown_log(database).values()] == [None] * 4


def test_a_repeated_command_whose_text_was_erased_is_answered_as_the_first_time(ledger: Ledger) -> None:
    """The text cannot be compared any more; all else is."""
    asked = depositing("40", "d1", reference=NAME)
    ask(ledger, asked, ERASING)
    answers = ask(ledger, asked, {**asked, "reference": "other"}, {**asked, "amount": "41"}, depositing("40", "d1"))
    assert [code(one) for one in answers] == ["replayed", "replayed", *["idempotency_key_reused"] * 2]
    assert code(ask_one(ledger, ERASING)) == "replayed"


def test_an_erasure_says_why_by_a_code_alone(ledger: Ledger) -> None:
    with pytest.raises(Exception, match="reason is left out"):
        ask(ledger, {**ERASING, "reason": f"{NAME} asked"})


def test_texts_of_a_closed_account_can_be_erased(ledger: Ledger, database: str) -> None:
    closing = {"type": "close_account", "account_id": "alice", "idempotency_key": "c", "reason": NAME}
    assert [code(one) for one in ask(ledger, closing, ERASING)] == ["recorded", "recorded"]
    assert shown_log(database)[6] == {"reason": None, "erased": ["reason"]}


def test_who_holds_a_key_in_memory_seals_nothing_with_it_after_another_erased(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("1", "d1", reference="old"))
    with Ledger(database) as other:
        ask(other, depositing("1", "d2", reference="old too"), ERASING)
    ask(ledger, depositing("1", "d3", reference="new"))
    assert [texts["reference"] for texts in shown_log(database).values()] == [None, None, "new"]


def test_texts_from_before_they_were_sealed_stay_readable(ledger: Ledger, database: str) -> None:
    asked = depositing("40", "d1", reference=NAME)
    content = json.dumps({name: value for name, value in asked.items() if name != "idempotency_key"})
    event = {
        "account_id": "alice", "version": 2, "effective_at": "2026-01-15T12:00:00Z", "actor": "t",
        "correlation_id": "c", "idempotency_key": "d1", "asset": "USDT", "amount": "40", "reference": NAME,
    }  # fmt: skip
    with connect(database) as connection:
        row = (6, 2, "alice", "funds.deposited", json.dumps(event).encode())
        connection.execute("insert into events values (%s, %s, now(), %s, %s, %s)", row)
        connection.execute("insert into idempotency_keys values ('alice', 'd1', %s, 6, 6)", [content])
    assert shown_log(database) == {6: {"reference": NAME}}
    answers = ask(ledger, asked, {**asked, "reference": "other"}, ERASING, asked)
    assert [code(one) for one in answers] == ["replayed", "idempotency_key_reused", "recorded", "replayed"]
    assert shown_log(database) == {6: {"reference": NAME}}


def test_without_the_privacy_key_commands_without_a_text_are_taken(
    ledger: Ledger, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(ledger, depositing("1", "d1", "bob", reference=NAME))
    monkeypatch.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "other"))
    answers = ask(ledger, depositing("1", "d1", reference="x"), depositing("1", "d2"), depositing("1", "d3", "bob"))
    assert [code(one) for one in answers] == ["unavailable", "recorded", "recorded"]
    assert [ledger.account(name).version for name in ("alice", "bob")] == [2, 3], "what is refused leaves no trace"
    assert shown_log(database)[6] == {"reference": None, "unreadable": ["reference"]}
    monkeypatch.delenv("LEDGER_PRIVACY_KEY")
    assert code(ask_one(ledger, depositing("1", "d1", reference="x"))) == "recorded"
    assert shown_log(database)[6] == {"reference": NAME}


def test_a_privacy_key_that_others_may_read_is_refused(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("1", "d1", reference=NAME))
    with connect(database) as connection:
        file = key_file_of(connection)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    try:
        assert code(ask_one(ledger, depositing("1", "d2", "bob", reference="x"))) == "unavailable"
    finally:
        file.chmod(0o600)


@pytest.fixture
def own_privacy_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that no other database's texts depend on."""
    monkeypatch.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "privacy-key"))
    return tmp_path / "privacy-key"


def test_a_rotated_privacy_key_opens_all_texts_and_the_one_before_opens_none(
    own_privacy_key: Path, ledger: Ledger, database: str
) -> None:
    with connect(database) as connection, pytest.raises(PrivacyRefused, match="no text was sealed yet"):
        rotate_privacy_key(connection)
    ask(ledger, depositing("1", "d1", reference=NAME), depositing("1", "d2", "bob", reference="x"), ERASING)
    before, told = own_privacy_key.read_bytes(), shown_log(database)
    with connect(database, role=SERVICE) as connection:
        assert rotate_privacy_key(connection) == 1
    after = own_privacy_key.read_bytes()
    assert len(after.splitlines()) == 1
    assert shown_log(database) == told
    assert told[7] == {"reference": "x"}
    assert code(ask_one(ledger, depositing("1", "d3", reference="y"))) == "recorded"
    own_privacy_key.write_bytes(before)
    assert shown_log(database)[7] == {"reference": None, "unreadable": ["reference"]}
    own_privacy_key.write_bytes(before + after)  # As who is killed while it is rotated leaves it.
    assert shown_log(database)[7] == {"reference": "x"}


def test_no_role_deletes_a_key_and_what_was_destroyed_stays_so(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("1", "d1", reference=NAME), ERASING)
    with connect(database, role=PROJECTIONS) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from text_keys")
    for statement in (b"delete from text_keys", b"truncate text_keys", b"update text_keys set generation = 9"):
        with connect(database, role=SERVICE) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    with connect(database) as connection, pytest.raises(psycopg.errors.RestrictViolation, match="was destroyed"):
        connection.execute("update text_keys set wrapped = 'x', destroyed_at = null")
