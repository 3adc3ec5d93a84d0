"""Books and assets under names that beancount and hledger both take, each name leading back to the one book it is of.

An id becomes one word of letters, digits and dashes: `_ . : -` are written `-u -d -c --`, read from left to right.
"""

import re

from ledger.words import CROSS, SPOT, Book, House, Part, isolated, pair_of

OPENING_BALANCES = "Equity:Opening-Balances"
_ID_PREFIX = "Account-"
_WRITTEN = {"-": "--", "_": "-u", ".": "-d", ":": "-c"}
_READ = {written: character for character, written in _WRITTEN.items()}
_ESCAPED = re.compile("-[-udc]")
_SPECIAL = re.compile("[-_.:]")
# Signs are the journal's own, seen from the customers' side: what the house earned of them is an expense.
_ROOTS = {Part.FREE: "Assets", Part.LOCKED: "Assets", Part.PRINCIPAL: "Liabilities", Part.INTEREST: "Liabilities"}
_HOUSE = {
    House.EXTERNAL: "Equity:External",
    House.INTEREST_INCOME: "Expenses:Interest-Income",
    House.FEES: "Expenses:Fees",
    House.CLEARING: "Equity:Clearing",
    House.LIQUIDATION: "Equity:Liquidation",
    House.INSURANCE: "Equity:Insurance",
    House.ADJUSTMENTS: "Equity:Adjustments",
}
_BOOK_OF_HOUSE = {name: book for book, name in _HOUSE.items()}
_PARTS = {part.capitalize(): part for part in Part}
_BUCKET_PREFIX = "Isolated-"
# Beancount begins a commodity with a letter, and reads these three as its own words; no asset has a dot in it.
_COMMODITY_PREFIX = "X."
_RESERVED = {"TRUE", "FALSE", "NULL"}


def account_name(book: Book) -> str:
    """The account of a book: `Assets:Account-alice:Isolated-BTC-USDT:Locked`, `Expenses:Fees`."""
    if book.account_id is None:
        return _HOUSE[House(book.name)]
    pair = pair_of(book.name)
    wallet = book.name.capitalize() if pair is None else _BUCKET_PREFIX + pair.replace("/", "-")
    word = _SPECIAL.sub(lambda found: _WRITTEN[found[0]], book.account_id)
    return f"{_ROOTS[book.part]}:{_ID_PREFIX}{word}:{wallet}:{book.part.capitalize()}"


def book_named(name: str) -> Book:
    """The book of an account that `account_name` gave; ValueError for any other name."""
    if name in _BOOK_OF_HOUSE:
        return Book(None, _BOOK_OF_HOUSE[name])
    try:
        _, word, wallet, part = name.split(":")
        account_id = _ESCAPED.sub(lambda found: _READ[found[0]], word.removeprefix(_ID_PREFIX))
        book = Book(account_id, _wallet(wallet), _PARTS[part])
    except (KeyError, ValueError):
        raise ValueError(f"{name} is no account of an exported book") from None
    if account_name(book) != name:
        raise ValueError(f"{name} is no account of an exported book")
    return book


def _wallet(word: str) -> str:
    if word.startswith(_BUCKET_PREFIX):
        return isolated(word.removeprefix(_BUCKET_PREFIX).replace("-", "/"))
    return {"Spot": SPOT, "Cross": CROSS}[word]


def commodity_name(asset: str) -> str:
    """The commodity of an asset: its symbol, or with `X.` before it where beancount would not read it as one."""
    return _COMMODITY_PREFIX + asset if asset[0].isdigit() or asset in _RESERVED else asset


def asset_named(commodity: str) -> str:
    """The asset of a commodity that `commodity_name` gave."""
    return commodity.removeprefix(_COMMODITY_PREFIX)
