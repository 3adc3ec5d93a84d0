"""The words that commands, events and answers share: wallets, books, sides, modes, capabilities, bands."""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, StringConstraints

from ledger.money import base_of, quote_of

EXCHANGE = "@exchange"
PRICES = "@prices"
SPOT = "spot"
CROSS = "cross"
ISOLATED_PREFIX = "isolated:"

_SYMBOL = "[A-Z0-9]{2,12}"
_IDENTIFIER = r"^[A-Za-z0-9_.:\-]{1,64}$"
_ASSET, _PAIR = f"^{_SYMBOL}$", f"^{_SYMBOL}/{_SYMBOL}$"
_WALLET, _MARGIN_WALLET = f"^(spot|cross|isolated:{_SYMBOL}/{_SYMBOL})$", f"^(cross|isolated:{_SYMBOL}/{_SYMBOL})$"
TEXT, SOURCE_LINE = r"^[^\x00-\x1f\x7f]*$", r"^[^\x00\x01]*$"
KEY = "^[!-~]{1,128}$"
PATTERNS_IN_WORDS = {
    _IDENTIFIER: "an id has 1 to 64 characters of A-Z, a-z, 0-9 and _ . : -",
    _ASSET: "an asset has 2 to 12 characters of A-Z and 0-9, such as BTC",
    _PAIR: "a pair is two assets, such as BTC/USDT",
    _WALLET: "a wallet is spot, cross or a bucket such as isolated:BTC/USDT",
    _MARGIN_WALLET: "a margin wallet is cross or a bucket such as isolated:BTC/USDT",
    TEXT: "a text has no control characters",
    SOURCE_LINE: "a line has no characters of the codes 0 and 1",
    KEY: "an idempotency key has 1 to 128 characters of ASCII that can be seen",
}
"""What a text that does not fit a pattern is told."""
Identifier = Annotated[str, StringConstraints(strict=True, pattern=_IDENTIFIER)]
AssetSymbol = Annotated[str, StringConstraints(strict=True, pattern=_ASSET)]


def _two_assets(pair: str) -> str:
    if base_of(pair) == quote_of(pair):
        raise ValueError("a pair trades one asset against another")
    return pair


def _pair_of_two_assets(wallet: str) -> str:
    if wallet.startswith(ISOLATED_PREFIX):
        _two_assets(wallet.removeprefix(ISOLATED_PREFIX))
    return wallet


PairName = Annotated[str, StringConstraints(strict=True, pattern=_PAIR), AfterValidator(_two_assets)]
WalletName = Annotated[
    str,
    StringConstraints(strict=True, pattern=_WALLET),
    AfterValidator(_pair_of_two_assets),
]
MarginWalletName = Annotated[
    str,
    StringConstraints(strict=True, pattern=_MARGIN_WALLET),
    AfterValidator(_pair_of_two_assets),
]


@lru_cache(maxsize=4096)
def isolated(pair: str) -> str:
    """The name of a pair's bucket: isolated:BTC/USDT."""
    return ISOLATED_PREFIX + pair


@lru_cache(maxsize=4096)
def pair_of(wallet: str) -> str | None:
    """The pair of a bucket; None for spot and cross."""
    return wallet.removeprefix(ISOLATED_PREFIX) if wallet.startswith(ISOLATED_PREFIX) else None


class Word(StrEnum):
    """A word of a closed list; it is found in sets and dicts as the text it is, which is quicker than by its name."""

    __hash__ = str.__hash__


class MarginMode(Word):
    CROSS = "cross"
    ISOLATED = "isolated"


class Side(Word):
    BUY = "buy"
    SELL = "sell"


# Python 3.11 takes ten times as long to ask a class for its member as to look up a name, so what every fill or line
# asks for has a name of its own, here and where it is used.
BUY, SELL = Side.BUY, Side.SELL


class Liquidity(Word):
    MAKER = "maker"
    TAKER = "taker"


class Capability(Word):
    """What an account may do and a freeze may block."""

    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    BORROW = "borrow"
    TRADE = "trade"


class AssetUse(Word):
    """What an asset may be used for on the whole exchange."""

    TRANSFER = "transfer"
    BORROW = "borrow"
    TRADE = "trade"


class PairStatus(Word):
    TRADING = "trading"
    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"


class AccountStatus(Word):
    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class WithdrawalStatus(Word):
    PENDING = "pending"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class AdjustmentStatus(Word):
    PROPOSED = "proposed"
    POSTED = "posted"
    REJECTED = "rejected"


class AdjustmentReason(Word):
    """Why a balance is adjusted; what is `other` is told in words."""

    BOOKING_ERROR = "booking_error"
    DEPOSIT_CORRECTION = "deposit_correction"
    WITHDRAWAL_CORRECTION = "withdrawal_correction"
    TRADE_CORRECTION = "trade_correction"
    FEE_CORRECTION = "fee_correction"
    INTEREST_CORRECTION = "interest_correction"
    LIQUIDATION_CORRECTION = "liquidation_correction"
    RECONCILIATION = "reconciliation"
    COMPENSATION = "compensation"
    OTHER = "other"


class ErasureReason(Word):
    """Why texts of an account are erased."""

    CUSTOMER_REQUEST = "customer_request"
    RETENTION_ENDED = "retention_ended"
    LEGAL_ORDER = "legal_order"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"


class Execution(Word):
    """Who closes a liquidated wallet out: the house at mark price, or a matching engine by fills."""

    HOUSE = "house"
    EXTERNAL = "external"


class Band(Word):
    """How close a margin wallet is to liquidation, from best to worst."""

    NORMAL = "normal"
    TRANSFER_BLOCKED = "transfer_blocked"
    BORROW_BLOCKED = "borrow_blocked"
    MARGIN_CALL = "margin_call"
    LIQUIDATION = "liquidation"


class Part(Word):
    """The sub-books of a wallet; debts are held as negative balances."""

    FREE = "free"
    LOCKED = "locked"
    PRINCIPAL = "principal"
    INTEREST = "interest"


FREE, LOCKED, PRINCIPAL, INTEREST = Part.FREE, Part.LOCKED, Part.PRINCIPAL, Part.INTEREST


class House(Word):
    """The books of the house."""

    EXTERNAL = "external"
    INTEREST_INCOME = "interest_income"
    FEES = "fees"
    CLEARING = "clearing"
    LIQUIDATION = "liquidation"
    INSURANCE = "insurance"
    ADJUSTMENTS = "adjustments"


class Book(NamedTuple):
    """One book of the double entry: a part of an account's wallet, or (account_id None) a book of the house."""

    account_id: str | None
    name: str
    part: Part = Part.FREE

    @property
    def path(self) -> str:
        """The book as text: account/alice/cross/locked, account/alice/spot, external."""
        if self.account_id is None:
            return self.name
        wallet = f"account/{self.account_id}/{self.name}"
        return wallet if self.part is Part.FREE else f"{wallet}/{self.part}"


class Line(NamedTuple):
    """One line of a posting: what is added to (or, negative, taken from) a book."""

    book: Book
    asset: str
    amount: Decimal
