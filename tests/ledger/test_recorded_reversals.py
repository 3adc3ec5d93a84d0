"""What the ledger does to have an event reversed: it is found in the log or in the batch, with its other part."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ledger import Ledger, Recorded, Refusal, parse_command
from ledger.errors import AlreadyReversed, NotReversible, UnknownEvent
from ledger.log import read_log
from ledger.postgres import connect
from projections.verify import verify
from tests.ledger.submitting import ask, ask_one, code, depositing, end_of, free, open_ledger, sending, trading


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with open_ledger(database) as opened:
        yield opened


def reversing(version: int, key: str, account_id: str = "alice") -> dict[str, Any]:
    return {"type": "reverse_event", "account_id": account_id, "version": version, "idempotency_key": key}


def reversed_on(outcome: Any) -> list[tuple[str, str]]:
    assert isinstance(outcome, Recorded), outcome
    return [(event.account_id, event.topic) for event in outcome.events]


BOTH = [("alice", "event.reversed"), ("bob", "event.reversed")]


@pytest.mark.parametrize("named", ["alice", "bob"])
def test_a_sending_is_found_in_the_log_by_either_side(database: str, named: str) -> None:
    with open_ledger(database) as ledger:
        ask(ledger, depositing("100", "d1"), sending("30", "s1"), sending("30", "s2"))
        version = {"alice": 3, "bob": 2}[named]
    with Ledger(database) as afresh:
        # Nobody is in memory: the other account is asked for once the event is known.
        outcome = ask_one(afresh, reversing(version, "r1", named))
        assert sorted(reversed_on(outcome)) == BOTH
        assert (free(afresh, "alice"), free(afresh, "bob")) == (Decimal(70), Decimal(30))
        assert code(ask_one(afresh, reversing(version, "r1", named))) == "replayed"
        assert code(ask_one(afresh, reversing(version, "r2", named))) == "already_reversed"
        other = {"alice": ("bob", 2), "bob": ("alice", 3)}[named]
        assert code(ask_one(afresh, reversing(other[1], "r3", other[0]))) == "already_reversed"
    assert verify(database).differences == []


def test_an_event_of_the_same_request_is_reversed_with_its_other_part(ledger: Ledger, database: str) -> None:
    outcomes = ask(ledger, depositing("100", "d1"), sending("30", "s1"), reversing(3, "r1"), reversing(3, "r2"))
    assert [code(one) for one in outcomes] == ["recorded", "recorded", "recorded", "already_reversed"]
    assert reversed_on(outcomes[2]) == BOTH
    assert (free(ledger, "alice"), free(ledger, "bob")) == (Decimal(100), Decimal(0))
    assert verify(database).differences == []


def test_both_fills_of_a_trade_are_found_by_the_key_they_share(database: str) -> None:
    with open_ledger(database) as ledger:
        ask(ledger, depositing("500", "d1"), depositing("1", "d2", "bob", asset="BTC"), trading("T1"), trading("T2"))
    with Ledger(database) as afresh:
        assert sorted(reversed_on(ask_one(afresh, reversing(3, "r1", "bob")))) == BOTH
        assert (free(afresh, "alice"), free(afresh, "bob", "BTC")) == (Decimal(400), Decimal("0.99"))
        assert code(ask_one(afresh, trading("T1", idempotency_key="again"))) == "trade_already_booked"
    assert verify(database).differences == []


def test_fills_that_were_booked_alone_are_reversed_alone(ledger: Ledger) -> None:
    fill = {"type": "book_fill", "trade_id": "T1", "pair": "BTC/USDT", "quantity": "0.01", "price": "10000"}
    terms = {**fill, "fee": "0", "fee_asset": "USDT", "wallet": "spot", "idempotency_key": "T1"}
    buys, sells = {"account_id": "alice", "side": "buy"}, {"account_id": "bob", "side": "sell"}
    ask(ledger, depositing("500", "d1"), depositing("1", "d2", "bob", asset="BTC"))
    ask(ledger, {**terms, **buys}, {**terms, **sells})
    assert reversed_on(ask_one(ledger, reversing(3, "r1"))) == [("alice", "event.reversed")]


def test_an_unknown_version_is_refused_and_uses_up_no_key(ledger: Ledger) -> None:
    assert code(ask_one(ledger, reversing(2, "r1"))) == "unknown_event"
    ask(ledger, depositing("5", "d1"))
    assert code(ask_one(ledger, reversing(2, "r1"))) == "recorded"
    assert code(ask_one(ledger, reversing(1, "r2"))) == "not_reversible"


def test_two_ledgers_reverse_an_event_once(ledger: Ledger, database: str) -> None:
    with Ledger(database) as other:
        for number in range(5):
            ask(ledger, depositing("5", f"d{number}"))
            version = ledger.account("alice").version
            sent = [
                one.submit_async([_parsed(reversing(version, name + str(number)))], actor="test")
                for one, name in ((ledger, "a"), (other, "b"))
            ]
            assert sorted(code(one.result()[0]) for one in sent) == ["already_reversed", "recorded"]
    assert verify(database).differences == []


def test_a_preview_says_what_would_be_recorded_and_records_nothing(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("100", "d1"), sending("30", "s1"))
    end, asked = end_of(database), _parsed(reversing(3, "r1"))
    preview = ledger.preview(asked, actor="test")
    assert end_of(database) == end
    assert {name: one.wallets.spot.balance("USDT").free for name, one in preview.before.items()} == {
        "alice": 70,
        "bob": 30,
    }
    assert {name: one.wallets.spot.balance("USDT").free for name, one in preview.after.items()} == {
        "alice": 100,
        "bob": 0,
    }
    assert code(ask_one(ledger, reversing(3, "r1"))) == "recorded"
    with connect(database) as connection:
        recorded = [one.event for one in read_log(connection, end, 10)]
    timeless = {"effective_at", "correlation_id"}
    assert [one.model_dump(exclude=timeless) for one in preview.events] == [
        one.model_dump(exclude=timeless) for one in recorded
    ]
    again = ledger.preview(asked, actor="test")
    assert (again.events, again.recorded is not None) == ([], True)


@pytest.mark.parametrize(("version", "refusal"), [(9, UnknownEvent), (1, NotReversible), (2, AlreadyReversed)])
def test_a_preview_is_refused_as_the_reversal_would_be(ledger: Ledger, version: int, refusal: type[Refusal]) -> None:
    ask(ledger, depositing("100", "d1"), reversing(2, "r1"))
    with pytest.raises(refusal):
        ledger.preview(_parsed(reversing(version, "r2")), actor="test")


def _parsed(content: dict[str, Any]) -> Any:
    return parse_command(content)
