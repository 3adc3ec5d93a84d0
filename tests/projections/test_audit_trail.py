"""The audit trail finds every event by what it is asked for, in log order, with its body."""

from collections.abc import Iterator

import pytest

from ledger.postgres import Connection
from projections.audit_trail.queries import Filter, entry, events
from tests.projections.stories import debt_with_interest, exchange_opens
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    debt_with_interest(story)
    return story


@pytest.fixture
def asked(story: Story) -> Iterator[Connection]:
    with story.projected() as connection:
        yield connection


def positions(connection: Connection, story: Story, only: Filter, after: int = 0, limit: int = 100) -> list[int]:
    return [recorded.position for recorded in events(connection, story.position, only, after=after, limit=limit)]


def test_every_event_is_found_with_its_body(story: Story, asked: Connection) -> None:
    found = events(asked, story.position)
    assert [recorded.event for recorded in found] == story.events
    assert [recorded.recorded_at for recorded in found] == [story.recorded_at(place) for place in range(1, 16)]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Filter(account_id="carol"), [10, 11, 12, 13, 14, 15]),
        (Filter(topic="asset.listed"), [1, 2, 3, 4]),
        (Filter(account_id="carol", topic="loan.repaid"), [15]),
        (Filter(actor="nobody"), []),
        (Filter(actor="tester", topic="prices.marked"), [9]),
        (Filter(correlation_id="request-2"), []),
    ],
)
def test_events_are_found_by_account_topic_actor_and_request(
    story: Story, asked: Connection, only: Filter, expected: list[int]
) -> None:
    assert positions(asked, story, only) == expected


def test_events_are_found_by_when_they_were_recorded_bounds_included(story: Story, asked: Connection) -> None:
    only = Filter(recorded_from=story.recorded_at(3), recorded_to=story.recorded_at(5))
    assert positions(asked, story, only) == [3, 4, 5]


def test_the_trail_is_read_page_by_page_and_as_of_a_position(story: Story, asked: Connection) -> None:
    only = Filter(account_id="carol")
    assert positions(asked, story, only, limit=2) == [10, 11]
    assert positions(asked, story, only, after=11, limit=2) == [12, 13]
    assert [recorded.position for recorded in events(asked, 12, only)] == [10, 11, 12]


def test_an_entry_carries_where_it_was_recorded_and_the_whole_body(story: Story, asked: Connection) -> None:
    shown = entry(events(asked, story.position, Filter(topic="loan.borrowed"))[0])
    assert shown == {
        "position": 13,
        "topic": "loan.borrowed",
        "recorded_at": story.recorded_at(13),
        "account_id": "carol",
        "version": 4,
        "effective_at": "2026-01-15T12:00:00Z",
        "actor": "tester",
        "correlation_id": "request-1",
        "idempotency_key": "K1",
        "wallet": "cross",
        "asset": "USDT",
        "amount": "14",
        "automatic": False,
    }
