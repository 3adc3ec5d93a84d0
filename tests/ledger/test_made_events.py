"""Events made of typed values, and the tables by which commands and events find their rules."""

import copy
import pickle
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from ledger import commands as c
from ledger import events as e
from ledger.account import AccountCommand
from ledger.account.decide import RULES, RULES_OF_TWO
from ledger.account.evolve import _change_of
from ledger.events import made, read_event, write_event
from ledger.postings import _post_of
from tests.ledger.facts.test_facts import SAMPLES, stored, topic_of
from tests.ledger.given import NOON, envelope

DEPOSIT: dict[str, Any] = {**envelope("alice", 2), "asset": "USDT", "amount": Decimal("1.50"), "deposit_id": "D1"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_made_event_is_the_validated_one(sample: str) -> None:
    validated = read_event(topic_of(sample), stored(sample))
    again = made(type(validated), dict(reversed(validated.__dict__.items())))
    assert again == validated
    assert hash(repr(again)) == hash(repr(validated))
    assert write_event(again) == stored(sample)
    assert again.model_dump() == validated.model_dump()


def test_what_is_left_out_is_at_its_default() -> None:
    assert made(e.FundsDeposited, DEPOSIT) == e.FundsDeposited(**DEPOSIT)
    assert made(e.FundsDeposited, DEPOSIT).reference is None


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="FundsDeposited has no fields price"):
        made(e.FundsDeposited, {**DEPOSIT, "price": Decimal(1)})


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_event_without_a_field_it_needs_is_never_written() -> None:
    without = {name: value for name, value in DEPOSIT.items() if name != "asset"}
    with pytest.raises(PydanticSerializationError):
        write_event(made(e.FundsDeposited, without))


def test_a_made_event_is_frozen_copied_and_pickled_like_any() -> None:
    event = made(e.FundsDeposited, DEPOSIT)
    with pytest.raises(ValidationError, match="frozen"):
        event.amount = Decimal(2)  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event.model_copy() == event
    other = event.model_copy(update={"amount": Decimal(2)})
    assert (other.amount, event.amount) == (Decimal(2), Decimal("1.50"))
    assert {event: 1}[made(e.FundsDeposited, DEPOSIT)] == 1
    assert event != made(e.FundsDeposited, {**DEPOSIT, "effective_at": NOON.replace(hour=13)})


def test_every_command_has_one_rule_which_takes_that_command() -> None:
    # A reversal has a way of its own, for it is decided on the event it names.
    assert {*RULES, *RULES_OF_TWO, c.ReverseEvent} == set(get_args(AccountCommand))
    for kind, rule in {**RULES, **RULES_OF_TWO}.items():
        taken = [hint for name, hint in get_type_hints(rule).items() if name != "return"]
        assert taken[-1] is kind


def test_every_event_finds_its_postings_and_its_change() -> None:
    for sample in SAMPLES:
        event = read_event(topic_of(sample), stored(sample))
        assert callable(_post_of(event))
        if not isinstance(event, e.ExchangeEvent):
            assert callable(_change_of(event))


def test_every_command_names_its_streams_the_one_it_is_decided_on_first() -> None:
    send = c.Send(account_id="a", to_account_id="b", asset="USDT", amount=Decimal(1), idempotency_key="K")
    assert (send.stream, send.streams, send.keyed_streams) == ("a", ("a", "b"), ("a",))
