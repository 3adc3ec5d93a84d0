"""The search: straight to the one thing that was meant, else all that it may be."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.frame import show
from api.console.pages.account_moment import account_path
from api.console.writing import Column, Markup, amount, card, joined, link, path_part, query, table, tag

MOST_BEGINNING = 20
IDENTIFIER = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
LIQUIDATION = re.compile(r"[A-Za-z0-9_.:\-]{1,64}\.[0-9]{1,18}")
ASSET_OR_PAIR = re.compile(r"[A-Z0-9]{2,12}(/[A-Z0-9]{2,12})?")
POSITION = re.compile(r"[0-9][0-9, ]{0,24}")
NOT_HERE = (400, 403, 404)
"""What the API answers where there is no such thing, or its reader may not see it: then it was not meant."""

Answer = Mapping[str, Any]


class Found(NamedTuple):
    """Something that was meant: what it is, and where it is shown; `told` in its place where it has no page."""

    kind: str
    name: str
    path: str | None
    told: Markup = Markup("")


@console_page("/search", "Search")
async def search(ask: Asker, q: str = "") -> Response | None:
    """Leads to what `q` names where that is one thing with a page of its own."""
    meant = q.strip()
    found = await everything_meant(ask, meant) if meant else []
    if len(found) == 1 and found[0].path is not None:
        return RedirectResponse(f"/console{found[0].path}", status_code=303)
    show(results(meant, found))
    return None


async def everything_meant(ask: Asker, meant: str) -> list[Found]:
    """All that a text may name, each asked for by what it looks like; what begins with it only if nothing is it."""
    questions = (_account, _liquidation, _position, _correlation, _asset_or_pair)
    exactly = [one for some in await asyncio.gather(*(ask_for(ask, meant) for ask_for in questions)) for one in some]
    return exactly or await _accounts_beginning(ask, meant)


async def _answer(ask: Asker, path: str, **asked: Any) -> Answer | None:
    """An answer; None where there is nothing of the kind."""
    try:
        return await ask.get(path, **asked)
    except Refused as refused:
        if refused.status in NOT_HERE:
            return None
        raise


async def _account(ask: Asker, meant: str) -> list[Found]:
    if not IDENTIFIER.fullmatch(meant):
        return []
    found = await _answer(ask, f"/v1/accounts/{path_part(meant)}/events", limit=1)
    return [] if found is None else [Found("account", meant, account_path(meant))]


async def _liquidation(ask: Asker, meant: str) -> list[Found]:
    if not LIQUIDATION.fullmatch(meant):
        return []
    found = await _answer(ask, f"/v1/liquidations/{path_part(meant)}")
    return [] if found is None else [Found("liquidation", meant, f"/liquidations/{quote(meant, safe='')}")]


async def _position(ask: Asker, meant: str) -> list[Found]:
    if not POSITION.fullmatch(meant):
        return []
    position = int(meant.replace(",", "").replace(" ", ""))
    found = await _answer(ask, "/v1/events", after=position - 1, limit=1) if position > 0 else None
    if found is None or not found["events"]:
        return []
    return [Found("event at position", f"{position:,}", f"/events/{position}")]


async def _correlation(ask: Asker, meant: str) -> list[Found]:
    if not IDENTIFIER.fullmatch(meant):
        return []
    found = await _answer(ask, "/v1/events", correlation_id=meant, limit=1)
    if found is None or not found["events"]:
        return []
    return [Found("events of the request", meant, f"/events{query(correlation_id=meant)}")]


async def _asset_or_pair(ask: Asker, meant: str) -> list[Found]:
    """What the exchange has listed: an asset with all its pairs, or one pair."""
    name = meant.upper().replace("-", "/")
    if not ASSET_OR_PAIR.fullmatch(name):
        return []
    market = await _answer(ask, "/v1/market")
    if market is None or name not in (*market["assets"], *market["pairs"]):
        return []
    pairs = [pair for pair in market["pairs"] if name in (pair, *pair.split("/"))]
    kind = "pair" if name in market["pairs"] else "asset"
    return [Found(kind, name, None, _listed(name, pairs, market))]


def _listed(name: str, pairs: list[str], market: Answer) -> Markup:
    rows = [
        (
            pair,
            amount((market["prices"].get(pair) or {}).get("price")),
            market["pairs"][pair]["status"],
            f"{market['pairs'][pair]['max_leverage']}x",
        )
        for pair in pairs
    ]
    columns = [Column("Pair"), Column("Price", True), Column("Status"), Column("Leverage up to", True)]
    listing = market["assets"].get(name)
    enabled = f"{listing['scale']} decimals; enabled: {', '.join(listing['enabled']) or 'nothing'}" if listing else ""
    return joined(tag("p", enabled, class_="note"), table(columns, rows, "No pair of it is listed."))


async def _accounts_beginning(ask: Asker, meant: str) -> list[Found]:
    """The accounts whose id begins so; ids are listed in order, so they follow what they begin with."""
    if not IDENTIFIER.fullmatch(meant):
        return []
    found = await _answer(ask, "/v1/accounts", after=meant, limit=MOST_BEGINNING)
    names = [one["account_id"] for one in found["accounts"]] if found else []
    return [Found("account", name, account_path(name)) for name in names if name.startswith(meant)]


def results(meant: str, found: list[Found]) -> Markup:
    """All that was found, or what can be searched."""
    if not found:
        return _nothing(meant)
    rows = [(one.kind, one.name if one.path is None else link(one.name, one.path)) for one in found]
    listed = table([Column("What"), Column("Name")], rows, "")
    told = [card(one.name, one.told) for one in found if one.path is None]
    return tag("div", joined(card(f"Found for {meant}", listed) if rows[len(told) :] else "", *told), class_="cards")


def _nothing(meant: str) -> Markup:
    said = f"Nothing is called {meant[:80]}." if meant else "Type what you look for."
    can = (
        ("An account", "its whole id, or how it begins"),
        ("An event", "its position in the log, such as 1,042"),
        ("A liquidation", "ACCOUNT.VERSION, such as alice.17"),
        ("A request", "its correlation id, as every event of it has it"),
        ("An asset or a pair", "such as BTC or BTC/USDT"),
    )
    rows = table([Column("What can be searched"), Column("How")], can, "")
    return card("Search", joined(tag("p", said), rows))
