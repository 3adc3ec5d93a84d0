"""Whether an account can bear a correction: no balance below zero, no margin wallet brought to its call line."""

from collections.abc import Iterable

from ledger import events as e
from ledger.account.draft import Draft, assess
from ledger.errors import CorrectionBlocked, InsufficientFunds
from ledger.margin import show_level, valued_assets
from ledger.market import Prices
from ledger.wallets import Balance, Wallet
from ledger.words import SPOT, Band, Line

_OF_THE_CALL = (Band.MARGIN_CALL, Band.LIQUIDATION)


def require_bearable(draft: Draft, lines: Iterable[Line], asked: str) -> dict[str, e.Assessment]:
    """The levels, by name, of the margin wallets that these lines leave with less of some asset, or owing more of it.

    These need fresh prices of all they hold and owe, and stay above their call line. A wallet that only gains is not
    judged: what brings it nearer to health is no reason to refuse. `asked` says in a refusal what was wanted.
    """
    after = _wallets_after(draft, lines)
    judged = {
        name: draft.fresh_prices(wallet, *valued_assets(draft.wallet(name)))
        for name, wallet in after.items()
        if name != SPOT and wallet.owes and _worsens(draft.wallet(name), wallet)
    }
    for name, wallet in after.items():
        for asset, balance in wallet.balances.items():
            if min(balance) < 0:
                _refuse_lack(draft, name, asset, balance, asked)
    return {name: _require_above_call(draft, after[name], prices, asked) for name, prices in judged.items()}


def _wallets_after(draft: Draft, lines: Iterable[Line]) -> dict[str, Wallet]:
    """The account's wallets that the lines are of, as they would leave them."""
    after: dict[str, Wallet] = {}
    for (account_id, name, part), asset, amount in lines:
        if account_id == draft.account.id:
            if name not in after:
                before = draft.wallet(name)
                after[name] = before.with_balances(before.balances.copy())
            after[name].balances[asset] = after[name].balance(asset).posted(part, amount)
    return after


def _worsens(before: Wallet, after: Wallet) -> bool:
    """Whether some asset has less net or owes more: as much more held and owed, as by a reversed repayment, lowers
    a level as well."""
    then_and_now = ((before.balance(asset), balance) for asset, balance in after.balances.items())
    return any(now.net < then.net or now.owed > then.owed for then, now in then_and_now)


def _refuse_lack(draft: Draft, name: str, asset: str, after: Balance, asked: str) -> None:
    before, account_id = draft.wallet(name).balance(asset), draft.account.id
    if after.free < 0:
        raise InsufficientFunds(
            f"account {account_id} has {before.free:f} {asset} free in {name}, {asked} and takes "
            f"{before.free - after.free:f}; what was moved, held or repaid with it comes back first"
        )
    raise InsufficientFunds(
        f"{name} of account {account_id} owes {before.interest:f} {asset} of interest and {before.borrowed:f} of "
        f"principal, {asked} and would leave less than nothing owed; reverse the repayment of it first"
    )


def _require_above_call(draft: Draft, wallet: Wallet, prices: Prices, asked: str) -> e.Assessment:
    before, after = draft.margin(draft.wallet(wallet.name), prices), draft.margin(wallet, prices)
    if after.band in _OF_THE_CALL:
        level = show_level(before.valuation.level) or "no debt"
        raise CorrectionBlocked(
            f"{wallet.name} of account {draft.account.id} is at level {level}, {asked} and would leave "
            f"{show_level(after.valuation.level)}, at or below its call line {after.lines.margin_call:f}; "
            "add margin or repay first"
        )
    return assess(prices, before, after)
