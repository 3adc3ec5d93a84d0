"""What does not fit is told in the ledger's own words: what is expected, and what was sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from ledger.commands import COMMANDS, parse_command
from ledger.errors import Malformed
from ledger.misfits import SENTENCES, misfits
from ledger.words import AssetSymbol

LIBRARYS_WORDS = re.compile(r"Input should|String should|Value error|Field required|unable to|should have|valid \w+,")
SENT: list[Any] = [
    *(None, True, 5, -1, 1.5, "", "x", "\x00", "a" * 4000, "2020-01-01", "0", "-1", "1e5"),
    *([], ["x"], ["x", "x"], [{}], {}, {"x": "y"}, {"BTC/USDT": 5}),
]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int


class Box(BaseModel, extra="forbid"):
    side: int


Strict = Field(strict=True)
KINDS: dict[str, tuple[Any, Any, str]] = {
    "missing": (Box, {}, "side: is needed"),
    "extra_forbidden": (Box, {"side": 1, "top": 2}, "top: is not known here"),
    "string_type": (str, 5, "a text is expected, 5 was sent"),
    "string_too_short": (
        Annotated[str, Field(min_length=2)],
        "x",
        'a text of 2 or more characters is expected, "x" was sent',
    ),
    "string_too_long": (
        Annotated[str, Field(max_length=2)],
        "xyz",
        'a text of at most 2 characters is expected, "xyz" was sent',
    ),
    "bool_type": (Annotated[bool, Strict], 1, "true or false is expected, 1 was sent"),
    "bool_parsing": (bool, "maybe", 'true or false is expected, "maybe" was sent'),
    "int_type": (int, None, "a whole number is expected, null was sent"),
    "int_parsing": (int, "x", 'a whole number is expected, "x" was sent'),
    "int_parsing_size": (int, "9" * 5000, f'a whole number is expected, "{"9" * 59}... was sent'),
    "int_from_float": (int, 1.5, "a whole number is expected, 1.5 was sent"),
    "float_type": (float, [], "a number is expected, a list of 0 was sent"),
    "float_parsing": (float, "x", 'a number is expected, "x" was sent'),
    "finite_number": (
        Annotated[float, Field(allow_inf_nan=False)],
        "inf",
        'a finite number is expected, "inf" was sent',
    ),
    "greater_than": (Annotated[int, Field(gt=3)], 3, "a number above 3 is expected, 3 was sent"),
    "greater_than_equal": (Annotated[int, Field(ge=3)], 2, "3 or more is expected, 2 was sent"),
    "less_than": (Annotated[int, Field(lt=3)], 3, "a number below 3 is expected, 3 was sent"),
    "less_than_equal": (Annotated[int, Field(le=3)], 4, "3 or less is expected, 4 was sent"),
    "enum": (Colour, "green", "'red' or 'blue' is expected, \"green\" was sent"),
    "literal_error": (Literal["asc", "desc"], "up", "'asc' or 'desc' is expected, \"up\" was sent"),
    "datetime_type": (datetime, [], 'a time such as "2020-03-12T10:45:00Z" is expected, a list of 0 was sent'),
    "datetime_parsing": (datetime, 1e30, 'a time such as "2020-03-12T10:45:00Z" is expected, 1e+30 was sent'),
    "datetime_from_date_parsing": (
        datetime,
        "noon",
        'a time such as "2020-03-12T10:45:00Z" is expected, "noon" was sent',
    ),
    "list_type": (list[int], {}, "a list is expected, an object was sent"),
    "tuple_type": (tuple[int, ...], 5, "a list is expected, 5 was sent"),
    "too_short": (
        Annotated[list[int], Field(min_length=1)],
        [],
        "a list of 1 or more is expected, a list of 0 was sent",
    ),
    "too_long": (
        Annotated[list[int], Field(max_length=1)],
        [1, 2],
        "a list of at most 1 is expected, a list of 2 was sent",
    ),
    "dict_type": (dict[str, int], [], "an object is expected, a list of 0 was sent"),
    "model_type": (Box, 5, "an object is expected, 5 was sent"),
    "dataclass_type": (Point, "x", 'an object is expected, "x" was sent'),
}


def error_of(kind: Any, sent: Any) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(sent)
    return refused.value


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_error_has_a_sentence_of_what_is_expected_and_what_was_sent(kind: str) -> None:
    asked, sent, told = KINDS[kind]
    problems = error_of(asked, sent).errors()
    assert [problem["type"] for problem in problems] == [kind]
    assert misfits(problems) == told


def test_every_sentence_is_tried() -> None:
    assert {*KINDS, "json_invalid"} == set(SENTENCES)


def test_what_is_no_json_is_told_without_what_was_sent() -> None:
    with pytest.raises(ValidationError) as refused:
        Box.model_validate_json("{side")
    assert misfits(refused.value.errors()) == "JSON is expected"


def test_a_field_of_several_kinds_is_told_once_with_all_that_it_may_be() -> None:
    class Asked(BaseModel):
        scope: Literal["cross"] | AssetSymbol

    told = misfits(error_of(Asked, {"scope": "x"}).errors())
    assert (
        told
        == "scope: 'cross' is expected, or an asset has 2 to 12 characters of A-Z and 0-9, such as BTC, \"x\" was sent"
    )


def refusals() -> Iterator[str]:
    """What is said of every field of every command, each with everything that might be sent for it."""
    for name, kind in COMMANDS.items():
        for field, asked in kind.model_fields.items():
            for sent in SENT:
                try:
                    parse_command({"type": name, (asked.alias or field) if field != "type" else "more": sent})
                except Malformed as refusal:
                    yield refusal.detail


def test_no_command_is_refused_in_the_words_of_the_library() -> None:
    told = set(refusals())
    assert len(told) > 1000
    assert {one for one in told if LIBRARYS_WORDS.search(one) or "another form" in one} == set()
    assert max(map(len, told)) < 2000


def test_a_text_that_may_hold_personal_data_is_not_told_again() -> None:
    with pytest.raises(Malformed) as refused:
        parse_command({"type": "open_account", "account_id": "a", "reason": "for Zacharias\n"})
    assert refused.value.detail == "open_account is malformed: reason: a text has no control characters"
