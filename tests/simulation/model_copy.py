"""A copy of the model's world, to go back to where a command is refused."""

from datetime import datetime
from fractions import Fraction
from typing import Any, TypeVar

from tests.simulation.model import Held

T = TypeVar("T")
SHARED = frozenset({Fraction, datetime, str, int, bool, type(None), tuple, Held})
"""What never changes, and holds nothing that does; asked for where things lie, for that is where the time goes."""


def copied(thing: T) -> T:
    """A copy of a thing made of dataclasses, dictionaries, lists and sets.

    The world is copied before every command: `copy.deepcopy` took most of the time that a simulated life took.
    """
    return _copied(thing, {})  # type: ignore[no-any-return]


def _copied(thing: Any, known: dict[int, Any]) -> Any:
    kind = type(thing)
    if kind is dict:
        return {name: one if type(one) in SHARED else _copied(one, known) for name, one in thing.items()}
    if kind is list:
        return [one if type(one) in SHARED else _copied(one, known) for one in thing]
    if kind is set:
        return set(thing)
    if id(thing) not in known:
        # It is known before its fields are copied: two deeds of one trade name each other.
        known[id(thing)] = again = object.__new__(kind)
        again.__dict__.update(_copied(thing.__dict__, known))
    return known[id(thing)]
