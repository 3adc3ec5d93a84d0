"""A copy of an account shares all that is in it, and what happens to either is never seen in the other."""

import copy
from typing import Any

from ledger import events as e
from ledger.account import Account
from ledger.words import CROSS, SPOT
from tests.ledger.asking import deposit, release
from tests.ledger.given import after, and_then, given, happened
from tests.ledger.happenings import (
    BTC_BUCKET,
    accrued,
    borrowed,
    deposited,
    held,
    leverage_set,
    line,
    margin_added,
    mode_set,
    opened,
    released,
    repaid,
    the_market,
    traded,
    transferred,
    withdrawal_requested,
    withdrawal_settled,
)

LIFE = (
    opened(),
    deposited("1000", "USDT"),
    transferred("500", "USDT"),
    mode_set("isolated"),
    margin_added("100", "USDT"),
    borrowed("50", "USDT", BTC_BUCKET),
    borrowed("20", "USDT"),
    traded("buy", "0.01", "5000"),
    held("10", "USDT"),
    withdrawal_requested("10", "USDT"),
)
NEWS = (
    deposited("1", "BTC"),
    transferred("1", "BTC"),
    mode_set("cross", "ETH/USDT"),
    leverage_set("2"),
    borrowed("1", "USDT", BTC_BUCKET),
    accrued(line("0.5", "USDT", "20", "0.024")),
    repaid("0.5", "10", "USDT"),
    traded("sell", "0.005", "6000"),
    held("5", "USDT", "H2"),
    released("10", "USDT"),
    withdrawal_settled("10", "USDT"),
    margin_added("1", "ETH", "ETH/USDT"),
)


def test_nothing_that_happens_to_a_copy_reaches_the_account_or_a_second_copy() -> None:
    account = given(*LIFE)
    told, second = copy.deepcopy(account), account.copy()
    for count in range(1, len(NEWS) + 1):
        later = and_then(account, *NEWS[:count])
        assert later != account
        assert account == told == second


def test_nothing_that_happens_to_the_account_reaches_its_copy() -> None:
    account = given(*LIFE)
    told, kept = copy.deepcopy(account), account.copy()
    and_then(account, *NEWS)
    after(the_market(), account, **deposit("1", "USDT"))
    assert kept == told


def test_a_copy_holds_the_very_same_wallets_holds_and_withdrawals() -> None:
    account = given(*LIFE)
    same = account.copy()
    for there, kept in zip(account.wallets.all(), same.wallets.all(), strict=True):
        assert there is kept
    assert same.holds is account.holds
    assert same.withdrawals is account.withdrawals
    assert same.modes is account.modes


def test_an_event_replaces_the_wallets_it_touches_and_no_other() -> None:
    account = given(*LIFE)
    later = and_then(account, deposited("1", "USDT"))
    assert later.wallets.wallet(SPOT) is not account.wallets.wallet(SPOT)
    assert later.wallets.wallet(CROSS) is account.wallets.wallet(CROSS)
    assert later.wallets.wallet(BTC_BUCKET) is account.wallets.wallet(BTC_BUCKET)


def with_many_holds(count: int) -> Account:
    holds = (held("1", "USDT", f"H{number}") for number in range(count))
    return given(opened(), deposited("100000", "USDT"), *holds)


def test_a_decision_about_one_of_many_holds_copies_the_shard_it_lies_in() -> None:
    account = with_many_holds(3000)
    later = after(the_market(), account, **release("H7"))
    kept = zip(account.holds._shards, later.holds._shards, strict=True)
    assert sum(before is not there for before, there in kept) == 1
    assert max(map(len, account.holds._shards)) < 200


def test_a_liquidation_of_a_copy_leaves_the_account_alone() -> None:
    account = given(*LIFE)
    told = copy.deepcopy(account)
    terms: Any = {"wallet": CROSS, "execution": "external", "level": "1.05", "liquidation_level": "1.1", "tier": None}
    values: Any = {"assets": "0", "debt": "0", "balances": {}, "prices": {}, "released_holds": [], "fee_rate": "0.02"}
    started = happened(e.LiquidationStarted, liquidation_id="alice.20", **terms, **values)
    later = and_then(account, started, traded("sell", "0.01", "4000"), repaid("0", "20", "USDT"))
    assert later.liquidations[CROSS].repaid == {"USDT": 20}
    assert account == told
