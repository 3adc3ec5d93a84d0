"""One event: what it says, its JSON, what it posts, what led to it and what it led to, and its seal."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from api.console.asking import Asker, Refused
from api.console.causes import causes_card, causes_of
from api.console.doors import console_page
from api.console.fields import free_text, pairs_of, stated_fields
from api.console.frame import show
from api.console.pages.trail import stream_link
from api.console.saying import said
from api.console.seal import seal_of
from api.console.writing import Column, Markup, amount, card, joined, link, moment, table, tag, text

Answer = Mapping[str, Any]

POSITION = re.compile("[0-9]{1,18}")
LAID_OUT = "laid out for reading; the hash above is of the bytes as they are stored, which the proof has"
NO_POSITION = {"title": "There is no such event", "code": "malformed"}


@console_page("/events/{position}", "Event")
async def event_page(ask: Asker, position: str) -> None:
    """All about the event at a position of the log."""
    show(await told_event(ask, position))


async def told_event(ask: Asker, position: str) -> Markup:
    """The page of an event; Refused where the log has none there."""
    if not POSITION.fullmatch(position):
        raise Refused(
            400, {**NO_POSITION, "detail": f"{position!a} is no position of the log, which is a whole number"}
        )
    found = await ask.get(f"/v1/events/{position}")
    event = found["event"]
    causes, seal = await asyncio.gather(causes_of(ask, event), seal_of(ask, event["position"], found["leaf_hash"]))
    cards = joined(
        card("Recorded", _facts(event)),
        card("Stated", stated_fields(event)),
        card("Postings", _postings(found["postings"]), hint=balance(found["postings"])),
        card("Seal", seal, wide=True),
        card("Causes and effects", causes_card(event, found["prices"], causes), wide=True),
        card("JSON", tag("pre", _indented(found["recorded"])), wide=True, hint=LAID_OUT),
    )
    return joined(_head(event), steps(found), tag("div", cards, class_="cards"))


def _head(event: Answer) -> Markup:
    place = tag("span", f"#{event['position']:,}", class_="hint")
    return tag("p", joined(tag("strong", event["topic"], class_="topic"), " ", said(event), " ", place), class_="lead")


def steps(found: Answer) -> Markup:
    """Ways to the events before and after: of the log by the arrow keys, and of the account."""
    log, account = found["of_the_log"], found["of_the_account"]
    event = found["event"]
    return tag(
        "nav",
        joined(
            tag("span", "in the log", class_="hint"),
            _step("◂ previous", log["previous"], "back"),
            _step("next ▸", log["next"], "on"),
            tag("span", joined(tag("kbd", "←"), " ", tag("kbd", "→")), class_="hint keys"),
            tag("span", joined("on ", stream_link(event["account_id"])), class_="hint"),
            _step("◂ previous", account["previous"], None),
            _step("next ▸", account["next"], None),
        ),
        class_="steps",
        aria_label="Events before and after",
    )


def _step(words: str, position: int | None, way: str | None) -> Markup:
    if position is None:
        return tag("span", words, class_="button off", aria_disabled="true")
    return tag("a", words, href=f"/console/events/{position}", class_="button", data_step=way, title=f"#{position:,}")


def _facts(event: Answer) -> Markup:
    request = urlencode({"correlation_id": event["correlation_id"]})
    by = urlencode({"actor": event["actor"]})
    rows: list[tuple[object, object]] = [
        ("Account", joined(stream_link(event["account_id"]), f", version {event['version']:,}")),
        ("Counts from", moment(event["effective_at"])),
        ("Recorded", moment(event["recorded_at"])),
        ("Actor", link(event["actor"], f"/events?{by}")),
        ("Reason", free_text(event, "reason")),
        ("Request", link(event["correlation_id"], f"/events?{request}")),
        ("Idempotency key", tag("code", event["idempotency_key"]) if "idempotency_key" in event else text(None)),
    ]
    return pairs_of(rows)


def _postings(lines: list[Answer]) -> Markup:
    rows = [(line["book"], amount(line["amount"], line["asset"])) for line in lines]
    columns = [Column("Book"), Column("Amount", True)]
    return tag("div", table(columns, rows, "This event moves nothing, so it posts nothing."), class_="breaks")


def balance(lines: Sequence[Answer]) -> Markup:
    """What the lines of an event add up to, which is zero in every asset, or else the books are wrong."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line["asset"]] = sums.get(line["asset"], Decimal()) + Decimal(line["amount"])
    off = [joined(amount(f"{total:f}", asset), " ") for asset, total in sums.items() if total]
    if off:
        return tag("span", joined(f"{len(lines)} lines, which do not add up to zero but to ", *off), class_="bad")
    return text(f"{len(lines)} lines, zero in every asset" if lines else "")


def _indented(recorded: str) -> str:
    """The JSON that is stored, on lines of its own; amounts are strings in it, so each stays as it is written."""
    return json.dumps(json.loads(recorded), indent=2, ensure_ascii=False)
