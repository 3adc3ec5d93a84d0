"""An event as balanced double entry: lines that sum to zero for every asset, from the event alone."""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

from ledger import events as e
from ledger.money import VALUATION_ASSET, ZERO, base_of, quote_of
from ledger.words import SPOT, Book, House, Line, Part, Side, isolated

EXTERNAL = Book(None, House.EXTERNAL)
INTEREST_INCOME = Book(None, House.INTEREST_INCOME)
FEES = Book(None, House.FEES)
CLEARING = Book(None, House.CLEARING)
LIQUIDATION = Book(None, House.LIQUIDATION)
INSURANCE = Book(None, House.INSURANCE)


def postings(event: e.AnyEvent) -> list[Line]:
    """The lines an event posts; empty where it moves nothing. Debts are negative balances of their books."""
    return [line for line in _lines(event) if line.amount]


def _lines(event: e.AnyEvent) -> Iterator[Line]:
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
    if isinstance(event, e.LifeEvent | e.SettingEvent | e.MarginCalled | e.ListingEvent):
        return iter(())
    assert_never(event)


def _move(source: Book, target: Book, asset: str, amount: Decimal) -> Iterator[Line]:
    yield Line(source, asset, -amount)
    yield Line(target, asset, amount)


def _funding(event: e.FundingEvent) -> Iterator[Line]:
    spot, locked = Book(event.account_id, SPOT), Book(event.account_id, SPOT, Part.LOCKED)
    match event:
        case e.FundsDeposited():
            source, target = EXTERNAL, spot
        case e.WithdrawalRequested():
            source, target = spot, locked
        case e.WithdrawalSettled():
            source, target = locked, EXTERNAL
        case e.WithdrawalCancelled():
            source, target = locked, spot
        case e.FundsTransferred():
            source, target = Book(event.account_id, event.source), Book(event.account_id, event.target)
        case e.TransferSent():
            source, target = spot, CLEARING
        case e.TransferReceived():
            source, target = CLEARING, spot
        case e.MarginAdded():
            source, target = Book(event.account_id, event.source), Book(event.account_id, isolated(event.pair))
        case e.MarginRemoved():
            source, target = Book(event.account_id, isolated(event.pair)), Book(event.account_id, event.target)
        case _:
            assert_never(event)
    return _move(source, target, event.asset, event.amount)


def _lending(event: e.LendingEvent) -> Iterator[Line]:
    wallet = Book(event.account_id, event.wallet)
    principal, interest = wallet._replace(part=Part.PRINCIPAL), wallet._replace(part=Part.INTEREST)
    match event:
        case e.LoanBorrowed():
            yield from _move(principal, wallet, event.asset, event.amount)
        case e.LoanRepaid():
            yield from _move(wallet, interest, event.asset, event.interest)
            yield from _move(wallet, principal, event.asset, event.principal)
        case e.InterestAccrued():
            for line in event.lines:
                yield from _move(interest, INTEREST_INCOME, line.asset, line.amount)
        case _:
            assert_never(event)


def _trading(event: e.TradingEvent) -> Iterator[Line]:
    wallet = Book(event.account_id, event.wallet)
    locked = wallet._replace(part=Part.LOCKED)
    match event:
        case e.FundsHeld():
            yield from _move(wallet, locked, event.asset, event.amount)
        case e.HoldReleased():
            yield from _move(locked, wallet, event.asset, event.amount)
        case e.TradeBooked():
            base, quote = base_of(event.pair), quote_of(event.pair)
            buys = event.side is Side.BUY
            paid = (quote, event.quote_amount) if buys else (base, event.quantity)
            received = (base, event.quantity) if buys else (quote, event.quote_amount)
            yield from _move(locked, wallet, paid[0], event.hold_used or ZERO)
            yield from _move(wallet, CLEARING, *paid)
            yield from _move(CLEARING, wallet, *received)
            yield from _move(wallet, FEES, event.fee_asset, event.fee)
        case _:
            assert_never(event)


def _liquidating(event: e.LiquidationEvent) -> Iterator[Line]:
    wallet = Book(event.account_id, event.wallet)
    principal, interest = wallet._replace(part=Part.PRINCIPAL), wallet._replace(part=Part.INTEREST)
    match event:
        case e.LiquidationStarted():
            for hold in event.released_holds:
                yield from _move(wallet._replace(part=Part.LOCKED), wallet, hold.asset, hold.amount)
        case e.LiquidationFilled():
            yield from _move(wallet, LIQUIDATION, event.asset, event.taken)
            yield from _move(LIQUIDATION, interest, event.debt_asset, event.interest)
            yield from _move(LIQUIDATION, principal, event.debt_asset, event.principal)
        case e.DeficitCovered():
            yield from _move(LIQUIDATION, interest, event.asset, event.interest)
            yield from _move(LIQUIDATION, principal, event.asset, event.principal)
            yield from _move(INSURANCE, LIQUIDATION, VALUATION_ASSET, event.value)
        case e.LiquidationCompleted():
            for asset, amount in event.fee.items():
                yield from _move(wallet, INSURANCE, asset, amount)
        case _:
            assert_never(event)


def _insuring(event: e.InsuranceEvent) -> Iterator[Line]:
    match event:
        case e.InsuranceFunded():
            return _move(EXTERNAL, INSURANCE, event.asset, event.amount)
        case e.InsuranceWithdrawn():
            return _move(INSURANCE, EXTERNAL, event.asset, event.amount)
        case _:
            assert_never(event)
