"""The console's pages of the seal and of who looked: what stands there, and who sees them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.console.pages.reads import READS
from tests.api.command_line import served
from tests.api.console_asking import asking
from tests.api.console_visitor import Visitor, html_of
from tests.api.house import House
from tests.ledger.sealed import KEY, seal_again


@pytest.fixture(scope="module")
def address(told: House) -> Iterator[str]:
    with served(told.url, "api") as address:
        yield address


def test_the_seal_is_told_before_there_is_a_checkpoint_and_after(told: House, address: str) -> None:
    auditor = Visitor(address, told.key("auditor"))
    page = auditor.page("/seal")
    assert "There is no checkpoint yet" in page
    assert "Nothing is published yet" in page
    seal_again(told.url, KEY)
    size = told.log_end()
    told.send({"type": "open_account", "account_id": "later"})
    page = auditor.page("/seal")
    assert f"Sealed {size:,} events" in page
    assert f"Not sealed yet 1 of {size + 1:,} in the log" in page
    checkpoint = told.get("/v1/checkpoints/latest").json()
    (key,) = told.get("/v1/checkpoints/keys").json()["keys"]
    assert checkpoint["root"] in page
    assert key["public_key"] in page


def ids_shown(house: House, **bounds: str) -> list[str]:
    """The times of the reads in a part of the list, as the API writes them."""
    part = asking(house, lambda ask: READS.part(ask, {"account_id": "alice"}, **bounds), "auditor")
    return re.findall(r'<time datetime="([^"]+)"', part)


def test_the_log_of_reads_goes_on_both_ways_without_a_gap(told: House) -> None:
    for _ in range(60):
        assert told.get("/v1/accounts/alice", who="auditor").status_code == 200
    asked: dict[str, Any] = {"account_id": "alice", "order": "desc", "limit": 100}
    reads = told.get("/v1/reads", who="auditor", params=asked).json()["reads"]
    times = [one["read_at"] for one in reads]
    assert len(times) == 60
    # Each look at the list by account is a read of that account, and so the newest of the next.
    newest = ids_shown(told)
    assert newest[1:] == times[:49]
    assert ids_shown(told, before=reads[49]["id"])[: len(times) - 50] == times[50:]
    assert ids_shown(told, after=reads[50]["id"])[-50:] == times[:50]


def test_who_looked_is_shown_to_auditors_and_not_to_those_who_are_watched(told: House, address: str) -> None:
    told.get("/v1/accounts/lucy", who="operator", headers={"X-Purpose": "ticket <4711>"})
    auditor, operator = (Visitor(address, told.key(who)) for who in ("auditor", "operator"))
    page = auditor.page("/reads", account_id="lucy", actor="operator:operator")
    assert "GET /v1/accounts/{account_id}" in page
    assert "ticket <4711>" in page
    assert "<4711>" not in html_of(auditor.http.get("/reads", params={"account_id": "lucy"}).text)
    refused = operator.page("/reads")
    assert "a key of role operator may not read" in refused
    assert 'href="/console/reads"' not in html_of(operator.http.get("/accounts").text)
    assert 'href="/console/reads"' in html_of(auditor.http.get("/accounts").text)
    rows = operator.http.get("/reads/rows")
    assert (rows.status_code, "may not read" in rows.text) == (403, True)


def test_a_place_that_is_none_is_refused_in_words(told: House, address: str) -> None:
    auditor = Visitor(address, told.key("auditor"))
    for page, place in (("/reads", "5"), ("/events", "soon"), ("/events", "-1")):
        answer = auditor.http.get(f"{page}/rows", params={"before": place})
        assert answer.status_code == 400
        assert "before" in answer.text
