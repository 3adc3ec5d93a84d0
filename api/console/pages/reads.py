"""The log of reads: who looked at customers' data, when, why, and what came of it, the last read first."""

from urllib.parse import urlencode

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.endless import Endless, Row, scroll_on
from api.console.forms import asked_by, in_utc, shown_in_utc, written
from api.console.frame import show
from api.console.writing import Column, Markup, account_link, event_link, joined, link, moment, tag, text

COLUMNS = [
    *(Column("Read"), Column("By"), Column("What"), Column("Account"), Column("Why")),
    *(Column("As of", True), Column("Rows", True), Column("Status", True)),
]
EMPTY = "No read is like that. Leave a filter out, or ask about a longer time."
NOTHING = "Nobody has looked at a customer yet; this look will stand here."


def _cells(read: Row) -> tuple[object, ...]:
    return (
        moment(read["read_at"]),
        link(read["actor"], f"/reads?{urlencode({'actor': read['actor']})}"),
        joined(read["what"], _parameters(read["parameters"])),
        text(None) if read["account_id"] is None else account_link(read["account_id"]),
        text(read["purpose"]),
        text(None) if not read["position"] else event_link(read["position"]),
        text(None) if read["row_count"] is None else f"{read['row_count']:,}",
        tag("span", str(read["status"]), class_="bad" if (read["status"] or 0) >= 400 else None),
    )


def _parameters(stated: dict[str, str]) -> Markup:
    said = ", ".join(f"{name} {value}" for name, value in stated.items())
    return tag("div", said, class_="note") if said else joined("")


READS = Endless(
    asked="/v1/reads",
    named="reads",
    page="/reads",
    columns=COLUMNS,
    cells=_cells,
    place=lambda read: str(read["id"]),
    filters=("account_id", "actor", "from", "to"),
)
READS.serve()


@console_page("/reads", "Who looked")
async def reads(ask: Asker, account_id: str = "", actor: str = "", read_from: str = "", read_to: str = "") -> None:
    """The log of reads, which auditors and admins may read; reading it is a read too."""
    stated = {
        "account_id": account_id.strip(),
        "actor": actor.strip(),
        "from": in_utc(read_from),
        "to": in_utc(read_to),
    }
    only = {name: value for name, value in stated.items() if value}
    fields = (
        written("Account", "account_id", stated["account_id"], "any"),
        written("By", "actor", stated["actor"], "any, such as operator:ann"),
        written("From, UTC", "read_from", shown_in_utc(stated["from"]), "2026-01-31 12:00"),
        written("To, UTC", "read_to", shown_in_utc(stated["to"]), "2026-01-31 13:00"),
    )
    show(asked_by("/reads", *fields, reset=link("Show all", "/reads") if only else ""))
    scroll_on()
    found = await READS.table(ask, only, EMPTY if only else NOTHING)
    show(tag("section", found, class_="card wide stack"))
