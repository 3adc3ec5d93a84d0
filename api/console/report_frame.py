"""What every report has around it: which there are, as of when it is true, and its files."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from api.console.reporting import PAGE, Query
from api.console.writing import Markup, event_link, joined, tabs, tag

SHOWN = 50

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
