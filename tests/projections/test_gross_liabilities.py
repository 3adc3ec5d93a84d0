"""What every account has and owes as of any position is what the lines up to there say, and agrees with the books."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ledger.liabilities import Gross, LiabilitiesDiffer
from ledger.postgres import Connection, connect
from ledger.postings import postings
from ledger.words import FREE, LOCKED
from projections.questions.liabilities import READS, gross_accounts, gross_totals
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from tests.ledger.owing import totals_of
from tests.ledger.sealed import tamper
from tests.projections.logs import random_log, recorded_log

POSITIONS = [*range(1, len(random_log()), 97), len(random_log())]


@pytest.fixture(scope="module")
def connection(module_database: str) -> Iterator[Connection]:
    """A connection to a database with a random log, whose tests only read."""
    recorded_log(module_database)
    catch_up(module_database)
    with connect(module_database) as connection:
        yield connection


def posted_up_to(position: int) -> set[Gross]:
    """The same from the lines of the events alone."""
    sums: dict[tuple[str, str], dict[bool, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for event in random_log()[:position]:
        for book, asset, amount in postings(event):
            if book.account_id is not None:
                sums[book.account_id, asset][book.part in (FREE, LOCKED)] += amount
    gross = (Gross(*of, amounts[True], -amounts[False]) for of, amounts in sums.items())
    return {one for one in gross if one.balance or one.debt}


@pytest.mark.parametrize("position", POSITIONS)
def test_accounts_and_books_agree_with_all_lines_as_of_every_position(connection: Connection, position: int) -> None:
    with open_snapshot(connection, position=position, names=READS) as snapshot:
        accounts = list(gross_accounts(snapshot.connection, snapshot.position))
        booked = gross_totals(snapshot.connection, snapshot.position)
    assert len(set(accounts)) == len(accounts)
    assert set(accounts) == posted_up_to(position)
    assert {which: total for which, total in booked.items() if total} == {
        which: total for which, total in totals_of(accounts).items() if total
    }
    assert {kind for kind, _ in booked} == ({"balances", "loans"} if booked else set())


def test_loans_and_balances_are_there_to_be_netted(connection: Connection) -> None:
    assert any(one.balance and one.debt for one in posted_up_to(len(random_log())))


@pytest.mark.parametrize("amount", ["7", "0.00000001"])
@pytest.mark.parametrize("part", ["free", "locked", "borrowed", "interest"])
def test_what_is_below_zero_in_one_wallet_is_not_hidden_by_another(database: str, part: str, amount: str) -> None:
    """Also where both come to zero, and where another part of the same wallet has more."""
    catch_up(database)
    wallet = "insert into projections.balances (account_id, wallet, asset, position, free, locked, borrowed, interest)"
    tamper(
        database,
        f"{wallet} select 'alice', wallet, 'BTC', 1, 0, 0, 0, 0 from unnest(array['spot', 'cross']) as wallet",
        f"update projections.balances set {part} = case wallet when 'spot' then -{amount} else {amount} end",
    )
    with connect(database) as connection:
        connection.execute("set search_path to projections")
        with pytest.raises(LiabilitiesDiffer, match=f"a wallet of account alice has -{amount} BTC at position 1"):
            list(gross_accounts(connection, 1))
