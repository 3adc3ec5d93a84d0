"""Life cycle: opening, freezing, closing; what a freeze blocks and what it never blocks."""

import pytest

from ledger.errors import AccountClosed, AccountExists, AccountFrozen, AccountNotEmpty, NothingToDo, UnknownAccount
from tests.ledger.asking import (
    Asked,
    add_margin,
    borrow,
    cancel,
    deposit,
    fill,
    hold,
    release,
    remove_margin,
    repay,
    request_withdrawal,
    send,
    settle,
    transfer,
)
from tests.ledger.given import Happened, given, numbered, topics, when
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    closed,
    deposited,
    frozen,
    held,
    margin_added,
    mode_set,
    opened,
    the_market,
    transferred,
    unfrozen,
    withdrawal_requested,
)

MARKET = the_market()
RICH = (
    opened(),
    deposited("10000", "USDT"),
    mode_set("isolated"),
    transferred("2000", "USDT"),
    margin_added("1000", "USDT"),
    borrowed("100", "USDT"),
    held("10", "USDT"),
    withdrawal_requested("20", "USDT"),
)


def test_an_account_is_opened() -> None:
    account = given()
    assert when(MARKET, account, type="open_account") == numbered(account, opened())


def test_an_open_account_is_not_opened_again() -> None:
    with pytest.raises(AccountExists, match="alice"):
        when(MARKET, given(opened()), type="open_account")


def test_a_closed_account_is_not_opened_again() -> None:
    with pytest.raises((AccountExists, AccountClosed)):
        when(MARKET, given(opened(), closed()), type="open_account")


def test_an_account_that_was_never_opened_is_unknown() -> None:
    with pytest.raises(UnknownAccount, match="alice"):
        when(MARKET, given(), **deposit("1", "USDT"))


def test_a_freeze_names_what_it_blocks() -> None:
    account = given(opened())
    events = when(MARKET, account, type="freeze_account", blocks=["withdraw", "trade"])
    assert events == numbered(account, frozen("withdraw", "trade"))


def test_a_freeze_blocks_everything_unless_told() -> None:
    account = given(opened())
    assert when(MARKET, account, type="freeze_account") == numbered(account, frozen())


def test_a_freeze_that_blocks_nothing_new_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        when(MARKET, given(opened(), frozen("trade")), type="freeze_account", blocks=["trade"])


def test_a_frozen_account_is_unfrozen() -> None:
    account = given(opened(), frozen())
    assert when(MARKET, account, type="unfreeze_account") == numbered(account, unfrozen())


def test_an_account_that_is_not_frozen_is_not_unfrozen() -> None:
    with pytest.raises(NothingToDo):
        when(MARKET, given(opened()), type="unfreeze_account")


BLOCKED = [
    ("deposit", deposit("1", "USDT")),
    ("withdraw", request_withdrawal("1", "USDT", "W2")),
    ("transfer", transfer("1", "USDT")),
    ("transfer", transfer("1", "USDT", "cross", "spot")),
    ("transfer", send("1", "USDT")),
    ("transfer", add_margin("1", "USDT")),
    ("transfer", remove_margin("1", "USDT")),
    ("borrow", borrow("1", "USDT")),
    ("borrow", fill("buy", "0.3", "50000", auto_borrow=True)),
    ("trade", fill("buy", "0.01", "50000")),
    ("trade", hold("1", "USDT", hold_id="H2")),
]
RISKY = [*RICH, transferred("3000", "USDT")]


@pytest.mark.parametrize(("block", "asked"), BLOCKED)
def test_a_freeze_blocks_what_it_names(block: str, asked: Asked) -> None:
    account, bob = given(*RISKY, frozen(block)), given(opened(), account_id="bob")
    with pytest.raises(AccountFrozen, match=block):
        when(MARKET, account, bob, **asked)


@pytest.mark.parametrize(("block", "asked"), BLOCKED)
def test_a_freeze_blocks_nothing_else(block: str, asked: Asked) -> None:
    others = [word for word in ("deposit", "withdraw", "transfer", "borrow", "trade") if word != block]
    if asked.get("auto_borrow"):
        others.remove("trade")
    past: list[Happened] = [*RISKY, frozen(*others)]
    if asked["type"] == "book_fill" and asked.get("auto_borrow"):
        # In the cross pool: BTC/USDT of this account is isolated, where nothing covers such a trade.
        asked = {**asked, "quantity": "0.03"}
    assert when(MARKET, given(*past), given(opened(), account_id="bob"), **asked)


def test_a_frozen_receiver_does_not_receive() -> None:
    bob = given(opened(), frozen("deposit"), account_id="bob")
    with pytest.raises(AccountFrozen, match="bob"):
        when(MARKET, given(*RICH), bob, **send("1", "USDT"))


@pytest.mark.parametrize(
    "asked", [repay("10", "USDT"), cancel(), settle(), release(), {"type": "examine", "wallet": "cross"}]
)
def test_repay_cancel_settle_release_and_examination_are_never_blocked(asked: Asked) -> None:
    account = given(*RICH, frozen())
    if asked["type"] == "examine":
        with pytest.raises(NothingToDo):
            when(MARKET, account, **asked)
    else:
        assert when(MARKET, account, **asked)


def test_a_fill_that_names_its_hold_is_not_blocked() -> None:
    account = given(opened(), deposited("500", "USDT"), held("500", "USDT"), frozen())
    assert topics(when(MARKET, account, **fill("buy", "0.01", "50000", hold_id="H1"))) == ["trade.booked"]


def test_an_account_with_nothing_left_closes() -> None:
    account = given(opened())
    assert when(MARKET, account, type="close_account") == numbered(account, closed())


LEFT = [
    [deposited("1", "USDT")],
    [deposited("1", "USDT"), held("1", "USDT")],
    [deposited("1", "USDT"), withdrawal_requested("1", "USDT")],
    [deposited("1", "USDT"), transferred("1", "USDT")],
    [deposited("1", "USDT"), mode_set("isolated"), margin_added("1", "USDT")],
    [borrowed("1", "USDT", BTC_BUCKET)],
]


@pytest.mark.parametrize("past", LEFT)
def test_an_account_that_has_or_owes_something_does_not_close(past: list[Happened]) -> None:
    with pytest.raises(AccountNotEmpty, match="alice"):
        when(MARKET, given(opened(), *past), type="close_account")


@pytest.mark.parametrize(
    "asked", [deposit("1", "USDT"), {"type": "freeze_account"}, {"type": "close_account"}, send("1", "USDT")]
)
def test_a_closed_account_takes_nothing(asked: Asked) -> None:
    with pytest.raises(AccountClosed):
        when(MARKET, given(opened(), closed()), given(opened(), account_id="bob"), **asked)


def test_a_closed_account_receives_nothing() -> None:
    bob = given(opened(), closed(), account_id="bob")
    with pytest.raises(AccountClosed, match="bob"):
        when(MARKET, given(opened(), deposited("5", "USDT")), bob, **send("1", "USDT"))
