"""The audit trail: every event, by account, topic, actor, request and time, the newest first."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.endless import Endless, Row, scroll_on
from api.console.frame import show
from api.console.saying import said, topics
from api.console.writing import Column, Markup, account_link, event_link, joined, link, moment, tag

COLUMNS = [
    Column("Position", True),
    Column("Recorded"),
    Column("Account"),
    Column("Topic"),
    Column("What"),
    Column("Actor"),
]
EMPTY = "No event is like that. Leave a filter out, or ask about a longer time."
NOTHING = "Nothing was recorded yet; the first event will stand here."


def stream_link(account_id: str) -> Markup:
    """An account's page; of the exchange's own streams, which have none, what is recorded on them."""
    if not account_id.startswith("@"):
        return account_link(account_id)
    return link(account_id, f"/events?{urlencode({'account_id': account_id})}")


def _cells(event: Row) -> tuple[object, ...]:
    mark = tag("span", "reversed", class_="mark-reversed") if "reversed_by" in event else ""
    return (
        event_link(event["position"]),
        moment(event["recorded_at"]),
        stream_link(event["account_id"]),
        tag("span", event["topic"], class_="topic"),
        joined(said(event), " ", mark),
        tag("span", event["actor"], class_="actor"),
    )


TRAIL = Endless(
    asked="/v1/events",
    named="events",
    page="/events",
    columns=COLUMNS,
    cells=_cells,
    place=lambda event: int(event["position"]),
    filters=("account_id", "topic", "actor", "correlation_id", "from", "to"),
)
TRAIL.serve()


@console_page("/events", "Audit trail")
async def trail(
    ask: Asker,
    account_id: str = "",
    topic: str = "",
    actor: str = "",
    correlation_id: str = "",
    recorded_from: str = "",
    recorded_to: str = "",
) -> None:
    """The filters as they are in the address, and the events that pass them."""
    stated = {
        "account_id": account_id.strip(),
        "topic": topic.strip(),
        "actor": actor.strip(),
        "correlation_id": correlation_id.strip(),
        "from": in_utc(recorded_from),
        "to": in_utc(recorded_to),
    }
    only = {name: value for name, value in stated.items() if value}
    show(_form(stated))
    scroll_on()
    found = await TRAIL.table(ask, only, EMPTY if only else NOTHING)
    show(tag("section", found, class_="card wide stack"))


def in_utc(value: str) -> str:
    """A time as it was put in, without a zone in UTC; what is no time stays as it is, to be refused as such."""
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return value.strip()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _form(stated: dict[str, str]) -> Markup:
    any_topic = tag("option", "any", value="")
    choices = joined(any_topic, *(_choice(one, stated["topic"]) for one in _with(stated["topic"])))
    fields = joined(
        _field("Account", "account_id", stated["account_id"], placeholder="any, @exchange, @prices"),
        tag("label", joined("Topic", tag("select", choices, name="topic"))),
        _field("Actor", "actor", stated["actor"], placeholder="any, such as operator:ann"),
        _field("Request (correlation id)", "correlation_id", stated["correlation_id"], placeholder="any"),
        _field("From, UTC", "recorded_from", _local(stated["from"]), placeholder="2026-01-31 12:00"),
        _field("To, UTC", "recorded_to", _local(stated["to"]), placeholder="2026-01-31 13:00"),
        tag("button", "Show", type="submit", class_="primary"),
        link("Show all", "/events") if any(stated.values()) else "",
    )
    keys = tag(
        "p",
        joined(tag("kbd", "j"), " ", tag("kbd", "k"), " or arrows: next and previous, ", tag("kbd", "Enter"), " opens"),
        class_="hint keys",
    )
    return joined(tag("form", fields, method="get", action="/console/events", class_="filters"), keys)


def _with(topic: str) -> list[str]:
    """The topics to choose from, with one that is asked for and not among them."""
    return sorted({*topics(), topic} - {""})


def _choice(topic: str, chosen: str) -> Markup:
    return tag("option", topic, value=topic, selected="" if topic == chosen else None)


def _field(title: str, name: str, value: str, **attributes: str) -> Markup:
    return tag("label", joined(title, tag("input", name=name, value=value, autocomplete="off", **attributes)))


def _local(value: str) -> str:
    """A time in UTC as it is put in; what is no time as it was put in."""
    return value.removesuffix("Z").replace("T", " ") if value.endswith("Z") else value
