"""The journal and the trial balance: every line with its running balance, zero for every asset at every position."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ledger.money import plain
from ledger.postgres import Connection
from ledger.postings import postings
from projections.journal.queries import book_statement, statement
from projections.questions.trial_balance import trial_balance_answer
from projections.trial_balance.queries import current, sums_at, trial_balance
from projections.trial_balance.sums import add
from tests.projections.stories import (
    crash_with_deficit,
    debt_with_interest,
    exchange_opens,
    short_of_the_worked_numbers,
)
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.fixture
def projected(story: Story) -> Iterator[Connection]:
    short_of_the_worked_numbers(story)
    debt_with_interest(story)
    crash_with_deficit(story)
    with story.projected() as connection:
        yield connection


def written(lines: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Book, asset, amount and balance of each line."""
    return [(line["book"], line["asset"], plain(line["amount"]), plain(line["balance"])) for line in lines]


def test_a_statement_shows_every_line_with_the_balance_it_left_its_book_at(story: Story) -> None:
    debt_with_interest(story)
    with story.projected() as connection:
        assert written(statement(connection, story.position, "carol")) == [
            ("account/carol/spot", "USDT", "100", "100"),
            ("account/carol/spot", "USDT", "-100", "0"),
            ("account/carol/cross", "USDT", "100", "100"),
            ("account/carol/cross/principal", "USDT", "-14", "-14"),
            ("account/carol/cross", "USDT", "14", "114"),
            ("account/carol/cross/interest", "USDT", "-0.01866667", "-0.01866667"),
            ("account/carol/cross", "USDT", "-0.01866667", "113.98133333"),
            ("account/carol/cross/interest", "USDT", "0.01866667", "0"),
            ("account/carol/cross", "USDT", "-13.98133333", "100"),
            ("account/carol/cross/principal", "USDT", "13.98133333", "-0.01866667"),
        ]


def test_a_statement_is_read_page_by_page(story: Story, projected: Connection) -> None:
    whole = statement(projected, story.position, "bob")
    read: list[dict[str, Any]] = []
    while page := statement(
        projected, story.position, "bob", limit=2, after=(read[-1]["position"], read[-1]["line"]) if read else (0, 0)
    ):
        read += page
    assert read == whole
    assert len(whole) == 7


def test_a_statement_is_narrowed_to_a_wallet_an_asset_and_a_time(story: Story, projected: Connection) -> None:
    bucket = statement(projected, story.position, "bob", wallet="isolated:BTC/USDT", asset="USDT")
    assert [plain(line["balance"]) for line in bucket] == ["1000", "6000"]
    first = bucket[0]["recorded_at"]
    assert statement(projected, story.position, "bob", wallet="isolated:BTC/USDT", recorded_to=first) == bucket[:1]
    assert statement(projected, story.position, "bob", recorded_from=story.recorded_at(story.position + 1)) == []


def test_a_statement_as_of_a_position_knows_nothing_later(story: Story, projected: Connection) -> None:
    lines = statement(projected, story.position, "bob")
    position = lines[0]["position"]
    assert statement(projected, position, "bob") == lines[:1]


def test_a_book_of_the_house_has_a_statement_too(story: Story, projected: Connection) -> None:
    assert written(book_statement(projected, story.position, "interest_income", "USDT")) == [
        ("interest_income", "USDT", "0.01866667", "0.01866667")
    ]
    assert written(book_statement(projected, story.position, "insurance", "USDT")) == [
        ("insurance", "USDT", "4000", "4000"),
        ("insurance", "USDT", "-10000", "-6000"),
    ]


def test_the_trial_balance_shows_wallets_summed_over_accounts_and_each_book_of_the_house(story: Story) -> None:
    short_of_the_worked_numbers(story)
    debt_with_interest(story)
    with story.projected() as connection:
        answer = trial_balance_answer(connection, story.position)
    assert answer == {
        "position": story.position,
        "assets": {
            "BTC": {
                "total": "0",
                "books": {"accounts/isolated": "0", "accounts/isolated/principal": "-0.1", "clearing": "0.1"},
            },
            "USDT": {
                "total": "0",
                "books": {
                    "accounts/cross": "100",
                    "accounts/cross/interest": "0",
                    "accounts/cross/principal": "-0.01866667",
                    "accounts/isolated": "6000",
                    "accounts/spot": "0",
                    "clearing": "-5000",
                    "external": "-1100",
                    "interest_income": "0.01866667",
                },
            },
        },
    }


def test_every_asset_is_zero_at_every_position(story: Story, projected: Connection) -> None:
    for position in range(story.position + 1):
        totals = [asset["total"] for asset in trial_balance(projected, position).values()]
        assert totals == [Decimal(0)] * len(totals)


def test_the_trial_balance_of_a_position_adds_the_log_to_the_last_state_kept(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("projections.trial_balance.projector", "projections.trial_balance.queries"):
        monkeypatch.setattr(f"{module}.STEP", 4)
    debt_with_interest(story)
    short_of_the_worked_numbers(story)
    with story.projected(batch_size=3) as connection:
        kept = connection.execute("select distinct position from trial_balance_states order by position").fetchall()
        found = [sums_at(connection, position) for position in range(story.position + 1)]
        assert found[-1] == current(connection)
    monkeypatch.undo()
    assert kept == [(12,), (16,), (20,)]
    assert found == [_folded(story, position) for position in range(story.position + 1)]


def _folded(story: Story, position: int) -> dict[tuple[str, str], Decimal]:
    folded: dict[tuple[str, str], Decimal] = {}
    for event in story.events[:position]:
        add(folded, postings(event))
    return folded
