"""The market at any position is the one that decisions saw there; prices have their history by both times."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger import events as e
from ledger.postgres import Connection
from projections.market.queries import (
    MarkedPrice,
    market_at,
    price_history,
    prices_as_of_effective,
    prices_at,
    settings_history,
)
from projections.questions.market import market_answer
from tests.ledger.given import NOON, happened
from tests.ledger.happenings import asset_limits, marked, pair_status, rate_set, risk_limits, tier
from tests.projections.stories import exchange_opens
from tests.projections.story import Story

HOUR = timedelta(hours=1)


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    story.on_exchange(
        asset_limits("BTC", ("transfer",), borrow_limit="2.5", collateral_tiers=[{"up_to": "100", "ratio": "0.9"}]),
        pair_status("ETH/USDT", "reduce_only"),
        rate_set("USDT", "0.01", at=NOON + HOUR),
        rate_set("USDT", "0.02", at=NOON - HOUR),
        risk_limits("BTC/USDT", tier("10", "1.111", "1.09", "1.05", base_limit="5"), age_seconds=30),
        happened(e.InsuranceFunded, asset="USDT", amount="4000"),
        marked(NOON + HOUR, BTC="51000"),
        happened(e.InsuranceWithdrawn, asset="USDT", amount="1500"),
        marked(NOON + 2 * HOUR, BTC="52000"),
    )
    return story


def test_the_market_at_every_position_is_the_one_its_events_made(story: Story) -> None:
    with story.projected(batch_size=4) as connection:
        for position in range(story.position + 1):
            assert market_at(connection, position) == story.market_at(position)


def test_a_price_vector_writes_one_row_per_pair_and_nothing_else(story: Story) -> None:
    rows = {}
    for _ in range(2):
        with story.projected() as connection:
            rows[story.position] = _row_counts(connection)
        story.on_exchange(marked(NOON + 3 * HOUR))
    before, after = rows.values()
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"market_prices", "audit_trail"}
    assert after["market_prices"] - before["market_prices"] == 3


def _row_counts(connection: Connection) -> dict[str, int]:
    names = connection.execute("select tablename from pg_tables where schemaname = 'projections'").fetchall()
    return {name: len(connection.execute(f"select from {name}").fetchall()) for (name,) in names}


def test_prices_are_known_by_position_and_by_business_time(story: Story) -> None:
    with story.projected() as connection:
        assert prices_at(connection, 8) == {}
        (now, earlier) = (prices_at(connection, story.position), prices_at(connection, 15))
        assert now["BTC/USDT"].price == 52000
        assert earlier["BTC/USDT"] == MarkedPrice("BTC/USDT", Decimal(50000), 9, 1, NOON)
        at_one = prices_as_of_effective(connection, story.position, NOON + HOUR)
        assert at_one["BTC/USDT"] == MarkedPrice("BTC/USDT", Decimal(51000), 16, 2, NOON + HOUR)
        assert prices_as_of_effective(connection, 15, NOON + HOUR)["BTC/USDT"].price == 50000
        assert prices_as_of_effective(connection, story.position, NOON - HOUR) == {}


def test_the_price_history_of_a_pair_is_read_page_by_page_and_by_time(story: Story) -> None:
    with story.projected() as connection:
        history = price_history(connection, story.position, "BTC/USDT")
        assert [(row["position"], row["price"], row["effective_at"]) for row in history] == [
            (9, Decimal(50000), NOON),
            (16, Decimal(51000), NOON + HOUR),
            (18, Decimal(52000), NOON + 2 * HOUR),
        ]
        assert price_history(connection, story.position, "BTC/USDT", after=9, limit=1) == history[1:2]
        assert price_history(connection, story.position, "BTC/USDT", effective_from=NOON + HOUR) == history[1:]
        assert price_history(connection, story.position, "BTC/USDT", effective_to=NOON) == history[:1]


def test_the_settings_of_an_asset_or_pair_have_a_history(story: Story) -> None:
    with story.projected() as connection:
        history = settings_history(connection, story.position, "USDT")
    topics = ["asset.listed", "interest_rate.set", "interest_rate.set", "insurance.funded", "insurance.withdrawn"]
    assert [row["topic"] for row in history] == topics
    assert history[1]["content"]["daily_rate"] == "0.01"


def test_the_market_is_answered_with_listings_limits_rates_and_prices(story: Story) -> None:
    with story.projected() as connection:
        answer = market_answer(connection, story.position)
    assert answer["position"] == story.position
    assert answer["assets"]["BTC"] == {
        "scale": 8,
        "listed_daily_interest_rate": "0",
        "daily_interest_rates": [],
        "borrow_limit": "2.5",
        "collateral_tiers": [{"up_to": "100", "ratio": "0.9"}],
        "enabled": ["transfer"],
    }
    assert answer["assets"]["USDT"]["daily_interest_rates"] == [
        {"effective_at": NOON - HOUR, "daily_rate": "0.02"},
        {"effective_at": NOON + HOUR, "daily_rate": "0.01"},
    ]
    pair = answer["pairs"]["BTC/USDT"]
    assert (pair["price_scale"], pair["max_leverage"], pair["status"]) == (2, "10", "trading")
    assert pair["risk_limits"]["price_max_age_seconds"] == 30
    assert pair["risk_limits"]["tiers"] == [
        {
            "max_leverage": "10",
            "initial": "1.111",
            "margin_call": "1.09",
            "liquidation": "1.05",
            "transfer_out": "2",
            "base_limit": "5",
            "quote_limit": None,
        }
    ]
    assert answer["pairs"]["ETH/USDT"]["status"] == "reduce_only"
    price = {"price": "52000", "position": 18, "version": 3, "effective_at": NOON + 2 * HOUR, "stale": False}
    assert answer["prices"]["BTC/USDT"] == price
