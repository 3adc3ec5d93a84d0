"""Reports over all accounts, and the statement of one: each as of any moment, in pages, and as a file."""

from collections.abc import Callable, Sequence
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
from api.console.reporting import REPORTS, Query, answer_to
from api.console.writing import Markup, event_link, joined, link, tag

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


def tabs(name: str) -> Markup:
    """The reports there are, with the one that is shown."""
    links = (
        tag("a", title, href=f"/console/reports/{one}", class_="here" if one == name else None)
        for one, title in TABS.items()
    )
    return tag("div", joined(*links), class_="tabs")


def files(names: Sequence[str], answer: Answer, query: Query) -> Markup:
    """At which position an answer is true, and the files that have the whole of it."""
    asked = urlencode({key: value for key, value in query.items() if value and key not in ("after", "limit")})
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
    further = urlencode({**query, **as_of, "after": answer["next"]})
    return tag("p", link(f"The next {SHOWN}", f"/reports/{name}?{further}"))
