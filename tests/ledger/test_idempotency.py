"""A key is used once: what comes again is answered as the first time, or refused by name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger import Ledger, Recorded, Refused
from tests.ledger.submitting import (
    USDT,
    ask,
    ask_one,
    code,
    depositing,
    end_of,
    free,
    open_ledger,
    sending,
    trading,
)


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with open_ledger(database) as opened:
        yield opened


def test_a_key_used_for_the_same_is_answered_as_the_first_time(ledger: Ledger, database: str) -> None:
    ask(ledger, depositing("40", "d1"))
    first = ask_one(ledger, sending("15", "s1"))
    end = end_of(database)
    assert isinstance(first, Recorded)
    assert ask_one(ledger, sending("15", "s1")) == first._replace(replayed=True)
    assert ask_one(ledger, sending("15.00", "s1")) == first._replace(replayed=True)
    with Ledger(database) as restarted:
        assert ask_one(restarted, sending("15", "s1")) == first._replace(replayed=True)
    assert end_of(database) == end


@pytest.mark.parametrize(
    ("second", "field", "values"),
    [
        (depositing("41", "d1"), "amount", "amount 40, this request says amount 41"),
        (
            depositing("40", "d1", reference="again"),
            "reference",
            "was used with another reference",
        ),
        (depositing("40", "d1", effective_at="2026-01-01T00:00:00Z"), "effective_at", "effective_at nothing"),
        (sending("40", "d1"), "type", "type deposit, this request says type send"),
    ],
)
def test_a_key_used_for_something_else_is_refused_and_the_field_is_named(
    ledger: Ledger, second: dict[str, Any], field: str, values: str
) -> None:
    ask(ledger, depositing("40", "d1"))
    outcome = ask_one(ledger, second)
    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == "idempotency_key_reused"
    assert outcome.refusal.members == {"field": field}
    assert values in outcome.refusal.detail
    assert "key d1 of alice" in outcome.refusal.detail
    assert free(ledger, "alice") == 40


def test_a_refused_command_does_not_use_its_key(ledger: Ledger) -> None:
    assert code(ask_one(ledger, sending("15", "s1"))) == "insufficient_funds"
    ask(ledger, depositing("40", "d1"))
    assert code(ask_one(ledger, sending("16", "s1"))) == "recorded"


def test_a_key_is_unique_on_its_account_only(ledger: Ledger) -> None:
    outcomes = ask(ledger, depositing("40", "k"), depositing("41", "k", "bob"))
    assert [code(outcome) for outcome in outcomes] == ["recorded", "recorded"]


def test_the_name_of_a_commands_own_thing_serves_as_its_key(ledger: Ledger) -> None:
    named = depositing("40", None, deposit_id="chain-1")
    assert [code(outcome) for outcome in ask(ledger, named, named)] == ["recorded", "replayed"]


def test_one_deposit_id_is_booked_once_whatever_the_key(ledger: Ledger) -> None:
    ask(ledger, depositing("40", "d1", deposit_id="chain-1"))
    again = depositing("40", "d2", deposit_id="chain-1")
    assert code(ask_one(ledger, again)) == "deposit_already_booked"
    assert code(ask_one(ledger, again | {"account_id": "bob"})) == "recorded"
    assert code(ask_one(ledger, again | {"deposit_id": "chain-2"})) == "recorded"


def test_one_trade_id_is_booked_once_on_each_account_whatever_the_key(ledger: Ledger) -> None:
    ask(ledger, depositing("500", "d1"), depositing("1", "d2", "bob", asset="BTC"))
    first = ask_one(ledger, trading("t1"))
    assert isinstance(first, Recorded)
    assert [(event.account_id, event.topic) for event in first.events] == [
        ("alice", "trade.booked"),
        ("bob", "trade.booked"),
    ]
    assert ask_one(ledger, trading("t1")) == first._replace(replayed=True)
    outcome = ask_one(ledger, trading("t1", idempotency_key="other"))
    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == "trade_already_booked"
    fill = {"type": "book_fill", "account_id": "bob", "side": "sell", "fee": "0", "fee_asset": "USDT", "wallet": "spot"}
    terms = {"trade_id": "t1", "pair": "BTC/USDT", "quantity": "0.01", "price": "10000"}
    assert code(ask_one(ledger, {**fill, **terms, "idempotency_key": "fill"})) == "trade_already_booked"


def test_a_trades_key_is_taken_on_both_accounts(ledger: Ledger) -> None:
    ask(ledger, depositing("500", "d1"), depositing("1", "d2", "bob", asset="BTC"))
    assert code(ask_one(ledger, trading("t1", idempotency_key="d2"))) == "idempotency_key_reused"
    assert code(ask_one(ledger, trading("t1", idempotency_key="t"))) == "recorded"
    assert code(ask_one(ledger, depositing("1", "t", "bob"))) == "idempotency_key_reused"


def test_keys_of_the_exchange_are_unique_on_its_stream(ledger: Ledger) -> None:
    assert code(ask_one(ledger, USDT)) == "replayed"
    assert code(ask_one(ledger, USDT | {"scale": 7})) == "idempotency_key_reused"
    assert code(ask_one(ledger, USDT | {"idempotency_key": "usdt2"})) == "asset_exists"


def test_of_many_that_use_one_key_at_once_one_is_recorded(ledger: Ledger) -> None:
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: ask_one(ledger, depositing("40", "d1")), range(64)))
    assert sorted(code(outcome) for outcome in outcomes) == ["recorded"] + ["replayed"] * 63
    assert len({outcome.position for outcome in outcomes if isinstance(outcome, Recorded)}) == 1
    assert free(ledger, "alice") == 40
