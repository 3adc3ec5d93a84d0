"""What is told of other prices is, digit by digit, what happens when they are marked and all wallets examined."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.account import Account
from ledger.errors import NothingToDo, PriceStale
from ledger.events import AnyEvent, Event
from ledger.market import Market
from ledger.money import plain
from ledger.postings import INSURANCE, postings
from projections.questions.what_if import Listed, what_if_answer
from projections.snapshot import Snapshot
from tests.ledger.given import decided, happened, market_after
from tests.projections.logs import random_log
from tests.projections.story import Story

EVERY_SO_MANY_EVENTS = 15
SHOCKS = ({"all": "-35%"}, {"all": "-12%"}, {"BTC/USDT": "+70%", "ETH": "-20%"}, {"BTC": "+15%"})


@pytest.fixture(scope="module")
def told(module_database: str) -> Story:
    """A random log, recorded and projected."""
    story = Story(module_database)
    for event in random_log(seed=4):
        story._record(event)
    with story.projected():
        return story


def test_at_any_position_of_a_random_log_the_same_happens_once_the_prices_are_marked(told: Story) -> None:
    seen: Counter[str] = Counter()
    with told.projected() as connection:
        for position in range(EVERY_SO_MANY_EVENTS, told.position, EVERY_SO_MANY_EVENTS):
            for shocks in SHOCKS:
                market = told.market_at(position)
                if {"BTC/USDT", "ETH/USDT"} <= market.prices.keys():
                    found = what_if_answer(Snapshot(connection, position, None), shocks, listed=Listed(limit=1000))
                    seen += compare(told, position, market, found)
    assert seen["called"] > 5
    assert seen["liquidated"] > 20
    assert seen["unpriced"] > 5
    assert seen["deficits"] > 5
    assert seen["released"] > 0


def compare(told: Story, position: int, market: Market, found: dict[str, Any]) -> Counter[str]:
    """Marks the shocked prices, each dated as the one it replaces, and examines every wallet that owes."""
    for pair, shock in found["shocks"].items():
        vector = happened(e.PricesMarked, prices={pair: shock["shocked"]}, source="test")
        market_after(market, vector, at=market.prices[pair].effective_at)
    accounts = {name: told.account_at(position, name) for name in told.accounts}
    owing = {(one.id, wallet.name) for one in accounts.values() for wallet in one.wallets.all() if wallet.owes}
    running = {(one.id, name) for one in accounts.values() for name in one.liquidations}
    listed = [(one["account_id"], one["wallet"]) for one in found["wallets"]]
    unpriced = {(one["account_id"], one["wallet"]) for one in found["unpriced"]["wallets"]}
    fund = sum_of_fund(told.events[:position])
    assert found["fund"]["before"] == written(fund)
    seen, uncovered = Counter({"unpriced": len(unpriced)}), Decimal(0)
    for place in [*listed, *sorted(owing - running - set(listed))]:
        events = examined(accounts, market, *place, is_unpriced=place in unpriced)
        if place in listed:
            require_as_told(found["wallets"][listed.index(place)], events)
        else:
            assert not [event for event in events if isinstance(event, e.MarginCalled | e.LiquidationStarted)]
        seen += Counter(released=any(isinstance(one, e.LiquidationStarted) and one.released_holds for one in events))
        for event in events:
            uncovered += uncovered_of(event, fund["USDT"])
            fund.update(sum_of_fund([event]))
    assert found["fund"]["after"] == written(fund)
    # A liquidation may run on after its fills have repaid everything; only wallets that owe are weighed.
    being_liquidated = (running & owing) - unpriced
    assert (found["uncovered_deficit"], found["being_liquidated"]) == (plain(uncovered), len(being_liquidated))
    return seen + Counter(one["outcome"] for one in found["wallets"]) + Counter(deficits=int(uncovered > 0))


def examined(
    accounts: dict[str, Account], market: Market, account_id: str, wallet: str, *, is_unpriced: bool
) -> list[AnyEvent]:
    """What an examination records now; it is refused for a lacking price just where the answer says so."""
    at = market.newest_prices_at
    assert at is not None
    account = accounts[account_id]
    try:
        events, after = decided(market, account, at=at, type="examine", wallet=wallet)
    except NothingToDo:
        return []
    except PriceStale:
        assert is_unpriced
        return []
    assert not is_unpriced
    require_untouched(account, after[account_id], wallet)
    accounts[account_id] = after[account_id]
    return events  # type: ignore[return-value]


def require_untouched(before: Account, after: Account, wallet: str) -> None:
    """No other wallet is touched: so each may be looked at by itself."""
    others = [(one, after.wallets.wallet(one.name)) for one in before.wallets.all() if one.name != wallet]
    assert all(one == other for one, other in others)


def require_as_told(row: dict[str, Any], events: list[AnyEvent]) -> None:
    started = [event for event in events if isinstance(event, e.LiquidationStarted)]
    completed = [event for event in events if isinstance(event, e.LiquidationCompleted)]
    calls = [event for event in events if isinstance(event, e.MarginCalled)]
    if row["outcome"] == "called":
        assert ([call.level for call in calls], row["close_out"]) == ([row["margin_level"]["after"]], None)
        return
    assert [one.level for one in started] == [row["margin_level"]["after"]]
    (end,) = completed
    told = {name: amounts for name, amounts in row["close_out"].items() if isinstance(amounts, dict)}
    assert told == {name: written(getattr(end, name)) for name in ("sold", "repaid", "fee", "covered")}
    sums = (row["close_out"]["repaid_value"], row["close_out"]["deficit"])
    assert sums == (plain(end.repaid_value), plain(end.covered_value))


def sum_of_fund(events: Any) -> Counter[str]:
    """What events post to the insurance fund, by asset."""
    total: Counter[str] = Counter()
    for event in events:
        total.update({line.asset: line.amount for line in postings(event) if line.book == INSURANCE})
    return total


def uncovered_of(event: Event, there: Any) -> Decimal:
    value = event.value if isinstance(event, e.DeficitCovered) else Decimal(0)
    return value - min(value, max(Decimal(there), Decimal(0)))


def written(amounts: Any) -> dict[str, str]:
    return {asset: plain(Decimal(amount)) for asset, amount in sorted(amounts.items())}
