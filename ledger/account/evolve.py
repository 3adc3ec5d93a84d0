"""How an account changes with its events: only assigned, never refused."""

from collections.abc import Iterable
from decimal import Decimal
from typing import assert_never

from ledger import events as e
from ledger.account.state import Account, Hold, RunningLiquidation, Withdrawal
from ledger.money import ZERO, base_of, quote_of
from ledger.postings import postings
from ledger.words import AccountStatus, Side, WithdrawalStatus


def fold(account_id: str, events: Iterable[e.AccountEvent]) -> Account:
    """The account that these events leave, in this order, which need not be the one they were decided in."""
    account = Account.unopened(account_id)
    for event in events:
        evolve(account, event)
    return account


def evolve(account: Account, event: e.AccountEvent) -> None:
    """Take one event of the account into its state."""
    account.version = event.version
    account.wallets.apply(event, postings(event))
    if isinstance(event, e.LifeEvent):
        _live(account, event)
    elif isinstance(event, e.WithdrawalEvent):
        status = _WITHDRAWAL_STATUS[type(event)]
        account.withdrawals[event.withdrawal_id] = Withdrawal(event.asset, event.amount, status)
    elif isinstance(event, e.SettingEvent):
        _set(account, event)
    elif isinstance(event, e.LendingEvent):
        _count_repayment(account, event)
    elif isinstance(event, e.TradingEvent):
        _trade(account, event)
    elif isinstance(event, e.MarginCalled):
        account.called_at[event.wallet] = event.effective_at
    elif isinstance(event, e.LiquidationEvent):
        _liquidate(account, event)
    elif isinstance(event, e.FundsDeposited | e.MoveEvent):
        pass  # All there is of these is in the postings.
    else:
        assert_never(event)


_WITHDRAWAL_STATUS: dict[type[e.WithdrawalEvent], WithdrawalStatus] = {
    e.WithdrawalRequested: WithdrawalStatus.PENDING,
    e.WithdrawalSettled: WithdrawalStatus.SETTLED,
    e.WithdrawalCancelled: WithdrawalStatus.CANCELLED,
}


def _live(account: Account, event: e.LifeEvent) -> None:
    match event:
        case e.AccountOpened():
            account.status = AccountStatus.OPEN
        case e.AccountFrozen():
            account.status, account.blocks = AccountStatus.FROZEN, frozenset(event.blocks)
        case e.AccountUnfrozen():
            account.status, account.blocks = AccountStatus.OPEN, frozenset()
        case e.AccountClosed():
            account.status = AccountStatus.CLOSED
        case _:
            assert_never(event)


def _set(account: Account, event: e.SettingEvent) -> None:
    match event:
        case e.MarginModeSet():
            account.modes[event.pair] = event.mode
        case e.LeverageSet():
            account.leverages[event.wallet] = event.leverage
        case _:
            assert_never(event)


def _trade(account: Account, event: e.TradingEvent) -> None:
    match event:
        case e.FundsHeld():
            account.holds[event.hold_id] = Hold(event.wallet, event.asset, event.amount)
        case e.HoldReleased():
            account.holds.pop(event.hold_id, None)
        case e.TradeBooked():
            _use_hold(account, event)
            _count_sale(account, event)
        case _:
            assert_never(event)


def _use_hold(account: Account, event: e.TradeBooked) -> None:
    """A fill uses its hold; one that is used up is gone."""
    hold = account.holds.get(event.hold_id) if event.hold_id else None
    if hold is not None and event.hold_id and event.hold_used:
        left = hold.amount - event.hold_used
        if left > 0:
            account.holds[event.hold_id] = hold._replace(amount=left)
        else:
            del account.holds[event.hold_id]


def _count_sale(account: Account, event: e.TradeBooked) -> None:
    """What a fill of an external execution sold counts as the liquidation's."""
    sells = event.side is Side.SELL
    paid = (base_of(event.pair), event.quantity) if sells else (quote_of(event.pair), event.quote_amount)
    _count(account, event.wallet, sold=paid)


def _count_repayment(account: Account, event: e.LendingEvent) -> None:
    """What is repaid while an external execution runs counts as the liquidation's."""
    if isinstance(event, e.LoanRepaid):
        _count(account, event.wallet, repaid=(event.asset, event.interest + event.principal))


def _liquidate(account: Account, event: e.LiquidationEvent) -> None:
    match event:
        case e.LiquidationStarted():
            for released in event.released_holds:
                account.holds.pop(released.hold_id, None)
            running = RunningLiquidation(event.liquidation_id, event.execution, event.fee_rate, {}, {})
            account.liquidations[event.wallet] = running
        case e.LiquidationFilled():
            paid = (event.debt_asset, event.interest + event.principal)
            _count(account, event.wallet, sold=(event.asset, event.taken), repaid=paid)
        case e.DeficitCovered():
            pass  # What is covered is in the postings.
        case e.LiquidationCompleted():
            account.liquidations.pop(event.wallet, None)
        case _:
            assert_never(event)


def _count(
    account: Account, wallet: str, *, sold: tuple[str, Decimal] | None = None, repaid: tuple[str, Decimal] | None = None
) -> None:
    """Add to what the liquidation running on a wallet, if one does, has sold and repaid."""
    running = account.liquidations.get(wallet)
    if running is not None:
        account.liquidations[wallet] = running._replace(
            sold=_plus(running.sold, sold), repaid=_plus(running.repaid, repaid)
        )


def _plus(amounts: dict[str, Decimal], more: tuple[str, Decimal] | None) -> dict[str, Decimal]:
    return amounts if more is None else {**amounts, more[0]: amounts.get(more[0], ZERO) + more[1]}
