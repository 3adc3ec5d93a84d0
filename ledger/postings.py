"""An event as balanced double entry: lines that sum to zero for every asset, from the event alone."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, assert_never

from ledger import events as e
from ledger.money import VALUATION_ASSET, base_of, quote_of
from ledger.words import BUY, FREE, INTEREST, LOCKED, PRINCIPAL, SPOT, Book, House, Line, Part, isolated

EXTERNAL = Book(None, House.EXTERNAL)
INTEREST_INCOME = Book(None, House.INTEREST_INCOME)
FEES = Book(None, House.FEES)
CLEARING = Book(None, House.CLEARING)
LIQUIDATION = Book(None, House.LIQUIDATION)
INSURANCE = Book(None, House.INSURANCE)
ADJUSTMENTS = Book(None, House.ADJUSTMENTS)

# A line is made of a tuple in half the time that its class takes.
_new = tuple.__new__


def postings(event: e.AnyEvent) -> list[Line]:
    """The lines an event posts; empty where it moves nothing. Debts are negative balances of their books."""
    lines: list[Line] = []
    kind = type(event)
    # To ask one class after the other costs more than the lines, so each kind of event is asked once.
    post = _POSTS.get(kind)
    if post is None:
        post = _POSTS[kind] = _post_of(event)
    post(lines, event)
    return lines


Post = Callable[[list[Line], Any], None]
"""Adds the lines of one kind of event."""
_POSTS: dict[type[e.AnyEvent], Post] = {}


def _post_of(event: e.AnyEvent) -> Post:
    """The function that adds the lines of events of this kind."""
    if isinstance(event, e.FundingEvent):
        return _funding(event)
    if isinstance(event, e.LendingEvent):
        return _lending(event)
    if isinstance(event, e.TradingEvent):
        return _trading(event)
    if isinstance(event, e.LiquidationEvent):
        return _liquidating(event)
    if isinstance(event, e.InsuranceEvent):
        return _insuring(event)
    if isinstance(event, e.CorrectionEvent):
        return _correcting(event)
    if isinstance(event, e.LifeEvent | e.SettingEvent | e.MarginCalled | e.ListingEvent | e.TextsErased):
        return _nothing
    assert_never(event)


def _nothing(lines: list[Line], event: e.AnyEvent) -> None:
    pass


@lru_cache(maxsize=65_536)
def _book(account_id: str, wallet: str, part: Part = FREE) -> Book:
    return Book(account_id, wallet, part)


def _move(lines: list[Line], source: Book, target: Book, asset: str, amount: Decimal) -> None:
    """Add the two lines of a movement; one of nothing has none."""
    if amount:
        lines += _new(Line, (source, asset, -amount)), _new(Line, (target, asset, amount))


def _funding(event: e.FundingEvent) -> Post:
    match event:
        case e.FundsDeposited():
            return _deposited
        case e.WithdrawalRequested():
            return _withdrawal_requested
        case e.WithdrawalSettled():
            return _withdrawal_settled
        case e.WithdrawalCancelled():
            return _withdrawal_cancelled
        case e.FundsTransferred():
            return _transferred
        case e.TransferSent():
            return _sent
        case e.TransferReceived():
            return _received
        case e.MarginAdded():
            return _margin_added
        case e.MarginRemoved():
            return _margin_removed
        case _:
            assert_never(event)


def _deposited(lines: list[Line], event: e.FundsDeposited) -> None:
    _move(lines, EXTERNAL, _book(event.account_id, SPOT), event.asset, event.amount)


def _withdrawal_requested(lines: list[Line], event: e.WithdrawalRequested) -> None:
    account_id = event.account_id
    _move(lines, _book(account_id, SPOT), _book(account_id, SPOT, LOCKED), event.asset, event.amount)


def _withdrawal_settled(lines: list[Line], event: e.WithdrawalSettled) -> None:
    _move(lines, _book(event.account_id, SPOT, LOCKED), EXTERNAL, event.asset, event.amount)


def _withdrawal_cancelled(lines: list[Line], event: e.WithdrawalCancelled) -> None:
    account_id = event.account_id
    _move(lines, _book(account_id, SPOT, LOCKED), _book(account_id, SPOT), event.asset, event.amount)


def _transferred(lines: list[Line], event: e.FundsTransferred) -> None:
    source, target = _book(event.account_id, event.source), _book(event.account_id, event.target)
    _move(lines, source, target, event.asset, event.amount)


def _sent(lines: list[Line], event: e.TransferSent) -> None:
    _move(lines, _book(event.account_id, SPOT), CLEARING, event.asset, event.amount)


def _received(lines: list[Line], event: e.TransferReceived) -> None:
    _move(lines, CLEARING, _book(event.account_id, SPOT), event.asset, event.amount)


def _margin_added(lines: list[Line], event: e.MarginAdded) -> None:
    source, target = _book(event.account_id, event.source), _book(event.account_id, isolated(event.pair))
    _move(lines, source, target, event.asset, event.amount)


def _margin_removed(lines: list[Line], event: e.MarginRemoved) -> None:
    source, target = _book(event.account_id, isolated(event.pair)), _book(event.account_id, event.target)
    _move(lines, source, target, event.asset, event.amount)


def _lending(event: e.LendingEvent) -> Post:
    match event:
        case e.LoanBorrowed():
            return _borrowed
        case e.LoanRepaid():
            return _repaid
        case e.InterestAccrued():
            return _accrued
        case _:
            assert_never(event)


def _borrowed(lines: list[Line], event: e.LoanBorrowed) -> None:
    account_id, wallet = event.account_id, event.wallet
    _move(lines, _book(account_id, wallet, PRINCIPAL), _book(account_id, wallet), event.asset, event.amount)


def _repaid(lines: list[Line], event: e.LoanRepaid) -> None:
    account_id, name = event.account_id, event.wallet
    wallet = _book(account_id, name)
    _move(lines, wallet, _book(account_id, name, INTEREST), event.asset, event.interest)
    _move(lines, wallet, _book(account_id, name, PRINCIPAL), event.asset, event.principal)


def _accrued(lines: list[Line], event: e.InterestAccrued) -> None:
    interest = _book(event.account_id, event.wallet, INTEREST)
    for line in event.lines:
        _move(lines, interest, INTEREST_INCOME, line.asset, line.amount)


def _trading(event: e.TradingEvent) -> Post:
    match event:
        case e.FundsHeld():
            return _held
        case e.HoldReleased():
            return _released
        case e.TradeBooked():
            return _traded
        case _:
            assert_never(event)


def _held(lines: list[Line], event: e.FundsHeld) -> None:
    account_id, wallet = event.account_id, event.wallet
    _move(lines, _book(account_id, wallet), _book(account_id, wallet, LOCKED), event.asset, event.amount)


def _released(lines: list[Line], event: e.HoldReleased) -> None:
    account_id, wallet = event.account_id, event.wallet
    _move(lines, _book(account_id, wallet, LOCKED), _book(account_id, wallet), event.asset, event.amount)


def _traded(lines: list[Line], event: e.TradeBooked) -> None:
    """Both legs against clearing, what the hold gives of what is paid before, and the fee."""
    wallet, base, quote = _book(event.account_id, event.wallet), base_of(event.pair), quote_of(event.pair)
    buys = event.side is BUY
    if event.hold_used:
        locked = _book(event.account_id, event.wallet, LOCKED)
        _move(lines, locked, wallet, quote if buys else base, event.hold_used)
    if buys:
        _move(lines, wallet, CLEARING, quote, event.quote_amount)
        _move(lines, CLEARING, wallet, base, event.quantity)
    else:
        _move(lines, wallet, CLEARING, base, event.quantity)
        _move(lines, CLEARING, wallet, quote, event.quote_amount)
    _move(lines, wallet, FEES, event.fee_asset, event.fee)


def _liquidating(event: e.LiquidationEvent) -> Post:
    match event:
        case e.LiquidationStarted():
            return _liquidation_started
        case e.LiquidationFilled():
            return _liquidation_filled
        case e.DeficitCovered():
            return _covered
        case e.LiquidationCompleted():
            return _liquidation_completed
        case _:
            assert_never(event)


def _liquidation_started(lines: list[Line], event: e.LiquidationStarted) -> None:
    wallet, locked = _book(event.account_id, event.wallet), _book(event.account_id, event.wallet, LOCKED)
    for hold in event.released_holds:
        _move(lines, locked, wallet, hold.asset, hold.amount)


def _liquidation_filled(lines: list[Line], event: e.LiquidationFilled) -> None:
    _move(lines, _book(event.account_id, event.wallet), LIQUIDATION, event.asset, event.taken)
    _pay_debt(lines, event, event.debt_asset)


def _covered(lines: list[Line], event: e.DeficitCovered) -> None:
    _pay_debt(lines, event, event.asset)
    _move(lines, INSURANCE, LIQUIDATION, VALUATION_ASSET, event.value)


def _pay_debt(lines: list[Line], event: e.LiquidationFilled | e.DeficitCovered, asset: str) -> None:
    account_id, wallet = event.account_id, event.wallet
    _move(lines, LIQUIDATION, _book(account_id, wallet, INTEREST), asset, event.interest)
    _move(lines, LIQUIDATION, _book(account_id, wallet, PRINCIPAL), asset, event.principal)


def _liquidation_completed(lines: list[Line], event: e.LiquidationCompleted) -> None:
    for asset, amount in event.fee.items():
        _move(lines, _book(event.account_id, event.wallet), INSURANCE, asset, amount)


def _insuring(event: e.InsuranceEvent) -> Post:
    match event:
        case e.InsuranceFunded():
            return _insurance_funded
        case e.InsuranceWithdrawn():
            return _insurance_withdrawn
        case _:
            assert_never(event)


def _insurance_funded(lines: list[Line], event: e.InsuranceFunded) -> None:
    _move(lines, EXTERNAL, INSURANCE, event.asset, event.amount)


def _insurance_withdrawn(lines: list[Line], event: e.InsuranceWithdrawn) -> None:
    _move(lines, INSURANCE, EXTERNAL, event.asset, event.amount)


def _correcting(event: e.CorrectionEvent) -> Post:
    match event:
        case e.EventReversed():
            return _reversed
        case e.AdjustmentPosted():
            return _adjusted
        case e.AdjustmentProposed() | e.AdjustmentRejected():
            return _nothing
        case _:
            assert_never(event)


def _reversed(lines: list[Line], event: e.EventReversed) -> None:
    """The lines it carries: those of the reversed event, negated."""
    for line in event.lines:
        own = None if line.wallet is None else _book(event.account_id, line.wallet, line.part)
        lines.append(_new(Line, (own or Book(None, line.house or ""), line.asset, line.amount)))


def _adjusted(lines: list[Line], event: e.AdjustmentPosted) -> None:
    _move(lines, ADJUSTMENTS, _book(event.account_id, event.wallet), event.asset, event.amount)


def opposite(event: e.AnyEvent) -> list[Line]:
    """What a reversal of an event posts: its lines negated, without what a fill took out of its hold.

    That went from locked to free and on; the hold is used up, and what comes back is free.
    """
    told = event.model_copy(update={"hold_used": None}) if isinstance(event, e.TradeBooked) else event
    return [_new(Line, (book, asset, -amount)) for book, asset, amount in postings(told)]
