"""Levels of all wallets that owe are exact at any position; those that ask for it are found for examination."""

from datetime import timedelta
from typing import Any

import pytest

from projections.margin_levels.queries import assessments, wallets_that_owe
from projections.questions.levels import Candidate, candidates, count_by_band, levels
from tests.ledger.given import NOON
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_listed,
    borrowed,
    called,
    deposited,
    leverage_set,
    marked,
    opened,
    pair_listed,
    repaid,
    risk_limits,
    transferred,
)
from tests.projections.stories import (
    MINUTE,
    crash_with_deficit,
    debt_with_interest,
    exchange_opens,
    pool_of_the_worked_numbers,
    short_of_the_worked_numbers,
)
from tests.projections.story import Story

HOUR = timedelta(hours=1)


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


def test_the_worked_numbers_of_a_pool_and_a_bucket(story: Story) -> None:
    """20,000 / 5,150 is 3.88349514; 6,000 / (0.1 x 50,000) is 1.2."""
    pool_of_the_worked_numbers(story)
    short_of_the_worked_numbers(story)
    with story.projected() as connection:
        pool, bucket = levels(connection, story.position)
    assert pool == {
        "account_id": "alice",
        "wallet": "cross",
        "position": 13,
        "band": "normal",
        "margin_level": "3.88349514",
        "collateral_margin_level": "3.88349514",
        "total_assets": "20000",
        "total_debt": "5150",
        "equity": "14850",
        "debts": {"USDT": "5150"},
        "tier": None,
        "max_leverage": "3",
        "liquidation_id": None,
        "called_at": None,
        "lacking_prices": [],
    }
    assert (bucket["account_id"], bucket["wallet"], bucket["band"]) == ("bob", BTC_BUCKET, "transfer_blocked")
    assert (bucket["margin_level"], bucket["collateral_margin_level"]) == ("1.20000000", None)
    assert (bucket["debts"], bucket["tier"], bucket["max_leverage"]) == ({"BTC": "0.1"}, 1, "10")


def test_a_level_at_any_position_takes_the_prices_known_there(story: Story) -> None:
    """At 57,142.85 the level is 6,000 / 5,714.285 or 1.05000013; at 57,142.86 it is at most 1.05."""
    short_of_the_worked_numbers(story)
    for price in ("57142.85", "57142.86"):
        story.on_exchange(marked(BTC=price))
    with story.projected() as connection:
        found = [levels(connection, story.position - back)[0] for back in (2, 1, 0)]
    assert [(row["margin_level"], row["band"]) for row in found] == [
        ("1.20000000", "transfer_blocked"),
        ("1.05000013", "margin_call"),
        ("1.04999994", "liquidation"),
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_wallets_at_every_position_are_those_that_the_events_made(story: Story, batch_size: int) -> None:
    pool_of_the_worked_numbers(story)
    short_of_the_worked_numbers(story)
    debt_with_interest(story)
    crash_with_deficit(story)
    with story.projected(batch_size) as connection:
        for position in range(story.position + 1):
            assert owing(list(wallets_that_owe(connection, position))) == expected(story, position)


def owing(found: list[Any]) -> list[Any]:
    return [(one.account_id, one.wallet.name, one.wallet.balances, one.wallet.next_hours) for one in found]


def expected(story: Story, position: int) -> list[Any]:
    accounts = [story.account_at(position, account_id) for account_id in sorted(story.accounts)]
    wallets = [(one.id, wallet) for one in accounts for wallet in one.wallets.all() if wallet.debts]
    return [(account_id, wallet.name, wallet.balances, wallet.next_hours) for account_id, wallet in wallets]


def test_a_wallet_without_a_fresh_price_is_unpriced(story: Story) -> None:
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    for account_id, asset in (("alice", "XRP"), ("bob", "BTC")):
        story.of(account_id, opened(), deposited("100", asset), transferred("100", asset), borrowed("10", "USDT"))
    with story.projected() as connection:
        (never,) = levels(connection, story.position, band="unpriced")
        assert count_by_band(connection, story.position)["unpriced"] == 1
    assert (never["account_id"], never["total_assets"], never["margin_level"]) == ("alice", None, None)
    assert never["lacking_prices"] == ["XRP"]
    story.on_exchange(_only(marked(NOON + timedelta(seconds=61)), "ETH/USDT"))
    with story.projected() as connection:
        assert [row["account_id"] for row in levels(connection, story.position, band="unpriced")] == ["alice", "bob"]
        assert [row.band for row in candidates(connection, story.position)] == ["unpriced", "unpriced"]
    story.on_exchange(risk_limits("cross", *_cross_rows(), age_seconds=61))
    with story.projected() as connection:
        assert [row["account_id"] for row in levels(connection, story.position, band="unpriced")] == ["alice"]


def _only(vector: Any, pair: str) -> Any:
    """The same vector with the price of one pair alone."""
    return lambda envelope: (event := vector(envelope)).model_copy(update={"prices": {pair: event.prices[pair]}})


def _cross_rows() -> list[dict[str, str]]:
    return [{"max_leverage": "3", "initial": "1.5", "margin_call": "1.3", "liquidation": "1.1"}]


def test_levels_are_filtered_by_band_and_read_page_by_page(story: Story) -> None:
    for account_id in ("alice", "bob", "carol"):
        own = "1" if account_id == "bob" else "20"
        story.of(account_id, opened(), deposited(own, "USDT"), transferred(own, "USDT"), borrowed("10", "USDT"))
    with story.projected() as connection:
        position = story.position
        assert [row["account_id"] for row in levels(connection, position, limit=1)] == ["alice"]
        assert [row["account_id"] for row in levels(connection, position, after=("alice", "cross"))] == ["bob", "carol"]
        assert [row["account_id"] for row in levels(connection, position, band="liquidation")] == ["bob"]
        assert [row["account_id"] for row in levels(connection, position, band="normal")] == ["alice", "carol"]
        assert levels(connection, position, band="margin_call") == []
        counts = count_by_band(connection, position)
        assert (counts["normal"], counts["liquidation"], counts["margin_call"]) == (2, 1, 0)


def test_a_repaid_wallet_is_listed_no_more_and_a_set_leverage_counts(story: Story) -> None:
    story.of("alice", opened(), leverage_set("5", "cross"), deposited("20", "USDT"), transferred("20", "USDT"))
    story.of("alice", borrowed("10", "USDT"), repaid("0", "10", "USDT"))
    with story.projected() as connection:
        assert levels(connection, story.position) == []
        (owed,) = levels(connection, story.position - 1)
    assert owed["max_leverage"] == "5"


def test_candidates_are_the_wallets_at_or_below_their_call_line(story: Story) -> None:
    """13 / 10 is 1.3, the call line itself; 13.00000001 / 10 is above it; 11 / 10 is the liquidation line."""
    for account_id, own in (("alice", "3"), ("bob", "3.00000001"), ("carol", "1")):
        story.of(account_id, opened(), deposited(own, "USDT"), transferred(own, "USDT"), borrowed("10", "USDT"))
    with story.projected() as connection:
        assert list(candidates(connection, story.position)) == [
            Candidate("alice", "cross", "margin_call", "1.30000000"),
            Candidate("carol", "cross", "liquidation", "1.10000000"),
        ]


def test_interest_that_is_due_counts_for_a_candidate(story: Story) -> None:
    """14 USDT owed at 0.1 a day against 18.3 held: 1.307 now; two hours at 0.05833334 more make 1.29634."""
    story.on_exchange(asset_listed("DAI", "0.1"), pair_listed("DAI/USDT", "3"))
    story.of("alice", opened(), deposited("4.3", "DAI"), transferred("4.3", "DAI"), borrowed("14", "DAI"))
    at = NOON + 2 * HOUR
    story.on_exchange(lambda envelope: _dai_marked(envelope, at))
    with story.projected() as connection:
        (now,) = levels(connection, story.position)
        assert list(candidates(connection, story.position)) == [
            Candidate("alice", "cross", "margin_call", "1.29634002")
        ]
    assert now["margin_level"] == "1.30714285"


def _dai_marked(envelope: Any, at: Any) -> Any:
    event = marked(at)(envelope)
    return event.model_copy(update={"prices": {"DAI/USDT": event.prices["SOL/USDT"]}})  # type: ignore[attr-defined]


def test_who_was_called_within_a_day_is_no_candidate_until_it_is_over_or_the_level_falls(story: Story) -> None:
    story.of("alice", opened(), deposited("3", "USDT"), transferred("3", "USDT"), borrowed("10", "USDT"))
    story.of("alice", called("cross"))
    with story.projected() as connection:
        assert list(candidates(connection, story.position)) == []
    story.on_exchange(marked(NOON + 24 * HOUR))
    with story.projected() as connection:
        assert [one.band for one in candidates(connection, story.position)] == ["margin_call"]


def test_a_wallet_whose_liquidation_runs_is_no_candidate(story: Story) -> None:
    short_of_the_worked_numbers(story)
    story.on_exchange(marked(BTC="57500"), at=NOON + MINUTE)
    with story.projected() as connection:
        assert [one.band for one in candidates(connection, story.position)] == ["liquidation"]
    story.when("bob", NOON + MINUTE, type="liquidate", wallet=BTC_BUCKET, execution="external")
    with story.projected() as connection:
        assert list(candidates(connection, story.position)) == []
        assert levels(connection, story.position)[0]["liquidation_id"] == "bob.7"


def test_the_levels_that_decisions_assessed_are_kept_with_their_wallet(story: Story) -> None:
    """2,000 USDT in cross; borrowing 500 makes 2,500 / 500 or 5; taking 1,000 out again 1,500 / 500 or 3."""
    story.of("alice", opened(), deposited("2000", "USDT"), transferred("2000", "USDT"))
    common: dict[str, Any] = {"asset": "USDT"}
    story.when("alice", type="borrow", wallet="cross", amount="500", **common)
    story.when("alice", type="transfer", amount="1000", **{**common, "from": "cross", "to": "spot"})
    story.when("alice", type="set_margin_mode", pair="BTC/USDT", mode="isolated")
    story.when("alice", type="add_margin", pair="BTC/USDT", amount="100", **{**common, "from": "cross"})
    story.when("alice", type="borrow", wallet=BTC_BUCKET, amount="100", **common)
    story.when("alice", type="add_margin", pair="BTC/USDT", amount="100", **{**common, "from": "cross"})
    with story.projected() as connection:
        found = assessments(connection, story.position, "alice")
        of_the_bucket = assessments(connection, story.position, "alice", wallet=BTC_BUCKET)
    assert of_the_bucket == [row for row in found if row["wallet"] == BTC_BUCKET]
    assert [(row["wallet"], row["topic"], row["level_before"], row["level_after"], row["tier"]) for row in found] == [
        ("cross", "loan.borrowed", None, "5.00000000", None),
        ("cross", "funds.transferred", "5.00000000", "3.00000000", None),
        ("cross", "margin.added", "3.00000000", "2.80000000", None),
        (BTC_BUCKET, "loan.borrowed", None, "2.00000000", 1),
        ("cross", "margin.added", "2.80000000", "2.60000000", None),
        (BTC_BUCKET, "margin.added", "2.00000000", "3.00000000", 1),
    ]
