"""The margin mode of a pair and the leverage of a margin wallet."""

from decimal import Decimal

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import require_no_liquidation
from ledger.account.draft import Draft, assess
from ledger.account.lending import charge
from ledger.errors import LeverageNotAllowed, NothingToDo, PositionOpen, PriceStale
from ledger.margin import show_level
from ledger.market import Market
from ledger.money import base_of, compare_ratio, quote_of
from ledger.positions import FLAT
from ledger.wallets import Wallet
from ledger.words import CROSS, SPOT, MarginMode, Side, isolated, pair_of


def set_margin_mode(draft: Draft, command: c.SetMarginMode) -> None:
    """Switches only when nothing is open on the pair: no debt in the bucket, no locked funds, no position, and, to
    cross, the bucket emptied. A hold in the pool may be for an order of any pair of its asset: it keeps each in the
    cross mode."""
    account, pair = draft.account, command.pair
    require_no_liquidation(account, CROSS, isolated(pair))
    if account.mode(pair) is command.mode:
        raise NothingToDo(f"the margin mode of {pair} on account {account.id} already is {command.mode}")
    bucket, assets = draft.wallet(isolated(pair)), (base_of(pair), quote_of(pair))
    open_things = [
        f"{balance.held:f} {asset} held and {balance.owed:f} {asset} owed in {bucket.name}"
        for asset, balance in bucket.balances.items()
        if balance.owed or balance.locked or (balance.free and command.mode is MarginMode.CROSS)
    ]
    open_things += [
        f"hold {hold_id} of {hold.amount:f} {hold.asset} in {hold.wallet}"
        for hold_id, hold in account.holds.items()
        if command.mode is MarginMode.ISOLATED and hold.wallet == CROSS and hold.asset in assets
    ]
    open_things += [
        f"a position of {wallet.positions[pair].quantity:f} {base_of(pair)} in {wallet.name}"
        for wallet in (draft.wallet(CROSS), bucket)
        if is_position_open(wallet, pair, draft.market)
    ]
    if open_things:
        raise PositionOpen(
            f"the margin mode of {pair} on account {account.id} cannot become {command.mode}, open are "
            f"{'; '.join(open_things)}; close and empty these first"
        )
    draft.record(e.MarginModeSet, pair=pair, mode=command.mode, assessment=_assess_dust(draft, pair))


def _assess_dust(draft: Draft, pair: str) -> e.Assessment | None:
    """The price by which what is left of a position was found to be dust, if there was any."""
    if not any(draft.wallet(name).positions.get(pair, FLAT).quantity for name in (CROSS, isolated(pair))):
        return None
    return e.Assessment(prices=draft.market.last_prices([base_of(pair)]).used)


def is_position_open(wallet: Wallet, pair: str, market: Market) -> bool:
    """Whether a position's value at the price last marked is above dust; without any price, if it is not flat."""
    quantity = abs(wallet.positions.get(pair, FLAT).quantity)
    if not quantity:
        return False
    try:
        price = market.last_prices([base_of(pair)]).of[base_of(pair)]
    except PriceStale:
        return True
    return quantity * price > market.limits_of(pair_of(wallet.name) or CROSS).dust


def reduces_position(wallet: Wallet, pair: str, side: Side, quantity: Decimal) -> bool:
    """Whether a fill closes a part of an open position and no more; in spot, whether it sells."""
    if wallet.name == SPOT:
        return side is Side.SELL
    there = wallet.positions.get(pair, FLAT).quantity
    signed = quantity if side is Side.BUY else -quantity
    return there * signed < 0 and quantity <= abs(there)


def set_leverage(draft: Draft, command: c.SetLeverage) -> None:
    """While nothing is owed, or while the level is above the initial ratio that the leverage asks for."""
    require_no_liquidation(draft.account, command.wallet)
    _require_offered(draft, command)
    if draft.leverage(command.wallet) == command.leverage:
        raise NothingToDo(f"the leverage of {command.wallet} already is {command.leverage:f}")
    charge(draft, command.wallet)
    wallet = draft.wallet(command.wallet)
    assessment = None
    if wallet.owes:
        prices = draft.fresh_prices(wallet)
        before = draft.margin(wallet, prices)
        after = before.at_leverage(command.leverage)
        if compare_ratio(after.valuation.collateral_level, after.lines.initial) <= 0:
            raise LeverageNotAllowed(
                f"{command.wallet} of account {draft.account.id} is at level "
                f"{show_level(after.valuation.collateral_level)}, leverage {command.leverage:f} needs more than "
                f"{show_level(after.lines.initial) or 'any level while something is owed'}; repay or add margin first"
            )
        assessment = assess(prices, before, after)
    draft.record(e.LeverageSet, wallet=command.wallet, leverage=command.leverage, assessment=assessment)


def _require_offered(draft: Draft, command: c.SetLeverage) -> None:
    pair = pair_of(command.wallet)
    if pair is None:
        offered = [row.max_leverage for row in draft.market.limits_of(CROSS).tiers]
        if command.leverage not in offered:
            choice = " or ".join(f"{leverage:f}" for leverage in offered)
            raise LeverageNotAllowed(f"leverage {command.leverage:f} was asked for the cross pool, it may be {choice}")
        return
    highest = draft.market.pair(pair).max_leverage
    if command.leverage > highest:
        raise LeverageNotAllowed(f"leverage {command.leverage:f} was asked for {pair}, its highest is {highest:f}")
