"""What would happen at other prices is what does happen when they are marked; numbers worked by hand, and at random."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.account import Decision
from ledger.errors import Malformed, TooMuchAsked
from projections.questions.shocks import Sweep, read_sweep
from projections.questions.what_if import Listed, what_if_answer
from projections.questions.what_if_examination import close_out_of, completed_by_house
from projections.questions.what_if_kept import Place
from projections.snapshot import Snapshot
from tests.ledger.given import NOON, and_then, decided, given, happened, topics
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_listed,
    borrowed,
    called,
    deposited,
    marked,
    opened,
    pair_listed,
    the_market,
    traded,
    transferred,
)
from tests.projections.stories import MINUTE, exchange_opens, pool_of_the_worked_numbers, short_of_the_worked_numbers
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    """The worked pool (alice), the worked short (bob), and dan, long of 1 BTC on 40,000 borrowed; 4,000 in the fund."""
    story = Story(database)
    exchange_opens(story)
    pool_of_the_worked_numbers(story)
    short_of_the_worked_numbers(story)
    story.on_exchange(happened(e.InsuranceFunded, asset="USDT", amount="4000"))
    story.of("dan", opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("40000", "USDT"))
    story.of("dan", traded("buy", "1", "50000"))
    return story


@contextmanager
def asked(story: Story) -> Iterator[Snapshot]:
    with story.projected() as connection:
        yield Snapshot(connection, story.position, None)


def what_if(story: Story, shocks: dict[str, Any], sweep: Sweep | None = None, **listed: Any) -> dict[str, Any]:
    with asked(story) as snapshot:
        return what_if_answer(snapshot, shocks, sweep, Listed(**listed))


def test_a_fall_leaves_a_deficit_that_the_fund_holds_in_part(story: Story) -> None:
    """1 BTC is sold for 30,000, all of which repays; 10,000 stay owed, and of them the fund holds 4,000."""
    found = what_if(story, {"BTC/USDT": "-40%"})
    assert found["shocks"] == {"BTC/USDT": {"stated": "-40%", "price": "50000", "shocked": "30000"}}
    (dan,) = found["wallets"]
    assert (dan["account_id"], dan["wallet"], dan["outcome"]) == ("dan", "cross", "liquidated")
    assert dan["band"] == {"before": "margin_call", "after": "liquidation"}
    assert dan["margin_level"] == {"before": "1.25000000", "after": "0.75000000"}
    assert dan["equity"] == {"before": "10000", "after": "-10000"}
    assert dan["close_out"] == {
        "sold": {"BTC": "1"},
        "repaid": {"USDT": "30000"},
        "fee": {},
        "covered": {"USDT": "10000"},
        "repaid_value": "30000",
        "deficit": "10000",
    }
    figures = {"called": 0, "liquidated": 1, "repaid_value": "30000", "fee_value": "0", "deficit": "10000"}
    assert found["by_pair"] == {"cross": figures}
    assert figures.items() <= found.items()
    assert (found["uncovered_deficit"], found["fund"]) == (
        "6000",
        {"before": {"USDT": "4000"}, "after": {"USDT": "-6000"}},
    )
    assert found["by_asset"]["USDT"] == {
        "sold": "0",
        "repaid": "30000",
        "fee": "0",
        "covered": "10000",
        "deficit": "10000",
    }


def test_a_rise_liquidates_a_short_in_its_bucket_and_feeds_the_fund(story: Story) -> None:
    """At 58,000 the level is 6,000 / 5,800; 5,800 buy 0.1 BTC back, 2 % of that is the fee, and 84 are left."""
    found = what_if(story, {"BTC": "58000"})
    (bob,) = found["wallets"]
    assert (bob["wallet"], bob["margin_level"]["after"]) == (BTC_BUCKET, "1.03448275")
    assert bob["close_out"]["sold"] == {"USDT": "5800"}
    assert bob["close_out"]["fee"] == {"USDT": "116"}
    assert list(found["by_pair"]) == ["BTC/USDT"]
    assert (found["fee_value"], found["deficit"], found["uncovered_deficit"]) == ("116", "0", "0")
    assert found["fund"]["after"] == {"USDT": "4116"}


def test_bands_are_counted_before_and_after(story: Story) -> None:
    """Bob's 1.2 is transfer_blocked; dan's 1.25 is a margin call, and 1.3 at 52,000 too, for a bound is the worse's."""
    bands = what_if(story, {"BTC/USDT": "+4%"})["bands"]
    assert {band: tuple(counts.values()) for band, counts in bands.items() if any(counts.values())} == {
        "normal": (1, 1),
        "transfer_blocked": (1, 1),
        "margin_call": (1, 1),
    }


def test_what_is_left_to_an_external_execution_is_closed_out_as_the_house_would() -> None:
    account, market = given(deposited("10000", "USDT"), transferred("10000", "USDT"), at=NOON), the_market(BTC="42000")
    account = and_then(account, borrowed("40000", "USDT"), traded("buy", "1", "50000"))
    told = []
    for execution in ("house", "external"):
        events, accounts = decided(market, account, type="liquidate", wallet="cross", execution=execution)
        assert ("liquidation.completed" in topics(events)) is (execution == "house")
        told.append(close_out_of(completed_by_house(Decision(events, accounts), market)))  # type: ignore[arg-type]
    assert told[0] == told[1]
    assert told[0] is not None
    assert told[0].repaid == {"USDT": Decimal(40000)}


def test_a_wallet_called_within_a_day_would_not_be_called_again(story: Story) -> None:
    assert [one["outcome"] for one in what_if(story, {"BTC/USDT": "-1%"})["wallets"]] == ["called"]
    story.of("dan", called("cross", NOON - timedelta(hours=23)))
    assert what_if(story, {"BTC/USDT": "-1%"})["wallets"] == []
    story.of("dan", called("cross", NOON - timedelta(hours=24)))
    assert [one["outcome"] for one in what_if(story, {"BTC/USDT": "-1%"})["wallets"]] == ["called"]


def test_the_worst_come_first_and_pages_leave_none_out(story: Story) -> None:
    shocks = {"BTC/USDT": "30000", "ETH/USDT": "-50%"}
    owes_against(story, "eve", "2", "2000")
    whole = what_if(story, shocks)
    assert [(one["account_id"], one["margin_level"]["after"]) for one in whole["wallets"]] == [
        ("dan", "0.75000000"),
        ("eve", "1.00000000"),
    ]
    first = what_if(story, shocks, limit=1)
    assert first["next"] == "liquidated,0.75000000,dan,cross"
    rest = what_if(story, shocks, limit=1, after=Place(False, Decimal("0.75"), "dan", "cross"))
    assert first["wallets"] + rest["wallets"] == whole["wallets"]
    assert (rest["next"], rest["liquidated"]) == (None, whole["liquidated"])


def test_liquidations_come_before_calls_though_the_level_of_a_call_is_lower(story: Story) -> None:
    """Bob's bucket is called from 1.1 down to 1.05, eve's pool is liquidated from 1.1 on."""
    shocks = {"BTC/USDT": "56000", "ETH/USDT": "1090"}
    owes_against(story, "eve", "2", "2000")
    whole = what_if(story, shocks)
    assert [(one["account_id"], one["outcome"], one["margin_level"]["after"]) for one in whole["wallets"]] == [
        ("eve", "liquidated", "1.09000000"),
        ("bob", "called", "1.07142857"),
    ]
    first = what_if(story, shocks, limit=1)
    assert first["next"] == "liquidated,1.09000000,eve,cross"
    rest = what_if(story, shocks, limit=1, after=Place(False, Decimal("1.09"), "eve", "cross"))
    assert first["wallets"] + rest["wallets"] == whole["wallets"]


def test_a_wallet_that_lacks_a_fresh_price_is_listed_and_not_guessed_at(story: Story) -> None:
    story.on_exchange(happened(e.PricesMarked, prices={"ETH/USDT": "2000"}, source="index"), at=NOON + 2 * MINUTE)
    found = what_if(story, {"BTC/USDT": "30000"})
    assert found["unpriced"]["count"] == 2
    assert found["unpriced"]["wallets"] == [
        {"account_id": "bob", "wallet": BTC_BUCKET, "lacking_prices": ["BTC"]},
        {"account_id": "dan", "wallet": "cross", "lacking_prices": ["BTC"]},
    ]
    assert (found["wallets"], found["bands"]["normal"]) == ([], {"before": 1, "after": 1})


def owes_against(story: Story, account_id: str, ether: str, dollars: str) -> None:
    """Ether in the pool, and dollars owed that were taken out of it."""
    story.of(account_id, opened(), deposited(ether, "ETH"), transferred(ether, "ETH"), borrowed(dollars, "USDT"))
    story.of(account_id, transferred(dollars, "USDT", "cross", "spot"))


def test_interest_that_is_due_by_the_newest_prices_is_counted(story: Story) -> None:
    """1,000 USDT cost 1 an hour after noon's: 1,104 are above 1.1 times the 1,003 owed at three, below it at four."""
    story.on_exchange(happened(e.InterestRateSet, asset="USDT", daily_rate="0.024"))
    owes_against(story, "frank", "1", "1000")
    for hours, level, outcome in [(3, "1.10069790", "called"), (4, "1.09960159", "liquidated")]:
        story.on_exchange(marked(), at=NOON + timedelta(hours=hours))
        (frank,) = [one for one in what_if(story, {"ETH": "1104"})["wallets"] if one["account_id"] == "frank"]
        assert (frank["margin_level"]["after"], frank["outcome"]) == (level, outcome)


def test_a_sweep_is_a_row_for_each_change_beside_the_shocks(story: Story) -> None:
    """At 44,000 dan stands on 1.1: 40,000 are repaid, and the fee is 0.01818182 BTC, which the fund holds as such."""
    found = what_if(story, {"ETH/USDT": "-10%"}, read_sweep("BTC/USDT", "-40%", "+16%", "28%"))
    assert found["liquidated"] == 0
    assert found["sweep"]["of"] == "BTC/USDT"
    names = ("change", "called", "liquidated", "fee_value", "deficit", "fund_after")
    assert [[one[name] for name in names] for one in _steps(found)] == [
        ["-40%", 0, 1, "0", "10000", "-6000"],
        ["-12%", 0, 1, "800.00008", "0", "4000"],
        ["+16%", 0, 1, "116", "0", "4116"],
    ]


def _steps(found: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = found["sweep"]["steps"]
    return steps


@pytest.mark.parametrize("at", [None, NOON])
def test_a_what_if_of_more_valuations_than_are_allowed_is_refused_with_both_numbers(
    story: Story, at: datetime | None
) -> None:
    """Alice, bob and dan owe; the prices of now, no shock, and two steps are four sets of prices."""
    sweep = read_sweep("BTC/USDT", "-5%", "+5%", "10%")
    with story.projected() as connection:
        snapshot = Snapshot(connection, story.position, at)
        assert what_if_answer(snapshot, {}, sweep, most_valuations=12) == what_if_answer(snapshot, {}, sweep)
        with pytest.raises(TooMuchAsked, match=r"3 wallets owe.* 4 sets of prices.* 12 valuations; at most 11") as told:
            what_if_answer(snapshot, {}, sweep, most_valuations=11)
    assert "`ledger stress`" in told.value.detail


def test_what_is_swept_is_not_shocked_too_and_something_must_be_asked(story: Story) -> None:
    with pytest.raises(Malformed, match="both shocked and swept"):
        what_if(story, {"BTC/USDT": "-5%"}, read_sweep("BTC/USDT", "-5%", "+5%", "5%"))
    with pytest.raises(Malformed, match="no shock is stated"):
        what_if(story, {})


def test_as_of_a_business_time_the_wallets_and_prices_are_those_of_then(story: Story) -> None:
    story.on_exchange(marked(BTC="70000"), at=NOON + MINUTE)
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    with story.projected() as connection:
        now = what_if_answer(Snapshot(connection, story.position, None), {"BTC": "-40%"})
        then = what_if_answer(Snapshot(connection, story.position, NOON), {"BTC": "-40%"})
        before = what_if_answer(Snapshot(connection, story.position - 4, None), {"BTC": "-40%"})
    assert (now["shocks"]["BTC/USDT"]["shocked"], then["shocks"]["BTC/USDT"]["shocked"]) == ("42000", "30000")
    assert [one["account_id"] for one in now["wallets"]] == ["dan"]
    assert then["deficit"] == "10000"
    assert before["liquidated"] == 0
