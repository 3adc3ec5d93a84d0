"""Reports over all accounts, and the statement of one: each as of any moment, in pages, and as a file."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from api.console.asking import Asker, Refused
from api.console.doors import console_page
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
from api.console.report_frame import SHOWN, files, tabs
from api.console.reporting import REPORTS, Query, answer_to
from api.console.what_if import show_what_if
from api.console.writing import Markup, joined, link, tag

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
BANDS = ("normal", "transfer_blocked", "borrow_blocked", "margin_call", "liquidation", "unpriced")
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
    ("recorded_at", "or as recorded at", "2020-03-12T10:45:00Z"),
    ("effective_at", "of what is dated up to", "2020-03-12T10:45:00Z"),
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
    show(tabs(name))
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
    inputs = (_input(*field, query) for field in (*FIELDS.get(name, ()), *AS_OF))
    button = tag("button", "Show", type="submit", class_="primary")
    return tag("form", joined(*inputs, button), method="get", action=f"/console/reports/{name}", class_="line-form")


def _input(name: str, title: str, example: str, query: Query) -> Markup:
    if name == "band":
        options = (
            tag(
                "option", one.replace("_", " ") or "all", value=one, selected="" if query.get(name, "") == one else None
            )
            for one in ("", *BANDS)
        )
        return tag("label", joined(title, tag("select", joined(*options), name=name)))
    kind = "date" if name in ("from", "to") else "text"
    written = tag(
        "input",
        name=name,
        type=kind,
        value=query.get(name),
        placeholder=example,
        autocomplete="off",
        spellcheck="false",
        maxlength="200",
    )
    return tag("label", joined(title, written))


def _more(name: str, answer: Answer, query: Query) -> Markup:
    """The next page, as of the same position, so that no row is missed between two pages."""
    if answer.get("next") is None:
        return joined("")
    as_of = {} if query.get("recorded_at") else {"position": answer["position"]}
    onwards = "before" if query.get("order") == "desc" else "after"
    further = urlencode({**query, **as_of, onwards: answer["next"]})
    return tag("p", link(f"The next {SHOWN}", f"/reports/{name}?{further}"))
