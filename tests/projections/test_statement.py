"""A statement leads from what was held to what was held, line by line, and the next one goes on from there."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger.errors import Malformed, UnknownAccount
from ledger.postgres import Connection, connect
from ledger.wallets import NOTHING, Balance
from ledger.words import Part
from projections.questions.statement import BooksDisagree, LineTold, Statement, open_statement
from projections.questions.statement_range import Asked, RangeOpen
from projections.runner import catch_up
from projections.snapshot import AsOf
from tests.databases import fresh_database
from tests.projections.backdated import MINUTE, START, Fold, backdated_log
from tests.projections.logs import FIRST_RECORDED_AT, random_log, record, recorded_log

STEPS = 260
FEW_EXAMPLES = settings(
    max_examples=4,
    deadline=None,
    # Each example is a database: what fails is told by its seed, and not made smaller for minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Told = dict[tuple[str, str], tuple[Balance, Balance]]
"""What was held at both ends, by wallet and asset; those left out held nothing."""


def at(position: int) -> AsOf:
    return AsOf("position", position)


def recorded(position: int, microseconds: int = 0) -> AsOf:
    return AsOf("recorded_at", FIRST_RECORDED_AT + timedelta(seconds=position, microseconds=microseconds))


def dated(minutes: int) -> AsOf:
    return AsOf("effective_at", START + minutes * MINUTE)


def whole(statement: Statement) -> tuple[Told, dict[tuple[str, str], list[LineTold]]]:
    """The balances of a statement, and its lines by wallet and asset."""
    balances: Told = {}
    lines: dict[tuple[str, str], list[LineTold]] = defaultdict(list)
    for wallet, own in statement.told():
        balances |= {(wallet.wallet, one.asset): (one.opening, one.closing) for one in wallet.assets}
        for line in own:
            lines[wallet.wallet, line.asset].append(line)
    assert list(statement.lines) == []
    return balances, lines


def require_run_on(balances: Told, lines: dict[tuple[str, str], list[LineTold]]) -> None:
    """Opening and lines come to closing, and each line's balance is its book's after it."""
    assert lines.keys() <= balances.keys()
    for key, (opening, closing) in balances.items():
        balance = opening
        for line in lines[key]:
            balance = balance.posted(line.part, line.amount)
            free, locked, borrowed, interest = balance
            books = {Part.FREE: free, Part.LOCKED: locked, Part.PRINCIPAL: -borrowed, Part.INTEREST: -interest}
            assert line.balance == books[line.part]
        assert balance == closing


@contextmanager
def projected(url: str, template: str, log: list) -> Iterator[Connection]:  # type: ignore[type-arg]
    with fresh_database(url, template) as database:
        record(database, log)
        catch_up(database)
        with connect(database) as connection:
            yield connection


def accounts_of(log: list) -> list[str]:  # type: ignore[type-arg]
    return sorted({event.account_id for event in log if not event.account_id.startswith("@")})


@FEW_EXAMPLES
@given(seed=st.integers(0, 40), chance=st.randoms(use_true_random=False))
def test_consecutive_statements_join_and_add_up(
    server_url: str, template_database: str, seed: int, chance: Random
) -> None:
    log = list(random_log(STEPS, seed))
    with projected(server_url, template_database, log) as connection:
        for account_id in accounts_of(log):
            opened = next(place for place, event in enumerate(log, 1) if event.account_id == account_id)
            bounds = sorted({opened, len(log), *(chance.randint(opened, len(log)) for _ in range(3))})
            ends: Told = {}
            ids: list[str] = []
            for first, last in zip([None, *bounds], bounds, strict=False):
                asked = Asked(account_id, None if first is None else at(first), at(last))
                with open_statement(connection, asked) as statement:
                    balances, lines = whole(statement)
                require_run_on(balances, lines)
                for key in ends.keys() | balances.keys():
                    assert balances.get(key, (NOTHING,))[0] == ends.get(key, (NOTHING, NOTHING))[1]
                ends = balances
                ids += [line.id for own in lines.values() for line in own]
            with open_statement(connection, Asked(account_id, None, at(len(log)))) as statement:
                all_ids = [line.id for line in statement.lines]
            assert sorted(ids) == sorted(all_ids)
            assert len(set(ids)) == len(ids)


@FEW_EXAMPLES
@given(seed=st.integers(0, 40), chance=st.randoms(use_true_random=False))
def test_statements_between_business_times_join_and_have_what_a_fold_by_date_has(
    server_url: str, template_database: str, seed: int, chance: Random
) -> None:
    log = backdated_log(STEPS, seed, chance)
    with projected(server_url, template_database, log) as connection:
        for account_id in accounts_of(log):
            known = chance.randint(len(log) // 2, len(log))
            first, last = sorted(chance.sample(range(len(log)), 2))
            folds = [Fold(log, known, dated(minutes).value) for minutes in (first, last)]  # type: ignore[arg-type]
            if account_id not in folds[1].accounts:
                continue
            with open_statement(connection, Asked(account_id, dated(first), dated(last), known)) as statement:
                balances, lines = whole(statement)
            require_run_on(balances, lines)
            for end, fold in enumerate(folds):
                wallets = fold.accounts[account_id].wallets.all() if account_id in fold.accounts else ()
                held = {(one.name, asset): balance for one in wallets for asset, balance in one.balances.items()}
                for key in balances.keys() | held.keys():
                    assert balances.get(key, (NOTHING, NOTHING))[end] == held.get(key, NOTHING)
            for own in lines.values():
                places = [(line.effective_at, *map(int, line.id.split("."))) for line in own]
                assert places == sorted(places)
                assert all(dated(first).value < line.effective_at <= dated(last).value for line in own)  # type: ignore[operator]
                assert all(line.position <= known for line in own)


@pytest.fixture(scope="module")
def log_of(module_database: str) -> str:
    """A database with a random log, projected; event n was recorded n seconds after the first time."""
    recorded_log(module_database)
    catch_up(module_database)
    return module_database


def ids_of(url: str, asked: Asked) -> list[str]:
    with connect(url) as connection, open_statement(connection, asked) as statement:
        return [line.id for line in statement.lines]


END = len(random_log())


def test_a_time_of_recording_is_a_position(log_of: str) -> None:
    by_position = ids_of(log_of, Asked("alice", at(100), at(300)))
    assert by_position
    assert ids_of(log_of, Asked("alice", recorded(100), recorded(300))) == by_position
    assert ids_of(log_of, Asked("alice", recorded(100, 5), recorded(300, 999_999))) == by_position
    assert ids_of(log_of, Asked("alice", at(100), recorded(300))) == by_position


def test_one_wallet_is_told_as_in_the_whole(log_of: str) -> None:
    with connect(log_of) as connection:
        with open_statement(connection, Asked("alice", at(100))) as statement:
            balances, lines = whole(statement)
        with open_statement(connection, Asked("alice", at(100), wallet="cross")) as statement:
            own_balances, own_lines = whole(statement)
    assert own_balances == {key: value for key, value in balances.items() if key[0] == "cross"}
    assert own_lines == {key: value for key, value in lines.items() if key[0] == "cross"}
    assert len({key[0] for key in balances}) > 1


@pytest.mark.parametrize("asked", [Asked("alice", None, recorded(END)), Asked("alice", recorded(END + 1), at(END))])
def test_a_time_after_which_nothing_was_recorded_is_open(log_of: str, asked: Asked) -> None:
    with pytest.raises(RangeOpen, match=f"State position {END} instead of the time"):
        ids_of(log_of, asked)


def test_a_time_is_an_end_once_something_was_recorded_after_it(log_of: str) -> None:
    assert ids_of(log_of, Asked("alice", None, recorded(END, -1)))


BAD = [
    (Asked("alice", None, AsOf("recorded_at", FIRST_RECORDED_AT + timedelta(days=36500))), "ahead of the database's"),
    (Asked("alice", None, at(END + 1)), f"position {END + 1} is asked for, the log ends at {END}"),
    (Asked("alice", at(200), at(199)), "would begin after position 200 and end at 199"),
    (Asked("alice", at(END + 5)), "would begin after position"),
    (Asked("alice", dated(5), dated(4)), "begin earlier"),
    (
        Asked("alice", dated(5)),
        "needs its end, to_effective_at, and no end of another kind; asked for is from_effective_at",
    ),
    (Asked("alice", at(5), dated(4)), "asked for is from_position and to_effective_at"),
    (Asked("alice", dated(5), at(400)), "asked for is from_effective_at and to_position"),
    (Asked("alice", None, at(400), 300), "goes with business times only"),
    (Asked("alice", None, dated(4), END + 1), "the log ends at"),
]


@pytest.mark.parametrize(("asked", "why"), BAD)
def test_a_range_that_is_none_is_refused(log_of: str, asked: Asked, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        ids_of(log_of, asked)


@pytest.mark.parametrize(
    "asked", [Asked("nobody"), Asked("alice", None, at(1)), Asked("alice", None, dated(-50_000_000))]
)
def test_an_account_that_is_not_known_by_then_is_refused(log_of: str, asked: Asked) -> None:
    with pytest.raises(UnknownAccount, match="was not opened by the end of the range"):
        ids_of(log_of, asked)


def test_books_that_do_not_lead_from_one_balance_to_the_other_are_no_statement(database: str) -> None:
    recorded_log(database)
    catch_up(database)
    with connect(database) as connection:
        found = connection.execute(
            "update projections.journal set amount = amount + 1 where (position, line) = ("
            " select position, line from projections.journal where account_id = 'alice' and position > 100 limit 1)"
        )
        assert found.rowcount == 1
    with pytest.raises(BooksDisagree, match="`ledger verify` tells which differs"):
        ids_of(database, Asked("alice", at(100)))
    assert ids_of(database, Asked("alice", None, at(100))) is not None


def test_no_amount_is_wider_than_is_told(log_of: str) -> None:
    with connect(log_of) as connection, open_statement(connection, Asked("alice", at(150))) as statement:
        for wallet, lines in statement.told():
            amounts: list[Decimal] = [amount for one in wallet.assets for both in one[1:] for amount in both]
            amounts += [amount for line in lines for amount in (line.amount, line.balance)]
            for amount in amounts:
                digits, _, decimals = f"{abs(amount).normalize():f}".partition(".")
                assert len(digits) <= wallet.whole_digits
                assert len(decimals) <= wallet.decimals
