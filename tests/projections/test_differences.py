"""What changed between two points of an account: numbers worked by hand."""

import pytest

from projections.questions.tally import Shown
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_limits,
    asset_listed,
    borrowed,
    deposited,
    margin_added,
    mode_set,
    opened,
    pair_listed,
    repaid,
    risk_limits,
    tier,
    traded,
    transferred,
)
from tests.projections.differences import BORROWED, END, TRADED, asked, long_of_alice, moved
from tests.projections.stories import crash_with_deficit, exchange_opens
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.fixture
def of_alice(story: Story) -> Story:
    long_of_alice(story)
    return story


def test_a_level_moves_by_trades_fees_interest_prices_and_loans(of_alice: Story) -> None:
    """Assets 20,000 on a debt of 10,000; the trade costs 20 and its fee 20; prices add 400, take 200 and 2,200.

    In levels: -20 / 10,000 twice; 200 / 10,000 and -2,200 / 10,010; 20,160 / 10,010 - 2.016; 12,960 / 5,010 - 17,960 /
    10,010.
    """
    with of_alice.projected() as connection:
        answer = asked(connection, "alice", BORROWED, END)
    cross = answer["wallets"]["cross"]
    level = cross["margin_level"]
    assert (level["from"], level["to"], level["change"]) == ("2.00000000", "2.58682634", "0.58682634")
    assert moved(level["by_cause"]) == {
        "trades": "-0.002",
        "fees": "-0.002",
        "interest": "-0.00201399",
        "prices": "-0.19978022",
        "loans": "0.79262055",
    }
    assert level["from_none"] == level["to_none"] == {"times": 0, "levels": "0", "events": []}
    assert cross["collateral_margin_level"] == level
    assert (cross["equity"]["from"], cross["equity"]["to"], cross["equity"]["change"]) == ("10000", "7950", "-2050")
    assert moved(cross["equity"]["by_cause"]) == {
        "trades": "-20",
        "fees": "-20",
        "interest": "-10",
        "prices": "-2000",
    }
    assert answer["unexplained"] == []


def test_balances_and_positions_stand_side_by_side_with_what_each_event_changed(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        answer = asked(connection, "alice", BORROWED, END)
    zero = {"from": "0", "to": "0", "change": "0"}
    assert answer["wallets"]["cross"]["assets"] == {
        "BTC": {
            "free": {"from": "0", "to": "0.2", "change": "0.2"},
            "locked": zero,
            "borrowed": zero,
            "interest": zero,
        },
        "USDT": {
            "free": {"from": "20000", "to": "4960", "change": "-15040"},
            "locked": zero,
            "borrowed": {"from": "10000", "to": "5010", "change": "-4990"},
            "interest": zero,
        },
    }
    (position,) = answer["positions"]
    assert position["cost"] == {"from": "0", "to": "10020", "change": "10020"}
    assert answer["counts"] == {"events": 3, "topics": {"interest.accrued": 1, "loan.repaid": 1, "trade.booked": 1}}
    trade, interest, repayment = answer["events"]
    assert (trade["position"], trade["topic"], trade["version"], trade["actor"]) == (
        TRADED,
        "trade.booked",
        5,
        "tester",
    )
    assert trade["changes"] == [
        {"wallet": "cross", "asset": "USDT", "free": "-10040"},
        {"wallet": "cross", "asset": "BTC", "free": "0.2"},
    ]
    assert trade["margin_levels"] == {"cross": {"before": "2.00000000", "after": "1.99600000"}}
    assert interest["changes"] == [{"wallet": "cross", "asset": "USDT", "interest": "10"}]
    assert interest["margin_levels"] == {"cross": {"before": "2.01600000", "after": "2.01398601"}}
    assert repayment["changes"] == [
        {"wallet": "cross", "asset": "USDT", "free": "-5000", "borrowed": "-4990", "interest": "-10"}
    ]


def test_both_ends_are_told_as_the_account_question_tells_them(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        answer = asked(connection, "alice", BORROWED, END)
    assert (answer["from"]["as_of"], answer["from"]["cross"]["margin_level"]) == ({"position": 13}, "2.00000000")
    assert (answer["to"]["as_of"], answer["to"]["prices"]["BTC/USDT"]["price"]) == ({"position": 19}, "40000")
    assert answer["position"] == END


def test_a_level_begins_from_none_and_ends_to_none(of_alice: Story) -> None:
    """From the opening on it begins at 2 with the loan; what is left of the debt, 5,010, is repaid from 12,960."""
    of_alice.of("alice", deposited("50", "USDT"), transferred("50", "USDT"), repaid("0", "5010", "USDT"))
    with of_alice.projected() as connection:
        opening = asked(connection, "alice")["wallets"]["cross"]["margin_level"]
        still_owing = asked(connection, "alice", None, END)["wallets"]["cross"]["margin_level"]
    began = {"times": 1, "levels": "2", "events": [{"position": 13, "topic": "loan.borrowed", "level": "2.00000000"}]}
    assert (opening["from"], opening["to"], opening["change"], opening["from_none"]) == (None, None, None, began)
    ended = {"position": 22, "topic": "loan.repaid", "level": "2.59680638"}
    assert (opening["to_none"]["times"], opening["to_none"]["events"]) == (1, [ended])
    assert (still_owing["from"], still_owing["to"], still_owing["from_none"]) == (None, "2.58682634", began)
    assert still_owing["by_cause"]["loans"] == "0.79262055"


def test_nothing_lies_between_a_point_and_itself(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        answer = asked(connection, "alice", TRADED, TRADED)
    assert answer["counts"] == {"events": 0, "topics": {}}
    assert answer["wallets"]["cross"]["equity"]["change"] == "0"
    assert answer["wallets"]["cross"]["margin_level"]["change"] == "0"


def test_prices_alone_move_a_wallet_that_nothing_happens_on(of_alice: Story) -> None:
    """0.2 BTC gain 200 from 50,000 to 51,000, on a debt of 10,000."""
    with of_alice.projected() as connection:
        cross = asked(connection, "alice", TRADED, 16)["wallets"]["cross"]
    assert moved(cross["equity"]["by_cause"]) == {"prices": "200"}
    assert moved(cross["margin_level"]["by_cause"]) == {"prices": "0.02"}


def test_collateral_ratios_move_the_collateral_level_alone_and_lines_move_none(story: Story) -> None:
    """1 BTC of 50,000 and 20,000 USDT on a debt of 20,000: 3.5; where BTC counts at 0.9 only, 65,000 do: 3.25."""
    story.of("alice", opened(), deposited("1", "BTC"), transferred("1", "BTC"), borrowed("20000", "USDT"))
    start = story.position
    story.on_exchange(asset_limits("BTC", collateral_tiers=[{"ratio": "0.9"}]), asset_limits("SOL", ("trade",)))
    story.on_exchange(risk_limits("cross", tier("3", "1.6", "1.4", "1.2"), tier("5", "1.25", "1.16", "1.1")))
    with story.projected() as connection:
        answer = asked(connection, "alice", start)
    cross = answer["wallets"]["cross"]
    assert cross["collateral_margin_level"]["change"] == "-0.25"
    assert moved(cross["collateral_margin_level"]["by_cause"]) == {"settings": "-0.25"}
    assert moved(cross["margin_level"]["by_cause"]) == moved(cross["equity"]["by_cause"]) == {}
    assert [one["topic"] for one in answer["settings"]] == ["asset_limits.set", "risk_limits.set"]


def test_a_liquidation_is_one_cause_and_what_it_leaves_has_no_level(story: Story) -> None:
    """1 BTC at 30,000 on 40,000 owed: all is taken, the fund covers 10,000, and equity rises from -10,000 to 0."""
    crash_with_deficit(story)
    started = next(place for place, event in enumerate(story.events, 1) if event.TOPIC == "liquidation.started")
    with story.projected() as connection:
        answer = asked(connection, "dan", started - 1)
    cross = answer["wallets"]["cross"]
    assert moved(cross["equity"]["by_cause"]) == {"liquidation": "10000"}
    assert (cross["margin_level"]["from"], cross["margin_level"]["to"]) == ("0.75000000", None)
    assert cross["margin_level"]["to_none"]["times"] == 1
    assert answer["unexplained"] == []


def test_funds_that_come_into_a_bucket_raise_its_level(story: Story) -> None:
    """A short of 0.1 BTC at 50,000: 6,000 on 5,000 is 1.2; with 500 more it is 1.3."""
    story.of("bob", opened(), deposited("1500", "USDT"), mode_set("isolated"), margin_added("1000", "USDT"))
    story.of("bob", borrowed("0.1", "BTC", wallet=BTC_BUCKET), traded("sell", "0.1", "50000", wallet=BTC_BUCKET))
    start = story.position
    story.of("bob", margin_added("500", "USDT"), deposited("7", "USDT"))
    with story.projected() as connection:
        answer = asked(connection, "bob", start, shown=Shown(BTC_BUCKET))
    assert list(answer["wallets"]) == [BTC_BUCKET]
    bucket = answer["wallets"][BTC_BUCKET]
    assert moved(bucket["margin_level"]["by_cause"]) == {"funds": "0.1"}
    assert moved(bucket["equity"]["by_cause"]) == {"funds": "500"}
    assert "collateral_margin_level" not in bucket
    assert answer["counts"] == {"events": 1, "topics": {"margin.added": 1}}
    assert answer["events"][0]["changes"] == [{"wallet": BTC_BUCKET, "asset": "USDT", "free": "500"}]


def test_a_bucket_of_a_pair_that_was_listed_between_is_told_from_nothing(story: Story) -> None:
    story.of("bob", opened(), deposited("1500", "USDT"))
    start = story.position
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    story.of("bob", mode_set("isolated", "XRP/USDT"), margin_added("1000", "USDT", "XRP/USDT"))
    with story.projected() as connection:
        bucket = asked(connection, "bob", start)["wallets"]["isolated:XRP/USDT"]
    assert bucket["equity"] == {
        "from": "0",
        "to": "1000",
        "change": "1000",
        "by_cause": {**bucket["equity"]["by_cause"], "funds": "1000"},
    }


def test_where_a_price_is_lacking_nothing_is_guessed(story: Story) -> None:
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    story.of("alice", opened(), deposited("100", "XRP"), transferred("100", "XRP"), deposited("1", "USDT"))
    with story.projected() as connection:
        cross = asked(connection, "alice")["wallets"]["cross"]
    assert set(cross) == {"assets", "lacks_price_at"}
    assert cross["lacks_price_at"] == story.position - 1


def test_a_state_that_the_events_do_not_lead_to_is_said(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        connection.execute("update balance_states set free = free + 1 where position = %s", [END])
        connection.commit()
        answer = asked(connection, "alice", BORROWED, END)
    assert answer["unexplained"] == [
        {"wallet": "cross", "asset": "USDT", "part": "free", "by_events": "4960", "to": "4961"},
        {"wallet": "cross", "part": "assets", "by_events": "12960", "to": "12961"},
        {"wallet": "cross", "part": "collateral", "by_events": "12960", "to": "12961"},
    ]
