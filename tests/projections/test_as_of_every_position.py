"""Asked as of any position, a question answers what folding the log up to there gives."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.account import Account, evolve
from ledger.postgres import Connection, connect
from ledger.wallets import Wallet, Wallets
from ledger.words import CROSS, SPOT, isolated
from projections.accounts import queries as accounts
from projections.accounts.hold_queries import holds
from projections.balances import queries as balances
from projections.cross_pool.queries import cross_pool
from projections.isolated_buckets.queries import bucket, buckets
from projections.positions import queries as positions
from projections.runner import catch_up
from projections.tables import LIVE, work_in
from tests.databases import fresh_database
from tests.projections.logs import random_log, record

BATCHES = ("large", "small", "restarted")
NAMES = ("accounts", "balances", "cross_pool", "isolated_buckets", "positions")


@pytest.fixture(scope="module", params=BATCHES)
def connection(request: pytest.FixtureRequest, server_url: str, template_database: str) -> Iterator[Connection]:
    """A random log, projected: in large batches, in small ones, and by a runner that is started anew for each few."""
    with fresh_database(server_url, template_database) as url:
        steps = 30 if request.param == "restarted" else len(random_log())
        for start in range(0, len(random_log()), steps):
            record(url, random_log()[start : start + steps])
            catch_up(url, NAMES, batch_size=7 if request.param == "small" else 2000)
        with connect(url, autocommit=True) as connection:
            work_in(connection, LIVE)
            yield connection


def states() -> Iterator[tuple[int, Account]]:
    """Every position of the log with the account that its event left."""
    folded: dict[str, Account] = {}
    for position, event in enumerate(random_log(), start=1):
        if not event.account_id.startswith("@"):
            account = folded.setdefault(event.account_id, Account.unopened(event.account_id))
            evolve(account, event)  # type: ignore[arg-type]
            yield position, account


def test_balances(connection: Connection) -> None:
    for position, account in states():
        wallets = {
            (wallet.name, asset): (*balance, wallet.next_hours.get(asset))
            for wallet in account.wallets.all()
            for asset, balance in wallet.balances.items()
        }
        asked = {
            (row["wallet"], row["asset"]): (
                *[row[part] for part in ("free", "locked", "borrowed", "interest")],
                row["next_hour"],
            )
            for row in balances.balances(connection, position, account.id)
        }
        assert asked == wallets, position


def test_wallets_as_margin_arithmetic_takes_them(connection: Connection) -> None:
    for position, account in states():
        asked = balances.wallets_of(connection, position, [account.id])[account.id]
        unopened = {wallet.name: replace(wallet, positions={}, closing_prices={}) for wallet in account.wallets.all()}
        buckets = {pair: unopened[bucket.name] for pair, bucket in sorted(account.wallets.isolated.items())}
        assert asked == Wallets(account.id, unopened["spot"], unopened["cross"], buckets), position


def test_positions(connection: Connection) -> None:
    for position, account in states():
        folded = {
            (wallet.name, pair): tuple(opened)
            for wallet in account.wallets.all()
            for pair, opened in wallet.positions.items()
        }
        asked = {
            (row["wallet"], row["pair"]): (row["quantity"], row["cost"], row["realised_profit"])
            for row in positions.positions(connection, position, account.id)
        }
        assert asked == folded, position


def test_accounts(connection: Connection) -> None:
    for position, account in states():
        row = accounts.account(connection, position, account.id)
        assert row is not None
        assert (row["version"], row["position"], row["status"]) == (account.version, position, account.status.value)
        assert row["blocks"] == sorted(account.blocks)
        assert row["modes"] == {pair: mode.value for pair, mode in account.modes.items()}
        assert {wallet: Decimal(text) for wallet, text in row["leverages"].items()} == account.leverages
        assert row["called_at"] == {wallet: at.isoformat() for wallet, at in account.called_at.items()}


def test_holds(connection: Connection) -> None:
    for position, account in states():
        asked = {
            row["hold_id"]: (row["wallet"], row["asset"], row["amount"])
            for row in holds(connection, position, account_id=account.id)
        }
        assert asked == {hold_id: tuple(hold) for hold_id, hold in account.holds.items()}, position


def test_withdrawals(connection: Connection) -> None:
    for position, account in states():
        asked = {
            row["withdrawal_id"]: (row["asset"], row["amount"], row["status"])
            for row in accounts.withdrawals(connection, position, account_id=account.id)
        }
        folded = {key: (each.asset, each.amount, each.status.value) for key, each in account.withdrawals.items()}
        assert asked == folded, position


def test_cross_pool(connection: Connection) -> None:
    for position, account in states():
        pool = cross_pool(connection, position, account.id) or {"leverage": None, "owes": [], "liquidation_id": None}
        running = account.liquidations.get(CROSS)
        assert pool["leverage"] == account.leverages.get(CROSS), position
        assert pool["owes"] == sorted(account.wallets.cross.debts), position
        assert pool["liquidation_id"] == (running and running.liquidation_id), position
        assert pool.get("called_at") == account.called_at.get(CROSS), position


def test_isolated_buckets(connection: Connection) -> None:
    for position, account in states():
        asked = {row["pair"]: row for row in buckets(connection, position, account.id)}
        for pair in {*asked, *account.wallets.isolated}:
            name, row = isolated(pair), asked[pair]
            wallet: Wallet = account.wallets.wallet(name)
            base, quote = pair.split("/")
            running = account.liquidations.get(name)
            assert [row[f"base_{part}"] for part in wallet.balance(base)._fields] == [*wallet.balance(base)], position
            assert [row[f"quote_{part}"] for part in wallet.balance(quote)._fields] == [*wallet.balance(quote)], (
                position
            )
            assert (row["mode"], row["leverage"]) == (account.mode(pair).value, account.leverages.get(name)), position
            assert row["called_at"] == account.called_at.get(name), position
            assert row["liquidation_id"] == (running and running.liquidation_id), position
            assert bucket(connection, position, account.id, pair) == row


def test_before_its_first_event_an_account_is_unknown(connection: Connection) -> None:
    opened, account = next(states())
    assert accounts.account(connection, opened - 1, account.id) is None
    assert balances.balances(connection, opened - 1, account.id) == []
    assert accounts.list_accounts(connection, opened - 1) == []


def test_accounts_are_listed_by_id_with_a_status_filter(connection: Connection) -> None:
    last = {account.id: account for _, account in states()}
    listed = accounts.list_accounts(connection, len(random_log()))
    assert [row["account_id"] for row in listed] == sorted(last)
    after = accounts.list_accounts(connection, len(random_log()), after=min(last), limit=1)
    assert [row["account_id"] for row in after] == sorted(last)[1:2]
    for status in ("open", "frozen", "closed"):
        found = {row["account_id"] for row in accounts.list_accounts(connection, len(random_log()), status=status)}
        assert found == {key for key, account in last.items() if account.status == status}


def test_spot_has_no_positions(connection: Connection) -> None:
    account_ids = {account.id for _, account in states()}
    rows = [row for account_id in account_ids for row in positions.positions(connection, len(random_log()), account_id)]
    assert rows
    assert all(row["wallet"] != SPOT for row in rows)
