"""How an account changes with its events: only assigned, never refused."""

from collections.abc import Iterable
from decimal import Decimal
from typing import assert_never

from ledger import events as e
from ledger.account.state import Account, Hold, RunningLiquidation, Withdrawal
from ledger.money import ZERO, base_of, quote_of
from ledger.postings import postings
from ledger.words import AccountStatus, Side, WithdrawalStatus


def fold(account_id: str, events: Iterable[e.AnyEvent]) -> Account:
    """The account that these events, in this order, leave."""
    account = Account.unopened(account_id)
    for event in events:
        evolve(account, event)
    return account


def evolve(account: Account, event: e.AnyEvent) -> None:
    """Take one event of the account into its state; events of the exchange leave it as it is."""
    account.version = event.version
    account.wallets.apply(event, postings(event))
    match event:
        case e.AccountOpened() | e.AccountFrozen() | e.AccountUnfrozen() | e.AccountClosed():
            _live(account, event)
        case e.WithdrawalRequested() | e.WithdrawalSettled() | e.WithdrawalCancelled():
            status = _WITHDRAWAL_STATUS[type(event)]
            account.withdrawals[event.withdrawal_id] = Withdrawal(event.asset, event.amount, status)
        case e.MarginModeSet():
            account.modes[event.pair] = event.mode
        case e.LeverageSet():
            account.leverages[event.wallet] = event.leverage
        case e.FundsHeld():
            account.holds[event.hold_id] = Hold(event.wallet, event.asset, event.amount)
        case e.HoldReleased():
            del account.holds[event.hold_id]
        case e.TradeBooked() | e.LoanRepaid():
            _use_hold(account, event)
            _count_towards_liquidation(account, event)
        case e.MarginCalled():
            account.called_at[event.wallet] = event.effective_at
        case e.LiquidationStarted() | e.LiquidationFilled() | e.LiquidationCompleted():
            _liquidate(account, event)
        case (
            e.FundsDeposited()
            | e.FundsTransferred()
            | e.TransferSent()
            | e.TransferReceived()
            | e.MarginAdded()
            | e.MarginRemoved()
            | e.LoanBorrowed()
            | e.InterestAccrued()
            | e.DeficitCovered()
            | e.AssetListed()
            | e.AssetLimitsSet()
            | e.PairListed()
            | e.PairStatusSet()
            | e.RiskLimitsSet()
            | e.InterestRateSet()
            | e.PricesMarked()
            | e.InsuranceFunded()
            | e.InsuranceWithdrawn()
        ):
            pass  # All there is of these is in the postings, or concerns the exchange.
        case _:
            assert_never(event)


_WITHDRAWAL_STATUS: dict[type, WithdrawalStatus] = {
    e.WithdrawalRequested: WithdrawalStatus.PENDING,
    e.WithdrawalSettled: WithdrawalStatus.SETTLED,
    e.WithdrawalCancelled: WithdrawalStatus.CANCELLED,
}


def _live(account: Account, event: e.AccountOpened | e.AccountFrozen | e.AccountUnfrozen | e.AccountClosed) -> None:
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


def _use_hold(account: Account, event: e.TradeBooked | e.LoanRepaid) -> None:
    """A fill uses its hold; one that is used up is gone."""
    if isinstance(event, e.TradeBooked) and event.hold_id is not None and event.hold_used:
        hold = account.holds[event.hold_id]
        left = hold.amount - event.hold_used
        if left > 0:
            account.holds[event.hold_id] = hold._replace(amount=left)
        else:
            del account.holds[event.hold_id]


def _count_towards_liquidation(account: Account, event: e.TradeBooked | e.LoanRepaid) -> None:
    """What the fills of an external execution sold and repaid counts as the liquidation's."""
    running = account.liquidations.get(event.wallet)
    if running is None:
        return
    if isinstance(event, e.LoanRepaid):
        repaid = _plus(running.repaid, event.asset, event.interest + event.principal)
        account.liquidations[event.wallet] = running._replace(repaid=repaid)
    elif event.side is Side.SELL:
        sold = _plus(running.sold, base_of(event.pair), event.quantity)
        account.liquidations[event.wallet] = running._replace(sold=sold)
    else:
        sold = _plus(running.sold, quote_of(event.pair), event.quote_amount)
        account.liquidations[event.wallet] = running._replace(sold=sold)


def _liquidate(account: Account, event: e.LiquidationStarted | e.LiquidationFilled | e.LiquidationCompleted) -> None:
    match event:
        case e.LiquidationStarted():
            for released in event.released_holds:
                del account.holds[released.hold_id]
            running = RunningLiquidation(event.liquidation_id, event.execution, event.fee_rate, {}, {})
            account.liquidations[event.wallet] = running
        case e.LiquidationFilled():
            running = account.liquidations[event.wallet]
            account.liquidations[event.wallet] = running._replace(
                sold=_plus(running.sold, event.asset, event.taken),
                repaid=_plus(running.repaid, event.debt_asset, event.interest + event.principal),
            )
        case e.LiquidationCompleted():
            del account.liquidations[event.wallet]
        case _:
            assert_never(event)


def _plus(amounts: dict[str, Decimal], asset: str, amount: Decimal) -> dict[str, Decimal]:
    return {**amounts, asset: amounts.get(asset, ZERO) + amount}
