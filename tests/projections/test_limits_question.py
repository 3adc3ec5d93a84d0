"""Limits are the largest amounts that a decision accepts: it takes them, and refuses one step of the scale more."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.errors import (
    AssetMismatch,
    BorrowBlocked,
    BorrowLimitExceeded,
    PriceStale,
    TransferBlocked,
    UnknownAccount,
    UnknownAsset,
    UnknownPair,
)
from projections.questions.limits import limits_answer
from tests.ledger.given import NOON, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_limits,
    asset_listed,
    borrowed,
    deposited,
    frozen,
    margin_added,
    marked,
    mode_set,
    opened,
    pair_listed,
    transferred,
)
from tests.projections.stories import exchange_opens, pool_of_the_worked_numbers
from tests.projections.story import Story

HOUR = timedelta(hours=1)
STEP = Decimal("0.00000001")
Ask = Callable[..., tuple[str, str]]


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


@pytest.fixture
def ask(story: Story) -> Ask:
    """Asks for max_borrow and max_transfer_out, alice's in cross and USDT unless told."""

    def asked(account_id: str = "alice", wallet: str = "cross", asset: str = "USDT") -> tuple[str, str]:
        with story.projected() as connection:
            answer = limits_answer(connection, story.position, account_id, wallet, asset)
        assert answer["effective_at"] == story.market.newest_prices_at
        return answer["max_borrow"], answer["max_transfer_out"]

    return asked


def accepts(story: Story, refusal: type[Exception], amount: str, **content: Any) -> None:
    """The decision takes this amount, and refuses the next."""
    at = story.market.newest_prices_at or NOON
    alice = story.account("alice")
    when(story.market, alice, at=at, amount=amount, **content)
    with pytest.raises(refusal):
        when(story.market, alice, at=at, amount=f"{Decimal(amount) + STEP:f}", **content)


OUT = {"type": "transfer", "from": "cross", "to": "spot"}


def test_the_worked_numbers(story: Story, ask: Ask) -> None:
    """20,000 against 5,150: 20,000 - 2 x 5,150 may leave; (20,000 - 1.5 x 5,150) / 0.5 may be borrowed."""
    pool_of_the_worked_numbers(story)
    assert ask() == ("24550", "9700")
    accepts(story, TransferBlocked, "9700", asset="USDT", **OUT)
    accepts(story, BorrowBlocked, "24550", type="borrow", wallet="cross", asset="USDT")


def test_at_1_55_nothing_may_leave(story: Story, ask: Ask) -> None:
    """8,000 against 5,150: 2 x 5,150 is more than 8,000; (8,000 - 7,725) / 0.5 may still be borrowed."""
    pool_of_the_worked_numbers(story)
    story.of("alice", transferred("12000", "USDT", source="cross", target="spot"))
    assert ask() == ("550", "0")


def test_another_asset_is_limited_at_its_price_and_scale(story: Story, ask: Ask) -> None:
    """24,550 in value is 0.491 BTC at 50,000 and 12.275 ETH at 2,000; there is no BTC to leave."""
    pool_of_the_worked_numbers(story)
    assert ask(asset="BTC") == ("0.491", "0")
    story.on_exchange(marked(BTC="30000"))
    assert ask(asset="BTC") == ("0.81833333", "0")
    accepts(story, BorrowBlocked, "0.81833333", type="borrow", wallet="cross", asset="BTC")


def test_interest_due_by_the_newest_prices_counts(story: Story, ask: Ask) -> None:
    """400 DAI, and 200 more that are owed at 0.24 a day: at 13:00 an hour is due, which costs 2."""
    story.on_exchange(asset_listed("DAI", "0.24"), pair_listed("DAI/USDT", "3"))
    story.of("alice", opened(), deposited("400", "DAI"), transferred("400", "DAI"), borrowed("200", "DAI"))
    story.on_exchange(_dai_at(NOON + HOUR))
    # Assets 600, debt 202: (600 - 1.5 x 202) / 0.5 may be borrowed, 600 - 2 x 202 may leave.
    assert ask(asset="DAI") == ("594", "196")
    accepts(story, TransferBlocked, "196", asset="DAI", **OUT)


def _dai_at(at: Any) -> Any:
    def vector(envelope: Any) -> Any:
        event = marked(at)(envelope)
        return event.model_copy(update={"prices": {"DAI/USDT": Decimal(1)}})

    return vector


def test_the_borrow_limit_and_collateral_tiers_count(story: Story, ask: Ask) -> None:
    story.of("alice", opened(), deposited("1000", "USDT"), transferred("1000", "USDT"))
    assert ask() == ("2000", "1000")
    story.on_exchange(asset_limits("USDT", borrow_limit="150"))
    assert ask() == ("150", "1000")
    accepts(story, BorrowLimitExceeded, "150", type="borrow", wallet="cross", asset="USDT")


def test_a_bucket_counts_every_asset_whole_and_takes_its_own_initial_ratio(story: Story, ask: Ask) -> None:
    """10x has an initial ratio of 1.111: 1,110 / 0.111 is 10,000."""
    story.of("alice", opened(), deposited("1110", "USDT"), mode_set("isolated"), margin_added("1110", "USDT"))
    assert ask(wallet=BTC_BUCKET) == ("10000", "1110")
    assert ask(wallet=BTC_BUCKET, asset="BTC") == ("0.2", "0")
    accepts(story, BorrowBlocked, "10000", type="borrow", wallet=BTC_BUCKET, asset="USDT")


def test_spot_lends_nothing_and_lets_all_leave_that_is_free(story: Story, ask: Ask) -> None:
    story.of("alice", opened(), deposited("100", "USDT"))
    assert ask(wallet="spot") == ("0", "100")
    assert ask(wallet="spot", asset="BTC") == ("0", "0")


def test_what_a_freeze_a_mode_or_the_exchange_forbids_is_nothing(story: Story, ask: Ask) -> None:
    story.of("alice", opened(), deposited("1000", "USDT"), transferred("1000", "USDT"))
    assert ask(wallet=BTC_BUCKET) == ("0", "0")
    story.on_exchange(asset_limits("USDT", ("transfer", "trade")))
    assert ask() == ("0", "1000")
    story.of("alice", frozen("transfer"))
    assert ask() == ("0", "0")


def test_what_does_not_exist_is_refused_and_without_a_fresh_price_nothing_can_be_borrowed(
    story: Story, ask: Ask
) -> None:
    story.of("alice", opened(), deposited("1", "BTC"), transferred("1", "BTC"))
    with pytest.raises(UnknownAccount):
        ask("nobody")
    with pytest.raises(UnknownAsset):
        ask(asset="DOGE")
    with pytest.raises(UnknownPair):
        ask(wallet="isolated:BTC/ETH", asset="BTC")
    with pytest.raises(AssetMismatch):
        ask(wallet=BTC_BUCKET, asset="ETH")
    story.on_exchange(asset_listed("DAI"), pair_listed("DAI/USDT", "3"), _dai_at(NOON + HOUR))
    assert ask(asset="BTC") == ("0", "1")
    with story.projected() as connection:
        answer = limits_answer(connection, story.position, "alice", "cross", "BTC")
    assert {name: reason["code"] for name, reason in answer["refused"].items()} == {"max_borrow": PriceStale.code}
