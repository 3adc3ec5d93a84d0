"""Verification agrees with what is right, and names what is not."""

from typing import cast

import pytest

from ledger import exchange
from ledger.account import fold
from ledger.events import AccountEvent, ExchangeEvent, write_event
from ledger.market import Market
from ledger.postgres import connect
from ledger.snapshots import MARKET, Snapshot, keep
from projections.positions.projector import PositionsProjector
from projections.projector import Batch, Tables, Writes
from projections.runner import catch_up
from projections.verify import VerifyReport, verify
from tests.databases import unguard
from tests.projections.logs import long_log, random_log, recorded_log
from tests.projections.processes import running, standing_of, wait_until

NEWEST = len(random_log())


@pytest.fixture
def projected(database: str) -> str:
    """A database with a random log, all of it projected."""
    recorded_log(database)
    catch_up(database)
    return database


def tamper(database: str, *statements: str) -> None:
    """Changes what nobody may change."""
    with connect(database) as connection:
        unguard(connection)
        connection.execute("set search_path to projections, public")
        for statement in statements:
            assert connection.execute(statement.encode()).rowcount != 0


def left_over(database: str) -> list[str]:
    with connect(database) as connection:
        return [name for (name,) in connection.execute("select nspname from pg_namespace where nspname ~ '^verify'")]


def test_projections_of_a_whole_log_agree(projected: str) -> None:
    told: list[tuple[str, int, int]] = []
    report = verify(projected, lambda *progress: told.append(progress))
    accounts = {event.account_id for event in random_log() if not event.account_id.startswith("@")}
    assert report == VerifyReport(NEWEST, NEWEST, [], len(accounts), True)
    assert {what for what, _, _ in told} == {"events", "projections", "accounts"}
    assert left_over(projected) == []


def test_an_empty_ledger_agrees(database: str) -> None:
    assert verify(database) == VerifyReport(0, 0, [], 0, True)


def test_projections_that_lag_are_brought_up_first(database: str) -> None:
    recorded_log(database)
    opened = {event.account_id for event in random_log() if not event.account_id.startswith("@")}
    assert verify(database) == VerifyReport(NEWEST, NEWEST, [], len(opened), True)
    assert standing_of(database, "balances").position == NEWEST


def test_projections_may_run_on_meanwhile(database: str) -> None:
    events = recorded_log(database, long_log(2))
    with running(database, batch_size=100):
        wait_until(lambda: standing_of(database, "accounts").position > 0)
        report = verify(database)
    assert (report.differences, report.trial_balance_zero, report.events) == ([], True, len(events))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update balances set free = free + 0.01 where wallet = 'spot'", "projection balances at position"),
        ("delete from balance_states where position = (select max(position) from balance_states)", "balance_states: "),
        (
            "insert into balance_states select account_id, wallet, 'XYZ', position, 1, 0, 0, 0 from balances limit 1",
            "XYZ",
        ),
        ("update position_states set cost = cost * 2 where quantity <> 0", "folding gives the position in"),
        ("delete from account_versions where position % 2 = 0", "folding gives"),
        ("update holds set amount = amount + 1", "holds: the live copy has"),
        ("delete from journal where line = 1", "projection journal at position"),
        ("update isolated_buckets set leverage = 9", "projection isolated_buckets at position"),
        ("delete from cross_pool", "projection cross_pool at position"),
    ],
)
def test_a_row_that_was_tampered_with_is_found(projected: str, statement: str, named: str) -> None:
    tamper(projected, statement)
    report = verify(projected)
    assert any(named in difference for difference in report.differences), report.differences
    assert left_over(projected) == []


def test_money_from_nowhere_shows_in_the_trial_balance(projected: str) -> None:
    tamper(projected, "update balance_states set free = free + 1 where asset = 'USDT' and wallet = 'spot'")
    report = verify(projected)
    assert not report.trial_balance_zero
    assert any("trial balance: USDT sums to" in difference for difference in report.differences)


def rewrite(database: str, topic: str, **changes: object) -> int:
    """Changes the bytes of the first event of a topic; returns its position."""
    position, event = next((n, one) for n, one in enumerate(random_log(), start=1) if topic == one.TOPIC)
    changed = write_event(event.model_copy(update=changes)).hex()
    tamper(database, f"update events set state = '\\x{changed}' where notification_id = {position}")
    return position


def test_an_event_whose_bytes_were_changed_is_found(projected: str) -> None:
    deposit = next(one for one in random_log() if one.TOPIC == "funds.deposited")
    rewrite(projected, "funds.deposited", amount=deposit.amount + 1)  # type: ignore[union-attr]
    report = verify(projected)
    for name in ("balances", "journal", "trial_balance"):
        assert any(f"projection {name} at position" in difference for difference in report.differences)
    assert any("folding gives" in difference and deposit.account_id in difference for difference in report.differences)


def test_an_event_that_cannot_be_read_is_named(projected: str) -> None:
    tamper(projected, "update events set state = 'no longer an event' where notification_id = 40")
    report = verify(projected)
    assert report.events == 39
    assert any("log: event 40 cannot be read" in difference for difference in report.differences)


@pytest.mark.parametrize(
    ("change", "named"),
    [("state = 'x'", "its bytes are no "), ("topic = 'nope'", "no kind of event has the topic")],
)
def test_an_event_that_was_never_projected_and_cannot_be_read_is_named(database: str, change: str, named: str) -> None:
    recorded_log(database)
    tamper(database, f"update events set {change} where notification_id = 40")
    report = verify(database)
    assert any("event 40 cannot be read" in one and named in one for one in report.differences), report
    assert not any("idempotency" in one for one in report.differences), "no key is blamed for what was not read"


def test_a_log_that_was_cut_at_its_end_is_named(projected: str) -> None:
    tamper(projected, f"delete from events where notification_id > {NEWEST - 3}")
    report = verify(projected)
    assert report.position == NEWEST - 3
    for name in ("balances", "journal", "market"):
        said = f"projection {name} stands at {NEWEST}, beyond the log's end at {NEWEST - 3}: the log was cut"
        assert said in report.differences
    assert any("name events beyond the log's end" in difference for difference in report.differences)


def test_a_cut_that_only_the_keys_remember_is_named(database: str) -> None:
    recorded_log(database)
    tamper(database, f"delete from events where notification_id > {NEWEST - 3}")
    assert catch_up(database) == NEWEST - 3
    found = verify(database).differences
    assert any(f"the log ends at {NEWEST - 3}" in difference for difference in found), found
    assert not any("projection" in difference for difference in found)


def test_a_gap_in_the_log_and_in_a_stream_is_named(projected: str) -> None:
    place = next(place for place, one in enumerate(random_log(), 1) if (one.account_id, one.version) == ("alice", 5))
    tamper(projected, f"delete from events where notification_id = {place}")
    report = verify(projected)
    assert any(f"event {place + 1} follows event {place - 1}" in difference for difference in report.differences)
    assert any("was due" in difference for difference in report.differences)


def test_a_time_that_goes_back_is_named(projected: str) -> None:
    tamper(projected, "update events set recorded_at = recorded_at - interval '1 hour' where notification_id = 40")
    assert any("event 40 was recorded at" in difference for difference in verify(projected).differences)


def test_a_projection_that_cannot_take_an_event_is_named_and_the_others_are_compared(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_log(database)
    project = PositionsProjector.project

    def failing(self: PositionsProjector, batch: Batch, tables: Tables) -> Writes:
        if any(recorded.position == 42 for recorded in batch.events):
            raise ArithmeticError("no")
        return project(self, batch, tables)

    monkeypatch.setattr(PositionsProjector, "project", failing)
    report = verify(database)
    assert any("projection positions stands still before event 42" in difference for difference in report.differences)
    assert report.position == 41
    assert not any("balances" in difference for difference in report.differences)


def test_accounts_opened_beyond_where_one_stands_still_are_not_missed(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_log(database)
    project = PositionsProjector.project

    def failing(self: PositionsProjector, batch: Batch, tables: Tables) -> Writes:
        if batch.last >= 300:
            raise ArithmeticError("no")
        return project(self, batch, tables)

    monkeypatch.setattr(PositionsProjector, "project", failing)
    found = verify(database).differences
    assert any("positions stands still" in difference for difference in found)
    assert not any(difference.startswith("account ") for difference in found), found


def test_a_snapshot_that_its_events_do_not_give_is_named(projected: str) -> None:
    stream = max({event.account_id for event in random_log() if not event.account_id.startswith("@")})
    with connect(projected, autocommit=True) as connection:
        account = fold(stream, [cast(AccountEvent, e) for e in random_log() if e.account_id == stream])
        market = Market()
        for event in random_log():
            if event.account_id.startswith("@"):
                exchange.evolve(market, cast(ExchangeEvent, event))
        last = random_log()[-1]
        of_market = Snapshot(MARKET, market.version + market.prices_version, NEWEST, last, market)
        keep(connection, [Snapshot(stream, account.version, NEWEST, last, account), of_market])
    assert verify(projected).differences == []
    tamper(projected, "update snapshots set version = version - 1 where stream <> '@market'")
    tamper(projected, "update snapshots set state = '?' where stream = '@market'")
    told = verify(projected).differences
    assert told[0].startswith(f"snapshot of @market at version {of_market.version} cannot be read: ")
    assert told[1:] == [f"snapshot of {stream} at version {account.version - 1} is not what folding its events gives"]
