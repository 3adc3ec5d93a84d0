"""What does not fit, in the house's own words: a sentence for each kind of error that pydantic finds."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from typing import Any

from ledger.words import PATTERNS_IN_WORDS

Problem = Mapping[str, Any]
"""An error as pydantic tells it: `type`, `loc`, `msg`, `input`, `ctx`."""
_TIME = 'a time such as "2020-03-12T10:45:00Z" is expected'
_WHOLE, _NUMBER, _OBJECT = "a whole number is expected", "a number is expected", "an object is expected"
SENTENCES = {
    "missing": "is needed",
    "extra_forbidden": "is not known here",
    "string_type": "a text is expected",
    "string_too_short": "a text of {min_length} or more characters is expected",
    "string_too_long": "a text of at most {max_length} characters is expected",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number is expected",
    "greater_than": "a number above {gt} is expected",
    "greater_than_equal": "{ge} or more is expected",
    "less_than": "a number below {lt} is expected",
    "less_than_equal": "{le} or less is expected",
    "enum": "{expected} is expected",
    "literal_error": "{expected} is expected",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "list_type": "a list is expected",
    "tuple_type": "a list is expected",
    "too_short": "a list of {min_length} or more is expected",
    "too_long": "a list of at most {max_length} is expected",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "json_invalid": "JSON is expected",
}
"""What is said of each kind of error; its context fills the braces."""
_OTHERWISE = "a value of another form is expected"
_WITHOUT_VALUE = {"missing", "extra_forbidden", "json_invalid"}
_KINDS_OF_ALTERNATIVES = {"constrained-str", "str", "int", "decimal", "bool", "datetime"}
LONGEST_SHOWN = 60


def misfits(
    problems: Iterable[Problem],
    *,
    hidden: Collection[str] | None = (),
    documented: Mapping[str, str] | None = None,
) -> str:
    """Every field that does not fit, each once, with what is expected and what was sent.

    Of the fields that are `hidden` (None: all of them) it is not told what was sent. `documented` says what a field's
    text should be where no pattern of the domain's words does.
    """
    told: dict[str, list[str]] = {}
    sent: dict[str, str] = {}
    for problem in problems:
        # Where a field may be of several kinds, the library goes on with their names, which say nothing to anybody.
        field = ".".join(str(part) for part in takewhile(_is_a_name, problem["loc"]))
        sentence = _sentence(problem, (documented or {}).get(field))
        told.setdefault(field, []).append(sentence)
        if hidden is not None and field not in hidden and not _is_told(problem, sentence):
            sent[field] = f", {_shown(problem['input'])} was sent"
    lines = (f"{field}: {', or '.join(dict.fromkeys(all_))}{sent.get(field, '')}" for field, all_ in told.items())
    return "; ".join(line.removeprefix(": ") for line in lines)


def _sentence(problem: Problem, documented: str | None) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "value_error":  # A validator of our own has said why.
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        otherwise = _OTHERWISE if documented is None else f"a text as it is documented is expected ({documented})"
        return PATTERNS_IN_WORDS.get(context["pattern"], otherwise)
    return SENTENCES.get(kind, _OTHERWISE).format(**context)


def _is_a_name(part: int | str) -> bool:
    return isinstance(part, int) or ("[" not in part and part not in _KINDS_OF_ALTERNATIVES)


def _is_told(problem: Problem, sentence: str) -> bool:
    """Whether there is nothing to be told of what was sent, or a sentence of our own has told it."""
    kind, value = problem["type"], problem["input"]
    if kind != "value_error":
        return kind in _WITHOUT_VALUE
    return isinstance(value, dict) or re.search(rf"(?<!\w){re.escape(str(value) or '#')}(?!\w)", sentence) is not None


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list() | tuple():
            return f"a list of {len(value)}"
        case None | bool() | int() | float() | str():
            shown = json.dumps(value)
        case _:
            shown = json.dumps(str(value))
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
