"""Commands of margin settings, loans and interest."""

from typing import Literal

from pydantic import Field

from ledger.commands.command import AccountCommand, Command
from ledger.commands.fields import Hour
from ledger.money import Amount
from ledger.tiers import Leverage
from ledger.words import EXCHANGE, AssetSymbol, Identifier, MarginMode, MarginWalletName, PairName


class SetMarginMode(AccountCommand):
    type: Literal["set_margin_mode"] = "set_margin_mode"
    pair: PairName
    mode: MarginMode


class SetLeverage(AccountCommand):
    type: Literal["set_leverage"] = "set_leverage"
    wallet: MarginWalletName
    leverage: Leverage


class Borrow(AccountCommand):
    type: Literal["borrow"] = "borrow"
    wallet: MarginWalletName
    asset: AssetSymbol
    amount: Amount


class Repay(AccountCommand):
    type: Literal["repay"] = "repay"
    wallet: MarginWalletName
    asset: AssetSymbol
    amount: Amount | Literal["all"] = Field(union_mode="left_to_right")


class AccrueInterest(Command):
    """Charges every uncharged hour up to `hour`; without account_id a job with one decision per account."""

    type: Literal["accrue_interest"] = "accrue_interest"
    account_id: Identifier | None = None
    hour: Hour

    @property
    def stream(self) -> str:
        return self.account_id or EXCHANGE
