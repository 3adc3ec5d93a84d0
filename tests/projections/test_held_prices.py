"""What is held of prices at every position and time is what decisions saw there, and it is shown with its numbers."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import events as e
from ledger.market import Market
from projections.market.queries import market_and_prices, market_at, price_history
from projections.questions.market import market_answer
from tests.ledger.given import NOON, Happened, events_on_exchange, happened
from tests.ledger.happenings import marked, risk_limits, tier
from tests.ledger.pricing import second
from tests.projections.stories import exchange_opens
from tests.projections.story import Story

ROW = tier("10", "1.111", "1.09", "1.05")


def decided_on(story: Story, **content: Any) -> None:
    """A command of the exchange is decided, and its events happen."""
    for event in events_on_exchange(story.market, at=second(86_400), **content):
        story.on_exchange(lambda envelope, event=event: event)  # type: ignore[misc]


def mark(story: Story, seconds: float, source: str, **prices: str) -> None:
    named = {f"{base}/USDT": price for base, price in prices.items()}
    at = second(seconds).isoformat()
    decided_on(story, type="mark_prices", prices=named, source=source, effective_at=at)


@pytest.fixture
def story(database: str) -> Story:
    """Holds of several sources and pairs, superseded, confirmed, rejected, dropped, and three that wait at the end."""
    story = Story(database)
    exchange_opens(story)
    story.on_exchange(risk_limits("BTC/USDT", ROW, jump="0.2"), risk_limits("ETH/USDT", ROW, jump="0.1"))
    about = {"pair": "BTC/USDT", "reason": "seen"}
    mark(story, 1, "a", BTC="30000", ETH="3000", SOL="99")
    mark(story, 2, "a", BTC="30001")
    mark(story, 3, "b", BTC="90000")
    mark(story, 4, "c", BTC="30500")
    mark(story, 5, "a", BTC="20000")
    mark(story, 6, "b", BTC="60000")
    decided_on(story, type="confirm_price", price="20100", **about)
    decided_on(story, type="reject_price", source="b", **about)
    mark(story, 8, "b", BTC="44000", ETH="2000")
    mark(story, 9, "a", BTC="90000.50")
    mark(story, 7, "c", BTC="20200")
    mark(story, 10, "x y", ETH="9000")
    mark(story, 11, "c", SOL="98")
    return story


def test_the_market_at_every_position_is_the_one_its_events_made(story: Story) -> None:
    held_at_some = False
    with story.projected(batch_size=3) as connection:
        for position in range(story.position + 1):
            expected = story.market_at(position)
            assert market_at(connection, position) == expected
            held_at_some |= len(expected.held_prices.get("BTC/USDT", {})) > 1
    assert held_at_some
    assert {pair: sorted(there) for pair, there in story.market.held_prices.items()} == {
        "BTC/USDT": ["a", "b"],
        "ETH/USDT": ["x y"],
    }


def test_held_prices_are_answered_with_what_explains_them(story: Story) -> None:
    with story.projected() as connection:
        answer = market_answer(connection, story.position)
    assert answer["held_prices"]["ETH/USDT"] == [
        {
            "price": "9000",
            "source": "x y",
            "position": story.position - 1,
            "version": story.market.prices_version - 1,
            "effective_at": second(10),
            "last_price": "2000",
            "last_effective_at": second(8),
            "price_jump_limit": "0.1",
        }
    ]
    assert answer["prices_version"] == story.market.prices_version
    assert answer["pairs"]["BTC/USDT"]["risk_limits"]["price_jump_limit"] == "0.2"
    assert answer["cross"]["price_jump_limit"] is None


def test_as_of_a_business_time_what_is_dated_up_to_it_is_held(story: Story) -> None:
    with story.projected() as connection:
        then, _ = market_and_prices(connection, story.position, second(9.5))
        before, _ = market_and_prices(connection, story.position, second(8.5))
    assert {pair: sorted(there) for pair, there in then.held_prices.items()} == {"BTC/USDT": ["a", "b"]}
    assert list(before.held_prices["BTC/USDT"]) == ["b"]


def test_no_price_that_is_held_is_in_the_history_of_prices(story: Story) -> None:
    with story.projected() as connection:
        history = [f"{row['price']:f}" for row in price_history(connection, story.position, "BTC/USDT")]
    assert history == ["50000", "30500", "20000", "20200"]


@pytest.mark.parametrize(("minutes", "stale"), [(1, False), (1.01, True)])
def test_a_pair_that_stays_behind_the_newest_vector_longer_than_it_may_is_stale(
    database: str, minutes: float, stale: bool
) -> None:
    story = Story(database)
    exchange_opens(story)
    only_ether: Happened = happened(
        e.PricesMarked, at=NOON + timedelta(minutes=minutes), prices={"ETH/USDT": "2000"}, source="a"
    )
    story.on_exchange(only_ether)
    with story.projected() as connection:
        prices = market_answer(connection, story.position)["prices"]
    assert {pair: price["stale"] for pair, price in prices.items()} == {
        "BTC/USDT": stale,
        "ETH/USDT": False,
        "SOL/USDT": stale,
    }


def test_a_market_without_prices_holds_none(database: str) -> None:
    story = Story(database)
    with story.projected() as connection:
        assert market_at(connection, 0) == Market()
    story.on_exchange(marked())
    assert story.market.held_prices == {}
