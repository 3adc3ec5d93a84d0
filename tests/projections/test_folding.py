"""What projectors keep in memory is bounded, and no batch sees the difference."""

from collections.abc import Sequence

from ledger.postgres import Connection, connect
from ledger.postings import postings
from ledger.wallets import Wallets
from projections.balances.projector import load_wallets
from projections.folding import Kept
from projections.runner import catch_up
from projections.tables import LIVE, work_in
from tests.projections.logs import random_log, record


def test_only_so_many_accounts_are_kept_and_those_in_use_are_loaded_in_one_query(database: str) -> None:
    asked: list[Sequence[str]] = []

    def load(connection: Connection, account_ids: Sequence[str]) -> dict[str, Wallets]:
        asked.append(account_ids)
        return {}

    kept = Kept(load, Wallets, limit=2)
    with connect(database) as connection:
        alice = kept.bring(connection, ["alice", "bob"])["alice"]
        assert kept.bring(connection, ["alice"])["alice"] is alice
        assert sorted(kept.bring(connection, ["carol", "dave", "alice"])) == ["alice", "carol", "dave"]
        kept.bring(connection, ["bob"])
        kept.forget()
        kept.bring(connection, ["bob"])
    assert asked == [["alice", "bob"], ["carol", "dave"], ["bob"], ["bob"]]


def test_what_is_loaded_is_what_was_kept(database: str) -> None:
    record(database, random_log())
    catch_up(database, ["balances"])
    account_ids = sorted({event.account_id for event in random_log() if not event.account_id.startswith("@")})
    with connect(database) as connection:
        work_in(connection, LIVE)
        loaded = load_wallets(connection, account_ids)
        # An account that never held anything has no rows.
        assert {"alice", "bob", "carol"} <= set(loaded) <= set(account_ids)
    for account_id in account_ids:
        folded = Wallets(account_id)
        for event in random_log():
            if event.account_id == account_id:
                folded.apply(event, postings(event))
        assert {w.name: (w.balances, w.next_hours) for w in loaded.get(account_id, Wallets(account_id)).all()} == {
            w.name: (w.balances, w.next_hours) for w in folded.all()
        }
