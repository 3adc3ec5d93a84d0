"""How much of an asset a wallet may borrow, and how much may leave it, at the market's time."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.account import Account, borrow_limit_left, decide, leverage_of
from ledger.account.conditions import require_place
from ledger.commands import Borrow, Transfer
from ledger.decision import Context
from ledger.errors import PriceStale, Refusal, UnknownAccount
from ledger.interest import charged, due_lines
from ledger.log import read_positions
from ledger.margin import Margin, margin_of, max_borrow, max_transfer_out, valued_assets
from ledger.market import Market
from ledger.money import ZERO, plain
from ledger.wallets import Wallet
from ledger.words import SPOT, pair_of
from projections.market.queries import market_at
from projections.projector import Connection
from projections.questions.account_state import account_at
from projections.questions.margin_wallet import scope_of

ASKED = "limits"
"""What stands as key and actor of the commands that are tried here and never recorded."""


def limits_answer(connection: Connection, position: int, account_id: str, wallet: str, asset: str) -> dict[str, Any]:
    """What GET /v1/accounts/{id}/limits answers: the largest amounts that a decision would accept.

    They count at the business time of the newest price vector: interest due by then is added first. Refusals: unknown
    account, asset or pair, an asset that is not the bucket's, and PriceStale where a price it needs is not fresh then.
    """
    account = account_at(connection, position, account_id)
    if account is None:
        raise UnknownAccount(f"account {account_id} was never opened; open_account opens it")
    market = market_at(connection, position)
    _require_places(market, wallet, asset)
    at = market.newest_prices_at or read_positions(connection, [position])[0].recorded_at
    borrow, transfer_out = _limits(account, market, wallet, asset, at)
    return {
        "account_id": account_id,
        "wallet": wallet,
        "asset": asset,
        "position": position,
        "effective_at": at,
        "max_borrow": plain(borrow),
        "max_transfer_out": plain(transfer_out),
    }


def _require_places(market: Market, wallet: str, asset: str) -> None:
    market.asset(asset)
    pair = pair_of(wallet)
    if pair is not None:
        market.pair(pair)
    require_place(wallet, asset)


def _limits(account: Account, market: Market, name: str, asset: str, at: datetime) -> tuple[Decimal, Decimal]:
    """The largest loan and the largest transfer out; spot lends nothing and lets all leave that is free."""
    wallet = account.wallets.wallet(name)
    if name == SPOT:
        return ZERO, wallet.balance(asset).free
    margin = _margin_after_interest(account, market, wallet, asset, at)
    scale = market.asset(asset).scale
    loan = max_borrow(margin, asset, scale, borrow_limit_left(account, market, asset))
    leaving = max_transfer_out(margin, asset, scale)
    return (
        loan if _is_accepted(account, market, at, _loan(account, name, asset, loan)) else ZERO,
        leaving if _is_accepted(account, market, at, _transfer(account, name, asset, leaving)) else ZERO,
    )


def _margin_after_interest(account: Account, market: Market, wallet: Wallet, asset: str, at: datetime) -> Margin:
    after = charged(wallet, due_lines(wallet, market, at))
    prices = market.fresh_prices(valued_assets(after, [asset]), scope_of(after), at)
    return margin_of(after, prices.of, market, leverage_of(account, wallet.name, market))


def _loan(account: Account, wallet: str, asset: str, amount: Decimal) -> Borrow | None:
    if not amount:
        return None
    return Borrow(account_id=account.id, wallet=wallet, asset=asset, amount=amount, idempotency_key=ASKED)


def _transfer(account: Account, wallet: str, asset: str, amount: Decimal) -> Transfer | None:
    if not amount:
        return None
    return Transfer(
        account_id=account.id, source=wallet, target=SPOT, asset=asset, amount=amount, idempotency_key=ASKED
    )


def _is_accepted(account: Account, market: Market, at: datetime, command: Borrow | Transfer | None) -> bool:
    """Whether the decision itself takes it: a freeze, a margin mode or a disabled asset may stand in the way."""
    if command is None:
        return False
    try:
        decide(command, {account.id: account}, market, Context(at, ASKED, ASKED))
    except PriceStale:
        raise
    except Refusal:
        return False
    return True
