"""The frame of every page: where one is, where one can go, the search, and how it looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import Request
from nicegui import ui

from api.console.asking import Refused
from api.console.guard import session_in
from api.console.headers import nonce_of
from api.console.sessions import Session
from api.console.writing import Markup, joined, link, tag
from api.roles import Resource, may_read

STYLE = (Path(__file__).parent / "style.css").read_text()
SCRIPT = (Path(__file__).parent / "keys.js").read_text()
SECTIONS = [
    ("/", "Overview", Resource.REPORTS),
    ("/accounts", "Accounts", Resource.ACCOUNTS),
    ("/events", "Audit trail", Resource.EVENTS),
    ("/liquidations", "Liquidations", Resource.LIQUIDATIONS),
    ("/operations", "Operations", Resource.ADJUSTMENTS),
    ("/reports", "Reports", Resource.REPORTS),
    ("/seal", "Seal", Resource.CHECKPOINTS),
    ("/reads", "Who looked", Resource.READS),
]


def show(content: Markup) -> ui.html:
    """Puts HTML into the page; all of it was escaped when it was made."""
    return ui.html(content, sanitize=False)


@contextmanager
def framed(title: str, request: Request, path: str) -> Iterator[None]:
    """A page with its heading; what is made inside stands beneath."""
    run_script(SCRIPT)
    show(_top(session_in(request), path)).classes("top")
    with ui.element("div").classes("page"):
        show(tag("h1", title))
        yield


def run_script(script: str) -> None:
    """Has the page that is being made run a script of ours once it is there."""
    ui.add_body_html(f'<script nonce="{nonce_of(ui.context.client.request)}">{script}</script>')


def refusal_card(refused: Refused) -> None:
    """A refusal in the ledger's words, in place of what was asked for."""
    show(
        tag(
            "section",
            joined(tag("h2", refused.title), tag("p", refused.detail), tag("p", refused.code, class_="code")),
            class_="card refusal",
            role="alert",
        )
    )


def _top(session: Session, path: str) -> Markup:
    links = [
        tag("a", title, href=f"/console{where}", class_="here" if _is_in(path, where) else None)
        for where, title, resource in SECTIONS
        if may_read(session.caller, resource)
    ]
    search = tag(
        "form",
        joined(
            tag(
                "input",
                id="search",
                name="q",
                type="search",
                autocomplete="off",
                spellcheck="false",
                maxlength="128",
                placeholder="Account, position, liquidation, id",
                aria_label="Search",
            ),
            tag("kbd", "/"),
        ),
        action="/console/search",
        method="get",
        role="search",
    )
    leave = tag(
        "form",
        joined(tag("span", session.caller.actor, class_="actor"), tag("button", "Sign out", type="submit")),
        action="/console/sign-out",
        method="post",
        class_="leave",
    )
    theme = tag("button", "◐", type="button", id="theme", title="Light, dark, or as the system has it")
    name = link(joined(tag("span", "▤", class_="mark"), " Ledger"), "/")
    return joined(tag("div", name, class_="brand"), tag("nav", joined(*links)), search, theme, leave)


def _is_in(path: str, where: str) -> bool:
    return path == where or (where != "/" and path.startswith(where))
