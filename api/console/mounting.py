"""The console put under /console of the API's application, with signing in and out by plain forms."""

from fastapi import FastAPI, Request
from nicegui import app as console_app
from nicegui import ui
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from api.console.believing import Believing
from api.console.frame import STYLE
from api.console.guard import PATH, Guard
from api.console.headers import give_nonces_to_pages
from api.console.origins import Origins
from api.console.pages import (
    account,
    account_explained,
    accounts,
    acting,
    documents,
    downloads,
    event,
    liquidation,
    liquidations,
    operations,
    overview,
    reads,
    reports,
    sealed,
    search,
    signing_in,
    trail,
)
from api.console.pages.signing_in import Entrance
from api.console.sessions import Sessions

RECONNECT_SECONDS = 20.0
"""How long a page is kept that does not answer: a browser that draws a chart, or a phone, is quiet for a while."""
PAGES = [
    *(signing_in, overview, search, accounts, account, account_explained, trail, event, liquidations, liquidation),
    *(operations, acting, reports, downloads, documents, sealed, reads),
]
"""Every module of pages: importing it registers its pages."""


def mount_console(app: FastAPI, answering: ASGIApp) -> Guard:
    """Puts the console under an application; `answering` is what its pages ask, which is the same with its doors.

    Returns what is to be served: the same again, with a guard in front of the console.
    """
    believing, origins = Believing(Sessions(), app.state.doors.keys), Origins()
    console_app.state.answering = answering
    console_app.state.entrance = Entrance(believing, origins, app.state.doors.reads)
    # Of the library's two ways to tell pages what is new one is enough, so one is guarded and the other refused.
    console_app.config.socket_io_js_transports = ["websocket"]
    give_nonces_to_pages()
    # Not add_css, which would write a script for it.
    ui.add_head_html(f"<style>{STYLE}</style>", shared=True)
    ui.run_with(
        app,
        mount_path=PATH,
        title="Ledger",
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        language="en-US",
    )
    assert PAGES

    @app.get(PATH, include_in_schema=False)
    async def to_overview(_: Request) -> Response:
        return RedirectResponse(f"{PATH}/")

    return Guard(answering, believing, origins)
