"""The audit trail: every event, by account, topic, actor, request and time, the newest first."""

from urllib.parse import urlencode

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.endless import Endless, Row, scroll_on
from api.console.forms import asked_by, chosen, in_utc, written
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


def _form(stated: dict[str, str]) -> Markup:
    named = stated["topic"]
    fields = (
        written("Account", "account_id", stated["account_id"], "any, @exchange, @prices"),
        chosen("Topic", "topic", [("", "any"), *((one, one) for one in _with(named))], named),
        written("Actor", "actor", stated["actor"], "any, such as operator:ann"),
        written("Request (correlation id)", "correlation_id", stated["correlation_id"], "any"),
        written("From, UTC", "recorded_from", _local(stated["from"]), "2026-01-31 12:00"),
        written("To, UTC", "recorded_to", _local(stated["to"]), "2026-01-31 13:00"),
    )
    reset = link("Show all", "/events") if any(stated.values()) else ""
    j, k, enter = (tag("kbd", key) for key in ("j", "k", "Enter"))
    keys = tag("p", joined(j, " ", k, " or arrows: next and previous, ", enter, " opens"), class_="hint keys")
    return joined(asked_by("/events", *fields, reset=reset), keys)


def _with(topic: str) -> list[str]:
    """The topics to choose from, with one that is asked for and not among them."""
    return sorted({*topics(), topic} - {""})


def _local(value: str) -> str:
    """A time in UTC as it is put in; what is no time as it was put in."""
    return value.removesuffix("Z").replace("T", " ") if value.endswith("Z") else value
