"""Forms that ask for what a page is to show, and what is typed into them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from api.console.writing import Markup, joined, link, tag

LONGEST = "200"


def written(title: object, name: str, value: str | None = None, example: str = "", **attributes: str | None) -> Markup:
    """A field that is typed into."""
    plain = {"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST, "placeholder": example or None}
    return tag("label", joined(title, tag("input", name=name, value=value, **{**plain, **attributes})))


def chosen(
    title: object, name: str, choices: Iterable[tuple[str, str]], value: str, **attributes: str | None
) -> Markup:
    """A field whose value is one of some, each with its words."""
    options = (tag("option", said, value=one, selected="" if one == value else None) for one, said in choices)
    return tag("label", joined(title, tag("select", joined(*options), name=name, **attributes)))


def any_of(values: Iterable[str]) -> list[tuple[str, str]]:
    """Values as choices, and before them that it may be any."""
    return [("", "any"), *((one, one.replace("_", " ")) for one in values)]


def asked_by(path: str, *fields: object, button: str = "Show", reset: Markup | str = "") -> Markup:
    """A form in one row, as far as there is room, that leads to a page with what is put in in its address."""
    send = tag("button", button, type="submit", class_="primary")
    return tag("form", joined(*fields, send, reset), method="get", action=f"/console{path}", class_="filters")


def further(words: str, path: str) -> Markup:
    """The way to a list's next page."""
    return tag("p", link(words, path), class_="pages")


def in_utc(value: str) -> str:
    """A time as it was put in, without a zone in UTC; what is no time stays as it is, to be refused as such."""
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return value.strip()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
