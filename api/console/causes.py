"""What led to an event, and what it led to: its request, prices, liquidation, and what it begins or ends."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.console.asking import Asker
from api.console.saying import said
from api.console.writing import Column, Markup, event_link, joined, link, liquidation_link, moment, table, tag

Answer = Mapping[str, Any]

BESIDE = 6
"""How many events of the same request are shown before it, and after it."""
LOOKED_AT = 200
"""How many events of a topic are looked through for the one that began or ended something."""
VECTORS_LOOKED_AT = 20
"""How many vectors of prices, which may be long, are looked through for the one that an examination followed."""
EXAMINATION = "examination:"
_ENDS = {
    "withdrawal.requested": ("withdrawal_id", ("withdrawal.settled", "withdrawal.cancelled")),
    "funds.held": ("hold_id", ("trade.booked", "hold.released")),
    "adjustment.proposed": ("adjustment_id", ("adjustment.posted", "adjustment.rejected")),
}
"""What begins something, by which id it is named, and what goes on with it or ends it."""


class Causes(NamedTuple):
    """Events that led to one and that it led to, and those of its request right before and after it."""

    began: list[Answer]
    led_to: list[Answer]
    before: list[Answer]
    after: list[Answer]


async def causes_of(ask: Asker, event: Answer) -> Causes:
    """Asked of the audit trail: a bounded number of events, however long the log is."""
    began, led_to, before, after = await asyncio.gather(
        _beginnings(ask, event), _outcomes(ask, event), _of_the_request(ask, event, -1), _of_the_request(ask, event, 1)
    )
    return Causes(began, led_to, before, after)


async def _beginnings(ask: Asker, event: Answer) -> list[Answer]:
    """The vector that an examination followed, and what began what the event ends."""
    found: list[Answer] = []
    correlation: str = event["correlation_id"]
    if correlation.startswith(EXAMINATION):
        vectors = await _events(ask, event, -1, VECTORS_LOOKED_AT, account_id="@prices")
        found += [one for one in vectors if f"{EXAMINATION}{one['version']}" == correlation]
    for topic, (named, ends) in _ENDS.items():
        if event["topic"] in ends and event.get(named):
            earlier = await _events(ask, event, -1, account_id=event["account_id"], topic=topic)
            found += [one for one in earlier if one[named] == event[named]][:1]
    return found


async def _outcomes(ask: Asker, event: Answer) -> list[Answer]:
    """What was decided on a vector of prices, and what went on with what the event began."""
    if event["topic"] == "prices.marked":
        decided = await ask.get("/v1/events", correlation_id=f"{EXAMINATION}{event['version']}", limit=2 * BESIDE)
        return list(decided["events"])
    named, ends = _ENDS.get(event["topic"], ("", ()))
    later = [await _events(ask, event, 1, account_id=event["account_id"], topic=topic) for topic in ends]
    found = [one for page in later for one in page if one.get(named) == event[named]]
    return sorted(found, key=lambda one: int(one["position"]))


async def _of_the_request(ask: Asker, event: Answer, way: int) -> list[Answer]:
    return await _events(ask, event, way, BESIDE, correlation_id=event["correlation_id"])


async def _events(ask: Asker, event: Answer, way: int, limit: int = LOOKED_AT, **only: str) -> list[Answer]:
    """Events before one, the nearest first, or after it."""
    place = {"after": event["position"]} if way > 0 else {"before": event["position"], "order": "desc"}
    return list((await ask.get("/v1/events", **only, **place, limit=limit))["events"])


def causes_card(event: Answer, prices: Mapping[str, Answer], causes: Causes) -> Markup:
    """All that is known of it, each with its link."""
    told = [*_corrections(event), *_stories(event), *_vectors(prices)]
    listed = tag("ul", joined(*(tag("li", one) for one in told)), class_="links") if told else ""
    return joined(
        listed,
        _listed("Led to it", causes.began),
        _listed("It led to", causes.led_to),
        _request(event, causes),
    )


def _corrections(event: Answer) -> Iterable[Markup]:
    for name, words in (("reversed_by", "Reversed by event "), ("reverses", "Reverses event ")):
        if name in event:
            yield joined(words, event_link(event[name]["position"]))


def _stories(event: Answer) -> Iterable[Markup]:
    if event.get("liquidation_id"):
        yield joined("The story of the liquidation ", liquidation_link(event["liquidation_id"]))
    if event["topic"] == "margin.called":
        yield joined(margin_call_link(event["account_id"], event["position"], "The story of this margin call"))
    if event["topic"] == "prices.marked":
        decided = urlencode({"correlation_id": f"{EXAMINATION}{event['version']}"})
        yield link("All that was examined at these prices", f"/events?{decided}")


def margin_call_link(account_id: str, position: int, words: object) -> Markup:
    return link(words, f"/margin-calls/{quote(account_id, safe='')}/{position}")


def _vectors(prices: Mapping[str, Answer]) -> Iterable[Markup]:
    """The vectors that it was decided on, each with the pairs it marked."""
    by_position: dict[int, list[str]] = {}
    for pair, vector in prices.items():
        by_position.setdefault(vector["position"], []).append(pair)
    for position, pairs in sorted(by_position.items()):
        yield joined(f"Decided on the price of {', '.join(pairs)} in event ", event_link(position))


def _listed(title: str, events: list[Answer]) -> Markup:
    return joined(tag("h3", title), short_list(events)) if events else Markup("")


def _request(event: Answer, causes: Causes) -> Markup:
    others = [*causes.before[::-1], *causes.after]
    whole = link("all of them", f"/events?{urlencode({'correlation_id': event['correlation_id']})}")
    if not others:
        return tag("p", "Nothing else was recorded by the same request.", class_="empty")
    title = tag("h3", joined("Of the same request, right before and after it (", whole, ")"))
    return joined(title, short_list(others))


def short_list(events: Iterable[Answer]) -> Markup:
    """Events as a short list."""
    columns = [Column("Position", True), Column("Counts from"), Column("Account"), Column("Topic"), Column("What")]
    rows = (
        (
            event_link(one["position"]),
            moment(one["effective_at"]),
            one["account_id"],
            tag("span", one["topic"], class_="topic"),
            said(one),
        )
        for one in events
    )
    return tag("div", table(columns, rows, ""), class_="stack")
