"""What the exchange is exposed to: longs, shorts, debtors, shares and who is near, in numbers worked by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.market import Market
from ledger.wallets import Balance, Wallet
from projections.questions.exposure import exposure_answer
from projections.questions.exposure_concentration import Concentration, Spread
from projections.questions.what_if import what_if_answer
from projections.snapshot import Snapshot
from tests.ledger.given import NOON, happened
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    deposited,
    margin_added,
    marked,
    mode_set,
    opened,
    risk_limits,
    the_market,
    tier,
    traded,
    transferred,
)
from tests.projections.stories import MINUTE, exchange_opens, pool_of_the_worked_numbers, short_of_the_worked_numbers
from tests.projections.story import Story


@pytest.fixture
def story(database: str) -> Story:
    """Alice owes 5,150 of 20,000 USDT, bob is short 0.1 BTC with 6,000 USDT, dan long of 1 BTC on 40,000 USDT."""
    story = Story(database)
    exchange_opens(story)
    pool_of_the_worked_numbers(story)
    short_of_the_worked_numbers(story)
    story.of("dan", opened(), deposited("10000", "USDT"), transferred("10000", "USDT"), borrowed("40000", "USDT"))
    story.of("dan", traded("buy", "1", "50000"))
    return story


def exposure(story: Story, back: int = 0, **asked: Any) -> dict[str, Any]:
    effective_at = asked.pop("effective_at", None)
    with story.projected() as connection:
        return exposure_answer(Snapshot(connection, story.position - back, effective_at), **asked)


def test_longs_and_shorts_are_summed_by_pair_in_base_and_value(story: Story) -> None:
    story.on_exchange(marked(BTC="40000"))
    assert exposure(story)["pairs"] == {
        "BTC/USDT": {
            "long": {"positions": 1, "quantity": "1", "value": "40000"},
            "short": {"positions": 1, "quantity": "0.1", "value": "4000"},
            "net": {"quantity": "0.9", "value": "36000"},
        }
    }


def test_a_position_within_dust_is_not_open(story: Story) -> None:
    """0.1 BTC are worth 5,000: within a dust of 5,000 in buckets, and still open to a cross pool's dust of 1."""
    story.on_exchange(risk_limits("BTC/USDT", tier("10", "1.111", "1.09", "1.05"), dust="5000"))
    assert exposure(story)["pairs"]["BTC/USDT"]["short"]["positions"] == 0
    story.on_exchange(risk_limits("BTC/USDT", tier("10", "1.111", "1.09", "1.05"), dust="4999.99"))
    assert exposure(story)["pairs"]["BTC/USDT"]["short"]["positions"] == 1
    story.on_exchange(risk_limits("BTC/USDT", tier("10", "1.111", "1.09", "1.05"), dust="500000"))
    assert exposure(story)["pairs"]["BTC/USDT"]["long"]["positions"] == 1


def test_the_largest_debtors_come_first_with_all_their_wallets_that_owe(story: Story) -> None:
    """Alice owes 5,150 in her pool and 0.02 BTC in a bucket: 6,150, more than bob's 5,000."""
    story.of("alice", deposited("100", "USDT"), mode_set("isolated"), margin_added("100", "USDT"))
    story.of("alice", borrowed("0.02", "BTC", wallet=BTC_BUCKET))
    debtors = exposure(story)["debtors"]
    assert [(one["account_id"], one["debt_value"]) for one in debtors] == [
        ("dan", "40000"),
        ("alice", "6150"),
        ("bob", "5000"),
    ]
    assert debtors[1] == {
        "account_id": "alice",
        "wallets": ["cross", BTC_BUCKET],
        "debt_value": "6150",
        "collateral_value": "21100",
        "debts": {"BTC": "0.02", "USDT": "5150"},
        "collateral": {"BTC": "0.02", "USDT": "20100"},
    }
    assert [one["account_id"] for one in exposure(story, limit=1)["debtors"]] == ["dan"]


def test_concentration_is_the_share_of_the_largest_and_the_sum_of_squared_shares(story: Story) -> None:
    """Of 45,150 USDT dan owes 40,000: 0.88593576; squared and with alice's share squared 0.79789283."""
    found = exposure(story)["concentration"]
    assert found["debt"]["USDT"] == {
        "accounts": 2,
        "total": "45150",
        "top_1": "0.88593576",
        "top_5": "1.00000000",
        "top_10": "1.00000000",
        "herfindahl": "0.79789283",
    }
    assert (found["debt"]["BTC"]["herfindahl"], found["debt"]["all"]["total"]) == ("1.00000000", "50150")
    assert found["collateral"]["all"]["total"] == "76000"


def test_equal_parts_of_n_have_an_index_of_one_in_n() -> None:
    spread = Spread()
    for _ in range(16):
        spread.add(Decimal("2.5"))
    assert spread.figures() == {
        "accounts": 16,
        "total": "40",
        "top_1": "0.06250000",
        "top_5": "0.31250000",
        "top_10": "0.62500000",
        "herfindahl": "0.06250000",
    }


def test_of_equal_debtors_the_first_are_kept() -> None:
    concentration = Concentration(the_market(), limit=2)
    for name in ("a", "b", "c", "d"):
        owed = Decimal(2 if name == "c" else 1)
        concentration.add(name, [Wallet("cross", {"USDT": Balance(borrowed=owed)})])
    assert [one["account_id"] for one in concentration.debtors()] == ["c", "a"]


def test_what_was_never_marked_counts_nothing_in_values_but_in_its_amounts() -> None:
    concentration = Concentration(Market(), limit=1)
    concentration.add("a", [Wallet("cross", {"XRP": Balance(borrowed=Decimal(5)), "USDT": Balance(Decimal(7))})])
    (debtor,) = concentration.debtors()
    assert (debtor["debt_value"], debtor["debts"]) == ("0", {"XRP": "5"})
    assert list(concentration.figures()["debt"]) == ["XRP"]


def test_a_wallet_is_near_by_the_move_that_brings_it_to_its_line(story: Story) -> None:
    """Dan stands at 1.1 x 40,000 = 44,000, a fall of 12 %; bob at 57,142.85, a rise of 14.28571428 %; alice never."""
    near = exposure(story, within_percent=Decimal("14.2858"))["near"]
    assert (near["count"], near["debt_value"], near["within_percent"]) == (2, "45000", "14.2858")
    assert [(one["account_id"], one["move_percent"], one["liquidation_price"]) for one in near["wallets"]] == [
        ("dan", "-12.0000", None),
        ("bob", "14.2857", "57142.85"),
    ]
    assert exposure(story, within_percent=Decimal("14.2857"))["near"]["count"] == 1
    assert exposure(story, within_percent=Decimal(12))["near"]["count"] == 1
    assert exposure(story, within_percent=Decimal("11.9999"))["near"]["count"] == 0


def test_the_move_told_is_the_shock_that_liquidates(story: Story) -> None:
    """Dan's pool at exactly -12 %, and a step less is not enough; bob's bucket a step beyond 14.2857 %."""
    with story.projected() as connection:
        snapshot = Snapshot(connection, story.position, None)

        def liquidated(change: str) -> list[str]:
            rows = what_if_answer(snapshot, {"all": change})["wallets"]
            return [one["account_id"] for one in rows if one["outcome"] == "liquidated"]

        assert liquidated("-12%") == ["dan"]
        assert liquidated("-11.9999%") == []
        assert liquidated("+14.2857%") == []
        assert liquidated("+14.2858%") == ["bob"]


def test_a_wallet_beyond_its_line_needs_no_move_and_comes_first(story: Story) -> None:
    story.on_exchange(marked(BTC="60000"))
    (bob,) = exposure(story)["near"]["wallets"]
    assert (bob["account_id"], bob["band"], bob["move_percent"]) == ("bob", "liquidation", "0.0000")


def test_a_wallet_without_a_fresh_price_is_counted_and_not_called_near(story: Story) -> None:
    story.on_exchange(happened(e.PricesMarked, prices={"ETH/USDT": "2000"}, source="index"), at=NOON + 2 * MINUTE)
    found = exposure(story, within_percent=Decimal(50))
    assert (found["unpriced"], found["near"]["count"]) == (2, 0)
    assert found["concentration"]["debt"]["USDT"]["accounts"] == 2


def test_exposure_as_of_an_earlier_position_or_business_time(story: Story) -> None:
    """Dan's trade was the last event; frank's short is booked late, for noon."""
    before = exposure(story, back=1)
    assert before["pairs"]["BTC/USDT"]["long"]["positions"] == 0
    story.on_exchange(marked(BTC="60000"), at=NOON + MINUTE)
    story.of("dan", traded("sell", "1", "60000", trade_id="T2"), at=NOON + MINUTE)
    story.of("frank", opened(), deposited("9000", "USDT"), transferred("9000", "USDT"), borrowed("0.2", "BTC"))
    story.of("frank", traded("sell", "0.2", "50000"))
    then = exposure(story, effective_at=NOON)
    assert then["pairs"]["BTC/USDT"]["long"] == {"positions": 1, "quantity": "1", "value": "50000"}
    assert then["pairs"]["BTC/USDT"]["short"] == {"positions": 2, "quantity": "0.3", "value": "15000"}
    assert [one["account_id"] for one in then["debtors"]] == ["dan", "frank", "alice", "bob"]
    now = exposure(story)
    assert now["pairs"]["BTC/USDT"]["long"]["positions"] == 0
    assert now["pairs"]["BTC/USDT"]["short"] == {"positions": 2, "quantity": "0.3", "value": "18000"}
    assert exposure(story, effective_at=NOON - timedelta(days=1))["pairs"] == {}
