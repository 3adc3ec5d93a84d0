"""The whole of an account: as it is, as of any position, and as of a business time."""

from datetime import timedelta
from typing import Any

import pytest

from ledger.postgres import Connection
from projections.questions.account import account_answer
from projections.questions.account_state import account_at
from tests.ledger.given import NOON
from tests.ledger.happenings import (
    BTC_BUCKET,
    ETH_BUCKET,
    asset_listed,
    borrowed,
    deposited,
    frozen,
    held,
    leverage_set,
    margin_added,
    marked,
    mode_set,
    opened,
    pair_listed,
    repaid,
    traded,
    transferred,
    withdrawal_requested,
)
from tests.projections.stories import (
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


def asked(connection: Connection, position: int, account_id: str) -> dict[str, Any]:
    answer = account_answer(connection, position, account_id)
    assert answer is not None
    return answer


NOTHING = {"free": "0", "locked": "0", "borrowed": "0", "interest": "0", "net": "0"}
POOL = {
    "assets": {
        "BTC": {**NOTHING, "free": "1", "net": "1"},
        "USDT": {**NOTHING, "borrowed": "20000", "net": "-20000"},
    },
    "total_assets": "50000",
    "total_debt": "20000",
    "equity": "30000",
    "margin_level": "2.50000000",
    "collateral_margin_level": "2.50000000",
    "debt_ratio": "0.40000000",
    "band": "normal",
    "lines": {
        "transfer_out": "2.00000000",
        "initial": "1.50000000",
        "margin_call": "1.30000000",
        "liquidation": "1.10000000",
    },
    "max_leverage": "3",
    "liquidation_prices": {"BTC/USDT": "22000.00"},
    "lacking_prices": [],
}
BUCKET = {
    "assets": {
        "ETH": {**NOTHING, "borrowed": "2", "net": "-2"},
        "USDT": {**NOTHING, "free": "4720", "net": "4720"},
    },
    "total_assets": "4720",
    "total_debt": "4000",
    "equity": "720",
    "margin_level": "1.18000000",
    "band": "margin_call",
    "tier": 1,
    "lines": {
        "transfer_out": "2.00000000",
        "initial": "1.25000000",
        "margin_call": "1.19000000",
        "liquidation": "1.15000000",
    },
    "max_leverage": "5",
    "liquidation_price": "2052.17",
    "lacking_prices": [],
}
SHORT = {
    "pair": "ETH/USDT",
    "wallet": ETH_BUCKET,
    "quantity": "-2",
    "entry_price": "2000",
    "realised_profit": "0",
    "unrealised_profit": "0",
}


def test_an_account_with_a_pool_and_a_bucket_is_answered_whole(story: Story) -> None:
    """In cross 1 BTC at 50,000 against 20,000 USDT owed: 2.5. In the bucket 2 ETH short: 4,720 / 4,000 is 1.18.

    The pool is liquidated where 1 BTC is worth 1.1 x 20,000; the bucket, at 5x with LR 1.15, at 4,720 / (2 x 1.15).
    """
    story.of("alice", opened(), deposited("1", "BTC"), deposited("30820", "USDT"), transferred("1", "BTC"))
    story.of("alice", borrowed("20000", "USDT"), transferred("20000", "USDT", source="cross", target="spot"))
    story.of("alice", mode_set("isolated", "ETH/USDT"), margin_added("720", "USDT", "ETH/USDT"))
    story.of("alice", borrowed("2", "ETH", wallet=ETH_BUCKET), held("100", "USDT"))
    story.of("alice", traded("sell", "2", "2000", pair="ETH/USDT", wallet=ETH_BUCKET))
    with story.projected() as connection:
        answer = asked(connection, story.position, "alice")
    assert answer == {
        "account_id": "alice",
        "version": 11,
        "position": story.position,
        "as_of": None,
        "status": "open",
        "blocks": [],
        "spot": {"BTC": {"free": "0", "locked": "0"}, "USDT": {"free": "50000", "locked": "100"}},
        "cross": POOL,
        "isolated": {"ETH/USDT": BUCKET},
        "margin_modes": {"ETH/USDT": "isolated"},
        "positions": [SHORT],
        "prices": {
            "BTC/USDT": {"price": "50000", "position": 9, "effective_at": NOON},
            "ETH/USDT": {"price": "2000", "position": 9, "effective_at": NOON},
        },
    }


def test_the_worked_short_is_liquidated_at_57142_85(story: Story) -> None:
    short_of_the_worked_numbers(story)
    story.on_exchange(marked(BTC="48000"))
    with story.projected() as connection:
        answer = asked(connection, story.position, "bob")
    bucket = answer["isolated"]["BTC/USDT"]
    assert (bucket["liquidation_price"], bucket["margin_level"]) == ("57142.85", "1.25000000")
    (position,) = answer["positions"]
    assert (position["quantity"], position["entry_price"], position["unrealised_profit"]) == ("-0.1", "50000", "200")


def test_without_debt_there_is_no_level_and_the_band_is_normal(story: Story) -> None:
    story.of("alice", opened(), deposited("1", "BTC"), transferred("1", "BTC"))
    with story.projected() as connection:
        cross = asked(connection, story.position, "alice")["cross"]
        before = asked(connection, story.position - 2, "alice")
        assert account_answer(connection, story.position - 3, "alice") is None
        assert account_answer(connection, story.position, "nobody") is None
    assert (cross["margin_level"], cross["collateral_margin_level"], cross["debt_ratio"]) == (None, None, "0")
    assert (cross["band"], cross["total_debt"], cross["liquidation_prices"]) == ("normal", "0", {"BTC/USDT": None})
    assert (before["spot"], before["cross"]["assets"], before["isolated"], before["prices"]) == ({}, {}, {}, {})
    assert (before["cross"]["total_assets"], before["cross"]["band"], before["version"]) == ("0", "normal", 1)


def test_a_wallet_that_lacks_a_price_has_no_totals(story: Story) -> None:
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    story.of("alice", opened(), deposited("100", "XRP"), transferred("100", "XRP"), borrowed("10", "USDT"))
    with story.projected() as connection:
        cross = asked(connection, story.position, "alice")["cross"]
    unknown = ("total_assets", "total_debt", "equity", "margin_level", "collateral_margin_level", "debt_ratio")
    assert [cross[name] for name in unknown] == [None] * 6
    assert (cross["band"], cross["liquidation_prices"]) == ("unpriced", {"XRP/USDT": None})


def test_a_position_averages_its_entry_and_is_shown_while_above_dust(story: Story) -> None:
    """1 at 50,000 and 2 at 50,001 cost 150,002: 50,000.66666667 each. Selling 1 at 50,100 realises 99.33333333."""
    story.of("alice", opened(), deposited("200000", "USDT"), transferred("200000", "USDT"))
    story.of("alice", traded("buy", "1", "50000"), traded("buy", "2", "50001"), traded("sell", "1", "50100"))
    story.of("alice", traded("buy", "0.0004", "2000", pair="ETH/USDT"))
    with story.projected() as connection:
        (position,) = asked(connection, story.position, "alice")["positions"]
    assert (position["pair"], position["wallet"], position["quantity"]) == ("BTC/USDT", "cross", "2")
    assert position["entry_price"] == "50000.66666667"
    assert (position["realised_profit"], position["unrealised_profit"]) == ("99.33333333", "-1.33333333")


def test_a_bucket_with_another_quote_is_valued_by_the_quotient_of_two_prices(story: Story) -> None:
    """ETH/BTC is 2,000 / 50,000 or 0.04; 10 ETH bought at 0.03 for 0.3 BTC, 0.2 of it borrowed, have gained 0.1."""
    bucket = "isolated:ETH/BTC"
    story.of("alice", opened(), deposited("0.1", "BTC"), mode_set("isolated", "ETH/BTC"))
    story.of("alice", margin_added("0.1", "BTC", "ETH/BTC"), borrowed("0.2", "BTC", wallet=bucket))
    story.of("alice", traded("buy", "10", "0.03", pair="ETH/BTC", wallet=bucket))
    with story.projected() as connection:
        answer = asked(connection, story.position, "alice")
    shown = answer["isolated"]["ETH/BTC"]
    # 20,000 of ETH against 10,000 of BTC; at LR 1.18 of the 3x row: 0.2 x 1.18 / 10.
    assert (shown["total_assets"], shown["total_debt"], shown["margin_level"]) == ("20000", "10000", "2.00000000")
    assert (shown["liquidation_price"], shown["max_leverage"]) == ("0.023600", "3")
    assert answer["positions"][0]["unrealised_profit"] == "0.1"


def test_status_blocks_modes_and_leverages_are_told(story: Story) -> None:
    story.of("alice", opened(), mode_set("isolated"), mode_set("isolated", "ETH/USDT"), mode_set("cross", "ETH/USDT"))
    story.of("alice", leverage_set("5", "cross"), leverage_set("2.5", BTC_BUCKET), frozen("trade", "borrow"))
    with story.projected() as connection:
        answer = asked(connection, story.position, "alice")
    assert (answer["status"], answer["blocks"]) == ("frozen", ["borrow", "trade"])
    assert answer["margin_modes"] == {"BTC/USDT": "isolated", "ETH/USDT": "cross"}
    assert answer["cross"]["max_leverage"] == "5"
    assert list(answer["isolated"]) == ["BTC/USDT"]
    assert answer["isolated"]["BTC/USDT"]["max_leverage"] == "2.5"
    assert list(answer["isolated"]["BTC/USDT"]["assets"]) == ["BTC", "USDT"]


@pytest.mark.parametrize("batch_size", [2, 1000])
def test_the_account_at_every_position_is_the_one_its_events_made(story: Story, batch_size: int) -> None:
    pool_of_the_worked_numbers(story)
    short_of_the_worked_numbers(story)
    debt_with_interest(story)
    crash_with_deficit(story)
    with story.projected(batch_size) as connection:
        for position in range(story.position + 1):
            for account_id in story.accounts:
                folded = story.account_at(position, account_id)
                found = account_at(connection, position, account_id)
                assert found is None if not folded.version else found is not None
                if found is not None:
                    assert comparable(found) == comparable(folded)


def comparable(account: Any) -> Any:
    """Everything that an answer is made of."""
    wallets = {one.name: (one.balances, one.next_hours, one.positions) for one in account.wallets.all()}
    return (account.version, account.status, account.blocks, account.modes, account.leverages, wallets)


def test_as_of_a_business_time_events_count_in_the_order_of_their_dates(story: Story) -> None:
    """A deposit of 50 recorded last is dated before a request to withdraw 120 of 100."""
    story.of("alice", opened(), deposited("100", "USDT"))
    story.of("alice", withdrawal_requested("120", "USDT"), at=NOON + 2 * HOUR)
    before = story.position
    story.of("alice", deposited("50", "USDT"), at=NOON + HOUR)
    with story.projected() as connection:

        def at(hours: int, position: int = story.position) -> dict[str, Any]:
            answer = account_answer(connection, position, "alice", effective_at=NOON + hours * HOUR)
            assert answer is not None
            return answer

        spot = {hours: at(hours)["spot"]["USDT"]["free"] for hours in (0, 1, 2)}
        assert spot == {0: "100", 1: "150", 2: "30"}
        assert (at(2)["backdated"], at(2)["version"], at(1)["version"]) == (False, 4, 4)
        known_then = at(2, before)
        assert (known_then["spot"]["USDT"], known_then["backdated"]) == ({"free": "-20", "locked": "120"}, True)
        assert account_answer(connection, story.position, "alice", effective_at=NOON - HOUR) is None


def test_as_of_a_business_time_prices_are_the_newest_dated_up_to_it(story: Story) -> None:
    story.of("alice", opened(), deposited("1", "BTC"), transferred("1", "BTC"), borrowed("10000", "USDT"))
    story.on_exchange(marked(NOON + HOUR, BTC="60000"), marked(NOON + 3 * HOUR, BTC="70000"))
    story.of("alice", repaid("0", "10000", "USDT"), at=NOON + 2 * HOUR)
    with story.projected() as connection:
        answer = account_answer(connection, story.position, "alice", effective_at=NOON + HOUR)
    assert answer is not None
    assert answer["cross"]["total_assets"] == "70000"
    assert answer["cross"]["margin_level"] == "7.00000000"
    assert answer["prices"]["BTC/USDT"]["price"] == "60000"
