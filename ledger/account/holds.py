"""Holds: free funds locked for an open order, which its fills use first."""

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import (
    require_capability,
    require_enabled,
    require_free,
    require_no_liquidation,
    require_place,
)
from ledger.account.draft import Draft, assess
from ledger.account.lending import charge
from ledger.account.state import Account, Hold
from ledger.errors import HoldExists, PairNotTrading, TradeBlocked, UnknownHold
from ledger.margin import Margin, show_level
from ledger.market import Prices
from ledger.wallets import Wallet
from ledger.words import SPOT, AssetUse, Band, Capability, PairStatus, pair_of


def place_hold(draft: Draft, command: c.PlaceHold) -> None:
    """Locks free funds for an open order; freshness, band and freeze are checked here, not at its fills."""
    account, wallet = draft.account, command.wallet
    if command.hold_id in account.holds:
        raise HoldExists(
            f"hold {command.hold_id} of account {account.id} was placed before; a further one needs its own id"
        )
    require_capability(account, Capability.TRADE)
    require_no_liquidation(account, wallet)
    require_place(wallet, command.asset)
    require_enabled(draft.market, AssetUse.TRADE, command.asset)
    pair = pair_of(wallet)
    if pair is not None:
        require_status(draft, pair, PairStatus.TRADING, PairStatus.REDUCE_ONLY)
    charge(draft, wallet)
    assessment = None
    if wallet != SPOT:
        prices = draft.fresh_prices(draft.wallet(wallet), command.asset)
        margin = require_tradeable(draft, draft.wallet(wallet), prices)
        assessment = assess(prices, margin, margin)
    asked = f"a hold of {command.amount:f} {command.asset} was asked for"
    require_free(draft, draft.wallet(wallet), command.asset, command.amount, asked)
    draft.record(
        e.FundsHeld,
        hold_id=command.hold_id,
        wallet=wallet,
        asset=command.asset,
        amount=command.amount,
        assessment=assessment,
    )


def release_hold(draft: Draft, command: c.ReleaseHold) -> None:
    """Gives back what is left of a hold; no freeze stops it."""
    hold = known_hold(draft.account, command.hold_id)
    charge(draft, hold.wallet)
    draft.record(e.HoldReleased, hold_id=command.hold_id, wallet=hold.wallet, asset=hold.asset, amount=hold.amount)


def known_hold(account: Account, hold_id: str) -> Hold:
    """The hold of that id, or UnknownHold."""
    hold = account.holds.get(hold_id)
    if hold is None:
        raise UnknownHold(f"account {account.id} has no hold {hold_id}; it was never placed, used up or released")
    return hold


def require_status(draft: Draft, pair: str, *statuses: PairStatus) -> None:
    status = draft.market.pair(pair).status
    if status not in statuses:
        raise PairNotTrading(
            f"{pair} is {status}, this needs it to be {' or '.join(statuses)}; set_pair_status sets it"
        )


def require_tradeable(draft: Draft, wallet: Wallet, prices: Prices) -> Margin:
    """The wallet is above its liquidation line."""
    margin = draft.margin(wallet, prices)
    if margin.band is Band.LIQUIDATION:
        raise TradeBlocked(
            f"{wallet.name} of account {draft.account.id} is at level {show_level(margin.valuation.level)}, at or "
            f"below its liquidation line {margin.lines.liquidation:f}; add margin or repay first"
        )
    return margin
