"""Examination: a margin call at or below the call line, a liquidation at or below LR, or nothing to do."""

from decimal import Decimal

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import AccountClosed, NothingToDo, NotLiquidatable, PriceStale
from tests.ledger.asking import examine, liquidate
from tests.ledger.given import NOON, Happened, and_then, given, given_market, market_after, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    asset_listed,
    borrowed,
    called,
    closed,
    deposited,
    frozen,
    hours,
    margin_added,
    marked,
    mode_set,
    opened,
    pair_listed,
    the_market,
    traded,
    transferred,
)

POOL = (opened(), deposited("10000", "USDT"), transferred("10000", "USDT"))


def pool() -> Account:
    """0.4 BTC and 0 USDT against a debt of 10,000 USDT: level 1.3 at 32,500, 1.1 at 27,500."""
    return given(*POOL, borrowed("10000", "USDT"), traded("buy", "0.4", "50000"))


def bucket() -> Account:
    """0.4 BTC against 10,000 USDT in a bucket of 10x: 1.09 at 27,250, 1.05 at 26,250."""
    past = (opened(), deposited("10000", "USDT"), mode_set("isolated"), margin_added("10000", "USDT"))
    return given(*past, borrowed("10000", "USDT", BTC_BUCKET), traded("buy", "0.4", "50000", wallet=BTC_BUCKET))


def test_at_the_call_line_the_account_is_called() -> None:
    (event,) = when(the_market(BTC="32500"), pool(), **examine())
    assert isinstance(event, e.MarginCalled)
    assert (event.wallet, event.level, event.threshold) == ("cross", "1.30000000", Decimal("1.3"))
    assert (event.assets, event.debt) == (Decimal(13000), Decimal(10000))
    assert event.prices == {"BTC/USDT": e.MarkPrice(price=Decimal(32500), effective_at=NOON, version=1)}


def test_above_the_call_line_there_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo, match=r"1\.3000004"):
        when(the_market(BTC="32500.01"), pool(), **examine())


def test_a_bucket_is_called_at_its_own_line() -> None:
    (event,) = when(the_market(BTC="27250"), bucket(), **examine(BTC_BUCKET))
    assert isinstance(event, e.MarginCalled)
    assert (event.wallet, event.threshold, event.tier) == (BTC_BUCKET, Decimal("1.09"), 1)
    with pytest.raises(NothingToDo):
        when(the_market(BTC="27250.01"), bucket(), **examine(BTC_BUCKET))


@pytest.mark.parametrize(
    ("account", "wallet", "at_line", "above"),
    [(pool(), "cross", "27500", "27500.01"), (bucket(), BTC_BUCKET, "26250", "26250.01")],
)
def test_at_the_liquidation_line_it_is_liquidated(account: Account, wallet: str, at_line: str, above: str) -> None:
    assert topics(when(the_market(BTC=at_line), account, **examine(wallet)))[0] == "liquidation.started"
    assert topics(when(the_market(BTC=above), account, **examine(wallet))) == ["margin.called"]


@pytest.mark.parametrize(
    ("account", "wallet", "at_line", "above"),
    [(pool(), "cross", "27500", "27500.01"), (bucket(), BTC_BUCKET, "26250", "26250.01")],
)
def test_a_healthy_wallet_is_not_liquidated(account: Account, wallet: str, at_line: str, above: str) -> None:
    assert topics(when(the_market(BTC=at_line), account, **liquidate(wallet)))[0] == "liquidation.started"
    with pytest.raises(NotLiquidatable, match=r"1\.(1|05)00000?4"):
        when(the_market(BTC=above), account, **liquidate(wallet))


def test_without_debt_there_is_nothing_to_examine_or_liquidate() -> None:
    with pytest.raises(NothingToDo):
        when(the_market(), given(*POOL), **examine())
    with pytest.raises(NotLiquidatable):
        when(the_market(), given(*POOL), **liquidate())


def test_a_second_call_comes_no_earlier_than_24_hours_after_the_last() -> None:
    account, dawn = and_then(pool(), called("cross")), NOON + hours(24)
    early, late = (market_after(the_market(), marked(at, BTC="32000")) for at in (dawn - hours(1 / 3600), dawn))
    with pytest.raises(NothingToDo):
        when(early, account, at=dawn, **examine())
    assert topics(when(late, account, at=dawn, **examine())) == ["margin.called"]


def test_a_call_on_one_wallet_does_not_silence_another() -> None:
    account = and_then(pool(), called(BTC_BUCKET))
    assert topics(when(the_market(BTC="32000"), account, **examine())) == ["margin.called"]


def test_a_call_does_not_delay_a_liquidation() -> None:
    account = and_then(pool(), called("cross"))
    assert topics(when(the_market(BTC="27000"), account, **examine()))[0] == "liquidation.started"


def test_a_crossing_gone_before_it_was_examined_is_not_acted_on() -> None:
    market = the_market(BTC="20000")
    market_after(market, marked(NOON + hours(1), BTC="50000"))
    with pytest.raises(NothingToDo):
        when(market, pool(), at=NOON + hours(1), **examine())


def test_examination_is_dated_with_the_newest_price_vector() -> None:
    market = market_after(the_market(), marked(NOON + hours(5), BTC="32000"))
    (event,) = when(market, pool(), at=NOON + hours(7), **examine())
    assert event.effective_at == NOON + hours(5)


def test_a_wallet_with_a_price_older_than_the_newest_vector_allows_is_not_examined() -> None:
    market = given_market(
        *[asset_listed(asset) for asset in ("USDT", "BTC", "ETH")],
        pair_listed("BTC/USDT", "10"),
        pair_listed("ETH/USDT", "5"),
    )
    only_ether: Happened = lambda envelope: e.PricesMarked.model_validate(  # noqa: E731
        {**envelope, "effective_at": NOON + hours(1), "prices": {"ETH/USDT": "2000"}, "source": "index"}
    )
    bitcoin: Happened = lambda envelope: e.PricesMarked.model_validate(  # noqa: E731
        {**envelope, "prices": {"BTC/USDT": "20000"}, "source": "index"}
    )
    market_after(market, bitcoin, only_ether)
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(market, pool(), at=NOON + hours(1), **examine())


def test_a_wallet_whose_price_was_never_marked_is_not_examined() -> None:
    market = given_market(asset_listed("USDT"), asset_listed("BTC"), pair_listed("BTC/USDT", "10"))
    with pytest.raises(PriceStale, match="BTC/USDT"):
        when(market, pool(), **examine())


def test_a_frozen_account_is_examined_all_the_same() -> None:
    account = and_then(pool(), frozen())
    assert topics(when(the_market(BTC="32000"), account, **examine())) == ["margin.called"]
    assert topics(when(the_market(BTC="27000"), account, **liquidate()))[0] == "liquidation.started"


def test_a_closed_account_is_not_examined() -> None:
    with pytest.raises((AccountClosed, NothingToDo)):
        when(the_market(), given(opened(), closed()), **examine())
