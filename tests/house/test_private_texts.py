"""Every text of an event is a word of the ledger's, an identifier with a pattern, or marked as private."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, StringConstraints

from ledger.commands import COMMANDS, Command
from ledger.commands.exchange import ExchangeCommand, PriceCommand
from ledger.commands.fields import Text
from ledger.events import EVENTS, Event
from ledger.private_texts import PRIVATE, private_fields

OWN_WORDS = {
    # Made by the ledger, or by who runs it.
    "actor": "ROLE:NAME of an API key",
    "correlation_id": "has the pattern of an identifier (api/doors.py)",
    "from_account_id": "an account",
    "other_account_id": "an account",
    "proposed_by": "an actor",
    "liquidation_id": "ACCOUNT.VERSION",
    "debt_asset": "an asset",
    "reversed_topic": "a topic",
    "level": "a number",
    "level_before": "a number",
    "level_after": "a number",
    "margin_level_before": "a number",
    "margin_level_after": "a number",
    "scope": "cross or a pair",
}
"""Texts of events that no command states with a pattern, each with why it is no personal data."""
BY_ASSET_PAIR_OR_WALLET = {
    *("assessments", "balances", "closing_prices", "confirmed", "covered"),
    *("fee", "left", "owed", "prices", "repaid", "sold"),
}
"""Mappings whose keys are such words."""
OF_THE_EXCHANGE = {"source": "names a feed of prices: these events are about no account"}


def parts_of(annotation: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The types that an annotation is made of, each with what it is annotated with."""
    marks = getattr(annotation, "__metadata__", ())
    if marks:
        inner = get_args(annotation)[0]
        yield inner, marks
        annotation = inner
    elif get_origin(annotation) is None:
        yield annotation, ()
    if get_origin(annotation) in (Union, types.UnionType, list, dict, set, frozenset, tuple):
        for part in get_args(annotation):
            yield from parts_of(part)


def texts_in(kind: type[BaseModel]) -> Iterator[tuple[str, tuple[Any, ...], bool]]:
    """The fields of a model that are or hold plain texts, with their marks and whether they lie deeper in it."""
    for name, field in kind.model_fields.items():
        for part, marks in parts_of(field.annotation):
            if part is str:
                yield name, (*field.metadata, *marks), False
            elif isinstance(part, type) and issubclass(part, BaseModel):
                yield from ((inner, more, True) for inner, more, _ in texts_in(part))


def has_a_pattern(marks: tuple[Any, ...]) -> bool:
    """A pattern of characters that names can have no more than an id has: a text of any words has none."""
    (of_any_words,) = (mark.pattern for mark in get_args(Text)[1:])
    return any(isinstance(mark, StringConstraints) and mark.pattern not in (None, of_any_words) for mark in marks)


IDENTIFIERS = {
    name
    for command in COMMANDS.values()
    for name, marks, _ in texts_in(command)
    if has_a_pattern(marks) and PRIVATE not in marks
}


@pytest.mark.parametrize("topic", EVENTS)
def test_a_text_of_an_event_is_an_identifier_or_private(topic: str) -> None:
    kind: type[Event] = EVENTS[topic]
    known = {
        *IDENTIFIERS,
        *OWN_WORDS,
        *BY_ASSET_PAIR_OR_WALLET,
        *(OF_THE_EXCHANGE if topic.startswith("price") else ()),
    }
    unknown = [name for name, marks, _ in texts_in(kind) if PRIVATE not in marks and name not in known]
    assert unknown == [], "mark it as a PrivateText, or say why nobody is named in it"


@pytest.mark.parametrize("kind", [*COMMANDS.values(), *EVENTS.values()], ids=lambda kind: kind.__name__)
def test_private_texts_are_fields_of_commands_and_events_themselves_where_they_are_sealed(
    kind: type[BaseModel],
) -> None:
    marked = {(name, is_deeper) for name, marks, is_deeper in texts_in(kind) if PRIVATE in marks}
    assert marked == {(name, False) for name in private_fields(kind)}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.__name__)
def test_a_command_about_an_account_has_no_other_free_text(command: type[Command]) -> None:
    """The id of a liquidation must be that of one that runs, else the command is refused."""
    free = {name for name, marks, _ in texts_in(command) if PRIVATE not in marks and not has_a_pattern(marks)}
    if not issubclass(command, ExchangeCommand | PriceCommand):
        assert free <= {"liquidation_id"}


def test_reasons_references_and_lines_of_statements_are_private() -> None:
    assert private_fields(EVENTS["funds.deposited"]) == ("reason", "reference", "source_line")
    assert private_fields(COMMANDS["settle_withdrawal"]) == ("reason", "reference", "source_line")
    assert "reason" in private_fields(Event)
