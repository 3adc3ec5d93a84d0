"""What every report has around it: which there are, as of when it is true, and its files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from api.console.forms import in_utc
from api.console.reporting import PAGE, Query, time_asked
from api.console.writing import Markup, event_link, joined, tabs, tag

SHOWN = 50
FIRST_TIME = datetime(2, 1, 1, tzinfo=UTC)

Answer = dict[str, Any]

TABS = {
    "trial-balance": "Trial balance",
    "book": "One book",
    "loans": "Loans",
    "margin-levels": "Margin levels",
    "exposure": "Exposure",
    "insurance": "Insurance fund",
    "what-if": "What if",
    "statement": "Statement",
}


DOCUMENTS = {"html": "page to print", "csv": "CSV", "json": "JSON"}
"""The forms of a statement as a document."""


def report_tabs(name: str) -> Markup:
    """The reports there are, with the one that is shown."""
    return tabs([(title, f"/reports/{one}", one == name) for one, title in TABS.items()], "Reports")


def files(names: Sequence[str], answer: Answer, query: Query) -> Markup:
    """At which position an answer is true, and the files that have the whole of it."""
    asked = urlencode({key: value for key, value in query.items() if value and key not in PAGE})
    links = [
        tag(
            "a",
            f"{name.replace('-', ' ')} {form.upper()}",
            href=f"/console/download/{name}.{form}?{asked}",
            class_="file",
        )
        for name, form in [*((name, "csv") for name in names), (names[0], "json")]
    ]
    parts = (joined(" · ", one) for one in links)
    return tag("p", joined("True at position ", event_link(answer["position"]), *parts), class_="files")


def documents(answer: Answer, query: Query) -> Markup:
    """The same range as a statement with opening and closing balances; nothing where a document has no such range."""
    asked = document_asked(answer, query)
    if asked is None:
        return joined("")
    account_id = quote(answer["account_id"], safe="")
    path = f"/console/statement/{account_id}"
    parts = (
        joined(" · ", tag("a", words, href=f"{path}.{form}?{urlencode(asked)}", class_="file", target="_blank"))
        for form, words in DOCUMENTS.items()
    )
    return tag("p", joined("With opening and closing balances, of all assets", *parts), class_="files")


def document_asked(answer: Answer, query: Query) -> Query | None:
    """The range of the document that has the lines of a report; None where it is by business time, or of two ends."""
    stated = {name: value.strip() for name, value in query.items() if value.strip()}
    if "effective_at" in stated or ("to" in stated and ("position" in stated or "recorded_at" in stated)):
        return None
    asked = {"wallet": stated["wallet"]} if "wallet" in stated else {}
    if "from" in stated:
        asked["from_recorded_at"] = _right_before(time_asked("from", stated["from"]))
    if "to" in stated and datetime.fromisoformat(to := time_asked("to", stated["to"])) <= datetime.now(UTC):
        return {**asked, "to_recorded_at": to}
    # Up to a time that is yet to come there is what is recorded so far.
    return {**asked, "to_position": str(answer["position"])}


def _right_before(time: str) -> str:
    """A document begins after its first point, a report with it; nothing is before the first of all times."""
    at = max(datetime.fromisoformat(time), FIRST_TIME)
    return in_utc((at - timedelta(microseconds=1)).isoformat())
