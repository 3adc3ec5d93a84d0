"""A privacy key is changed while the ledger goes on: no text is lost, and nobody waits."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from ledger import Ledger
from ledger.key_file import alone_with, made_once
from ledger.postgres import SERVICE, connect
from ledger.privacy_key import PrivacyRefused, begin_replacing, key_lines
from ledger.shown_texts import texts_shown
from ledger.text_keys import PRIVACY_LOCK, rotate_privacy_key
from tests.ledger.submitting import ask, ask_one, code, depositing, open_ledger
from tests.ledger.texts import shown_log, stored_texts

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
DESTROYED = "update text_keys set wrapped = null, destroyed_at = now() where account_id = 'alice'"


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "keys" / "privacy-key"))
    return tmp_path / "keys" / "privacy-key"


@pytest.fixture
def ledger(database: str, file: Path) -> Iterator[Ledger]:
    """With a text of alice and one of bob."""
    with open_ledger(database) as opened:
        ask(opened, depositing("1", "d1", reference="of alice"), depositing("1", "d2", "bob", reference="of bob"))
        yield opened


def rotate(url: str) -> int:
    with connect(url, role=SERVICE) as connection:
        return rotate_privacy_key(connection)


def told(url: str) -> list[str | None]:
    return [texts["reference"] for texts in shown_log(url).values()]


def test_of_two_rotations_at_once_one_is_refused(ledger: Ledger, database: str, file: Path) -> None:
    with connect(database) as other:
        other.execute("select pg_advisory_lock(%s)", [PRIVACY_LOCK])
        with pytest.raises(PrivacyRefused, match="changed by another process"):
            rotate(database)
    with alone_with(file), pytest.raises(PrivacyRefused, match="are being changed by another process"):
        rotate(database)
    assert told(database) == ["of alice", "of bob"]


def test_no_rotation_among_many_loses_a_text(ledger: Ledger, database: str, file: Path) -> None:
    def try_to_rotate(_: int) -> int:
        try:
            return rotate(database)
        except PrivacyRefused:
            return 0

    with ThreadPoolExecutor(4) as threads:
        assert 2 in list(threads.map(try_to_rotate, range(12)))
    assert told(database) == ["of alice", "of bob"]
    assert len(key_lines(file)) == 1


def test_databases_share_a_file_and_each_rotates_its_own_key(
    ledger: Ledger, database: str, module_database: str, file: Path
) -> None:
    with open_ledger(module_database) as other:
        ask(other, depositing("1", "d1", reference="of another"))
    first, second = key_lines(file)
    assert first.database != second.database
    rotate(module_database)
    assert key_lines(file)[0] == first
    rotate(database)
    assert (told(database), told(module_database)) == (["of alice", "of bob"], ["of another"])
    assert {first.key, second.key}.isdisjoint(line.key for line in key_lines(file))


def test_a_key_in_a_line_that_names_no_database_is_read_and_never_dropped(
    ledger: Ledger, database: str, file: Path
) -> None:
    old = file.read_text().split()[1]
    file.write_text(old)
    assert told(database) == ["of alice", "of bob"]
    rotate(database)
    assert str(key_lines(file)[0]) == old
    assert told(database) == ["of alice", "of bob"]
    rotate(database)
    assert len(key_lines(file)) == 2


def test_who_is_killed_while_rotating_is_followed_by_who_ends_it(ledger: Ledger, database: str, file: Path) -> None:
    with connect(database) as connection:
        name = connection.info.dbname
    (before,) = key_lines(file)
    begun = begin_replacing(file, name, before.key.id)  # Killed before anything was wrapped anew.
    (file.parent / f".{file.name}.4711").write_bytes(file.read_bytes())  # Killed while the file was written.
    assert told(database) == ["of alice", "of bob"]
    rotate(database)
    assert [line.key for line in key_lines(file)] == [begun]
    file.write_text(f"{before}\n{key_lines(file)[0]._replace(replaces=before.key.id)}\n")  # Killed before the end.
    rotate(database)
    assert len(key_lines(file)) == 1
    assert told(database) == ["of alice", "of bob"]
    assert list(file.parent.iterdir()) == [file]


def test_while_keys_are_wrapped_anew_texts_are_recorded_and_what_is_erased_stays_so(
    ledger: Ledger, database: str
) -> None:
    with connect(database) as erasing, ThreadPoolExecutor(1) as thread:
        erasing.execute(DESTROYED)
        rotation = thread.submit(rotate, database)
        with connect(database, autocommit=True) as watching:
            while watching.execute(WAITING).fetchone() == (0,):
                assert not rotation.done()
                sleep(0.01)
        opening = {"type": "open_account", "account_id": "carol", "idempotency_key": "o", "reason": "hers"}
        assert code(ask_one(ledger, opening)) == "recorded"
        assert not rotation.done()
        erasing.commit()
        assert rotation.result() == 2
    assert list(shown_log(database).values()) == [
        {"reference": None, "erased": ["reference"]}, {"reference": "of bob"}, {"reason": "hers"},
    ]  # fmt: skip


def test_who_holds_the_keys_holds_up_only_what_has_a_text_and_not_for_long(ledger: Ledger, database: str) -> None:
    opening = {"type": "open_account", "account_id": "carol", "idempotency_key": "o"}
    with connect(database) as other:
        other.execute("select id from privacy_key for update")
        since = monotonic()
        answers = ask(ledger, *({**opening, "reason": f"text {number}"} for number in range(3)), opening)
        assert [code(one) for one in answers] == ["unavailable"] * 3 + ["recorded"]
        assert monotonic() - since < 9, "only one of them waits"


@pytest.mark.parametrize("account_id", ["alice", "bob"])
def test_a_key_that_cannot_be_unwrapped_hides_no_other_text(ledger: Ledger, database: str, account_id: str) -> None:
    with connect(database) as connection:
        connection.execute("update text_keys set wrapped = 'other' where account_id = %s", [account_id])
    with connect(database) as connection:
        shown = texts_shown(connection, list(stored_texts(database).values()))
    assert [one["reference"] is None for one in shown] == [account_id == "alice", account_id == "bob"]


def test_a_key_file_is_made_by_one_of_many_and_all_have_its_content(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def make(number: int) -> bytes:
        together.wait()
        return made_once(tmp_path / "key", lambda: b"%d" % number * 1000)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(make, range(8))) == {(tmp_path / "key").read_bytes()}
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]
