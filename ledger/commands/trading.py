"""Commands of holds, fills, examination and liquidation."""

from typing import Literal

from ledger.commands.command import AccountCommand, Command
from ledger.commands.fields import Flag, Part, Text
from ledger.money import Amount, SignedAmount
from ledger.words import (
    AssetSymbol,
    Execution,
    Identifier,
    Liquidity,
    MarginMode,
    MarginWalletName,
    PairName,
    Side,
    WalletName,
)


class PlaceHold(AccountCommand):
    OWN_ID = "hold_id"
    type: Literal["place_hold"] = "place_hold"
    hold_id: Identifier
    wallet: WalletName
    asset: AssetSymbol
    amount: Amount


class ReleaseHold(AccountCommand):
    OWN_ID = "hold_id"
    type: Literal["release_hold"] = "release_hold"
    hold_id: Identifier


class FillTerms(Part):
    """What a fill states of its own account, beside the trade it belongs to."""

    fee: SignedAmount
    fee_asset: AssetSymbol
    wallet: WalletName | None = None
    order_id: Identifier | None = None
    hold_id: Identifier | None = None
    liquidity: Liquidity | None = None
    expected_mode: MarginMode | None = None
    auto_borrow: Flag = False
    auto_repay: Flag = False


class BookFill(AccountCommand, FillTerms):
    OWN_ID = "trade_id"
    type: Literal["book_fill"] = "book_fill"
    trade_id: Identifier
    pair: PairName
    side: Side
    quantity: Amount
    price: Amount
    quote_amount: Amount | None = None
    liquidation_id: Text | None = None

    @property
    def further_key(self) -> str | None:
        return f"trade_id {self.trade_id}"


class TradeSide(FillTerms):
    account_id: Identifier


class BookTrade(Command):
    OWN_ID = "trade_id"
    type: Literal["book_trade"] = "book_trade"
    trade_id: Identifier
    pair: PairName
    quantity: Amount
    price: Amount
    quote_amount: Amount | None = None
    buyer: TradeSide
    seller: TradeSide

    @property
    def stream(self) -> str:
        return self.buyer.account_id

    @property
    def streams(self) -> tuple[str, ...]:
        return (self.buyer.account_id, self.seller.account_id)

    @property
    def keyed_streams(self) -> tuple[str, ...]:
        return (self.buyer.account_id, self.seller.account_id)

    @property
    def further_key(self) -> str | None:
        return f"trade_id {self.trade_id}"


class Examine(AccountCommand):
    KEY_MAY_BE_LEFT_OUT = True
    type: Literal["examine"] = "examine"
    wallet: MarginWalletName


class Liquidate(AccountCommand):
    type: Literal["liquidate"] = "liquidate"
    wallet: MarginWalletName
    execution: Execution = Execution.HOUSE


class CompleteLiquidation(AccountCommand):
    type: Literal["complete_liquidation"] = "complete_liquidation"
    liquidation_id: Text
