"""The console put under /console of the API's application, with signing in and out by plain forms."""

from fastapi import FastAPI, Request
from nicegui import app as console_app
from nicegui import ui
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from api.console.frame import STYLE
from api.console.pages import (
    account,
    account_explained,
    accounts,
    acting,
    downloads,
    event,
    liquidation,
    liquidations,
    operations,
    overview,
    reports,
    search,
    signing_in,
    trail,
)
from api.console.sessions import Sessions

PATH = "/console"
RECONNECT_SECONDS = 20.0
"""How long a page is kept that does not answer: a browser that draws a chart, or a phone, is quiet for a while."""
PAGES = [
    *(signing_in, overview, search, accounts, account, account_explained, trail, event, liquidations, liquidation),
    *(operations, acting, reports, downloads),
]
"""Every module of pages: importing it registers its pages."""


def mount_console(app: FastAPI, answering: ASGIApp) -> None:
    """Puts the console under an application; `answering` is what its pages ask, which is the same with its doors."""
    console_app.state.answering = answering
    console_app.state.sessions = Sessions()
    console_app.state.doors = app.state.doors
    ui.add_css(STYLE, shared=True)
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
