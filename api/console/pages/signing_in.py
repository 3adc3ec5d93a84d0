"""Signing in with an API key, and out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Request
from nicegui import app as console_app
from nicegui import ui
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.console.doors import SIGN_IN
from api.console.frame import show
from api.console.sessions import COOKIE, LONGEST_SECONDS
from api.console.writing import Markup, joined, tag
from api.problems import Unauthenticated
from api.roles import Role

HOME = "/console/"
PURPOSE_LENGTH = 200


@ui.page("/sign-in", title="Sign in · Ledger")
def sign_in_page(next: str = HOME, said: str = "") -> None:
    """The form; `said` is why the last try did not succeed."""
    show(_form(_within(next), said)).classes("sign-in")


@console_app.post("/sign-in")
async def sign_in(
    request: Request,
    key: Annotated[str, Form()],
    purpose: Annotated[str, Form(max_length=PURPOSE_LENGTH)] = "",
    next: Annotated[str, Form()] = HOME,
) -> Response:
    """Opens a session for a valid key of the staff, and leads to where one wanted to go."""
    try:
        caller = await run_in_threadpool(console_app.state.doors.keys.find, f"Bearer {key.strip()}")
        if caller.role is Role.CUSTOMER:
            raise Unauthenticated(f"the key {caller.name} is a customer's; the console is for the staff")
    except Unauthenticated as refused:
        said = quote(str(refused), safe="")
        return RedirectResponse(f"{SIGN_IN}?next={quote(_within(next), safe='')}&said={said}", status_code=303)
    response = RedirectResponse(_within(next), status_code=303)
    response.set_cookie(
        COOKIE,
        console_app.state.sessions.begin(key.strip(), caller, purpose.strip()),
        max_age=LONGEST_SECONDS,
        path="/console",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@console_app.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session, here and in the browser."""
    console_app.state.sessions.end(request.cookies.get(COOKIE))
    response = RedirectResponse(SIGN_IN, status_code=303)
    response.delete_cookie(COOKIE, path="/console")
    return response


def _within(path: str) -> str:
    """A place of the console to go on to; anything else leads to its first page."""
    inside = path.startswith("/console/") and "\\" not in path and not path.startswith(SIGN_IN)
    return path if inside else HOME


def _form(path: str, said: str) -> Markup:
    fields = joined(
        tag("h1", joined(tag("span", "▤", class_="mark"), " Ledger")),
        tag("p", said, class_="said", role="alert") if said else "",
        tag(
            "label",
            joined("API key", tag("input", name="key", type="password", required="", autofocus="", autocomplete="off")),
        ),
        tag(
            "label",
            joined(
                "What for (ticket, case; kept with what is read)",
                tag("input", name="purpose", maxlength=str(PURPOSE_LENGTH), autocomplete="off"),
            ),
        ),
        tag("input", type="hidden", name="next", value=path),
        tag("button", "Sign in", type="submit"),
        tag("p", "A key is made by: ledger keys create --role operator --name NAME", class_="hint"),
    )
    return tag("form", fields, action=SIGN_IN, method="post", class_="card")
