"""Borrowing, repaying and interest of the cross pool and the buckets."""

from decimal import Decimal

from ledger import commands as c
from ledger import events as e
from ledger.account.conditions import (
    require_capability,
    require_collateral,
    require_enabled,
    require_free,
    require_mode,
    require_no_liquidation,
    require_place,
)
from ledger.account.draft import Draft, assess
from ledger.account.state import Account
from ledger.errors import BorrowBlocked, BorrowLimitExceeded, NothingToDo, RepaymentExceedsDebt
from ledger.interest import charged, due_lines, further_borrow_lines
from ledger.margin import Margin, max_borrow, show_level
from ledger.market import Market
from ledger.money import ZERO, plain
from ledger.words import SPOT, AssetUse, Capability, MarginMode, pair_of


def borrow(draft: Draft, command: c.Borrow) -> None:
    """Into the pool or a bucket, as far as the level stays at the initial ratio and no limit is passed."""
    require_no_liquidation(draft.account, command.wallet)
    lend(draft, command.wallet, command.asset, command.amount)


def lend(draft: Draft, wallet: str, asset: str, amount: Decimal, *, automatic: bool = False) -> None:
    """One loan with all its conditions; charges what is due and the loan's own hours in one event."""
    _require_lendable(draft, wallet, asset)
    before = draft.wallet(wallet)
    due = due_lines(before, draft.market, draft.at)
    own = further_borrow_lines(before, draft.market, asset, amount, draft.at)
    assessment = _assess_loan(draft, wallet, asset, amount, due)
    if due:
        draft.record(e.InterestAccrued, wallet=wallet, lines=due + own)
    draft.record(e.LoanBorrowed, wallet=wallet, asset=asset, amount=amount, automatic=automatic, assessment=assessment)
    if own and not due:
        draft.record(e.InterestAccrued, wallet=wallet, lines=own)


def _require_lendable(draft: Draft, wallet: str, asset: str) -> None:
    require_capability(draft.account, Capability.BORROW)
    pair = pair_of(wallet)
    if pair is not None:
        require_mode(draft.account, pair, MarginMode.ISOLATED)
    require_place(wallet, asset)
    require_enabled(draft.market, AssetUse.BORROW, asset)
    require_collateral(draft, wallet, asset)


def _assess_loan(draft: Draft, name: str, asset: str, amount: Decimal, due: list[e.InterestLine]) -> e.Assessment:
    wallet = charged(draft.wallet(name), due)
    prices = draft.fresh_prices(wallet, asset)
    before = draft.margin(wallet, prices)
    after = before.changed(asset, free=amount, borrowed=amount)
    limit = borrow_limit_left(draft.account, draft.market, asset)
    if limit is not None and amount > limit:
        obstacle = f"its borrow limit leaves {limit:f} {asset}"
        refusal: type[BorrowLimitExceeded | BorrowBlocked] = BorrowLimitExceeded
    elif not after.is_within_tiers:
        obstacle, refusal = "which passes the limit of the pair's last tier", BorrowLimitExceeded
    elif not after.allows_borrowing():
        level, new_level = show_level(before.valuation.collateral_level), show_level(after.valuation.collateral_level)
        obstacle = f"its level of {level or 'no debt'} would become {new_level}, below {_initial(after)}"
        refusal = BorrowBlocked
    else:
        return assess(prices, before, after)
    most = max_borrow(before, asset, draft.market.asset(asset).scale, limit)
    raise refusal(
        f"borrowing {amount:f} {asset} was asked for in {name} of account {draft.account.id}, {obstacle}; "
        f"at most {plain(most)} {asset} can be borrowed"
    )


def _initial(margin: Margin) -> str:
    ratio = show_level(margin.lines.initial)
    return f"the initial ratio {ratio}" if ratio else "any level, as nothing can be borrowed at leverage 1"


def borrow_limit_left(account: Account, market: Market, asset: str) -> Decimal | None:
    """What the asset's borrow limit leaves of principal, over all wallets of the account; None without a limit."""
    limit = market.asset(asset).borrow_limit
    return None if limit is None else max(limit - account.wallets.borrowed(asset), ZERO)


def repay(draft: Draft, command: c.Repay) -> None:
    """Interest first, then principal, at most what is owed; no freeze stops it."""
    require_no_liquidation(draft.account, command.wallet)
    require_place(command.wallet, command.asset)
    charge(draft, command.wallet)
    wallet = draft.wallet(command.wallet)
    owed = wallet.balance(command.asset).owed
    where = f"{command.wallet} of account {draft.account.id}"
    if command.amount == "all":
        if not owed:
            raise NothingToDo(f"{where} owes no {command.asset}")
        amount = owed
    else:
        amount = command.amount
    if amount > owed:
        raise RepaymentExceedsDebt(
            f"{where} owes {owed:f} {command.asset}, a repayment of {amount:f} {command.asset} was asked for; "
            'repay that much, or "all"'
        )
    require_free(draft, wallet, command.asset, amount, f"a repayment of {amount:f} {command.asset} was asked for")
    pay_back(draft, command.wallet, command.asset, amount)


def pay_back(draft: Draft, wallet: str, asset: str, amount: Decimal, *, automatic: bool = False) -> None:
    """Record a repayment, split into its interest and principal parts."""
    interest = min(amount, draft.wallet(wallet).balance(asset).interest)
    draft.record(
        e.LoanRepaid,
        wallet=wallet,
        asset=asset,
        interest=interest,
        principal=amount - interest,
        automatic=automatic,
    )


def charge(draft: Draft, wallet: str) -> None:
    """Charge a margin wallet every hour that has begun by the decision's time and is not charged yet."""
    if wallet != SPOT:
        lines = due_lines(draft.wallet(wallet), draft.market, draft.at)
        if lines:
            draft.record(e.InterestAccrued, wallet=wallet, lines=lines)


def accrue_interest(draft: Draft, command: c.AccrueInterest) -> None:
    """Charge every uncharged hour up to the one named, in every wallet that owes and is not being liquidated."""
    wallets = [draft.account.wallets.cross, *draft.account.wallets.isolated.values()]
    for wallet in wallets:
        lines = due_lines(wallet, draft.market, command.hour)
        if lines and wallet.name not in draft.account.liquidations:
            draft.record(e.InterestAccrued, wallet=wallet.name, lines=lines)
    if not draft.events:
        raise NothingToDo(
            f"account {draft.account.id} has no uncharged hour up to {command.hour.isoformat()} "
            "on any debt that bears interest"
        )
