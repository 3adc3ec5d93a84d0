"""What the Ledger answers: recorded or refused, each command on what those before it left."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from ledger import EventReference, Ledger, Recorded, Refused, Unavailable, WriterSettings, parse_command
from ledger.commands import AccountCommand, Deposit
from ledger.log import RecordedEvent, read_log, read_stream
from ledger.postgres import connect
from ledger.words import PairStatus
from tests.ledger.submitting import (
    BTC,
    USDT,
    ask,
    ask_one,
    code,
    depositing,
    end_of,
    free,
    open_ledger,
    opening,
    sending,
)


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with open_ledger(database) as opened:
        yield opened


def recorded_log(url: str) -> list[RecordedEvent]:
    with connect(url) as connection:
        return read_log(connection, 0, 100_000)


def test_a_recorded_command_is_answered_with_where_its_events_stand(ledger: Ledger) -> None:
    outcome = ask_one(ledger, depositing("40", "d1"))
    assert outcome == Recorded("alice", 2, 6, [EventReference("alice", "funds.deposited", 2, 6)], replayed=False)


def test_version_and_position_are_those_of_the_named_account(ledger: Ledger) -> None:
    ask(ledger, depositing("40", "d1"))
    outcome = ask_one(ledger, sending("15", "s1"))
    sent = EventReference("alice", "transfer.sent", 3, 7)
    received = EventReference("bob", "transfer.received", 2, 8)
    assert outcome == Recorded("alice", 3, 7, [sent, received])


def test_all_events_of_a_request_carry_its_actor_and_correlation_id(ledger: Ledger, database: str) -> None:
    commands = [parse_command(depositing("40", "d1")), parse_command(sending("15", "s1"))]
    ledger.submit(commands, actor="service-7", correlation_id="request-1")
    assert {(one.event.actor, one.event.correlation_id) for one in recorded_log(database)[5:]} == {
        ("service-7", "request-1")
    }
    ask(ledger, depositing("1", "d2"))
    ask(ledger, depositing("1", "d3"))
    (first, second) = (one.event.correlation_id for one in recorded_log(database)[8:])
    assert first != second


def test_commands_of_a_request_are_decided_one_after_the_other(ledger: Ledger) -> None:
    outcomes = ask(
        ledger,
        opening("carol"),
        sending("5", "s1", "carol", "alice"),
        depositing("40", "d1", "carol"),
        sending("30", "s2", "carol", "alice"),
        sending("30", "s3", "carol", "alice"),
        depositing("40", "d1", "carol"),
        sending("30", "s4", "alice", "bob"),
    )
    answers = ["recorded", "insufficient_funds", "recorded", "recorded", "insufficient_funds", "replayed", "recorded"]
    assert [code(outcome) for outcome in outcomes] == answers
    assert [free(ledger, name) for name in ("carol", "alice", "bob")] == [Decimal(10), Decimal(0), Decimal(30)]


def test_a_setting_counts_from_the_next_command_of_the_same_request(ledger: Ledger) -> None:
    listing = {**BTC, "asset": "ETH", "idempotency_key": "eth"}
    outcomes = ask(ledger, depositing("1", "d1", asset="ETH"), listing, depositing("1", "d2", asset="ETH"))
    assert [code(outcome) for outcome in outcomes] == ["unknown_asset", "recorded", "recorded"]


def test_an_atomic_request_is_recorded_as_a_whole(ledger: Ledger) -> None:
    outcomes = ask(ledger, depositing("40", "d1"), sending("30", "s1"), atomic=True)
    assert [code(outcome) for outcome in outcomes] == ["recorded", "recorded"]


def test_an_atomic_request_with_one_refusal_leaves_nothing(ledger: Ledger, database: str) -> None:
    before = end_of(database), ledger.market()
    listing = {**BTC, "asset": "ETH", "idempotency_key": "eth"}
    outcomes = ask(ledger, depositing("40", "d1"), listing, sending("41", "s1"), opening("carol"), atomic=True)
    assert [code(one) for one in outcomes] == ["batch_refused", "batch_refused", "insufficient_funds", "batch_refused"]
    refused = outcomes[0]
    assert isinstance(refused, Refused)
    assert "command 3 of 4 in this atomic batch, send, was refused (insufficient_funds)" in refused.refusal.detail
    assert (end_of(database), ledger.market()) == before
    again = ask(ledger, depositing("42", "d1"), listing, sending("41", "s1"), opening("carol"), atomic=True)
    assert {code(outcome) for outcome in again} == {"recorded"}


def test_a_command_may_state_the_version_it_expects(ledger: Ledger) -> None:
    expecting = depositing("40", "d1", expected_version=1)
    assert code(ask_one(ledger, expecting)) == "recorded"
    assert code(ask_one(ledger, depositing("40", "d2", expected_version=1))) == "version_mismatch"
    assert code(ask_one(ledger, expecting)) == "replayed"
    assert code(ask_one(ledger, {**BTC, "asset": "ETH", "idempotency_key": "e", "expected_version": 9})) == (
        "version_mismatch"
    )


def test_interest_without_an_account_is_refused_here(ledger: Ledger) -> None:
    hour = {"type": "accrue_interest", "hour": "2026-01-01T00:00:00Z", "idempotency_key": "i"}
    assert code(ask_one(ledger, hour)) == "malformed"


def test_a_long_request_is_answered_in_its_order(database: str) -> None:
    with Ledger(database, WriterSettings(batch_commands=7)) as ledger:
        ask(ledger, USDT, opening("alice"))
        outcomes = ask(ledger, *(depositing("1", f"d{number}") for number in range(50)))
    versions = [outcome.version for outcome in outcomes if isinstance(outcome, Recorded)]
    assert versions == list(range(2, 52))


def test_accounts_that_are_no_longer_in_memory_are_read_again(database: str) -> None:
    with Ledger(database, WriterSettings(cached_accounts=2)) as ledger:
        names = [f"account-{number}" for number in range(9)]
        ask(ledger, USDT, *map(opening, names))
        for repetition in range(3):
            for name in names:
                assert code(ask_one(ledger, depositing("1", f"d{repetition}", name))) == "recorded"
        assert [ledger.account(name).version for name in names] == [4] * 9


def test_decisions_are_made_on_what_other_ledgers_recorded(ledger: Ledger, database: str) -> None:
    with Ledger(database) as other:
        assert code(ask_one(ledger, depositing("1", "d1", "carol"))) == "unknown_account"
        ask(other, opening("carol"), depositing("40", "d0"))
        assert code(ask_one(ledger, depositing("1", "d1", "carol"))) == "recorded"
        assert code(ask_one(ledger, sending("40", "s1"))) == "recorded"
        assert code(ask_one(other, sending("1", "s2"))) == "insufficient_funds"
        ask(ledger, {"type": "freeze_account", "account_id": "bob", "idempotency_key": "f"})
        assert code(ask_one(other, depositing("1", "d2", "bob"))) == "account_frozen"
        mark = {"type": "mark_prices", "prices": {"BTC/USDT": "50000"}, "source": "test"}
        ask(other, mark, {"type": "set_pair_status", "pair": "BTC/USDT", "status": "halted", "idempotency_key": "h"})
        market = ledger.market()
    assert market.prices["BTC/USDT"].price == 50000
    assert market.pairs["BTC/USDT"].status is PairStatus.HALTED


class _Interrupting(Decimal):
    """An amount that lets something else happen, once, when its decision looks at it."""

    meanwhile: ClassVar[list[Callable[[], object]]] = []

    def __format__(self, specifier: str, /, context: Any = None) -> str:
        if _Interrupting.meanwhile:
            _Interrupting.meanwhile.pop()()
        return super().__format__(specifier)

    __str__ = __repr__ = lambda self: format(self, "f")


@pytest.mark.parametrize("also_recorded", [[], [depositing("1", "d1", "bob")]])
def test_what_was_recorded_while_a_request_was_decided_counts_for_it(
    ledger: Ledger, database: str, also_recorded: list[dict[str, Any]]
) -> None:
    interrupted = Deposit.model_construct(**depositing("", "refused-anyway") | {"amount": _Interrupting("0.0000001")})
    commands = [*map(parse_command, [sending("40", "s1"), *also_recorded]), interrupted]
    with Ledger(database) as other:
        _Interrupting.meanwhile.append(lambda: ask(other, depositing("40", "d0")))
        outcomes = ledger.submit(commands, actor="test")
    assert not _Interrupting.meanwhile
    assert [code(outcome) for outcome in outcomes] == ["recorded"] * (1 + len(also_recorded)) + ["too_many_decimals"]


class _Unforeseen(AccountCommand):
    """A command that no rule answers: a fault in our own code."""

    type: Literal["unforeseen"] = "unforeseen"


def test_a_fault_fails_its_own_request_only(ledger: Ledger) -> None:
    faulty = _Unforeseen(account_id="alice", idempotency_key="u")
    future = ledger.submit_async([parse_command(depositing("1", "d1")), faulty], actor="test")
    assert code(ask_one(ledger, depositing("2", "d2"))) == "recorded"
    with pytest.raises(AssertionError, match="unforeseen"):
        future.result()
    assert free(ledger, "alice") == 2


def test_closing_answers_what_waits_and_takes_no_more(database: str) -> None:
    ledger = Ledger(database)
    futures = [ledger.submit_async([parse_command(opening(f"account-{number}"))], actor="t") for number in range(50)]
    ledger.close()
    assert {code(future.result(0)[0]) for future in futures} == {"recorded"}
    with pytest.raises(Unavailable):
        ask(ledger, opening("late"))


def test_an_account_is_read_as_all_its_events_leave_it(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("40", "d1"), sending("15", "s1"))
    assert ledger.account("alice").version == 3
    assert ledger.account("nobody").version == 0
    with connect(database) as connection:
        assert [one.event.TOPIC for one in read_stream(connection, "alice")] == [
            "account.opened",
            "funds.deposited",
            "transfer.sent",
        ]
