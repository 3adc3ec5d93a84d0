"""What every page stands behind: a session, and an asker with its key."""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from fastapi import Request
from nicegui import app as console_app
from nicegui import ui
from starlette.responses import RedirectResponse

from api.console.asking import Asker, Refused
from api.console.frame import framed, refusal_card
from api.console.guard import session_in
from api.console.meanwhile import meanwhile

RESPONSE_SECONDS = 30.0

Page = Callable[..., Awaitable[Any]]


def asker_of(request: Request) -> Asker:
    """Asks with the key of the session that the guard has let a request in with."""
    return Asker(console_app.state.answering, session_in(request))


def console_page(path: str, title: str) -> Callable[[Page], Page]:
    """A page inside the frame, for who is signed in, as the guard sees to.

    The page is built with an Asker as its first argument, then with what its path and query name, which `title` may
    name too. A refusal that it leaves uncaught is shown in its place, in the ledger's words. A response that it
    returns, such as one that leads elsewhere, is sent instead of the page. What takes long follows when it is there. A
    session that is found to be over while the page is built leads to signing in, and then back.
    """

    def registered(build: Page) -> Page:
        @wraps(build)
        async def guarded(request: Request, *arguments: Any, **named: Any) -> Any:
            asker, answered = asker_of(request), None
            named_title = title.format(**named)
            ui.page_title(f"{named_title} · Ledger")
            with framed(named_title, request, path):
                try:
                    async with meanwhile() as early:
                        answered = await build(asker, *arguments, **named)
                except Refused as refused:
                    refusal_card(refused)
            if asker.session.is_over():
                # The guard, which is asked again, says why.
                answered = RedirectResponse(str(request.url), status_code=303)
            return early.led(answered)

        _take_parameters_of(build, guarded)
        ui.page(path, response_timeout=RESPONSE_SECONDS)(guarded)
        return build

    return registered


def _take_parameters_of(build: Page, guarded: Any) -> None:
    """Gives the guarded page the parameters of what it guards, the request in place of the asker."""
    _, *rest = inspect.signature(build).parameters.values()
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    guarded.__signature__ = inspect.Signature([request, *rest])
    guarded.__annotations__ = {"request": Request, **{p.name: p.annotation for p in rest}}
    del guarded.__wrapped__
