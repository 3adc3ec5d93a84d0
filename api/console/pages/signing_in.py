"""Signing in with an API key, and out: plain pages, that need no script and no socket."""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Form, Request
from nicegui import app as console_app
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.console.believing import Believing
from api.console.brake import Brake
from api.console.frame import SCRIPT, STYLE
from api.console.guard import PATH, SIGN_IN
from api.console.headers import nonce_of
from api.console.origins import Origins
from api.console.sessions import COOKIE, LEFT, LONGEST_SECONDS, REPLACED
from api.console.writing import Markup, joined, tag
from api.failures import refusal_of
from api.problems import status_of
from api.reads.door import purpose_missing
from api.reads.log import ReadLog
from api.reads.purpose import LONGEST_PURPOSE, purpose_in
from ledger import TooManyRequests

HOME = f"{PATH}/"
_PRINTABLE = re.compile(r"[\x21-\x5b\x5d-\x7e]+")


class Entrance:
    """Who gets in: the sessions, what they are begun with, and a brake."""

    def __init__(self, believing: Believing, origins: Origins, reads: ReadLog) -> None:
        self.believing, self.origins, self.reads = believing, origins, reads
        self._brake = Brake()

    async def begin(self, address: str, key: str, purpose: str) -> str:
        """Begins a session and returns what its cookie says.

        Refused with TooManyRequests, Unauthenticated, Forbidden (a customer's key), Malformed (a purpose that cannot
        be kept) and PurposeMissing (where one is asked of everybody).
        """
        seconds = self._brake.seconds_to_wait(address)
        if seconds:
            raise TooManyRequests(
                f"too many keys that are none were tried in the last minute; sign in again in {seconds} s"
            )
        tried = self._brake.tried(address)
        caller = await self.believing.staff(key)
        self._brake.succeeded(tried)
        stated = purpose_in(purpose)
        if stated is None and self.reads.purpose_required:
            raise purpose_missing(caller, "the field What for")
        return self.believing.sessions.begin(key, caller, stated or "")


def _entrance() -> Entrance:
    entrance = console_app.state.entrance
    assert isinstance(entrance, Entrance)
    return entrance


@console_app.get("/sign-in")
async def sign_in_page(request: Request, next: str = HOME) -> Response:
    """The form; whose session has ended is told why."""
    why = _entrance().believing.sessions.why_over(request.cookies.get(COOKIE))
    return _page(request, within(next), f"Your session is over: {why}." if why else "")


@console_app.post("/sign-in")
async def sign_in(
    request: Request,
    key: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = HOME,
) -> Response:
    """Opens a session for a valid key of the staff, and leads to where one wanted to go."""
    entrance, address = _entrance(), request.client.host if request.client else ""
    try:
        token = await entrance.begin(address, key.strip(), purpose)
    except Exception as error:
        refused = refusal_of(error, "of signing in")
        return _page(request, within(next), f"{str(refused)[:1].upper()}{str(refused)[1:]}.", status_of(type(refused)))
    entrance.believing.sessions.end(request.cookies.get(COOKIE), REPLACED)
    response = RedirectResponse(within(next), status_code=HTTPStatus.SEE_OTHER)
    response.set_cookie(
        COOKIE,
        token,
        max_age=LONGEST_SECONDS,
        path=PATH,
        httponly=True,
        # Not strict: a link in a colleague's message would then lead to the sign-in page. Nothing is changed by a GET,
        # and what another site has sent as a form, or shows in a frame, comes without the cookie.
        samesite="lax",
        secure=entrance.origins.is_secure(request.url.scheme),
    )
    return response


@console_app.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session, here and in the browser."""
    _entrance().believing.sessions.end(request.cookies.get(COOKIE), LEFT)
    response = RedirectResponse(SIGN_IN, status_code=HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, path=PATH)
    return response


def within(path: str) -> str:
    """A place of the console to go on to; whatever could lead out of it leads to its first page."""
    is_inside = path.startswith(HOME) and _PRINTABLE.fullmatch(path) and "/../" not in f"{path.split('?')[0]}/"
    return path if is_inside and not path.startswith(SIGN_IN) else HOME


def _page(request: Request, path: str, said: str, status: int = HTTPStatus.OK) -> Response:
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "Sign in · Ledger"),
        tag("link", rel="icon", href=f"{PATH}/favicon.ico"),
        tag("style", Markup(STYLE)),
    )
    script = tag("script", Markup(SCRIPT), nonce=nonce_of(request))
    body = joined(tag("div", _form(path, said), class_="sign-in"), script)
    page = tag("html", joined(tag("head", head), tag("body", body)), lang="en")
    return HTMLResponse(f"<!doctype html>{page}", status)


def _form(path: str, said: str) -> Markup:
    needed = "" if _entrance().reads.purpose_required else None
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
                tag("input", name="purpose", maxlength=str(LONGEST_PURPOSE), autocomplete="off", required=needed),
            ),
        ),
        tag("input", type="hidden", name="next", value=path),
        tag("button", "Sign in", type="submit"),
        tag("p", "A key is made by: ledger keys create --role operator --name NAME", class_="hint"),
    )
    return tag("form", fields, action=SIGN_IN, method="post", class_="card")
