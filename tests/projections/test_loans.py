"""Loans: what is owed, until when it is charged and what it cost, now and at any position."""

from datetime import timedelta
from decimal import Decimal

import pytest

from projections.loans.queries import accounts_that_owe, loans, totals
from tests.ledger.given import NOON
from tests.ledger.happenings import accrued, borrowed, deposited, line, opened, repaid, transferred
from tests.projections.stories import crash_with_deficit, debt_with_interest, exchange_opens
from tests.projections.story import Story

HOUR = timedelta(hours=1)


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_a_loan_shows_principal_interest_next_hour_and_what_it_was_charged(story: Story, batch_size: int) -> None:
    debt_with_interest(story)
    with story.projected(batch_size) as connection:
        (loan,) = loans(connection, story.position)
        (before,) = loans(connection, story.position - 1)
        (fresh,) = loans(connection, story.position - 2)
        assert loans(connection, story.position - 3) == []
    terms = {"account_id": "carol", "wallet": "cross", "asset": "USDT", "next_hour": NOON + HOUR}
    charge = Decimal("0.01866667")
    assert loan == {
        **terms, "position": story.position, "principal": charge, "interest": 0, "charged": charge
    }  # fmt: skip
    assert before == {
        **terms, "position": story.position - 1, "principal": 14, "interest": charge, "charged": charge
    }  # fmt: skip
    assert fresh == {**terms, "position": story.position - 2, "principal": 14, "interest": 0, "charged": 0}


def test_a_loan_that_is_repaid_is_no_longer_listed_and_begins_its_hours_anew(story: Story) -> None:
    story.of("carol", opened(), deposited("100", "USDT"), transferred("100", "USDT"), borrowed("14", "USDT"))
    story.of("carol", repaid("0", "14", "USDT"))
    repaid_at = story.position
    story.of("carol", borrowed("1", "USDT"), at=NOON + 5 * HOUR)
    with story.projected() as connection:
        assert loans(connection, repaid_at) == []
        assert accounts_that_owe(connection, repaid_at) == []
        assert accounts_that_owe(connection, repaid_at - 1) == ["carol"]
        assert [loan["next_hour"] for loan in loans(connection, story.position)] == [NOON + 6 * HOUR]


def test_a_liquidation_ends_the_loans_of_its_wallet(story: Story) -> None:
    crash_with_deficit(story)
    with story.projected() as connection:
        assert accounts_that_owe(connection, story.position) == []
        assert totals(connection, story.position) == []


def test_loans_are_summed_by_asset_and_read_page_by_page(story: Story) -> None:
    for account_id in ("alice", "bob", "carol"):
        story.of(account_id, opened(), borrowed("10", "USDT"), borrowed("0.5", "BTC"))
        story.of(account_id, accrued(line("0.01", "USDT", "10", "0.024")))
    with story.projected() as connection:
        position = story.position
        assert totals(connection, position) == [
            {"asset": "BTC", "loans": 3, "principal": Decimal("1.5"), "interest": 0},
            {"asset": "USDT", "loans": 3, "principal": 30, "interest": Decimal("0.03")},
        ]
        first = loans(connection, position, limit=4)
        rest = loans(connection, position, limit=4, after=("bob", "cross", "USDT"))
        assert [(loan["account_id"], loan["asset"]) for loan in first + rest] == [
            (account_id, asset) for account_id in ("alice", "bob", "carol") for asset in ("BTC", "USDT")
        ]
        assert [loan["account_id"] for loan in loans(connection, position, asset="BTC", account_id="bob")] == ["bob"]
        assert accounts_that_owe(connection, position) == ["alice", "bob", "carol"]
