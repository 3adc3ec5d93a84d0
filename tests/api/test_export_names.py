"""The names of books and assets in exports lead back to the one that they are of."""

import re

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from api.export.names import account_name, book_named
from ledger.words import Book, House, Part

WALLETS = ["spot", "cross", "isolated:BTC/USDT", "isolated:1INCH/TRUE"]


@given_any(st.from_regex(r"[A-Za-z0-9_.:\-]{1,64}", fullmatch=True), st.sampled_from(WALLETS), st.sampled_from(Part))
def test_a_book_is_found_again_by_its_account(account_id: str, wallet: str, part: Part) -> None:
    book = Book(account_id, wallet, part)
    name = account_name(book)
    assert book_named(name) == book
    assert re.fullmatch("(Assets|Liabilities):Account-[A-Za-z0-9-]+:[A-Z][A-Za-z0-9-]*:[A-Z][a-z]+", name)


def test_every_book_of_the_house_is_found_again_by_its_account() -> None:
    names = [account_name(Book(None, house)) for house in House]
    assert [book_named(name) for name in names] == [Book(None, house) for house in House]


@pytest.mark.parametrize("name", ["Equity:Other", "Assets:alice:Spot:Free", "Assets:Account-a:Cold:Free", "Assets"])
def test_an_account_that_is_no_books_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no account of an exported book"):
        book_named(name)
