"""How much of an asset a wallet may borrow, and how much may leave it, at the market's time."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.account import Account, borrow_limit_left, decide, leverage_of
from ledger.account.conditions import require_capability, require_enabled, require_place
from ledger.commands import Borrow, Transfer
from ledger.decision import Context
from ledger.errors import InsufficientFunds, Refusal, UnknownAccount
from ledger.interest import charged, due_lines
from ledger.log import read_positions
from ledger.margin import Margin, margin_of, max_borrow, max_transfer_out, valued_assets
from ledger.market import Market
from ledger.money import ZERO, plain
from ledger.wallets import Wallet
from ledger.words import SPOT, AssetUse, Capability, pair_of
from projections.market.queries import market_at
from projections.projector import Connection
from projections.questions.account_state import account_at, is_below_zero
from projections.questions.margin_wallet import scope_of

ASKED = "limits"
"""What stands as key and actor of the commands that are tried here and never recorded."""


def limits_answer(
    connection: Connection,
    position: int,
    account_id: str,
    wallet: str,
    asset: str,
    *,
    effective_at: datetime | None = None,
) -> dict[str, Any]:
    """What GET /v1/accounts/{id}/limits answers: the largest amounts that a decision would accept.

    They count at the business time of the newest price vector: interest due by then is added first. Where the decision
    would refuse whatever the amount (a stale price, a freeze, a mode), the limit is 0 and `refused` says why.
    As of a business time they are of what is dated up to it; where that is below zero nothing can be taken.
    Refusals: unknown account, asset or pair, an asset that is not the bucket's.
    """
    account = account_at(connection, position, account_id, effective_at)
    if account is None:
        raise UnknownAccount(
            f"account {account_id} was not opened by the time asked about; "
            "ask about a later time, or, if it never was, open it with open_account"
        )
    market = market_at(connection, position, effective_at)
    _require_places(market, wallet, asset)
    at = market.newest_prices_at or effective_at or read_positions(connection, [position])[0].recorded_at
    backdated = {} if effective_at is None else {"backdated": is_below_zero(account)}
    named = {"account_id": account_id, "wallet": wallet, "asset": asset, "position": position, "effective_at": at}
    return {**named, **_limits(account, market, wallet, asset, at), **backdated}


def _limits(account: Account, market: Market, wallet: str, asset: str, at: datetime) -> dict[str, Any]:
    answer, refused = {}, {}
    for name, limit in (("max_borrow", _borrowable), ("max_transfer_out", _transferable)):
        try:
            _require_all_there(account, wallet)
            answer[name] = plain(limit(account, market, wallet, asset, at))
        except Refusal as refusal:
            answer[name], refused[name] = "0", {"code": refusal.code, "detail": refusal.detail}
    return {**answer, "refused": refused}


def _require_all_there(account: Account, wallet: str) -> None:
    """Refuse a wallet that what is dated up to a business time leaves below zero."""
    for asset, balance in account.wallets.wallet(wallet).balances.items():
        if min(balance) < 0:
            raise InsufficientFunds(
                f"{wallet} of account {account.id} is below zero in {asset} as of that business time, for what paid is "
                "dated before what was paid with; ask as of a later time, or as of a position"
            )


def _require_places(market: Market, wallet: str, asset: str) -> None:
    market.asset(asset)
    pair = pair_of(wallet)
    if pair is not None:
        market.pair(pair)
    require_place(wallet, asset)


def _borrowable(account: Account, market: Market, name: str, asset: str, at: datetime) -> Decimal:
    """The largest loan; spot lends nothing."""
    if name == SPOT:
        return ZERO
    margin = _margin_after_interest(account, market, account.wallets.wallet(name), asset, at)
    loan = max_borrow(margin, asset, market.asset(asset).scale, borrow_limit_left(account, market, asset))
    if loan:
        command = Borrow(account_id=account.id, wallet=name, asset=asset, amount=loan, idempotency_key=ASKED)
        decide(command, {account.id: account}, market, Context(at, ASKED, ASKED))
    return loan


def _transferable(account: Account, market: Market, name: str, asset: str, at: datetime) -> Decimal:
    """The largest transfer out: of spot and of a wallet without debt all that is free."""
    wallet = account.wallets.wallet(name)
    leaving = wallet.balance(asset).free
    if name == SPOT:
        require_capability(account, Capability.TRANSFER)
        require_enabled(market, AssetUse.TRANSFER, asset)
        return leaving
    if wallet.debts:
        margin = _margin_after_interest(account, market, wallet, asset, at)
        leaving = max_transfer_out(margin, asset, market.asset(asset).scale)
    if leaving:
        command = Transfer(
            account_id=account.id, source=name, target=SPOT, asset=asset, amount=leaving, idempotency_key=ASKED
        )
        decide(command, {account.id: account}, market, Context(at, ASKED, ASKED))
    return leaving


def _margin_after_interest(account: Account, market: Market, wallet: Wallet, asset: str, at: datetime) -> Margin:
    after = charged(wallet, due_lines(wallet, market, at))
    prices = market.fresh_prices(valued_assets(after, [asset]), scope_of(after), at)
    return margin_of(after, prices.of, market, leverage_of(account, wallet.name, market))
