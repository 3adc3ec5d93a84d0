"""Accounts are folded once for all projectors, and what is kept of them in memory is bounded."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from ledger.account import Account, fold
from ledger.events import AccountEvent
from ledger.log import read_log
from ledger.postgres import Connection, connect
from projections.folding import Fold, Step
from projections.keeping import Kept
from tests.projections.logs import random_log, record


def folded(account_id: str, until: int) -> Account:
    """An account by the rules of the write side, of the first events of the log."""
    events = [event for event in random_log()[:until] if event.account_id == account_id]
    return fold(account_id, [cast(AccountEvent, event) for event in events])


def assert_steps_are_those_of_the_write_side(steps: Sequence[Step]) -> None:
    assert steps
    for step in steps:
        if step.after is not None:
            assert step.after == folded(step.event.account_id, step.position)
            assert step.before == folded(step.event.account_id, step.position - 1)


def test_a_fold_that_begins_anywhere_knows_every_account(database: str) -> None:
    record(database, random_log())
    with connect(database, autocommit=True) as connection:
        for start in (0, 1, 150, 151, 400):
            fold = Fold(connection, start)
            assert_steps_are_those_of_the_write_side(fold.take(read_log(connection, start, 40)))
            assert_steps_are_those_of_the_write_side(fold.take(read_log(connection, start + 40, 40)))
            fold.close()


def test_accounts_that_were_set_aside_come_back_as_they_were(database: str) -> None:
    record(database, random_log())
    with connect(database, autocommit=True) as connection:
        fold = Fold(connection, 0, limit=2)
        for start in range(0, 600, 50):
            assert_steps_are_those_of_the_write_side(fold.take(read_log(connection, start, 50)))
            assert len(fold._accounts) <= 2
        tables = "select count(*) from pg_class where relname like 'folded_accounts_%' and relkind = 'r'"
        assert connection.execute(tables).fetchone() == (1,)
        fold.close()
        assert connection.execute(tables).fetchone() == (0,)


class OneConnection(NamedTuple):
    connection: Connection


def test_only_so_many_states_are_kept_and_those_in_use_are_loaded_in_one_query(database: str) -> None:
    asked: list[Sequence[str]] = []

    def load(connection: Connection, account_ids: Sequence[str]) -> dict[str, list[str]]:
        asked.append(account_ids)
        return {}

    def steps(*account_ids: str) -> list[Step]:
        event = random_log()[-1]
        accounts = map(Account.unopened, account_ids)
        return [
            Step(1, event.model_copy(update={"account_id": account.id}), [], account, account, [])
            for account in accounts
        ]

    kept: Kept[list[str]] = Kept(load, list, lambda account: account.id == "newcomer", limit=2)
    with connect(database) as connection:
        tables = OneConnection(connection)
        alice = kept.bring(tables, steps("alice", "bob"))["alice"]
        assert kept.bring(tables, steps("alice"))["alice"] is alice
        assert sorted(kept.bring(tables, steps("carol", "dave", "alice", "newcomer"))) == [
            "alice",
            "carol",
            "dave",
            "newcomer",
        ]
        kept.bring(tables, steps("bob"))
        kept.forget()
        kept.bring(tables, steps("bob"))
    assert asked == [["alice", "bob"], ["carol", "dave"], ["bob"], ["bob"]]
