"""What the decisions of several families require, each as one function that refuses."""

from decimal import Decimal

from ledger.account.draft import Draft
from ledger.account.state import Account
from ledger.errors import (
    AccountClosed,
    AccountFrozen,
    AssetDisabled,
    AssetMismatch,
    InsufficientFunds,
    LiquidationRunning,
    MarginModeMismatch,
    NotCollateral,
    UnknownAccount,
    UnknownLiquidation,
)
from ledger.margin import collateral_value
from ledger.market import Market
from ledger.money import ONE, base_of, quote_of
from ledger.wallets import Wallet
from ledger.words import CROSS, SPOT, AccountStatus, AssetUse, Capability, MarginMode, pair_of

CLOSED = AccountStatus.CLOSED


def require_account(account: Account) -> None:
    """The account exists."""
    if not account.version:
        raise UnknownAccount(f"account {account.id} was never opened; open_account opens it")


def require_open(account: Account) -> None:
    """The account is not closed."""
    if account.status is CLOSED:
        raise AccountClosed(f"account {account.id} is closed; nothing can be booked on it any more")


def require_capability(account: Account, capability: Capability) -> None:
    """No freeze blocks it."""
    if account.blocks and capability in account.blocks:
        blocks = ", ".join(sorted(account.blocks))
        raise AccountFrozen(f"account {account.id} is frozen for {blocks}; unfreeze_account lifts it")


def require_no_liquidation(account: Account, *wallets: str) -> None:
    """No liquidation runs on these wallets."""
    for wallet in wallets if account.liquidations else ():
        running = account.liquidations.get(wallet)
        if running is not None:
            raise LiquidationRunning(
                f"{wallet} of account {account.id} is being liquidated ({running.liquidation_id}) and takes only "
                "the fills of that liquidation until it is completed"
            )


def running_wallet(account: Account, liquidation_id: str) -> str:
    """The wallet that a liquidation runs on, or UnknownLiquidation."""
    for wallet, running in account.liquidations.items():
        if running.liquidation_id == liquidation_id:
            return wallet
    raise UnknownLiquidation(f"no liquidation {liquidation_id} runs on account {account.id}")


def require_enabled(market: Market, use: AssetUse, *assets: str) -> None:
    """The exchange lets these assets be used so."""
    for asset in assets:
        if use not in market.asset(asset).enabled:
            raise AssetDisabled(f"{asset} is not enabled for {use} on this exchange; set_asset_limits enables it")


def require_mode(account: Account, pair: str, mode: MarginMode) -> None:
    """The pair's margin mode is this one."""
    actual = account.mode(pair)
    if actual is not mode:
        raise MarginModeMismatch(
            f"the margin mode of {pair} on account {account.id} is {actual}, {mode} was needed; "
            "set_margin_mode switches it"
        )


def require_place(wallet: str, *assets: str) -> None:
    """The wallet can hold these assets: a bucket holds its pair's two only."""
    pair = pair_of(wallet)
    if pair is None:
        return
    for asset in assets:
        if asset not in (base_of(pair), quote_of(pair)):
            raise AssetMismatch(f"{wallet} holds {base_of(pair)} and {quote_of(pair)} only, {asset} was asked for")


def require_collateral(draft: Draft, wallet: str, asset: str) -> None:
    """What comes into the cross pool counts as collateral at least in part."""
    if wallet == CROSS and not collateral_value(ONE, draft.market.asset(asset).collateral_tiers[:1]):
        raise NotCollateral(
            f"{asset} has a collateral ratio of 0 and may not come into the cross pool; keep it in {SPOT}"
        )


def require_free(draft: Draft, wallet: Wallet, asset: str, amount: Decimal, asked: str) -> None:
    """The wallet has that much free; `asked` names what it was wanted for."""
    available = wallet.balance(asset).free
    if amount > available:
        raise InsufficientFunds(f"account {draft.account.id} has {available:f} {asset} free in {wallet.name}, {asked}")
