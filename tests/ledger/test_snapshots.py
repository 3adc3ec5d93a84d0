"""Long streams are read from a snapshot and what came after it, which is what folding from the first event gives."""

import re
from typing import Any, cast

from ledger import Ledger, snapshots
from ledger.account import Account, evolve, fold
from ledger.events import AccountEvent, AnyEvent
from ledger.log import log_end, read_log, read_stream
from ledger.market import Market
from ledger.postgres import connect
from ledger.present import Present, bytes_of
from ledger.snapshots import (
    EVENTS_BETWEEN,
    FIND_ACCOUNTS,
    MARKET,
    Snapshot,
    SnapshotKeeper,
    asked_accounts,
    found_accounts,
    keep,
    read_account,
    read_state,
    stored_snapshots,
    write_state,
)
from ledger.wire import Wire
from tests.ledger.submitting import ask, code, depositing, open_ledger, sending
from tests.projections.logs import random_log

LONG = EVENTS_BETWEEN + 50
STATE = {
    "blocks",
    "modes",
    "leverages",
    "holds",
    "withdrawals",
    "called_at",
    "liquidations",
    "adjustments",
    "reversals",
}


def long_life(url: str, deposits: int = LONG) -> None:
    """Alice with so many deposits of 1 USDT; closing the ledger stores what waits."""
    with open_ledger(url) as ledger:
        ask(ledger, *(depositing("1", f"d{number}") for number in range(deposits)))
        ask(ledger, depositing("1", "last"))


def found(url: str, account_id: str, until: int | None = None) -> tuple[Account, int]:
    with connect(url) as connection:
        asked = asked_accounts([account_id], log_end(connection).position if until is None else until)
        (rows,) = Wire(connection, FIND_ACCOUNTS).send(asked).take()
        ((account, kept_at),) = found_accounts(rows)
    return account, kept_at


def folded(url: str, account_id: str, until: int | None = None) -> Account:
    with connect(url) as connection:
        recorded = read_stream(connection, account_id, until_position=until)
    events: list[Any] = [one.event for one in recorded]
    return fold(account_id, events)


def change_snapshot(url: str, change: str) -> None:
    with connect(url) as connection:
        assert connection.execute(f"update snapshots set {change}".encode()).rowcount >= 1


def test_an_account_is_found_in_its_snapshot_and_the_events_after_it(database: str) -> None:
    long_life(database)
    account, kept_at = found(database, "alice")
    assert EVENTS_BETWEEN <= kept_at <= account.version == LONG + 2
    assert account == folded(database, "alice")


def test_a_short_stream_has_no_snapshot(database: str) -> None:
    long_life(database, deposits=5)
    account, kept_at = found(database, "alice")
    assert (kept_at, account.version) == (0, 7)


def test_a_snapshot_is_used_by_the_next_process(database: str) -> None:
    long_life(database)
    change_snapshot(
        database, """state = replace(convert_from(state, 'utf8'), '"blocks":[]', '"blocks":["deposit"]')::bytea"""
    )
    with Ledger(database) as ledger:
        assert [code(one) for one in ask(ledger, depositing("1", "more"))] == ["account_frozen"]


def test_a_snapshot_of_other_rules_is_not_used(database: str) -> None:
    long_life(database)
    change_snapshot(database, "rules = 'other', state = ''")
    assert found(database, "alice") == (folded(database, "alice"), 0)
    with Ledger(database) as ledger:
        assert [code(one) for one in ask(ledger, sending(str(LONG + 1), "s"), sending("1", "t"))] == [
            "recorded",
            "insufficient_funds",
        ]
    _, kept_at = found(database, "alice")
    assert kept_at >= EVENTS_BETWEEN  # The account was read, and a snapshot of these rules took the other's place.


def test_a_snapshot_of_a_later_position_is_not_used(database: str) -> None:
    long_life(database)
    (snapshot,) = stored(database, "alice")
    until = snapshot.position - 1
    assert found(database, "alice", until) == (folded(database, "alice", until), 0)


def test_an_older_snapshot_does_not_replace_a_newer_one(database: str) -> None:
    long_life(database, deposits=5)
    with connect(database, autocommit=True) as connection:
        last = read_log(connection, 0, 100)[-1]
        for version in (5, 3):
            account = Account.unopened("alice")
            account.version = version
            keep(connection, [Snapshot("alice", version, last.position, last.event, account)])
    (kept,) = stored(database, "alice")
    assert kept.version == 5


def test_a_snapshot_of_another_log_is_neither_stored_nor_used(database: str) -> None:
    long_life(database)
    (kept,) = stored(database, "alice")
    with connect(database, autocommit=True) as connection:
        here, there = (one.event for one in read_log(connection, kept.position - 2, 2))
        account = Account.unopened("alice")
        account.version = 10_000
        keep(connection, [Snapshot("alice", 10_000, kept.position, here, account)])
        assert stored(database, "alice") == [kept]
        keep(connection, [Snapshot("alice", 10_000, kept.position, there, account)])
    assert found(database, "alice") == (account, 10_000)
    change_snapshot(database, "anchor = sha256('another event')")
    assert found(database, "alice") == (folded(database, "alice"), 0)
    with connect(database, autocommit=True) as connection:
        keep(connection, [Snapshot("alice", 1, kept.position, there, account)])
    assert [one.version for one in stored(database, "alice")] == [1]


def test_a_snapshot_that_cannot_be_read_is_as_good_as_none(database: str) -> None:
    long_life(database)
    change_snapshot(database, "state = '?'")
    with Ledger(database) as ledger:
        outcomes = ask(ledger, sending(str(LONG + 1), "s"), sending("1", "t"), depositing("1", "d", "bob"))
        assert [code(one) for one in outcomes] == ["recorded", "insufficient_funds", "recorded"]


def test_closing_does_not_wait_long_for_snapshots_that_cannot_be_stored(database: str) -> None:
    long_life(database)
    with connect(database) as holding:
        holding.execute("lock table snapshots in access exclusive mode")
        keeper = SnapshotKeeper(database)
        (kept,) = stored_rows(holding)
        keeper.offer(Snapshot("alice", 10_000, kept, opened_event(holding), Account.unopened("alice")))
        keeper.close()
    assert [one.version for one in stored(database, "alice")] != [10_000]


def stored_rows(connection: Any) -> list[int]:
    return [position for (position,) in connection.execute("select position from snapshots")]


def opened_event(connection: Any) -> AnyEvent:
    return read_log(connection, 0, 1)[0].event


def stored(url: str, stream: str) -> list[snapshots.StoredSnapshot]:
    with connect(url) as connection:
        return [one for one in stored_snapshots(connection, "", 100) if one.stream == stream]


def test_the_market_is_read_from_its_snapshot(database: str) -> None:
    marks = [
        {"type": "mark_prices", "prices": {"BTC/USDT": str(50_000 + number)}, "source": "test"}
        for number in range(EVENTS_BETWEEN)
    ]
    with open_ledger(database) as ledger:
        ask(ledger, *marks)
        ask(ledger, {"type": "mark_prices", "prices": {"BTC/USDT": "49000"}, "source": "test"})
        market = ledger.market()
    (kept,) = stored(database, MARKET)
    assert kept.version >= EVENTS_BETWEEN
    with Ledger(database) as ledger:
        assert ledger.market() == market
    change_snapshot(
        database, """state = replace(convert_from(state, 'utf8'), '"status":"trading"', '"status":"halted"')::bytea"""
    )
    with Ledger(database) as ledger:
        assert ledger.market().pairs["BTC/USDT"].status == "halted"
        assert ledger.market().prices == market.prices


def test_the_market_is_written_and_read_alike() -> None:
    assert read_state(MARKET, write_state(Market())) == Market()


def test_accounts_are_let_go_of_by_the_memory_they_take() -> None:
    present = Present(most_accounts=1_000, most_bytes=20_000, offer=lambda _: None)
    names = [f"account-{number}" for number in range(50)]
    for name in names:
        present.take(Account.unopened(name), 0)
    present.keep_to_size(names[:5])
    held = [name for name in names if name not in present.missing(names)]
    assert set(names[:5]) <= set(held)
    assert sum(bytes_of(present.account(name)) for name in held) <= 20_000 < 51 * bytes_of(present.account(held[0]))
    assert len(held) < 20


def test_an_account_is_written_and_read_alike_whatever_it_has() -> None:
    accounts: dict[str, Account] = {}
    seen = set()
    for number, event in enumerate(random_log(seed=4)):
        if event.account_id.startswith("@"):
            continue
        account = accounts.setdefault(event.account_id, Account.unopened(event.account_id))
        evolve(account, cast(AccountEvent, event))
        if number % 7 == 0 or account.liquidations or account.called_at:
            again = read_account(write_state(account))
            assert again == account
            assert told(again) == told(account)  # The same digits and kinds of words, not only equal ones.
            seen |= {name for name in STATE if getattr(account, name)}
    assert seen == STATE


def told(account: Account) -> str:
    """An account in words, whoever made the time zone of its times, and in whatever order a set gives its members."""
    written = re.sub(r"TzInfo\(\w+\)", "datetime.timezone.utc", repr(account))
    return written.replace(repr(account.blocks), str(sorted(account.blocks)))
