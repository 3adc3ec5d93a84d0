"""Liabilities are published by the command, told to everybody, proved to whom they concern, and found good."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.examples_of_liabilities import LIABILITY_PROOF, PUBLICATION
from api.publishing import publish_liabilities
from ledger.signing import SigningKey, signing_key
from projections.runner import catch_up
from tests.api.checking import Checks
from tests.api.command_line import CommandLine
from tests.api.house import House
from tests.ledger.owing import unpublish
from tests.ledger.sealed import seal_again, tamper
from tests.projections.logs import random_log, record, record_keys

PATHS = ["/v1/liabilities", "/v1/liabilities/latest"]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningKey]:
    """The signing key of this module, in a folder of its own beside the secret of liabilities."""
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEDGER_SIGNING_KEY", str(folder / "signing-key.pem"))
        patch.setenv("LEDGER_LIABILITY_SECRET", str(folder / "liability-secret"))
        yield signing_key(folder / "signing-key.pem")


@pytest.fixture(scope="module")
def owing(told: House, key: SigningKey) -> House:
    """The house with a short story, published."""
    seal_again(told.url, key)
    assert publish_liabilities(told.url) == (told.log_end(), True)
    return told


@pytest.fixture
def check(tmp_path: Path) -> Checks:
    return Checks(tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def ledger(database: str, key: SigningKey, run: CommandLine) -> CommandLine:
    """The command on a database with 400 events, the first 300 of them under a checkpoint."""
    record(database, random_log()[:300])
    seal_again(database, key)
    record(database, random_log()[300:400])
    catch_up(database)
    run.use(database)
    return run


def totals_in(publication: Any) -> dict[tuple[str, str], str]:
    return {(tree["kind"], tree["asset"]): tree["total"] for tree in publication["trees"]}


def test_what_is_owed_is_told_with_loans_apart(owing: House) -> None:
    publication = owing.get("/v1/liabilities/latest").json()
    totals = totals_in(publication)
    # What is borrowed counts among the balances, and again, apart, among the loans.
    assert totals["balances", "BTC"] == "5"
    assert totals["loans", "USDT"].startswith("2000.")
    books = owing.get("/v1/reports/trial-balance").json()["assets"]["USDT"]["books"]
    net = sum(Decimal(amount) for book, amount in books.items() if book.startswith("accounts/"))
    assert net == Decimal(totals["balances", "USDT"]) - Decimal(totals["loans", "USDT"])
    assert publication["size"] == owing.get("/v1/checkpoints/latest").json()["size"]
    assert publication["checkpoint"] == owing.get("/v1/checkpoints/latest").json()["note"]


def test_publications_are_told_by_size(owing: House) -> None:
    publication = owing.get("/v1/liabilities/latest").json()
    assert owing.get("/v1/liabilities").json() == {"liabilities": [publication], "next": None}
    assert owing.get("/v1/liabilities", params={"after": publication["size"]}).json()["liabilities"] == []
    assert owing.get(f"/v1/liabilities/{publication['size']}").json() == publication
    answer = owing.get("/v1/liabilities/1")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_publication")


@pytest.mark.parametrize("who", ["alice", "service", "operator", "auditor", "admin"])
@pytest.mark.parametrize("path", PATHS)
def test_publications_are_for_everybody_with_a_key(owing: House, path: str, who: str) -> None:
    assert owing.get(path, who=who).status_code == 200
    assert owing.http.get(path).status_code == 401


def test_a_customer_is_proved_his_own_and_staff_anybodys(owing: House, key: SigningKey, check: Checks) -> None:
    (own, by_staff) = (owing.get("/v1/accounts/alice/liability-proof", who=who).json() for who in ("alice", "auditor"))
    assert own == by_staff
    publication = owing.get("/v1/liabilities/latest").json()
    (check.folder / "proof").write_text(json.dumps(own))
    code, told = check(publication, "--proof", "proof", "--account", "alice", key=key.public_key)
    assert code == 0
    assert "balances BTC: 5 owed to alice is in the total of 5\n" in told
    assert "loans USDT: 2000." in told


def test_a_customer_gets_no_proof_of_anothers_and_learns_of_none(owing: House) -> None:
    answers = [owing.get(f"/v1/accounts/{name}/liability-proof", who="alice") for name in ("lucy", "nobody")]
    assert [one.status_code for one in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nobody/liability-proof", 404, "unknown_account"),
        ("alice/liability-proof?size=1", 404, "unknown_publication"),
        ("alice/liability-proof?size=0", 400, "malformed"),
        ("alice/liability-proof?sizes=1", 400, "malformed"),
    ],
)
def test_a_proof_that_cannot_be_is_refused(owing: House, path: str, status: int, code: str) -> None:
    answer = owing.get(f"/v1/accounts/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_process_without_the_secret_says_so(owing: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEDGER_LIABILITY_SECRET", str(tmp_path / "missing"))
    answer = owing.get("/v1/accounts/alice/liability-proof")
    assert (answer.status_code, answer.json()["code"]) == (503, "liability_secret_missing")
    assert not (tmp_path / "missing").exists()


def test_the_documented_examples_are_good(check: Checks) -> None:
    code, told = check.proof(PUBLICATION, LIABILITY_PROOF, "alice")
    assert (code, told.count("owed to alice")) == (0, 1)


def test_the_command_publishes_a_past_checkpoint_once_and_writes_it_elsewhere(
    ledger: CommandLine, key: SigningKey, check: Checks
) -> None:
    folder, leaves = check.folder / "elsewhere", check.folder / "leaves"
    first = ledger("liabilities", "--to", folder, "--leaves", leaves)
    assert first.code == 0
    assert first.out.splitlines()[1] == "300"
    (file,) = folder.iterdir()
    content = json.loads(file.read_text())
    assert (file.name, content["note"]) == (f"{300:016}.liabilities", first.out)
    assert check(content, "--leaves", "leaves", key=key.public_key)[0] == 0
    again = ledger("liabilities", "--checkpoint", "300", "--to", folder)
    assert (again.code, again.out) == (0, first.out)
    assert "was published before" in again.err
    assert ledger("liabilities", "--leaves", leaves).code == 2
    file.write_text("something else")
    assert "something else than the database's publication" in ledger("liabilities", "--to", folder).err


def test_a_publication_made_again_has_the_same_bytes(ledger: CommandLine, database: str, tmp_path: Path) -> None:
    first = ledger("liabilities", "--leaves", tmp_path / "first")
    unpublish(database)
    assert ledger("liabilities", "--leaves", tmp_path / "second").out == first.out
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_balances_that_disagree_with_the_books_are_not_published(ledger: CommandLine, database: str) -> None:
    tamper(
        database, "update projections.balance_states set free = free + 1", "update projections.balances set free = 1"
    )
    refused = ledger("liabilities")
    assert (refused.code, refused.out) == (1, "")
    assert "nothing is published: `ledger verify` finds what differs" in refused.err
    assert ledger("liabilities").code == 1


def test_what_is_on_its_way_between_two_accounts_is_not_left_out(
    database: str, key: SigningKey, run: CommandLine
) -> None:
    topics = [event.TOPIC for event in random_log()]
    sent = topics.index("transfer.sent") + 1
    for start, end in ((0, sent), (sent, len(topics))):
        record(database, random_log()[start:end])
        seal_again(database, key)
    record_keys(database)
    catch_up(database)
    run.use(database)
    refused = run("liabilities", "--checkpoint", str(sent))
    assert (refused.code, refused.out) == (1, "")
    assert f"the checkpoint of {sent} events lies within the decision of key" in refused.err
    assert "take another checkpoint" in refused.err
    assert run("liabilities").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--checkpoint", "299"], 1, "there is no checkpoint of 299 events"),
        (["--checkpoint", "0"], 2, "Invalid value"),
        (["--to", "/proc/nowhere"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told(ledger: CommandLine, arguments: list[str], code: int, said: str) -> None:
    ended = ledger("liabilities", *arguments)
    assert ended.code == code
    assert said in ended.err


def test_two_who_publish_at_once_publish_the_same_once(ledger: CommandLine, database: str) -> None:
    done: list[tuple[int, bool]] = []
    threads = [threading.Thread(target=lambda: done.append(publish_liabilities(database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [(300, False), (300, False), (300, True)]


@pytest.mark.parametrize("name", ["size", "total"])
def test_what_stands_beside_the_signed_note_must_be_what_it_states(check: Checks, name: str) -> None:
    other = json.loads(json.dumps(PUBLICATION))
    (other if name == "size" else other["trees"][0])[name] = 8 if name == "size" else "8"
    code, said = check(other)
    assert (code, "are not those that it states" in said) == (1, True)
