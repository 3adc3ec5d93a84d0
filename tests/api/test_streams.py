"""Streams of events: every event once and in order, to whom it may be told, from where the reader left off."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import httpx
import pytest

from api.keys import SECONDS_KEPT, revoke_key
from ledger.postgres import connect
from tests.api.event_stream import Reader, positions, until
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.api.test_outage import database_away

ALL = "/v1/events/stream"


@pytest.fixture(scope="module", autouse=True)
def short_heartbeats() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LEDGER_HEARTBEAT_SECONDS", "0.3")
        yield


def reader(house: House, path: str, *, who: str = "admin", last_id: str | None = None) -> Reader:
    return Reader(path, house.key(who), last_id)


def address(house: House) -> str:
    return str(house.http.base_url).rstrip("/")


def refused(house: House, path: str, *, who: str = "admin", **headers: Any) -> dict[str, Any]:
    """The problem that a stream is refused with; of one that is not, the reading of its beginning fails."""
    answer: dict[str, Any] = house.get(path, who=who, headers=headers, timeout=5).json()
    return answer


def test_a_stream_without_a_beginning_starts_at_the_logs_end_and_says_so(told: House) -> None:
    end = told.log_end()
    mine = reader(told, ALL)
    with mine.connected(address(told)) as events:
        first = next(events)
        told.send(deposit("alice", "1", "begin-1"))
        second = next(one for one in events if one.name != "position")
    assert (first.id, first.name, first.content) == (end, "position", {"position": end})
    assert mine.comments[0] == f"events after position {end}; the log ends at {end}"
    assert (second.id, second.name) == (end + 1, "funds.deposited")


def test_a_stream_tells_what_the_audit_trail_does_from_the_first_event_on(told: House) -> None:
    end = told.log_end()
    entries = told.get("/v1/events", params={"limit": 1000}).json()["events"]
    with reader(told, f"{ALL}?after=0").connected(address(told)) as events:
        found = until(events, end)[1:]
    assert [one.content for one in found] == entries
    assert positions(found) == list(range(1, end + 1))
    assert [one.name for one in found] == [one["topic"] for one in entries]


@pytest.mark.parametrize(
    "only",
    [
        {"account_id": "alice"},
        {"account_id": "@prices"},
        {"topic": "funds.deposited"},
        {"topic": "account.opened", "account_id": "lucy"},
        {"actor": "admin:admin"},
        {"correlation_id": "stream-me"},
    ],
)
def test_a_filtered_stream_tells_what_the_filtered_trail_does_past_and_new(told: House, only: dict[str, str]) -> None:
    mine = reader(told, str(httpx.URL(ALL, params={**only, "after": "0"})))
    with mine.connected(address(told)) as events:
        assert next(events).id == 0
        live = [
            deposit("alice", "1", f"live-{only}".translate({ord(one): "-" for one in "{}': @,"})[:60]),
            {"type": "mark_prices", "prices": {"ETH/USDT": "2400"}, "source": "test"},
        ]
        assert told.post(live, headers={"X-Correlation-Id": "stream-me"}).status_code == 200
        until(events, told.log_end())
    with mine.connected(address(told)) as events:
        assert next(events).id == told.log_end()
    entries = told.get("/v1/events", params={**only, "limit": 1000}).json()["events"]
    again = reader(told, mine.path)
    with again.connected(address(told)) as events:
        assert [one.content for one in until(events, told.log_end()) if one.name != "position"] == entries


def test_a_filtered_stream_that_has_nothing_to_tell_says_how_far_it_has_come(told: House) -> None:
    mine = reader(told, f"{ALL}?account_id=lucy")
    with mine.connected(address(told)) as events:
        began = next(events)
        told.send(deposit("alice", "1", "no-news-1"), deposit("alice", "1", "no-news-2"))
        later = next(events)
    assert (later.name, later.id) == ("position", (began.id or 0) + 2)
    assert mine.last_id == str(told.log_end())


@pytest.mark.parametrize("only", ["topic=account.closed", "account_id=closed", "actor=admin:admin&account_id=closed"])
def test_what_a_filter_lets_pass_is_told_though_it_comes_after_many_others_at_once(database: str, only: str) -> None:
    """More than is looked at in one go."""
    with open_house(database) as house:
        opened_market(house)
        house.send(open_account("alice"), open_account("closed"))
        with reader(house, f"{ALL}?{only}").connected(address(house)) as events:
            assert next(events).name == "position"
            closing = {"type": "close_account", "account_id": "closed", "idempotency_key": "c1"}
            house.send(*(deposit("alice", "1", f"d{number}") for number in range(450)), closing)
            end = house.log_end()
            assert ("account.closed", end) in [(one.name, one.id) for one in until(events, end)]


def test_filters_hold_also_where_no_projection_runs(database: str) -> None:
    with open_house(database, projecting=False) as house:
        opened_market(house)
        house.send(open_account("alice"), open_account("bob"), deposit("alice", "1", "d1"))
        end = house.log_end()
        with reader(house, "/v1/accounts/alice/events/stream?after=0").connected(address(house)) as events:
            found = until(events, end)
    assert positions(found) == [end - 2, end]


def test_a_reader_that_comes_again_goes_on_after_its_last_event_whatever_its_address_says(told: House) -> None:
    mine = reader(told, f"{ALL}?after=0")
    with mine.connected(address(told)) as events:
        first = list(islice(events, 5))
    with mine.connected(address(told)) as events:
        second = until(events, told.log_end())
    assert positions(first + second) == list(range(1, told.log_end() + 1))


@pytest.mark.parametrize("last_id", ["", "x", "-1", "1.5", "1 2", "9" * 19, "1e3"])
def test_a_last_event_id_that_is_no_position_is_malformed(told: House, last_id: str) -> None:
    problem = refused(told, ALL, **{"Last-Event-ID": last_id})
    assert (problem["status"], problem["code"]) == (400, "malformed")
    assert f"the header Last-Event-ID is {last_id!r}, not a position of the log" in problem["detail"]


def test_to_go_on_after_what_is_not_there_is_malformed(told: House) -> None:
    end = told.log_end()
    by_header = refused(told, ALL, **{"Last-Event-ID": str(end + 1)})
    by_parameter = refused(told, f"{ALL}?after={end + 1}")
    assert f"the header Last-Event-ID says {end + 1}, the log ends at {end}" in by_header["detail"]
    assert f"after says {end + 1}, the log ends at {end}" in by_parameter["detail"]
    assert by_header["status"] == by_parameter["status"] == 400


def test_a_misspelled_filter_is_refused(told: House) -> None:
    assert "'acount' is not known here" in refused(told, f"{ALL}?acount=alice")["detail"]


def test_staff_is_told_of_all_and_a_customer_of_the_own_account_only(told: House) -> None:
    own = "/v1/accounts/alice/events/stream?after=0"
    for who, path in [("auditor", ALL), ("service", ALL), ("operator", own), ("auditor", own), ("alice", own)]:
        with reader(told, path, who=who).connected(address(told)) as events:
            assert next(events).name == "position"
    with reader(told, own, who="alice").connected(address(told)) as events:
        accounts = {one.content["account_id"] for one in until(events, 15) if one.name != "position"}
    assert accounts == {"alice"}
    forbidden = [
        refused(told, path, who="alice")
        for path in ("/v1/accounts/lucy/events/stream", "/v1/accounts/missing/events/stream")
    ]
    assert forbidden[0] == forbidden[1]
    assert forbidden[0]["code"] == "forbidden"
    assert refused(told, ALL, who="alice")["code"] == "forbidden"
    assert told.http.get(ALL).json()["code"] == "unauthenticated"
    assert refused(told, "/v1/accounts/missing/events/stream")["code"] == "unknown_account"


def test_a_stream_ends_once_its_key_is_revoked(told: House) -> None:
    mine = reader(told, ALL, who="departing")
    told.send(open_account("departing"))
    mine.path = "/v1/accounts/departing/events/stream"
    with mine.connected(address(told)) as events:
        assert next(events).name == "position"
        with connect(told.url, autocommit=True) as connection:
            revoke_key(connection, "departing-phone")
        time.sleep(2 * SECONDS_KEPT)
        told.send(deposit("departing", "1", "d1"))
        assert positions(list(events)) == []
    assert "was revoked" in mine.comments[-1]


def test_min_position_is_waited_for_and_then_refused(database: str) -> None:
    with open_house(database, wait_seconds=0.5) as house:
        opened_market(house)
        end = house.log_end()
        with reader(house, f"{ALL}?min_position={end}").connected(address(house)) as events:
            assert next(events).id == end
        problem = refused(house, f"{ALL}?min_position={end + 1}")
    assert (problem["status"], problem["code"]) == (503, "unavailable")
    assert f"min_position {end + 1} is asked for, the log ends at {end}" in problem["detail"]


def test_more_streams_than_may_be_open_are_told_to_come_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_OPEN_STREAMS", "1")
    with open_house(database) as house:
        with reader(house, ALL).connected(address(house)) as events:
            assert next(events).name == "position"
            answer = house.get(ALL)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert "1 streams are open, at most 1 may be" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
        time.sleep(0.5)
        with reader(house, ALL).connected(address(house)) as events:
            assert next(events).name == "position"


def test_a_stream_outlives_the_loss_of_the_database_without_a_gap(database: str) -> None:
    with open_house(database) as house:
        opened_market(house)
        house.send(open_account("alice"))
        mine, start = reader(house, ALL), house.log_end()
        with mine.connected(address(house)) as events:
            assert next(events).id == start
            with database_away(house.url):
                time.sleep(1.5)
            deadline = time.monotonic() + 20
            while house.post(deposit("alice", "1", "d1")).status_code != 200 and time.monotonic() < deadline:
                time.sleep(0.1)
            house.send(deposit("alice", "1", "d2"), deposit("alice", "1", "d3"))
            assert positions(until(events, start + 3)) == [start + 1, start + 2, start + 3]


def test_a_reader_that_hangs_up_leaves_its_place(told: House) -> None:
    def open_now() -> str:
        lines = told.http.get("/metrics").text.splitlines()
        return next(line for line in lines if line.startswith('ledger_open_streams{stream="events"}'))

    before = open_now()
    with closing(httpx.Client(base_url=address(told), trust_env=False)) as client:
        request = client.build_request("GET", ALL, headers={"Authorization": f"Bearer {told.key('admin')}"})
        answer = client.send(request, stream=True)
        during = open_now()
        answer.close()
    deadline = time.monotonic() + 10
    while open_now() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (during != before, open_now()) == (True, before)
