"""Statements as documents in the console: the bytes of the API, for who is signed in."""

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from api.console.report_frame import document_asked
from tests.api.command_line import served
from tests.api.console_visitor import Visitor, html_of
from tests.api.house import House

STATEMENT = "/v1/accounts/alice/statement/document"


@pytest.fixture(scope="module")
def reader(told: House) -> Iterator[Visitor]:
    with served(told.url, "api") as address:
        yield Visitor(address, told.key("auditor"))


def links_on(reader: Visitor, **query: str) -> dict[str, str]:
    page = html_of(reader.http.get("/reports/statement", params={"account_id": "alice", **query}).text)
    found = re.findall(r'href="/console(/statement/alice[.](\w+)[?][^"]*)"', page)
    return {form: html.unescape(path) for path, form in found}


@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_a_document_is_that_of_the_api_byte_by_byte(told: House, reader: Visitor, form: str) -> None:
    answer = reader.http.get(links_on(reader)[form])
    expected = told.get(STATEMENT, params={"to_position": str(told.log_end()), "format": form})
    assert (answer.status_code, answer.content) == (200, expected.content)
    for name in ("content-type", "content-disposition", "content-security-policy", "content-digest"):
        assert answer.headers[name] == expected.headers[name]


def test_a_document_begins_with_the_day_that_the_report_does(told: House, reader: Visitor) -> None:
    recorded = told.get("/v1/accounts/alice/statement").json()["lines"][0]["recorded_at"]
    today = recorded[:10]
    asked = document_asked({"position": 7}, {"account_id": "alice", "from": today, "wallet": "spot"})
    before = (datetime.fromisoformat(f"{today}T00:00:00") - timedelta(microseconds=1)).isoformat()
    assert asked == {"wallet": "spot", "from_recorded_at": f"{before}Z", "to_position": "7"}
    shown = told.get("/v1/accounts/alice/statement", params={"from": f"{today}T00:00:00Z"}).json()["lines"]
    document = reader.http.get(links_on(reader, **{"from": today})["csv"]).text
    lines = [row for row in csv.DictReader(io.StringIO(document)) if row["kind"] == "line"]
    assert sorted(line["position"] for line in lines) == sorted(str(line["position"]) for line in shown)
    assert lines


def test_a_range_that_is_no_documents_has_no_link_to_one(reader: Visitor) -> None:
    assert links_on(reader, effective_at="2026-01-01 12:00") == {}
    assert document_asked({"position": 7}, {"to": "2026-01-01", "position": "5"}) is None
    assert document_asked({"position": 7}, {"from": "0001-01-01"}) is not None


def test_a_range_up_to_a_day_that_is_not_over_ends_with_what_is_recorded(told: House, reader: Visitor) -> None:
    today = told.get("/v1/accounts/alice/statement").json()["lines"][0]["recorded_at"][:10]
    assert document_asked({"position": 7}, {"to": "2999-01-01"}) == {"to_position": "7"}
    assert document_asked({"position": 7}, {"to": "2026-01-01"}) == {"to_recorded_at": "2026-01-01T23:59:59.999999Z"}
    assert reader.http.get(links_on(reader, to=today)["html"]).status_code == 200


def test_a_refused_document_says_why_in_words(reader: Visitor) -> None:
    unknown = reader.http.get("/statement/nobody.html")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "account nobody was not opened" in unknown.text
    ahead = reader.http.get("/statement/alice.csv", params={"to_recorded_at": "2999-01-01T00:00:00Z"})
    assert ahead.status_code in (400, 409)
    assert "2999" in ahead.text
    assert reader.http.get("/statement/alice.exe").status_code == 404
    assert reader.http.get("/statement/alice.csv", params={"to": "2026-01-01"}).status_code == 400


def test_who_is_not_signed_in_gets_no_document_and_is_led_to_sign_in(reader: Visitor) -> None:
    stranger = httpx.Client(base_url=reader.http.base_url, trust_env=False)
    answer = stranger.get("/statement/alice.json")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in?next=")
