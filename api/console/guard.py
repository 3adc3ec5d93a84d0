"""The guard in front of everything under /console: who has no session gets the sign-in page, and nothing else."""

from urllib.parse import quote

from nicegui import __version__ as library_version
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.console.believing import Believing
from api.console.headers import give_nonce, with_headers
from api.console.origins import Origins
from api.console.sessions import COOKIE, SESSION, Session
from api.console.socket import SessionSocket, is_of_session

PATH = "/console"
SIGN_IN = f"{PATH}/sign-in"
SIGN_OUT = f"{PATH}/sign-out"
REPORTS = f"{PATH}/reports"
SOCKET = f"{PATH}/_nicegui_ws"
PART = "X-Console-Part"
"""The header of what a page asks for by itself, which cannot be led to another page."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_FILES = f"{PATH}/_nicegui/{library_version}"
ASSETS = tuple(f"{_FILES}/{kind}/" for kind in ("static", "libraries", "components", "esm", "resources"))
"""The library's own files, the same for everybody; what pages have made (dynamic_resources, uploads) is elsewhere."""
OPEN = (SIGN_IN, SIGN_OUT, f"{PATH}/favicon.ico")


class Guard:
    """An application whose console is behind it; what is not the console's is passed on untouched."""

    def __init__(self, app: ASGIApp, believing: Believing, origins: Origins) -> None:
        self._app = app
        self._believing = believing
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and _is_within(scope["path"]):
            is_asset = scope["path"].startswith(ASSETS)
            sending = with_headers(send, give_nonce(scope), is_asset=is_asset)
            await (await self._answering(scope, is_asset))(_without_prefix(scope), receive, sending)
        else:
            await self._app(scope, receive, send)

    async def _answering(self, scope: Scope, is_asset: bool) -> ASGIApp:
        """What answers a request: the application, or what is said instead."""
        headers = Headers(scope=scope)
        if scope["path"].startswith(SOCKET):
            return PlainTextResponse("The pages are told what is new by a web socket only.", 403)
        if scope["method"] not in SAFE_METHODS and not self._origins.is_own(headers):
            return PlainTextResponse(
                "Another site sent this form, so nothing was done. Where a proxy stands in front of the console, "
                "LEDGER_CONSOLE_ORIGIN must say what browsers are shown.",
                403,
            )
        if is_asset or scope["path"] in OPEN:
            return self._app
        token = HTTPConnection(scope).cookies.get(COOKIE)
        session = await self._believing.session_of(token)
        if session is None:
            return _signing_in(scope, headers)
        session.touch()
        scope["state"][SESSION] = session
        return self._app

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket from elsewhere, without a session, or for a page of another one, is closed before it is open."""
        session = await self._session_of_socket(scope)
        if session is None:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await SessionSocket(self._app, self._believing, session).serve(_without_prefix(scope), receive, send)

    async def _session_of_socket(self, scope: Scope) -> Session | None:
        connection = HTTPConnection(scope)
        if not scope["path"].startswith(SOCKET) or not self._origins.is_own(connection.headers):
            return None
        session = await self._believing.session_of(connection.cookies.get(COOKIE))
        is_its_page = session is not None and is_of_session(connection.query_params.getlist("client_id"), session)
        return session if is_its_page else None


def session_in(connection: HTTPConnection) -> Session:
    """The session that the guard let a request in with."""
    session = getattr(connection.state, SESSION)
    assert isinstance(session, Session)
    return session


def _is_within(path: str) -> bool:
    return path == PATH or path.startswith(f"{PATH}/")


def _without_prefix(scope: Scope) -> Scope:
    """The library puts this header's text before every address; no proxy may move the console, so nobody states it."""
    return {**scope, "headers": [one for one in scope["headers"] if one[0] != b"x-forwarded-prefix"]}


def _signing_in(scope: Scope, headers: Headers) -> Response:
    """Leads to the sign-in page and then back; what a page asks for by itself is told in words."""
    if PART in headers:
        return PlainTextResponse("The session is over; reload the page to sign in again.", 401)
    asked = REPORTS if scope["path"].startswith(f"{PATH}/download/") else quote(scope["path"])
    if scope["method"] in SAFE_METHODS and asked != REPORTS and scope["query_string"]:
        asked += f"?{scope['query_string'].decode('latin-1')}"
    return RedirectResponse(f"{SIGN_IN}?next={quote(asked, safe='')}", status_code=303)
