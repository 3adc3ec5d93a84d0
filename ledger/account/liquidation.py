"""Examination, margin calls and liquidation of one margin wallet."""

from datetime import datetime, timedelta
from decimal import Decimal

from ledger import commands as c
from ledger import events as e
from ledger.account.close_out import close_out
from ledger.account.closing import Closing
from ledger.account.conditions import require_no_liquidation, running_wallet
from ledger.account.draft import Draft
from ledger.account.lending import charge
from ledger.errors import NothingToDo, NotLiquidatable
from ledger.margin import Margin, show_level
from ledger.market import Market, Prices
from ledger.money import ONE, VALUATION_ASSET, base_of, quote_of
from ledger.words import Band, Execution

CALL_PAUSE = timedelta(hours=24)


def examine(draft: Draft, command: c.Examine) -> None:
    """Charge interest, then call or liquidate the wallet where its level asks for it."""
    require_no_liquidation(draft.account, command.wallet)
    charge(draft, command.wallet)
    wallet = draft.wallet(command.wallet)
    level = "owes nothing"
    if wallet.owes:
        prices = draft.fresh_prices(wallet)
        margin = draft.margin(wallet, prices)
        level = f"is at level {show_level(margin.valuation.level)}, in band {margin.band}"
        if margin.band is Band.LIQUIDATION:
            liquidate_wallet(draft, command.wallet, margin, margin.limits.liquidation_execution)
        elif margin.band is Band.MARGIN_CALL and _may_call(draft, command.wallet):
            _call(draft, command.wallet, margin, prices)
    if not draft.events:
        raise NothingToDo(f"{command.wallet} of account {draft.account.id} {level}; nothing is to be done about it")


def _may_call(draft: Draft, wallet: str) -> bool:
    """A second call comes no earlier than 24 hours after the last."""
    last = draft.account.called_at.get(wallet)
    return last is None or draft.at - last >= CALL_PAUSE


def _call(draft: Draft, wallet: str, margin: Margin, prices: Prices) -> None:
    valuation, lines = margin.valuation, margin.lines
    draft.record(
        e.MarginCalled,
        wallet=wallet,
        level=show_level(valuation.level),
        threshold=lines.margin_call,
        assets=valuation.assets,
        debt=valuation.debt,
        prices=prices.used,
        tier=lines.tier,
    )


def liquidate(draft: Draft, command: c.Liquidate) -> None:
    """Liquidate a wallet at or below its liquidation line; a healthy one is refused."""
    require_no_liquidation(draft.account, command.wallet)
    charge(draft, command.wallet)
    wallet = draft.wallet(command.wallet)
    where = f"{command.wallet} of account {draft.account.id}"
    if not wallet.owes:
        raise NotLiquidatable(f"{where} owes nothing and cannot be liquidated")
    margin = draft.margin(wallet, draft.fresh_prices(wallet))
    if margin.band is not Band.LIQUIDATION:
        raise NotLiquidatable(
            f"{where} is at level {show_level(margin.valuation.level)}, above its liquidation line "
            f"{margin.lines.liquidation:f}; it is left alone"
        )
    liquidate_wallet(draft, command.wallet, margin, command.execution)


def liquidate_wallet(draft: Draft, wallet: str, margin: Margin, execution: Execution) -> None:
    """Start a liquidation and, by house, close the wallet out in the same decision."""
    account, valuation, lines, limits = draft.account, margin.valuation, margin.lines, margin.limits
    released = [
        e.ReleasedHold(hold_id=hold_id, asset=hold.asset, amount=hold.amount)
        for hold_id, hold in account.holds.items()
        if hold.wallet == wallet
    ]
    draft.record(
        e.LiquidationStarted,
        liquidation_id=f"{account.id}.{account.version + 1}",
        wallet=wallet,
        execution=execution,
        level=show_level(valuation.level),
        liquidation_level=lines.liquidation,
        assets=valuation.assets,
        debt=valuation.debt,
        balances={asset: e.AssetState(**balance._asdict()) for asset, balance in margin.wallet.balances.items()},
        prices=dict(draft.market.prices),
        released_holds=released,
        fee_rate=limits.liquidation_fee,
        tier=lines.tier,
        target=limits.liquidation_target,
        execute_by=_execute_by(draft, execution, limits.execution_time_limit_seconds),
    )
    if execution is Execution.HOUSE:
        close_out(Closing.of(draft, wallet, margin.prices))


def _execute_by(draft: Draft, execution: Execution, limit_seconds: int | None) -> datetime | None:
    """Until when an external execution is in time; None without a limit, and by house, which takes no time."""
    if execution is Execution.HOUSE or limit_seconds is None:
        return None
    return draft.at + timedelta(seconds=limit_seconds)


def complete_liquidation(draft: Draft, command: c.CompleteLiquidation) -> None:
    """End an external execution: the house goes on from where its fills left the wallet, then the fee is taken.

    It repays nothing more where the level is back at the target, or on a lower tier and above that one's line.
    """
    wallet = running_wallet(draft.account, command.liquidation_id)
    charge(draft, wallet)
    repaid = draft.account.liquidations[wallet].repaid
    fresh = draft.fresh_prices(draft.wallet(wallet), *repaid).of
    close_out(Closing.of(draft, wallet, {**_marked(draft.market), **fresh}))


def _marked(market: Market) -> dict[str, Decimal]:
    """The last price of every asset, in the valuation asset: a position is paid in assets its wallet may not hold."""
    marked = {base_of(pair): mark.price for pair, mark in market.prices.items() if quote_of(pair) == VALUATION_ASSET}
    return {VALUATION_ASSET: ONE, **marked}
