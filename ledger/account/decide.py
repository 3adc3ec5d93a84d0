"""Which rule answers which command: admission, keys and decision of everything asked of accounts."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from ledger import commands as c
from ledger import events as e
from ledger.account import (
    adjustments,
    funding,
    holds,
    lending,
    lifecycle,
    liquidation,
    settings,
    trading,
    transfers,
)
from ledger.account.conditions import require_account, require_open
from ledger.account.draft import Draft
from ledger.account.naming import REQUIRE_NAMED
from ledger.account.reversals import Original, reverse_event
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
from ledger.money import base_of, fits, quote_of, step_of
from ledger.words import BUY, CROSS, SELL, SPOT, pair_of

AccountCommand = (
    c.OpenAccount
    | c.FreezeAccount
    | c.UnfreezeAccount
    | c.CloseAccount
    | c.EraseTexts
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
    | c.ReverseEvent
    | c.ProposeAdjustment
    | c.ApproveAdjustment
    | c.RejectAdjustment
)


# A decision is made of a tuple in half the time that its class takes.
_new = tuple.__new__


class Decision(NamedTuple):
    """The events decided, in order, and the accounts they leave."""

    events: list[e.AccountEvent]
    accounts: dict[str, Account]


def streams_of(command: AccountCommand) -> tuple[str, ...]:
    """The ids of the accounts a command touches, the named one first."""
    return command.streams


def keys_of(command: AccountCommand) -> list[tuple[str, str]]:
    """Every (account id, key) that a command claims: its idempotency key, and the id of its trade or deposit."""
    streams, own, further = command.keyed_streams, command.key, command.further_key
    if len(streams) == 1 and further is None:
        return [] if own is None else [(streams[0], own)]
    claims = [(stream, key) for key in (own, further) if key is not None for stream in streams]
    return list(dict.fromkeys(claims)) if len(streams) != 1 and streams[0] == streams[1] else claims


def already_booked(command: AccountCommand, account_id: str) -> Refusal:
    """The refusal of a trade or deposit whose id this account has booked under another idempotency key."""
    match command:
        case c.BookTrade():
            side = BUY if account_id == command.buyer.account_id else SELL
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
    kind, fields = type(command), command.__dict__
    if kind is c.AccrueInterest and fields["account_id"] is None:
        raise Malformed(
            "accrue_interest without account_id is a job; it is sent as one command for each account that owes"
        )
    if kind is c.BookTrade:
        _require_accounts_of_sides(cast(c.BookTrade, command), accounts)
    elif kind is not c.OpenAccount:
        for stream in command.streams:
            require_account(accounts[stream])
    for name in _naming_pairs(kind):
        named = fields[name]
        if named is not None and named != SPOT and named != CROSS:
            market.pair(pair_of(named) or named)
    if "asset" in fields:
        require_scale(market, fields["asset"], "amount", fields["amount"])
    elif kind is c.BookTrade or kind is c.BookFill:
        _require_exact_trade(cast(c.BookFill | c.BookTrade, command), market)


@cache
def _naming_pairs(kind: type[c.Command]) -> tuple[str, ...]:
    """The fields of a command that name a pair, by itself or as a bucket."""
    return tuple(name for name in ("pair", "wallet", "source", "target") if name in kind.model_fields)


def _require_accounts_of_sides(command: c.BookTrade, accounts: Mapping[str, Account]) -> None:
    for side, terms in ((BUY, command.buyer), (SELL, command.seller)):
        try:
            require_account(accounts[terms.account_id])
        except Refusal as refusal:
            raise trading.of_side(refusal, side, terms.account_id) from refusal


def _require_exact_trade(trade: c.BookFill | c.BookTrade, market: Market) -> None:
    pair = trade.pair
    base, quote = base_of(pair), quote_of(pair)
    require_scale(market, base, "quantity", trade.quantity)
    quote_listing = market.asset(quote)
    if trade.quote_amount is not None:
        require_scale(market, quote, "quote_amount", trade.quote_amount)
    for terms in (trade.buyer, trade.seller) if type(trade) is c.BookTrade else (cast(c.BookFill, trade),):
        require_scale(market, terms.fee_asset, "fee", terms.fee)
        if terms.wallet is not None and (bucket := pair_of(terms.wallet)) is not None:
            market.pair(bucket)
    price_scale = market.pair(pair).price_scale
    if not fits(trade.price, price_scale):
        raise TooManyDecimals(
            f"price {trade.price:f} of {trade.pair} has more decimals than its price scale of {price_scale}"
        )
    _require_quote_amount(trade, quote_listing.scale)


def _require_quote_amount(trade: c.BookFill | c.BookTrade, scale: int) -> None:
    """Quantity x price fits the quote asset's scale, or the trade states its quote amount, within one step."""
    product, stated = trade.quantity * trade.price, trade.quote_amount
    if stated is None:
        if not fits(product, scale):
            raise QuoteAmountMismatch(
                f"{trade.quantity:f} at {trade.price:f} is {product:f} {quote_of(trade.pair)}, which keeps "
                f"{scale} decimals; state the quote_amount that was paid"
            )
        return
    step = step_of(scale)
    if abs(stated - product) > step:
        raise QuoteAmountMismatch(
            f"quote_amount {stated:f} was stated, {trade.quantity:f} at {trade.price:f} is {product:f}; "
            f"it may differ by at most {step:f}"
        )


def decide(command: AccountCommand, accounts: Mapping[str, Account], market: Market, context: Context) -> Decision:
    """Decide one admitted command; the accounts given stay as they are, the decision's are its own."""
    kind, streams = type(command), command.streams
    if kind in REQUIRE_NAMED:
        REQUIRE_NAMED[kind](command, accounts)
    stream = streams[0]
    account = accounts[stream]
    if command.expected_version is not None:
        require_version(command, stream, account.version)
    envelope = envelope_of(command, market, context)
    named = Draft(account.copy(), market, envelope, [])
    if kind not in _JUDGES_OPEN_ITSELF:
        require_open(named.account)
    if len(streams) == 1:
        rule = RULES.get(kind)
        if rule is None:
            raise AssertionError(f"{command.type} is not decided here")
        rule(named, command)
        return _new(Decision, (named.events, {stream: named.account}))
    other = named if streams[1] == stream else Draft(accounts[streams[1]].copy(), market, envelope, [])
    RULES_OF_TWO[kind](named, other, command)
    return _new(Decision, (named.events + other.events, {stream: named.account, streams[1]: other.account}))


def decide_reversal(
    command: c.ReverseEvent, original: Original, accounts: Mapping[str, Account], market: Market, context: Context
) -> Decision:
    """Decide one admitted reversal, of an event that the command names by its version; both accounts are given.

    The reason was written for the account that is named, so the other's events state none.
    """
    stream = command.account_id
    require_version(command, stream, accounts[stream].version)
    envelope = envelope_of(command, market, context)
    named, other = Draft(accounts[stream].copy(), market, envelope, []), None
    drafts = {stream: named}
    if original.other is not None:
        beside = original.other.account_id
        drafts[beside] = other = Draft(accounts[beside].copy(), market, {**envelope, "reason": None}, [])
    reverse_event(named, other, original)
    events = [event for draft in drafts.values() for event in draft.events]
    return Decision(events, {account_id: draft.account for account_id, draft in drafts.items()})


_JUDGES_OPEN_ITSELF = {c.OpenAccount, c.BookTrade, c.EraseTexts}

RULES: dict[type[c.Command], Callable[[Draft, Any], None]] = {
    c.OpenAccount: lifecycle.open_account,
    c.FreezeAccount: lifecycle.freeze_account,
    c.UnfreezeAccount: lifecycle.unfreeze_account,
    c.CloseAccount: lifecycle.close_account,
    c.EraseTexts: lifecycle.erase_texts,
    c.Deposit: funding.deposit,
    c.RequestWithdrawal: funding.request_withdrawal,
    c.SettleWithdrawal: funding.settle_withdrawal,
    c.CancelWithdrawal: funding.cancel_withdrawal,
    c.Transfer: transfers.transfer,
    c.AddMargin: transfers.add_margin,
    c.RemoveMargin: transfers.remove_margin,
    c.SetMarginMode: settings.set_margin_mode,
    c.SetLeverage: settings.set_leverage,
    c.Borrow: lending.borrow,
    c.Repay: lending.repay,
    c.AccrueInterest: lending.accrue_interest,
    c.PlaceHold: holds.place_hold,
    c.ReleaseHold: holds.release_hold,
    c.BookFill: trading.book_fill,
    c.Examine: liquidation.examine,
    c.Liquidate: liquidation.liquidate,
    c.CompleteLiquidation: liquidation.complete_liquidation,
    c.ProposeAdjustment: adjustments.propose_adjustment,
    c.ApproveAdjustment: adjustments.approve_adjustment,
    c.RejectAdjustment: adjustments.reject_adjustment,
}
"""Which rule decides which command on one account."""

RULES_OF_TWO: dict[type[c.Command], Callable[[Draft, Draft, Any], None]] = {
    c.Send: transfers.send,
    c.BookTrade: trading.book_trade,
}
"""Which rule decides which command on two accounts."""
