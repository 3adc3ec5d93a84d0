"""Funds moved inside an account, into and out of buckets, and from one account's spot to another's."""

from decimal import Decimal
from typing import Any

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import (
    require_capability,
    require_collateral,
    require_enabled,
    require_free,
    require_mode,
    require_no_liquidation,
    require_open,
    require_place,
)
from ledger.account.draft import Draft, assess
from ledger.account.lending import charge
from ledger.errors import NothingToDo, PriceStale, SameAccount, TransferBlocked, WalletMismatch
from ledger.margin import max_transfer_out, show_level
from ledger.money import plain
from ledger.words import SPOT, AssetUse, Capability, MarginMode, isolated, pair_of


def transfer(draft: Draft, command: c.Transfer) -> None:
    """Between spot and cross, or into or out of a bucket, which is margin added or removed."""
    into, out_of = pair_of(command.target), pair_of(command.source)
    if command.source == command.target:
        raise NothingToDo(f"{command.source} is both where the transfer starts and where it ends")
    if into is not None and out_of is not None:
        raise WalletMismatch(
            f"{command.source} and {command.target} are both buckets; move funds through spot or cross"
        )
    asked = f"a transfer of {command.amount:f} {command.asset} to {command.target} was asked for"
    _move(draft, command.source, command.target, command.asset, command.amount, asked)


def add_margin(draft: Draft, command: c.AddMargin) -> None:
    """Into a bucket, by this explicit command only, while the pair's mode is isolated."""
    asked = f"margin of {command.amount:f} {command.asset} was asked for {command.pair}"
    _move(draft, command.source, isolated(command.pair), command.asset, command.amount, asked)


def remove_margin(draft: Draft, command: c.RemoveMargin) -> None:
    """Out of a bucket, as far as its level stays at the transfer-out line."""
    asked = f"removal of {command.amount:f} {command.asset} of margin was asked for {command.pair}"
    _move(draft, isolated(command.pair), command.target, command.asset, command.amount, asked)


def _move(draft: Draft, source: str, target: str, asset: str, amount: Decimal, asked: str) -> None:
    account = draft.account
    require_capability(account, Capability.TRANSFER)
    require_no_liquidation(account, source, target)
    pair = pair_of(target)
    if pair is not None:
        require_mode(account, pair, MarginMode.ISOLATED)
    for wallet in (source, target):
        require_place(wallet, asset)
    require_enabled(draft.market, AssetUse.TRANSFER, asset)
    require_collateral(draft, target, asset)
    for wallet in (source, target):
        charge(draft, wallet)
    arrival = assess_arrival(draft, target, asset, amount)
    departure = _assess_departure(draft, source, asset, amount, asked)
    _record(draft, source, target, departure, arrival, asset=asset, amount=amount)


def _record(
    draft: Draft,
    source: str,
    target: str,
    departure: e.Assessment | None,
    arrival: e.Assessment | None,
    **moved: Any,
) -> None:
    into, out_of = pair_of(target), pair_of(source)
    if into is not None:
        draft.record(e.MarginAdded, pair=into, source=source, assessment=arrival, source_assessment=departure, **moved)
    elif out_of is not None:
        draft.record(
            e.MarginRemoved, pair=out_of, target=target, assessment=departure, target_assessment=arrival, **moved
        )
    else:
        draft.record(e.FundsTransferred, source=source, target=target, assessment=departure or arrival, **moved)


def assess_arrival(draft: Draft, target: str, asset: str, amount: Decimal) -> e.Assessment | None:
    """What comes into a margin wallet needs a fresh price; levels are stated where all prices are fresh."""
    if target == SPOT:
        return None
    wallet = draft.wallet(target)
    if wallet.owes:
        try:
            prices = draft.fresh_prices(wallet, asset)
        except PriceStale:
            pass  # Its own price may be fresh all the same.
        else:
            before = draft.margin(wallet, prices)
            return assess(prices, before, before.changed(asset, free=amount))
    prices = draft.market.fresh_prices([asset], pair_of(target) or target, draft.at)
    return e.made(e.Assessment, {"prices": prices.used}) if prices.used else None


def _assess_departure(draft: Draft, source: str, asset: str, amount: Decimal, asked: str) -> e.Assessment | None:
    """What leaves is free, and leaves a margin wallet that owes at the transfer-out line or above."""
    wallet = draft.wallet(source)
    if source == SPOT or not wallet.owes:
        require_free(draft, wallet, asset, amount, asked)
        return None
    prices = draft.fresh_prices(wallet, asset)
    require_free(draft, wallet, asset, amount, asked)
    before = draft.margin(wallet, prices)
    after = before.changed(asset, free=-amount)
    if not before.allows_transfer_out(asset, amount):
        most = max_transfer_out(before, asset, draft.market.asset(asset).scale)
        raise TransferBlocked(
            f"{source} of account {draft.account.id} is in band {before.band} at level "
            f"{show_level(before.valuation.collateral_level)}, {asked} and would leave "
            f"{show_level(after.valuation.collateral_level)}; it stays at or above the transfer-out line "
            f"{after.lines.transfer_out:f}: at most {plain(most)} {asset} may leave"
        )
    return assess(prices, before, after)


def send(sender: Draft, receiver: Draft, command: c.Send) -> None:
    """From one account's spot to another's: both events, or neither."""
    if sender is receiver:
        raise SameAccount(f"account {command.account_id} was asked to send to itself; name another account")
    require_open(receiver.account)
    require_capability(sender.account, Capability.TRANSFER)
    require_capability(receiver.account, Capability.DEPOSIT)
    require_enabled(sender.market, AssetUse.TRANSFER, command.asset)
    asked = f"sending {command.amount:f} {command.asset} to {command.to_account_id} was asked for"
    require_free(sender, sender.account.wallets.spot, command.asset, command.amount, asked)
    terms = {"asset": command.asset, "amount": command.amount}
    sender.record(e.TransferSent, to_account_id=receiver.account.id, **terms)
    receiver.record(e.TransferReceived, from_account_id=sender.account.id, **terms)
