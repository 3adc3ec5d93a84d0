"""What led to an event, and what it led to: its request, prices, liquidation, and what it begins or ends."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.console.asking import Asker
from api.console.saying import said
from api.console.writing import Column, Markup, event_link, joined, link, liquidation_link, moment, table, tag
from api.risk import ACTOR as EXAMINER

Answer = Mapping[str, Any]
Sought = tuple[list[Answer], list[str]]
"""What was found, and the topics of which what was looked for was not."""

BESIDE = 6
"""How many events of the same request are shown before it, and after it."""
LOOKED_AT = 200
"""How many events of a topic are looked through for the one that began or ended something."""
EXAMINATION = re.compile("examination:([0-9]{1,18})")
"""The request of an examination, as the ledger names it by the version of the vector that it followed."""
_ENDS = {
    "withdrawal.requested": ("withdrawal_id", ("withdrawal.settled", "withdrawal.cancelled")),
    "funds.held": ("hold_id", ("trade.booked", "hold.released")),
    "adjustment.proposed": ("adjustment_id", ("adjustment.posted", "adjustment.rejected")),
}
"""What begins something, by which id it is named, and what goes on with it or ends it."""


class Causes(NamedTuple):
    """Events that led to one and that it led to, and those of its request right before and after it.

    `not_found` names the topics of which something was looked for in vain, though there is more to look through.
    """

    began: list[Answer]
    led_to: list[Answer]
    before: list[Answer]
    after: list[Answer]
    not_found: list[str]


async def causes_of(ask: Asker, event: Answer) -> Causes:
    """Asked of the audit trail: a bounded number of events, however long the log is."""
    vectors, (began, unseen), (led_to, unmet), before, after = await asyncio.gather(
        _vector(ask, event),
        _beginnings(ask, event),
        _outcomes(ask, event),
        _of_the_request(ask, event, -1),
        _of_the_request(ask, event, 1),
    )
    return Causes([*vectors, *began], led_to, before, after, [*unseen, *unmet])


async def _vector(ask: Asker, event: Answer) -> list[Answer]:
    """The vector that an examination by the ledger itself followed; who else names a request like that is not believed.

    Vectors are known by their version, however many there are between.
    """
    followed = EXAMINATION.fullmatch(event["correlation_id"])
    if followed is None or event["actor"] != EXAMINER:
        return []
    found = await ask.get("/v1/events", account_id="@prices", after_version=int(followed[1]) - 1, limit=1)
    return [one for one in found["events"] if one["position"] < event["position"]]


async def _beginnings(ask: Asker, event: Answer) -> Sought:
    """What began what the event ends; and what was not found of it."""
    found: list[Answer] = []
    not_found: list[str] = []
    for topic, (named, ends) in _ENDS.items():
        if event["topic"] in ends and event.get(named):
            earlier = await _events(ask, event, -1, LOOKED_AT, account_id=event["account_id"], topic=topic)
            began = [one for one in earlier if one[named] == event[named]][:1]
            found += began
            not_found += [topic] if not began and len(earlier) == LOOKED_AT else []
    return found, not_found


async def _outcomes(ask: Asker, event: Answer) -> Sought:
    """What was decided on a vector of prices, and what went on with what the event began."""
    if event["topic"] == "prices.marked":
        request = f"examination:{event['version']}"
        decided = await ask.get("/v1/events", correlation_id=request, actor=EXAMINER, limit=2 * BESIDE)
        return list(decided["events"]), []
    named, ends = _ENDS.get(event["topic"], ("", ()))
    later = {
        topic: await _events(ask, event, 1, LOOKED_AT, account_id=event["account_id"], topic=topic) for topic in ends
    }
    found = [one for page in later.values() for one in page if one.get(named) == event[named]]
    not_found = [topic for topic, page in later.items() if not found and len(page) == LOOKED_AT]
    return sorted(found, key=lambda one: int(one["position"])), not_found


async def _of_the_request(ask: Asker, event: Answer, way: int) -> list[Answer]:
    return await _events(ask, event, way, BESIDE, correlation_id=event["correlation_id"])


async def _events(ask: Asker, event: Answer, way: int, limit: int, **only: str) -> list[Answer]:
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
        _sought_in_vain(event, causes.not_found),
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
        decided = urlencode({"correlation_id": f"examination:{event['version']}"})
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


def _sought_in_vain(event: Answer, topics: list[str]) -> Markup:
    """That there may be more than was found, and where to look on."""
    trails = [
        link(topic, f"/events?{urlencode({'account_id': event['account_id'], 'topic': topic})}") for topic in topics
    ]
    words = f"Not among the {LOOKED_AT} events nearest to it, and to be looked for further away: "
    return tag("p", joined(words, *(joined(one, " ") for one in trails)), class_="note") if trails else Markup("")


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
