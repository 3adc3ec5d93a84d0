"""As of a business time and what was known at a position, every question answers what a slow fold by date gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.postgres import Connection, connect
from ledger.words import CROSS, PRICES
from projections.accounts import kept_folds, projector
from projections.accounts.dates import counted
from projections.accounts.hold_queries import holds
from projections.accounts.queries import withdrawals
from projections.audit_trail.dates import dated_events, dated_trail
from projections.audit_trail.queries import Filter, events
from projections.dating import Dated
from projections.journal.queries import book_statement, statement
from projections.liquidations.queries import insurance, margin_calls
from projections.questions.account_state import account_at
from projections.questions.accounts import dated_accounts
from projections.questions.levels import dated_wallets_that_owe
from projections.questions.loans import dated_loans, dated_totals
from projections.questions.margin_wallets import buckets_answer, pool_answer
from projections.rebuild import rebuild
from projections.runner import catch_up
from projections.tables import LIVE, work_in
from projections.trial_balance.queries import trial_balance
from projections.trial_balance.sums import Sums, add
from tests.databases import fresh_database
from tests.projections.backdated import MINUTE, START, Fold, backdated_log, comparable
from tests.projections.logs import record
from tests.projections.stories import crash_with_deficit, exchange_opens
from tests.projections.story import Story

STEPS = 260
BATCH = 61
FEW_EXAMPLES = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@contextmanager
def projected(url: str, template: str, log: list) -> Iterator[Connection]:  # type: ignore[type-arg]
    with fresh_database(url, template) as database:
        record(database, log)
        catch_up(database, batch_size=BATCH)
        with connect(database, autocommit=True) as connection:
            work_in(connection, LIVE)
            yield connection


@pytest.mark.long
@FEW_EXAMPLES
@given(seed=st.integers(0, 40), chance=st.randoms(use_true_random=False))
def test_every_question_answers_what_folding_by_date_gives(
    server_url: str, template_database: str, monkeypatch: pytest.MonkeyPatch, seed: int, chance: Random
) -> None:
    # So that folds are kept at all of an account's first hundred events.
    monkeypatch.setattr(projector, "EVENTS_BETWEEN", 4)
    monkeypatch.setattr(kept_folds, "EVENTS_BETWEEN", 4)
    log = backdated_log(STEPS, seed, chance)
    with projected(server_url, template_database, log) as connection:
        for _ in range(25):
            known = chance.choice([len(log), chance.randrange(1, len(log) + 1)])
            until = (
                START + chance.randrange(-500, known + 30) * MINUTE + chance.choice([0, 1, -1]) * timedelta.resolution
            )
            fold = Fold(log, known, until)
            accounts_are_those_of(fold, connection, known, until)
            lists_are_those_of(fold, connection, known, until)
            reports_are_those_of(fold, connection, known, until)
            statements_are_those_of(fold, connection, known, until, chance)
            the_trail_is_that_of(fold, connection, known, until)


def accounts_are_those_of(fold: Fold, connection: Connection, known: int, until: datetime) -> None:
    for account_id, expected in fold.accounts.items():
        found = account_at(connection, known, account_id, until)
        assert found is not None
        assert comparable(found) == comparable(expected), (account_id, known, until)
        pool = pool_answer(connection, known, account_id, until)
        if pool is not None:
            assert pool["owes"] == sorted(expected.wallets.cross.debts)
            assert pool["leverage"] == expected.leverages.get(CROSS)
            assert pool["called_at"] == expected.called_at.get(CROSS)
        buckets = {row["pair"]: row for row in buckets_answer(connection, known, account_id, until)}
        for pair, bucket in expected.wallets.isolated.items():
            base, quote = (bucket.balance(asset) for asset in pair.split("/"))
            row = buckets[pair]
            assert [row[f"base_{part}"] for part in base._fields] == [*base]
            assert [row[f"quote_{part}"] for part in quote._fields] == [*quote]
            assert row["mode"] == expected.mode(pair)
    listed = dated_accounts(connection, known, until, limit=1000)
    assert {row["account_id"]: row["status"] for row in listed} == {
        name: account.status.value for name, account in fold.accounts.items()
    }
    assert all(row["version"] == fold.accounts[row["account_id"]].version for row in listed)
    frozen = dated_accounts(connection, known, until, status="frozen")
    assert frozen == [row for row in listed if row["status"] == "frozen"]
    assert dated_accounts(connection, known, until, after=listed[0]["account_id"] if listed else "") == listed[1:]


def lists_are_those_of(fold: Fold, connection: Connection, known: int, until: datetime) -> None:
    through = dated_events(connection, known, until).through
    found = holds(connection, known, effective_at=until, through=through, limit=1000)
    assert {(row["account_id"], row["hold_id"]): row["amount"] for row in found} == fold.holds()
    requested = {}
    for _, event in fold.events:
        if event.TOPIC == "withdrawal.requested":
            requested[event.account_id, event.withdrawal_id] = "pending"  # type: ignore[union-attr]
    for _, event in fold.events:
        if event.TOPIC in ("withdrawal.settled", "withdrawal.cancelled"):
            key = (event.account_id, event.withdrawal_id)  # type: ignore[union-attr]
            requested.update({key: event.TOPIC.rpartition(".")[2]} if key in requested else {})
    for status in (None, "pending", "settled", "cancelled"):
        rows = withdrawals(connection, known, effective_at=until, status=status, limit=1000)
        assert {(row["account_id"], row["withdrawal_id"]): row["status"] for row in rows} == {
            key: value for key, value in requested.items() if status in (None, value)
        }


def reports_are_those_of(fold: Fold, connection: Connection, known: int, until: datetime) -> None:
    dated = dated_events(connection, known, until)
    sums: Sums = {}
    for _, _, _, line in fold.lines():
        add(sums, [line])
    balance = trial_balance(connection, dated)
    books = {(asset, book): value for asset, found in balance.items() for book, value in found["books"].items()}
    assert {key: value for key, value in books.items() if value} == {key: value for key, value in sums.items() if value}
    assert all(found["total"] == 0 for found in balance.values())
    fund = {asset: value for asset, value in insurance(connection, dated).items() if value}
    assert fund == {asset: value for (asset, book), value in sums.items() if book == "insurance" and value}
    owed = {
        (account_id, wallet.name, asset): (balance.borrowed, balance.interest)
        for account_id, account in fold.accounts.items()
        for wallet in account.wallets.all()
        for asset, balance in wallet.debts.items()
    }
    loans = dated_loans(connection, known, until, limit=1000)
    keyed = {(row["account_id"], row["wallet"], row["asset"]): (row["principal"], row["interest"]) for row in loans}
    # What is repaid before it was borrowed is owed to nobody; it is seen in the account itself.
    assert {key: value for key, value in keyed.items() if min(value) >= 0} == {
        key: value for key, value in owed.items() if min(value) >= 0
    }
    assert [tuple(row)[:3] for row in keyed] == sorted(tuple(row)[:3] for row in keyed)
    assert sum(row["loans"] for row in dated_totals(connection, known, until)) == len(loans)
    owing = {(one.account_id, one.wallet.name): one for one in dated_wallets_that_owe(connection, known, until)}
    assert owing.keys() == {key[:2] for key in owed}
    for (account_id, name), one in owing.items():
        account = fold.accounts[account_id]
        held = {asset: tuple(value) for asset, value in account.wallets.wallet(name).balances.items()}
        assert {asset: tuple(value) for asset, value in one.wallet.balances.items()} == held
        assert (one.leverage, one.called_at) == (account.leverages.get(name), account.called_at.get(name))
        running = account.liquidations.get(name)
        assert one.liquidation_id == (running and running.liquidation_id)
    calls = [row["position"] for row in margin_calls(connection, dated, limit=1000)]
    assert calls == [place for place, event in fold.events if event.TOPIC == "margin.called"]


def statements_are_those_of(fold: Fold, connection: Connection, known: int, until: datetime, chance: Random) -> None:
    expected = fold.statement()
    account_id = chance.choice(sorted(fold.accounts) or ["nobody"])
    own = [row for row in expected if row[2].startswith(f"account/{account_id}/")]
    dated = counted(connection, known, account_id, until).dated
    assert as_rows(statement(connection, dated, account_id, limit=5000)) == own
    assert as_rows(statement(connection, dated, account_id, limit=5000, newest_first=True)) == own[::-1]
    if own:
        place = chance.choice(own)
        after = [row for row in own if row[:2] > place[:2]]
        assert as_rows(statement(connection, dated, account_id, after=place[:2], limit=3)) == after[:3]
        before = [row for row in own[::-1] if row[:2] < place[:2]]
        found = statement(connection, dated, account_id, before=place[:2], limit=3, newest_first=True)
        assert as_rows(found) == before[:3]
        wallet = place[2].split("/", 2)[2]
        for part in ("/locked", "/principal", "/interest"):
            wallet = wallet.removesuffix(part)
        books = {f"account/{account_id}/{wallet}{part}" for part in ("", "/locked", "/principal", "/interest")}
        narrow = [row for row in own if row[2] in books and row[3] == place[3]]
        assert as_rows(statement(connection, dated, account_id, wallet=wallet, asset=place[3], limit=5000)) == narrow
        found = statement(connection, dated, account_id, wallet=wallet, asset=place[3], limit=4, newest_first=True)
        assert as_rows(found) == narrow[::-1][:4]
    of_the_house = [row for row in expected if row[2:4] == ("external", "USDT")]
    whole = dated_events(connection, known, until)
    assert as_rows(book_statement(connection, whole, "external", "USDT", limit=5000)) == of_the_house
    newest = book_statement(connection, whole, "external", "USDT", limit=7, newest_first=True)
    assert as_rows(newest) == of_the_house[::-1][:7]


def as_rows(lines: list) -> list:  # type: ignore[type-arg]
    return [tuple(row[name] for name in ("position", "line", "book", "asset", "amount", "balance")) for row in lines]


def the_trail_is_that_of(fold: Fold, connection: Connection, known: int, until: datetime) -> None:
    whole = dated_trail(connection, known, until)
    for only in (None, PRICES, "@exchange", *fold.accounts):
        expected = [place for place, event in fold.events if only in (None, event.account_id)]
        named = only is not None and not only.startswith("@")
        dated = counted(connection, known, only, until).dated if named else whole  # type: ignore[arg-type]
        which = Filter(account_id=only, dated_to=until)
        assert [one.position for one in events(connection, dated, which, limit=5000)] == expected
        newest = events(connection, dated, which, limit=5, newest_first=True)
        assert [one.position for one in newest] == expected[::-1][:5]


def test_a_liquidation_that_ran_where_events_were_still_in_order_closes_at_its_prices(database: str) -> None:
    """A margin call that is entered late belongs between the start of a liquidation and its fill."""
    story = Story(database)
    exchange_opens(story)
    crash_with_deficit(story)
    log = [
        event.model_copy(update={"effective_at": START + 2 * place * MINUTE})
        for place, event in enumerate(story.events)
    ]
    started = next(place for place, event in enumerate(log) if event.TOPIC == "liquidation.started")
    call = next(event for event in log if event.TOPIC == "margin.called")
    between = {"effective_at": log[started].effective_at + MINUTE, "version": log[-1].version + 1}
    log.append(call.model_copy(update=between))
    record(database, log)
    catch_up(database)
    until = log[-2].effective_at
    with connect(database, autocommit=True) as connection:
        work_in(connection, LIVE)
        found = account_at(connection, len(log), "dan", until)
    assert found is not None
    assert comparable(found) == comparable(Fold(log, len(log), until).accounts["dan"])
    assert found.wallets.cross.positions["BTC/USDT"].realised_profit < 0


def test_a_rebuild_in_other_batches_keeps_the_same_folds(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "EVENTS_BETWEEN", 4)
    monkeypatch.setattr(kept_folds, "EVENTS_BETWEEN", 4)
    record(database, backdated_log(STEPS, 4, Random(5)))
    catch_up(database, ("accounts", "audit_trail"), batch_size=7)
    with connect(database) as connection:
        rows = connection.execute("select count(*), count(valid_to) from projections.account_folds").fetchone()
    assert rows is not None
    assert min(rows) > 5
    assert [report.differences for report in rebuild(database, ("accounts", "audit_trail"))] == [0, 0]


def test_where_nothing_was_entered_late_nothing_is_folded(database: str) -> None:
    log = backdated_log(STEPS, 3, Random())
    in_order = [event.model_copy(update={"effective_at": START + place * MINUTE}) for place, event in enumerate(log)]
    record(database, in_order)
    catch_up(database)
    with connect(database, autocommit=True) as connection:
        work_in(connection, LIVE)
        assert connection.execute("select count(*) from account_folds").fetchone() == (0,)
        until = START + 100 * MINUTE
        assert dated_events(connection, len(log), until).beyond == []
        account_id = next(event.account_id for event in in_order if not event.account_id.startswith("@"))
        own = [place for place, event in enumerate(in_order[:101], 1) if event.account_id == account_id]
        assert counted(connection, len(log), account_id, until).dated == Dated(own[-1], [])
