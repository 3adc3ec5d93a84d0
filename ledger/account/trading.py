"""Fills: one-sided on one account, or one trade on two accounts."""

from decimal import Decimal
from typing import NamedTuple

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import (
    require_capability,
    require_collateral,
    require_enabled,
    require_no_liquidation,
    require_open,
    require_place,
    running_wallet,
)
from ledger.account.draft import Draft, assess
from ledger.account.holds import known_hold, require_status, require_tradeable
from ledger.account.lending import charge, lend, pay_back
from ledger.account.settings import reduces_position
from ledger.account.state import Account, Hold
from ledger.errors import (
    HoldMismatch,
    InsufficientFunds,
    LiquidationMismatch,
    MarginModeMismatch,
    Refusal,
    SameAccount,
)
from ledger.interest import charged, due_lines
from ledger.margin import Margin
from ledger.market import Prices
from ledger.money import ZERO, base_of, quote_of
from ledger.wallets import NOTHING, Balance
from ledger.words import BUY, CROSS, SELL, SPOT, AssetUse, Capability, Execution, MarginMode, PairStatus, Side, isolated


class Fill(NamedTuple):
    """One fill as one account books it; amounts of base and quote, the fee in whichever asset it names."""

    trade_id: str
    pair: str
    side: Side
    quantity: Decimal
    price: Decimal
    quote_amount: Decimal
    terms: c.FillTerms
    liquidation_id: str | None
    paid: tuple[str, Decimal]
    """The asset that leaves the wallet, and how much of it without the fee."""
    received: tuple[str, Decimal]
    """The asset that comes into the wallet, and how much of it without the fee."""
    changes: dict[str, Decimal]
    """What the fill changes of each asset of the wallet, the fee included."""


def book_fill(draft: Draft, command: c.BookFill) -> None:
    """One fill on one account, against clearing."""
    book(draft, fill_of(command, command, command.side, command.liquidation_id))


def book_trade(buyer: Draft, seller: Draft, command: c.BookTrade) -> None:
    """One trade on two accounts: both fills, or neither; a refusal names its side."""
    if buyer is seller:
        raise SameAccount(f"account {buyer.account.id} was named as buyer and seller of trade {command.trade_id}")
    for draft, terms, side in ((buyer, command.buyer, BUY), (seller, command.seller, SELL)):
        try:
            require_open(draft.account)
            book(draft, fill_of(command, terms, side))
        except Refusal as refusal:
            raise of_side(refusal, side, draft.account.id) from refusal


def of_side(refusal: Refusal, side: Side, account_id: str) -> Refusal:
    """The same refusal, naming the side of the trade that it is about; the other side may be booked alone."""
    name = "buyer" if side is BUY else "seller"
    return type(refusal)(f"{name} {account_id}: {refusal.detail}", side=name, account_id=account_id, **refusal.members)


def fill_of(trade: c.BookFill | c.BookTrade, terms: c.FillTerms, side: Side, liquidation_id: str | None = None) -> Fill:
    """A fill with its quote amount: the one stated, else quantity x price."""
    pair, quantity, price = trade.pair, trade.quantity, trade.price
    quote_amount = quantity * price if trade.quote_amount is None else trade.quote_amount
    paid, received = (quote_of(pair), quote_amount), (base_of(pair), quantity)
    if side is SELL:
        paid, received = received, paid
    changes = {paid[0]: -paid[1], received[0]: received[1]}
    changes[terms.fee_asset] = changes.get(terms.fee_asset, ZERO) - terms.fee
    # Made of a tuple, which takes half the time.
    fill = (trade.trade_id, pair, side, quantity, price, quote_amount, terms, liquidation_id, paid, received, changes)
    return tuple.__new__(Fill, fill)


def book(draft: Draft, fill: Fill) -> None:
    """Check a fill where no hold vouches for it, borrow what it lacks, book it, repay with what it brings."""
    account, terms = draft.account, fill.terms
    hold = known_hold(account, terms.hold_id) if terms.hold_id else None
    is_vouched = hold is not None or fill.liquidation_id is not None
    if not is_vouched:
        require_capability(account, Capability.TRADE)
    wallet = _wallet_of(account, fill, hold)
    if account.liquidations or fill.liquidation_id is not None:
        _require_liquidation(draft, fill, wallet)
    if hold is not None or terms.wallet != SPOT or terms.expected_mode is not None:
        _require_modes_agree(account, fill, hold)
    judged = None
    if wallet != SPOT:
        require_place(wallet, terms.fee_asset)
    if not is_vouched:
        _require_market_open(draft, fill, wallet)
        judged = None if wallet == SPOT else _require_tradeable(draft, fill, wallet)
    _cover(draft, fill, wallet, hold)
    _record(draft, fill, wallet, hold, judged)
    if terms.auto_repay and wallet != SPOT:
        _repay_with_received(draft, fill, wallet)


class Judged(NamedTuple):
    """The prices by which a fill was let into a margin wallet, and the wallet's margin then."""

    prices: Prices
    margin: Margin


def _require_tradeable(draft: Draft, fill: Fill, name: str) -> Judged:
    """In a margin wallet: fresh prices of all it holds and trades, and a level above the liquidation line."""
    wallet = draft.wallet(name)
    wallet = charged(wallet, due_lines(wallet, draft.market, draft.at))
    prices = draft.fresh_prices(wallet, *fill.changes)
    return Judged(prices, require_tradeable(draft, wallet, prices))


def _wallet_of(account: Account, fill: Fill, hold: Hold | None) -> str:
    """The wallet the fill books into: the one of its hold, else the one stated, else the one the pair's mode names."""
    if hold is not None:
        return hold.wallet
    return fill.terms.wallet or _wallet_by_mode(account, fill.pair)


def _wallet_by_mode(account: Account, pair: str) -> str:
    return CROSS if account.mode(pair) is MarginMode.CROSS else isolated(pair)


def _require_modes_agree(account: Account, fill: Fill, hold: Hold | None) -> None:
    """A stated mode is the pair's; the wallet is spot or the one the mode names, and its hold is on what is paid."""
    mode, stated, expected = account.mode(fill.pair), fill.terms.wallet, fill.terms.expected_mode
    by_mode = _wallet_by_mode(account, fill.pair)
    if (expected is not None and expected is not mode) or stated not in (None, SPOT, by_mode):
        raise MarginModeMismatch(
            f"the margin mode of {fill.pair} on account {account.id} is {mode}, "
            f"{expected or stated} was stated; state what it is, or nothing"
        )
    if hold is None:
        return
    if hold.wallet not in (SPOT, by_mode) or stated not in (None, hold.wallet) or hold.asset != fill.paid[0]:
        raise HoldMismatch(
            f"hold {fill.terms.hold_id} of account {account.id} is on {hold.asset} in {hold.wallet}, "
            f"the fill of {fill.pair} pays {fill.paid[0]} from {stated or by_mode}"
        )


def _require_liquidation(draft: Draft, fill: Fill, wallet: str) -> None:
    """A wallet under liquidation takes only that liquidation's fills, and only those name one."""
    if fill.liquidation_id is None:
        require_no_liquidation(draft.account, wallet)
        return
    running_on = running_wallet(draft.account, fill.liquidation_id)
    if running_on != wallet:
        raise LiquidationMismatch(
            f"liquidation {fill.liquidation_id} runs on {running_on}, the fill books into {wallet}"
        )
    running = draft.account.liquidations[wallet]
    if running.execution is not Execution.EXTERNAL:
        raise LiquidationMismatch(f"liquidation {fill.liquidation_id} is executed by the house and takes no fills")


def _require_market_open(draft: Draft, fill: Fill, wallet: str) -> None:
    """What is asked of a fill that no hold vouches for, before prices: assets and pair are open for it."""
    market, pair = draft.market, fill.pair
    require_enabled(market, AssetUse.TRADE, base_of(pair), quote_of(pair))
    if market.pair(pair).status is not PairStatus.TRADING:
        reduces = reduces_position(draft.wallet(wallet), fill.pair, fill.side, fill.quantity)
        require_status(draft, fill.pair, PairStatus.TRADING, *([PairStatus.REDUCE_ONLY] if reduces else []))
    if wallet == CROSS:
        for asset, change in fill.changes.items():
            if change > 0:
                require_collateral(draft, wallet, asset)


def _shortfall(draft: Draft, fill: Fill, wallet: str, hold: Hold | None) -> Decimal:
    """What is missing of the asset paid, a fee in it included, less the hold and free; zero or below if nothing is."""
    asset = fill.paid[0]
    held = hold.amount if hold else ZERO
    return -fill.changes[asset] - held - draft.wallet(wallet).balance(asset).free


def _cover(draft: Draft, fill: Fill, wallet: str, hold: Hold | None) -> None:
    """Borrow the shortfall if the fill says so (a loan charges interest itself); refuse what is still not covered.

    A wallet under liquidation takes no new loan.
    """
    if wallet != SPOT:
        borrows = fill.terms.auto_borrow and fill.liquidation_id is None
        if borrows and (short := _shortfall(draft, fill, wallet, hold)) > 0:
            lend(draft, wallet, fill.paid[0], short, automatic=True)
        else:
            charge(draft, wallet)
    balances = draft.wallet(wallet).balances
    for asset, change in fill.changes.items():
        there = balances.get(asset, NOTHING).free
        if hold is not None and hold.asset == asset:
            there += hold.amount
        if there + change < 0:
            raise InsufficientFunds(
                f"account {draft.account.id} has {there:f} {asset} for it in {wallet} (free, and its hold), "
                f"the {fill.side} of {fill.quantity:f} {fill.pair} at {fill.price:f} needs {-change:f} {asset}"
            )


def _record(draft: Draft, fill: Fill, wallet: str, hold: Hold | None, judged: Judged | None) -> None:
    terms = fill.terms
    draft.record(
        e.TradeBooked,
        trade_id=fill.trade_id,
        pair=fill.pair,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        quote_amount=fill.quote_amount,
        fee=terms.fee,
        fee_asset=terms.fee_asset,
        wallet=wallet,
        order_id=terms.order_id,
        hold_id=terms.hold_id,
        hold_used=min(hold.amount, _needed(fill)) if hold else None,
        liquidity=terms.liquidity,
        liquidation_id=fill.liquidation_id,
        assessment=None if judged is None else _assess(draft, fill, wallet, judged),
    )


def _needed(fill: Fill) -> Decimal:
    """How much of the asset paid the fill takes, a fee in it included."""
    asset, needed = fill.paid
    return needed + max(fill.terms.fee, ZERO) if fill.terms.fee_asset == asset else needed


def _assess(draft: Draft, fill: Fill, name: str, judged: Judged) -> e.Assessment:
    """Of the wallet as it is now: the one that was judged, unless something was charged or borrowed since."""
    wallet, before = draft.wallet(name), judged.margin
    if before.wallet is not wallet:
        before = draft.margin(wallet, judged.prices)
    changed = {}
    for asset, change in fill.changes.items():
        free, *others = wallet.balance(asset)
        changed[asset] = Balance(free + change, *others)
    return assess(judged.prices, before, before.with_balances(changed))


def _repay_with_received(draft: Draft, fill: Fill, wallet: str) -> None:
    """What is received after the fee first repays its own debt."""
    asset = fill.received[0]
    balance = draft.wallet(wallet).balance(asset)
    amount = min(fill.changes[asset], balance.owed, balance.free)
    if amount > 0:
        pay_back(draft, wallet, asset, amount, automatic=True)
