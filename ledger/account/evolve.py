"""How an account changes with its events: only assigned, never refused."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, assert_never

from ledger import events as e
from ledger.account.state import Account, Adjustment, Hold, RunningLiquidation, Withdrawal
from ledger.money import ZERO, base_of, quote_of
from ledger.postings import postings
from ledger.words import AccountStatus, AdjustmentStatus, Execution, Line, Side, WithdrawalStatus


def fold(account_id: str, events: Iterable[e.AccountEvent]) -> Account:
    """The account that these events leave, in this order, which need not be the one they were decided in."""
    account = Account.unopened(account_id)
    for event in events:
        evolve(account, event)
    return account


def evolve(account: Account, event: e.AccountEvent, lines: list[Line] | None = None) -> None:
    """Take one event of the account into its state; `lines` are those that it posts, where they are known already."""
    account.version = event.version
    account.wallets.apply(event, postings(event) if lines is None else lines)
    kind = type(event)
    # To ask one class after the other costs more than most changes, so each kind of event is asked once.
    change = _CHANGES.get(kind)
    if change is None:
        change = _CHANGES[kind] = _change_of(event)
    change(account, event)


Change = Callable[[Account, Any], None]
"""Takes one kind of event into an account's state."""
_CHANGES: dict[type[e.AccountEvent], Change] = {}


def _change_of(event: e.AccountEvent) -> Change:
    """The function that takes events of this kind."""
    if isinstance(event, e.LifeEvent):
        return _live
    if isinstance(event, e.WithdrawalEvent):
        return _withdraw
    if isinstance(event, e.SettingEvent):
        return _set
    if isinstance(event, e.LendingEvent):
        return _repay if isinstance(event, e.LoanRepaid) else _post_only
    if isinstance(event, e.TradingEvent):
        return _trading(event)
    if isinstance(event, e.MarginCalled):
        return _call
    if isinstance(event, e.LiquidationEvent):
        return _liquidate
    if isinstance(event, e.EventReversed):
        return _reverse
    if isinstance(event, e.AdjustmentEvent):
        return _adjust
    if isinstance(event, e.FundsDeposited | e.MoveEvent):
        return _post_only
    if isinstance(event, e.TextsErased):
        return _erase
    assert_never(event)


def _post_only(account: Account, event: e.AccountEvent) -> None:
    """All there is of these is in the postings."""


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


_WITHDRAWAL_STATUS: dict[type[e.WithdrawalEvent], WithdrawalStatus] = {
    e.WithdrawalRequested: WithdrawalStatus.PENDING,
    e.WithdrawalSettled: WithdrawalStatus.SETTLED,
    e.WithdrawalCancelled: WithdrawalStatus.CANCELLED,
}


def _withdraw(account: Account, event: e.WithdrawalEvent) -> None:
    withdrawal = Withdrawal(event.asset, event.amount, _WITHDRAWAL_STATUS[type(event)])
    account.withdrawals = account.withdrawals.set(event.withdrawal_id, withdrawal)


def _erase(account: Account, event: e.TextsErased) -> None:
    account.erasures = event.erasure


def _reverse(account: Account, event: e.EventReversed) -> None:
    account.reversals = account.reversals.set(str(event.reversed_version), event.version)


_ADJUSTMENT_STATUS: dict[type[e.AdjustmentEvent], AdjustmentStatus] = {
    e.AdjustmentProposed: AdjustmentStatus.PROPOSED,
    e.AdjustmentPosted: AdjustmentStatus.POSTED,
    e.AdjustmentRejected: AdjustmentStatus.REJECTED,
}


def _adjust(account: Account, event: e.AdjustmentEvent) -> None:
    if isinstance(event, e.AdjustmentProposed):
        counts_at = None if event.source_line is None else event.effective_at
        proposal: tuple[Any, ...] = (event.actor, event.version, counts_at)
    else:
        proposal = (event.proposed_by, event.proposed_version)
    terms = (event.wallet, event.asset, event.amount, event.reason_code)
    adjustment = Adjustment(*terms, _ADJUSTMENT_STATUS[type(event)], *proposal)
    account.adjustments = account.adjustments.set(event.adjustment_id, adjustment)


def _set(account: Account, event: e.SettingEvent) -> None:
    match event:
        case e.MarginModeSet():
            account.modes = {**account.modes, event.pair: event.mode}
        case e.LeverageSet():
            account.leverages = {**account.leverages, event.wallet: event.leverage}
        case _:
            assert_never(event)


def _call(account: Account, event: e.MarginCalled) -> None:
    account.called_at = {**account.called_at, event.wallet: event.effective_at}


def _trading(event: e.TradingEvent) -> Change:
    match event:
        case e.FundsHeld():
            return _hold
        case e.HoldReleased():
            return _release
        case e.TradeBooked():
            return _trade
        case _:
            assert_never(event)


def _hold(account: Account, event: e.FundsHeld) -> None:
    account.holds = account.holds.set(event.hold_id, Hold(event.wallet, event.asset, event.amount))


def _release(account: Account, event: e.HoldReleased) -> None:
    account.holds = account.holds.without(event.hold_id)


def _trade(account: Account, event: e.TradeBooked) -> None:
    """A fill uses its hold; one that is used up is gone. What a fill of an external execution sold counts as its."""
    hold = account.holds.get(event.hold_id) if event.hold_id else None
    if hold is not None and event.hold_id and event.hold_used:
        left = hold.amount - event.hold_used
        if left > 0:
            account.holds = account.holds.set(event.hold_id, hold._replace(amount=left))
        else:
            account.holds = account.holds.without(event.hold_id)
    if event.wallet in account.liquidations:
        sells = event.side is Side.SELL
        paid = (base_of(event.pair), event.quantity) if sells else (quote_of(event.pair), event.quote_amount)
        _count(account, event.wallet, sold=paid)


def _repay(account: Account, event: e.LoanRepaid) -> None:
    """What is repaid while an external execution runs counts as the liquidation's."""
    if event.wallet in account.liquidations:
        _count(account, event.wallet, repaid=(event.asset, event.interest + event.principal))


def _liquidate(account: Account, event: e.LiquidationEvent) -> None:
    match event:
        case e.LiquidationStarted():
            for released in event.released_holds:
                account.holds = account.holds.without(released.hold_id)
            terms = (event.liquidation_id, event.execution, event.fee_rate)
            running = RunningLiquidation(*terms, repaid={}, sold={}, target=event.target, tier=event.tier)
            account.liquidations = {**account.liquidations, event.wallet: running}
        case e.LiquidationFilled():
            paid = (event.debt_asset, event.interest + event.principal)
            sold = None if _repays_itself(account, event) else (event.asset, event.taken)
            _count(account, event.wallet, sold=sold, repaid=paid)
        case e.DeficitCovered():
            pass  # What is covered is in the postings.
        case e.LiquidationCompleted():
            account.liquidations = {name: one for name, one in account.liquidations.items() if name != event.wallet}
        case _:
            assert_never(event)


def _repays_itself(account: Account, event: e.LiquidationFilled) -> bool:
    """Whether a debt is repaid from the same asset in an external execution, whose fills counted what they sold."""
    running = account.liquidations.get(event.wallet)
    return event.asset == event.debt_asset and running is not None and running.execution is Execution.EXTERNAL


def _count(
    account: Account, wallet: str, *, sold: tuple[str, Decimal] | None = None, repaid: tuple[str, Decimal] | None = None
) -> None:
    """Add to what the liquidation running on a wallet, if one does, has sold and repaid."""
    running = account.liquidations.get(wallet)
    if running is not None:
        after = running._replace(sold=_plus(running.sold, sold), repaid=_plus(running.repaid, repaid))
        account.liquidations = {**account.liquidations, wallet: after}


def _plus(amounts: dict[str, Decimal], more: tuple[str, Decimal] | None) -> dict[str, Decimal]:
    return amounts if more is None else {**amounts, more[0]: amounts.get(more[0], ZERO) + more[1]}
