"""Which points of an account can be compared, in which order what lies between them counts, and in which pages."""

from datetime import timedelta

import pytest

from ledger.errors import Malformed, UnknownAccount, UnknownPair
from projections.questions.differences import differences_answer
from projections.questions.tally import Shown
from projections.snapshot import AsOf
from tests.ledger.given import NOON
from tests.ledger.happenings import accrued, borrowed, deposited, line, marked, opened, traded, transferred
from tests.projections.differences import (
    BORROWED,
    END,
    TRADED,
    asked,
    between_times,
    long_of_alice,
    moved,
    snapshot_of,
)
from tests.projections.stories import crash_with_deficit, exchange_opens
from tests.projections.story import Story

HOUR = timedelta(hours=1)


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.fixture
def of_alice(story: Story) -> Story:
    long_of_alice(story)
    return story


def test_events_are_read_in_pages_and_counted_whole(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        first = asked(connection, "alice", None, END, Shown(limit=4))
        rest = asked(connection, "alice", None, END, Shown(after=first["next"], limit=4))
    assert [event["position"] for event in first["events"] + rest["events"]] == [11, 12, 13, 14, 17, 19]
    assert (len(first["events"]), first["next"], rest["next"]) == (4, 14, None)
    assert first["counts"] == rest["counts"] == {**first["counts"], "events": 6}


def test_business_times_order_events_by_their_date(story: Story) -> None:
    """Recorded last, dated first: the back-dated 5 USDT lie before the first point; the interest between the points.

    At 13:30 the debt is 10,010 and 0.2 BTC are worth 8,000 beside 10,000 USDT; an hour before they were worth 10,000.
    """
    story.of("alice", opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("10000", "USDT"))
    story.of("alice", traded("buy", "0.2", "50000"))
    story.on_exchange(marked(BTC="40000"), at=NOON + HOUR)
    story.of("alice", accrued(line("10", "USDT", "10000", "0.024")), at=NOON + HOUR)
    story.of("alice", deposited("5", "USDT"), at=NOON + 0.25 * HOUR)
    with story.projected() as connection:
        answer = between_times(connection, "alice", NOON + 0.5 * HOUR, NOON + 1.5 * HOUR)
        opening = between_times(connection, "alice", None, NOON + 1.5 * HOUR)
        after = Shown(after=story.position)
        with snapshot_of(connection) as snapshot, pytest.raises(Malformed, match="no event between"):
            differences_answer(snapshot, "alice", AsOf("effective_at", NOON + HOUR), after)
    assert [event["topic"] for event in answer["events"]] == ["interest.accrued"]
    assert answer["events"][0]["margin_levels"] == {"cross": {"before": "1.80000000", "after": "1.79820179"}}
    assert moved(answer["wallets"]["cross"]["equity"]["by_cause"]) == {"interest": "-10", "prices": "-2000"}
    assert answer["wallets"]["cross"]["margin_level"]["from"] == "2.00000000"
    assert answer["wallets"]["cross"]["margin_level"]["to"] == "1.79820179"
    assert answer["from"]["spot"]["USDT"]["free"] == "5"
    assert answer["from"]["backdated"] is False
    assert answer["unexplained"] == []
    assert [event["topic"] for event in opening["events"]] == ["funds.deposited", "interest.accrued"]


def test_recorded_times_and_positions_can_be_mixed(of_alice: Story) -> None:
    with of_alice.projected() as connection, snapshot_of(connection, position=END) as snapshot:
        first = AsOf("recorded_at", of_alice.recorded_at(BORROWED))
        answer = differences_answer(snapshot, "alice", first, last=AsOf("position", END))
    assert answer["from"]["position"] == BORROWED
    assert answer["from"]["as_of"] == {"recorded_at": of_alice.recorded_at(BORROWED)}
    assert answer["counts"]["events"] == 3


def test_what_makes_no_sense_is_refused(of_alice: Story) -> None:
    with of_alice.projected() as connection:
        with pytest.raises(Malformed, match=r"position 14, which lies after position 13, `to`"):
            asked(connection, "alice", TRADED, BORROWED)
        with pytest.raises(Malformed, match="position 99, which lies after position 19, the end of the log"):
            asked(connection, "alice", 99)
        with pytest.raises(Malformed, match="the log ends at 19"):
            asked(connection, "alice", 12, 99)
        with pytest.raises(UnknownAccount, match="not opened by position 9, the point `from`"):
            asked(connection, "alice", 9)
        with pytest.raises(UnknownAccount, match="not opened by position 9 of the log, where `to` lies"):
            asked(connection, "alice", 8, 9)
        with pytest.raises(UnknownAccount, match="nobody"):
            asked(connection, "nobody")
        with pytest.raises(Malformed, match="6 events of account alice"):
            asked(connection, "alice", most_events=5)
        with snapshot_of(connection, position=END) as snapshot, pytest.raises(Malformed, match="state both"):
            differences_answer(snapshot, "alice", AsOf("effective_at", NOON), last=AsOf("position", END))
        with snapshot_of(connection, position=END) as snapshot, pytest.raises(UnknownPair, match="DOGE/USDT is not"):
            differences_answer(snapshot, "alice", None, Shown("isolated:DOGE/USDT"))
        with pytest.raises(Malformed, match="lies after `to`"):
            between_times(connection, "alice", NOON + HOUR, NOON)


def test_a_point_may_lie_within_a_liquidation(story: Story) -> None:
    """1 BTC was bought at 50,000 and is taken at 30,000, the price that the liquidation started at."""
    crash_with_deficit(story)
    started = next(place for place, event in enumerate(story.events, 1) if event.TOPIC == "liquidation.started")
    with story.projected() as connection:
        answers = [asked(connection, "dan", first) for first in range(started, story.position + 1)]
    assert [answer["unexplained"] for answer in answers] == [[]] * len(answers)
    assert answers[0]["positions"][0]["realised_profit"]["change"] == "-20000"
    assert answers[0]["counts"]["events"] == len(answers) - 1 > 1
