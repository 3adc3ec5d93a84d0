"""Which rule answers which command: admission, keys and decision of everything asked of accounts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from ledger import commands as c
from ledger import events as e
from ledger.account import funding, holds, lending, lifecycle, liquidation, settings, trading, transfers
from ledger.account.conditions import require_account, require_open, running_wallet
from ledger.account.draft import Draft
from ledger.account.state import Account
from ledger.decision import Context, envelope_of, require_scale, require_version
from ledger.errors import (
    DepositAlreadyBooked,
    Malformed,
    QuoteAmountMismatch,
    Refusal,
    TooManyDecimals,
    TradeAlreadyBooked,
)
from ledger.market import Market
from ledger.money import base_of, decimals_of, quote_of
from ledger.words import SPOT, Side, pair_of

AccountCommand = (
    c.OpenAccount
    | c.FreezeAccount
    | c.UnfreezeAccount
    | c.CloseAccount
    | c.Deposit
    | c.RequestWithdrawal
    | c.SettleWithdrawal
    | c.CancelWithdrawal
    | c.Transfer
    | c.AddMargin
    | c.RemoveMargin
    | c.Send
    | c.SetMarginMode
    | c.SetLeverage
    | c.Borrow
    | c.Repay
    | c.AccrueInterest
    | c.PlaceHold
    | c.ReleaseHold
    | c.BookFill
    | c.BookTrade
    | c.Examine
    | c.Liquidate
    | c.CompleteLiquidation
)


class Decision(NamedTuple):
    """The events decided, in order, and the accounts they leave."""

    events: list[e.AccountEvent]
    accounts: dict[str, Account]


def streams_of(command: AccountCommand) -> tuple[str, ...]:
    """The ids of the accounts a command touches, the named one first."""
    match command:
        case c.Send():
            return (command.account_id, command.to_account_id)
        case c.BookTrade():
            return (command.buyer.account_id, command.seller.account_id)
        case _:
            return (command.stream,)


def keys_of(command: AccountCommand) -> list[tuple[str, str]]:
    """Every (account id, key) that a command claims: its idempotency key, and the id of its trade or deposit.

    The latter contain a space, which no idempotency key does.
    """
    keyed = streams_of(command) if isinstance(command, c.BookTrade) else (command.stream,)
    claims = [(stream, command.key) for stream in keyed if command.key is not None]
    match command:
        case c.BookFill() | c.BookTrade():
            claims += [(stream, f"trade_id {command.trade_id}") for stream in keyed]
        case c.Deposit() if command.deposit_id is not None:
            claims += [(command.account_id, f"deposit_id {command.deposit_id}")]
        case _:
            pass
    return list(dict.fromkeys(claims))


def already_booked(command: AccountCommand, account_id: str) -> Refusal:
    """The refusal of a trade or deposit whose id this account has booked under another idempotency key."""
    match command:
        case c.BookTrade():
            side = Side.BUY if account_id == command.buyer.account_id else Side.SELL
            return trading.of_side(_trade_booked(command.trade_id, account_id), side, account_id)
        case c.BookFill():
            return _trade_booked(command.trade_id, account_id)
        case c.Deposit():
            return DepositAlreadyBooked(
                f"deposit {command.deposit_id} is already booked on account {account_id} under another idempotency key"
            )
        case _:
            raise AssertionError(f"{command.type} books no id of its own")


def _trade_booked(trade_id: str, account_id: str) -> TradeAlreadyBooked:
    return TradeAlreadyBooked(
        f"trade {trade_id} is already booked on account {account_id} under another idempotency key"
    )


def admit(command: AccountCommand, accounts: Mapping[str, Account], market: Market) -> None:
    """Refuse what names an account, asset or pair that is not there, or has more decimals than its asset keeps."""
    if isinstance(command, c.AccrueInterest) and command.account_id is None:
        raise Malformed(
            "accrue_interest without account_id is a job; it is sent as one command for each account that owes"
        )
    _require_accounts(command, accounts)
    _require_listed(command, market)
    fields = command.__dict__
    if "asset" in fields:
        require_scale(market, fields["asset"], amount=fields["amount"])
    if isinstance(command, c.BookFill | c.BookTrade):
        _require_exact_trade(command, market)


def _require_accounts(command: AccountCommand, accounts: Mapping[str, Account]) -> None:
    if isinstance(command, c.BookTrade):
        for side, terms in ((Side.BUY, command.buyer), (Side.SELL, command.seller)):
            with trading.naming(side, terms.account_id):
                require_account(accounts[terms.account_id])
    elif not isinstance(command, c.OpenAccount):
        for stream in streams_of(command):
            require_account(accounts[stream])


def _require_listed(command: AccountCommand, market: Market) -> None:
    """Every pair that a command names, by itself or as a bucket, is listed."""
    fields = command.__dict__
    if "pair" in fields:
        market.pair(fields["pair"])
    for name in ("wallet", "source", "target"):
        pair = pair_of(fields.get(name) or SPOT)
        if pair is not None:
            market.pair(pair)


def _require_exact_trade(trade: c.BookFill | c.BookTrade, market: Market) -> None:
    base, quote = base_of(trade.pair), quote_of(trade.pair)
    require_scale(market, base, quantity=trade.quantity)
    require_scale(market, quote, quote_amount=trade.quote_amount)
    for terms in (trade,) if isinstance(trade, c.BookFill) else (trade.buyer, trade.seller):
        require_scale(market, terms.fee_asset, fee=terms.fee)
        if terms.wallet is not None and (pair := pair_of(terms.wallet)) is not None:
            market.pair(pair)
    price_scale = market.pair(trade.pair).price_scale
    if decimals_of(trade.price) > price_scale:
        raise TooManyDecimals(
            f"price {trade.price:f} of {trade.pair} has more decimals than its price scale of {price_scale}"
        )
    _require_quote_amount(trade, market.asset(quote).scale)


def _require_quote_amount(trade: c.BookFill | c.BookTrade, scale: int) -> None:
    """Quantity x price fits the quote asset's scale, or the trade states its quote amount, within one step."""
    product, step = trade.quantity * trade.price, Decimal(1).scaleb(-scale)
    if trade.quote_amount is None and decimals_of(product) > scale:
        raise QuoteAmountMismatch(
            f"{trade.quantity:f} at {trade.price:f} is {product:f} {quote_of(trade.pair)}, which keeps "
            f"{scale} decimals; state the quote_amount that was paid"
        )
    if trade.quote_amount is not None and abs(trade.quote_amount - product) > step:
        raise QuoteAmountMismatch(
            f"quote_amount {trade.quote_amount:f} was stated, {trade.quantity:f} at {trade.price:f} is {product:f}; "
            f"it may differ by at most {step:f}"
        )


def _require_named(command: AccountCommand, accounts: Mapping[str, Account]) -> None:
    """Refuse what names a withdrawal, hold or liquidation that its account does not have."""
    match command:
        case c.SettleWithdrawal() | c.CancelWithdrawal():
            funding.known_withdrawal(accounts[command.account_id], command.withdrawal_id)
        case c.ReleaseHold():
            holds.known_hold(accounts[command.account_id], command.hold_id)
        case c.BookFill():
            if command.hold_id is not None:
                holds.known_hold(accounts[command.account_id], command.hold_id)
            if command.liquidation_id is not None:
                running_wallet(accounts[command.account_id], command.liquidation_id)
        case c.BookTrade():
            for side, terms in ((Side.BUY, command.buyer), (Side.SELL, command.seller)):
                if terms.hold_id is not None:
                    with trading.naming(side, terms.account_id):
                        holds.known_hold(accounts[terms.account_id], terms.hold_id)
        case c.CompleteLiquidation():
            running_wallet(accounts[command.account_id], command.liquidation_id)
        case _:
            pass


def decide(command: AccountCommand, accounts: Mapping[str, Account], market: Market, context: Context) -> Decision:
    """Decide one admitted command; the accounts given stay as they are, the decision's are its own."""
    streams = streams_of(command)
    _require_named(command, accounts)
    require_version(command, streams[0], accounts[streams[0]].version)
    envelope = envelope_of(command, market, context)
    drafts = {stream: Draft(accounts[stream].copy(), market, envelope) for stream in streams}
    named = drafts[streams[0]]
    if not isinstance(command, c.OpenAccount | c.BookTrade):
        require_open(named.account)
    match command:
        case c.Send():
            transfers.send(named, drafts[command.to_account_id], command)
        case c.BookTrade():
            trading.book_trade(named, drafts[command.seller.account_id], command)
        case _:
            _decide(named, command)
    events = [event for draft in drafts.values() for event in draft.events]
    return Decision(events, {stream: draft.account for stream, draft in drafts.items()})


def _decide(draft: Draft, command: AccountCommand) -> None:
    match command:
        case c.OpenAccount():
            lifecycle.open_account(draft, command)
        case c.FreezeAccount():
            lifecycle.freeze_account(draft, command)
        case c.UnfreezeAccount():
            lifecycle.unfreeze_account(draft)
        case c.CloseAccount():
            lifecycle.close_account(draft)
        case c.Deposit():
            funding.deposit(draft, command)
        case c.RequestWithdrawal():
            funding.request_withdrawal(draft, command)
        case c.SettleWithdrawal():
            funding.settle_withdrawal(draft, command)
        case c.CancelWithdrawal():
            funding.cancel_withdrawal(draft, command)
        case c.Transfer():
            transfers.transfer(draft, command)
        case c.AddMargin():
            transfers.add_margin(draft, command)
        case c.RemoveMargin():
            transfers.remove_margin(draft, command)
        case _:
            _decide_margin(draft, command)


def _decide_margin(draft: Draft, command: AccountCommand) -> None:
    match command:
        case c.SetMarginMode():
            settings.set_margin_mode(draft, command)
        case c.SetLeverage():
            settings.set_leverage(draft, command)
        case c.Borrow():
            lending.borrow(draft, command)
        case c.Repay():
            lending.repay(draft, command)
        case c.AccrueInterest():
            lending.accrue_interest(draft, command)
        case c.PlaceHold():
            holds.place_hold(draft, command)
        case c.ReleaseHold():
            holds.release_hold(draft, command)
        case c.BookFill():
            trading.book_fill(draft, command)
        case c.Examine():
            liquidation.examine(draft, command)
        case c.Liquidate():
            liquidation.liquidate(draft, command)
        case c.CompleteLiquidation():
            liquidation.complete_liquidation(draft, command)
        case _:
            raise AssertionError(f"{command.type} is not decided here")
