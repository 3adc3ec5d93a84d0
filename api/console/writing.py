"""Pieces of HTML, every value escaped: amounts, times, ids, bands, and tables of them."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple
from urllib.parse import quote, urlencode

_EMPTY = {"input", "br", "hr", "link", "meta"}
_DECIMALS = re.compile('class="decimals">([^<]*)<')


class Markup(str):
    """Text that is HTML already; every other text is escaped on its way into a page."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML: markup as it is, None as a dash, everything else escaped."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup('<span class="none">–</span>')
    return Markup(escape(str(value)))


def joined(*parts: object) -> Markup:
    """Parts one after the other."""
    return Markup("".join(text(part) for part in parts))


def tag(name: str, content: object = "", /, **attributes: str | None) -> Markup:
    """An element; `class_` is the attribute class, underscores are dashes, attributes that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>" if name in _EMPTY else f"<{name}{written}>{text(content)}</{name}>")


def path_part(value: str) -> str:
    """A value as one part of a path; of dots alone it would be taken for a way up."""
    return quote(value, safe="").replace(".", "%2E")


def link(content: object, path: str) -> Markup:
    """A link within the console; `path` begins with a slash and is already quoted."""
    return tag("a", content, href=f"/console{path}")


def account_link(account_id: str) -> Markup:
    return link(account_id, f"/accounts/{quote(account_id, safe='')}")


def event_link(position: int) -> Markup:
    return link(f"{position:,}", f"/events/{position}")


def amount(value: str | None, asset: str | None = None) -> Markup:
    """An exact amount as the ledger writes it, in groups of three before the point; figures below zero stand out.

    The decimals are a part of their own, so that amounts below each other align at the point.
    """
    if value is None:
        return text(None)
    sign, digits = ("−", value[1:]) if value.startswith("-") else ("", value)
    whole, point, decimals = digits.partition(".")
    kind = "amount below" if sign else "amount zero" if not digits.strip("0.") else "amount"
    shown = joined(
        tag("span", f"{sign}{int(whole):,}", class_="whole"),
        tag("span", f"{point}{decimals}", class_="decimals"),
        tag("span", asset, class_="asset") if asset else "",
    )
    return tag("span", shown, class_=kind, title=f"{value} {asset or ''}".strip())


def moment(value: str | None) -> Markup:
    """A time in UTC to the second; the whole of it, and the reader's local time, on hover."""
    if value is None:
        return text(None)
    at = datetime.fromisoformat(value)
    return tag("time", f"{at:%Y-%m-%d %H:%M:%S}", datetime=value, class_="moment")


def band(name: str | None) -> Markup:
    """A margin band as a coloured word."""
    return text(None) if name is None else tag("span", name.replace("_", " "), class_=f"band {name}")


BANDS = ("liquidation", "margin_call", "borrow_blocked", "transfer_blocked", "normal", "unpriced")
"""Every band of a wallet that owes, the worst first."""


class Column(NamedTuple):
    """A column of a table: what stands over it, and whether it holds figures."""

    title: str
    figures: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], empty: str) -> Markup:
    """A table; where there is no row, what that means."""
    written = list(rows)
    if not written:
        return tag("p", empty, class_="empty")
    widths = [_decimals_of(written, place) if column.figures else None for place, column in enumerate(columns)]
    body = joined(*(row_of(columns, row, widths) for row in written))
    return tag("div", tag("table", joined(head_of(columns), tag("tbody", body))), class_="table")


def head_of(columns: Sequence[Column]) -> Markup:
    """What stands over a table."""
    titles = (tag("th", one.title, class_="figures" if one.figures else None, scope="col") for one in columns)
    return tag("thead", tag("tr", joined(*titles)))


def row_of(columns: Sequence[Column], row: Sequence[object], widths: Sequence[str | None] | None = None) -> Markup:
    """A row of a table; `widths` are the styles of its columns' cells."""
    cells = (
        tag("td", value, class_="figures" if column.figures else None, style=width, data_title=column.title)
        for column, width, value in zip(columns, widths or [None] * len(columns), row, strict=True)
    )
    return tag("tr", joined(*cells))


def _decimals_of(rows: Sequence[Sequence[object]], place: int) -> str | None:
    """How wide the decimals of a column are, so that its amounts align at the point; None where it has none."""
    found = (_DECIMALS.search(row[place]) for row in rows if isinstance(row[place], Markup))  # type: ignore[call-overload]
    widest = max((len(one[1]) for one in found if one), default=0)
    return f"--decimals:{widest}ch" if widest else None


def card(title: object, content: object, *, wide: bool = False, hint: object = "") -> Markup:
    """A section with a heading."""
    return tag("section", joined(heading(title, hint), content), class_="card wide" if wide else "card")


def heading(title: object, hint: object = "") -> Markup:
    """What stands over a section."""
    return tag("header", joined(tag("h2", title), tag("span", hint, class_="hint") if hint else ""))


def tabs(places: Iterable[tuple[object, str, bool]], of: str) -> Markup:
    """Ways between pages that stand beside each other: words, path, and whether it is the one that is shown."""
    links = (
        tag("a", words, href=f"/console{path}", class_="here" if is_here else None) for words, path, is_here in places
    )
    return tag("nav", joined(*links), class_="tabs", aria_label=of)


def figure(title: str, value: object, note: object = "") -> Markup:
    """One figure with its name over it and a note beneath."""
    return tag(
        "div",
        joined(tag("span", title, class_="name"), tag("span", value, class_="value"), tag("span", note, class_="note")),
        class_="figure",
    )


def liquidation_link(liquidation_id: str) -> Markup:
    return link(liquidation_id, f"/liquidations/{quote(liquidation_id, safe='')}")


def wallet_name(wallet: str) -> str:
    """A wallet as one says it: spot, cross, or the pair of a bucket."""
    return wallet.removeprefix("isolated:") if wallet.startswith("isolated:") else wallet


def share_bar(part: int, whole: int, kind: str) -> Markup:
    """A bar as long as a share of a whole, in the colour of a band."""
    width = 0.0 if whole == 0 else 100 * part / whole
    bar = tag("span", "", class_=f"bar {kind}", style=f"width:{width:.1f}%")
    return tag("span", bar, class_="track", title=f"{width:.1f} %")


def query(**stated: object) -> str:
    """A query string of what is stated; what is None or empty is left out."""
    said = {name.rstrip("_"): value for name, value in stated.items() if value not in (None, "")}
    return f"?{urlencode(said)}" if said else ""
