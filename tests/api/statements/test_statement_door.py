"""A statement at its door and on the command line: the same bytes, their digest, and what is refused."""

import hashlib
import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import httpx
import pytest

from api.doors import DOCUMENTS_AT_ONCE
from api.routes import statement_documents
from api.statement.document import Document, Form, write_document
from projections.questions.statement import Statement
from tests.api.command_line import LEDGER, CommandLine
from tests.api.house import House, deposit, open_account, open_house
from tests.api.statements.conftest import told_in

PATH = "/v1/accounts/alice/statement/document"


@pytest.fixture(scope="module")
def told(module_database: str) -> Iterator[House]:
    """A running house in which the story was told."""
    told_in(module_database)
    with open_house(module_database) as house:
        yield house


def get(house: House, path: str = PATH, who: str = "admin", headers: Any = None, **params: Any) -> httpx.Response:
    return house.get(path, who=who, headers=headers or {}, params=params or None)


@pytest.mark.parametrize(
    ("form", "media_type"), [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html")]
)
def test_a_document_states_the_digest_of_its_bytes(told: House, form: str, media_type: str) -> None:
    answer = get(told, to_position=45, format=form)
    digest = hashlib.sha256(answer.content).digest()
    assert answer.headers["content-type"].startswith(media_type)
    assert b64decode(answer.headers["content-digest"].removeprefix("sha-256=:").removesuffix(":")) == digest
    assert answer.headers["etag"] == f'"{digest.hex()}"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    again = get(told, to_position=45, headers={"Accept": media_type})
    assert again.content == answer.content
    unchanged = get(told, to_position=45, format=form, headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert get(told, to_position=44, format=form).headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/html;q=0.1, text/csv;q=0.5", "text/csv"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=much", "application/json"),
        (";;,;q", "application/json"),
    ],
)
def test_the_form_is_the_one_that_is_liked_best(told: House, accept: str, form: str) -> None:
    assert get(told, headers={"Accept": accept}).headers["content-type"].startswith(form)


RANGES: list[tuple[dict[str, str], list[str]]] = [
    ({"from_position": "20", "to_position": "33"}, ["--from", "20", "--to", "33"]),
    (
        {"from_recorded_at": "2026-01-16T00:00:12Z", "to_recorded_at": "2026-01-16T02:00:30+02:00", "wallet": "cross"},
        ["--from", "2026-01-16T00:00:12Z", "--to", "2026-01-16T02:00:30+02:00", "--wallet", "cross"],
    ),
    (
        {"to_effective_at": "2026-01-15T12:00:00Z", "position": "40"},
        ["--effective", "--to", "2026-01-15T12:00:00Z", "--known", "40"],
    ),
]


@pytest.mark.parametrize(("params", "options"), RANGES)
@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_the_command_line_writes_the_bytes_that_the_api_answers(
    told: House, ledger: CommandLine, tmp_path: Path, form: str, params: dict[str, str], options: list[str]
) -> None:
    ledger.use(told.url)
    answered = get(told, **params, format=form).content
    file = tmp_path / "statement"
    ended = ledger("statement", "alice", *options, "--format", form, "--out", file)
    assert (ended.code, file.read_bytes()) == (0, answered)
    assert hashlib.sha256(answered).hexdigest() in ended.err
    assert ledger("statement", "alice", *options, "--format", form).out == answered.decode()
    assert [one.name for one in tmp_path.iterdir()] == ["statement"]


def test_standard_output_has_the_same_bytes_whatever_the_locale(told: House) -> None:
    command = [str(LEDGER), "statement", "alice", "--to", "45", "--format", "csv"]
    environment = {
        "LEDGER_DATABASE_URL": told.url,
        "PYTHONIOENCODING": "latin-1",
        "PYTHONPATH": ".",
        "TZ": "Asia/Kabul",
    }
    ended = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert ended.stdout == get(told, to_position=45, format="csv").content


@pytest.mark.parametrize(
    "params",
    [{}, {"from_position": 20, "wallet": "cross"}, {"to_effective_at": "2026-01-15T12:00:00Z"}, {"to_position": 40}],
)
def test_a_document_says_where_the_same_bytes_are_found_again(told: House, params: dict[str, Any]) -> None:
    first = get(told, **params)
    assert get(told, first.headers["content-location"]).content == first.content
    told.send(deposit("alice", "1", f"more-{len(params)}-{'to_position' in params}-{'wallet' in params}"))
    again = get(told, first.headers["content-location"])
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])


def test_what_the_end_of_one_says_the_beginning_of_the_next_says(told: House) -> None:
    first, second = (
        {one["wallet"]: one["assets"] for one in answer.json()["wallets"]}
        for answer in (get(told, to_position=26), get(told, from_position=26, to_position=45))
    )
    closing = {(wallet, one["asset"]): one["closing"] for wallet, assets in first.items() for one in assets}
    opening = {(wallet, one["asset"]): one["opening"] for wallet, assets in second.items() for one in assets}
    assert {key: opening[key] for key in closing} == closing
    assert all(not any(map(float, opening[key].values())) for key in opening.keys() - closing.keys())


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"to_recorded_at": "2999-01-01T00:00:00Z"}, 400, "malformed"),
        ({"from_recorded_at": "2999-01-01T00:00:00Z"}, 409, "range_open"),
        ({"to_position": 1_000_000}, 400, "malformed"),
        ({"from_position": 12, "to_position": 11}, 400, "malformed"),
        ({"from_position": 12, "from_recorded_at": "2026-01-16T00:00:12Z"}, 400, "malformed"),
        ({"to_effective_at": "2026-01-15T12:00:00Z", "to_position": 40}, 400, "malformed"),
        ({"position": 40}, 400, "malformed"),
        ({"format": "pdf"}, 400, "malformed"),
        ({"wallet": "savings"}, 400, "malformed"),
        ({"limit": 5}, 400, "malformed"),
        ({"to_position": 9}, 404, "unknown_account"),
    ],
)
def test_what_is_no_statement_is_a_problem(told: House, params: dict[str, Any], status: int, code: str) -> None:
    answer = get(told, **params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_range_that_may_still_grow_names_the_position_to_ask_for(database: str) -> None:
    with open_house(database) as house:
        house.send(open_account("quiet"))
        path = "/v1/accounts/quiet/statement/document"
        (event,) = house.get("/v1/accounts/quiet/events").json()["events"]
        last = {"to_recorded_at": event["recorded_at"]}
        refused = get(house, path, **last).json()
        assert refused["code"] == "range_open"
        assert f"State position {event['position']} instead" in refused["detail"]
        house.send(open_account("other"))
        told = get(house, path, **last)
        assert told.json()["range"]["to"]["position"] == event["position"]
        assert told.json()["wallets"] == []


def test_many_at_once_wait_for_their_turn_and_are_all_answered(told: House) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: get(told, to_position=45), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_who_would_wait_too_long_is_told_to_come_again(told: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Semaphore(0), Event()

    def slowly(statement: Statement, form: Form) -> Document:
        begun.release()
        assert go_on.wait(30)
        return write_document(statement, form)

    monkeypatch.setattr(statement_documents, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(statement_documents, "write_document", slowly)
    with ThreadPoolExecutor(DOCUMENTS_AT_ONCE) as threads:
        writing = [threads.submit(get, told) for _ in range(DOCUMENTS_AT_ONCE)]
        assert all(begun.acquire(timeout=30) for _ in writing)
        refused = get(told)
        go_on.set()
        assert [one.result().status_code for one in writing] == [200] * DOCUMENTS_AT_ONCE
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert get(told).status_code == 200


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (["alice", "--format", "pdf"], 2, "json, csv, html"),
        (["alice", "--from", "yesterday"], 2, "no time"),
        (["alice", "--effective"], 2, "neither is given"),
        (["alice", "--known", "3"], 2, "business times only"),
        (["alice", "--wallet", "savings"], 2, "is no wallet"),
        (["alice", "--out", "/nowhere/at/all"], 2, "cannot be written"),
        (["alice", "--out", "/tmp"], 2, "cannot be written"),
        (["nobody"], 1, "unknown_account"),
        (["alice", "--to", "2026-02-30"], 2, "no time"),
        (["alice", "--from", "99999999999999999999999"], 2, "begin after"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    told: House, ledger: CommandLine, options: list[str], code: int, why: str
) -> None:
    ledger.use(told.url)
    ended = ledger("statement", *options)
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err


def test_an_out_that_is_a_device_is_written_to_and_stays_one(told: House, ledger: CommandLine) -> None:
    ledger.use(told.url)
    assert ledger("statement", "alice", "--out", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_the_paged_answer_names_its_lines_as_the_document_does(told: House) -> None:
    paged = told.get("/v1/accounts/alice/statement", params={"position": 45, "limit": 1000}).json()["lines"]
    whole = json.loads(get(told, to_position=45).content)["wallets"]
    assert sorted(line["id"] for line in paged) == sorted(line["id"] for one in whole for line in one["lines"])
