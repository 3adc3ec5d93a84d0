"""Reports over all accounts, and the statement of one: each as of any moment, in pages, and as a file."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.forms import any_of, asked_by, chosen, further, written
from api.console.frame import refusal_card, show
from api.console.report_cards import (
    book_cards,
    exposure_cards,
    insurance_cards,
    level_cards,
    loan_cards,
    statement_cards,
    trial_balance_cards,
)
from api.console.report_frame import SHOWN, files, report_tabs
from api.console.reporting import REPORTS, Query, answer_to
from api.console.what_if import show_what_if
from api.console.writing import BANDS, Markup, joined, tag

Answer = dict[str, Any]


CARDS: dict[str, Callable[[Answer, Query], Markup]] = {
    "trial-balance": trial_balance_cards,
    "book": book_cards,
    "loans": loan_cards,
    "margin-levels": level_cards,
    "exposure": exposure_cards,
    "insurance": insurance_cards,
    "statement": statement_cards,
}
FIELDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "book": (("book", "Book", "fees, account/alice/spot"), ("asset", "Asset", "USDT")),
    "loans": (("account_id", "Account", "all"), ("asset", "Asset", "all")),
    "margin-levels": (("band", "Band", "all"),),
    "exposure": (("within", "Near: within %", "10"),),
    "statement": (
        ("account_id", "Account", "alice"),
        ("wallet", "Wallet", "all"),
        ("asset", "Asset", "all"),
        ("from", "Recorded from (UTC)", ""),
        ("to", "to the end of", ""),
    ),
}
NEEDED = {"book": ("book", "asset"), "statement": ("account_id",)}
AS_OF = (
    ("position", "As of position", "now"),
    ("recorded_at", "or recorded by, UTC", "2020-03-12 10:45"),
    ("effective_at", "dated up to, UTC", "2020-03-12 10:45"),
)
FILES = {"exposure": ("exposure", "debtors", "near"), "insurance": ("insurance", "uncovered")}


@console_page("/reports", "Reports")
async def reports(ask: Asker) -> None:
    """The first report."""
    await _show_report(ask, "trial-balance")


@console_page("/reports/{name}", "Reports")
async def report(ask: Asker, name: str) -> None:
    """One report, as its address says."""
    await _show_report(ask, name)


async def _show_report(ask: Asker, name: str) -> None:
    query = dict(ui.context.client.request.query_params)
    show(report_tabs(name))
    if name == "what-if":
        await show_what_if(ask, query)
        return
    if name not in CARDS:
        show(tag("p", f"There is no report {name[:60]}; choose one above.", class_="empty"))
        return
    show(_asked(name, query))
    missing = [word for word in NEEDED.get(name, ()) if not query.get(word)]
    if missing:
        show(tag("p", f"State the {' and the '.join(missing).replace('_id', '')} to see this report.", class_="empty"))
        return
    paged = {} if name == "trial-balance" else {"limit": str(SHOWN)}
    try:
        answer = await answer_to(ask, REPORTS[name], {**query, **paged})
    except Refused as refused:
        refusal_card(refused)
        return
    show(files(FILES.get(name, (name,)), answer, query))
    show(CARDS[name](answer, query)).classes("cards")
    show(_more(name, answer, query))


def _asked(name: str, query: Query) -> Markup:
    fields = (_field(*field, query) for field in (*FIELDS.get(name, ()), *AS_OF))
    return asked_by(f"/reports/{name}", *fields)


def _field(name: str, title: str, example: str, query: Query) -> Markup:
    value = query.get(name, "")
    if name == "band":
        return chosen(title, name, any_of(BANDS), value)
    return written(title, name, value, example, type="date" if name in ("from", "to") else "text")


def _more(name: str, answer: Answer, query: Query) -> Markup:
    """The next page, as of the same position, so that no row is missed between two pages."""
    if answer.get("next") is None:
        return joined("")
    as_of = {} if query.get("recorded_at") else {"position": answer["position"]}
    onwards = "before" if query.get("order") == "desc" else "after"
    asked = urlencode({**query, **as_of, onwards: answer["next"]})
    return further(f"The next {SHOWN}", f"/reports/{name}?{asked}")
