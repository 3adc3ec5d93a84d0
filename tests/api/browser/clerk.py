"""Somebody of the back office in front of a browser, and everything that the browser complained of."""

from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebSocket, expect

from api.console.meanwhile import BEING_WORKED_OUT

PURPOSE = "ticket 4711"
PATIENCE_MILLISECONDS = 30_000
"""How long something is waited for that must come; a machine may be busy with other tests."""
CONNECTED = "() => !document.getElementById('app') || window.did_handshake === true"
ABORTED = "net::ERR_ABORTED"
"""What the browser says of questions that nobody waits for any more, for another page was gone to."""

expect.set_options(timeout=PATIENCE_MILLISECONDS)


class Clerk:
    """A window of the console; `complaints` are errors of its scripts, and whatever was asked of another host."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.complaints: list[str] = []
        self._context = context
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self._listen(self.page)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def sign_in(self, key: str) -> Self:
        """Signs in with a key, and stands on the overview then."""
        self.page.goto(f"{self.address}/console/sign-in")
        self.fill_in_key(key)
        expect(self.page.locator("h1")).to_have_text("Overview")
        return self

    def fill_in_key(self, key: str) -> None:
        self.page.fill("[name=key]", key)
        self.page.fill("[name=purpose]", PURPOSE)
        self.page.click("button[type=submit]")

    def go(self, path: str) -> Page:
        """Opens a page of the console, and waits until it is live."""
        self.page.goto(f"{self.address}/console{path}")
        self.page.locator("h1").wait_for()
        self.live()
        return self.page

    def live(self) -> None:
        """Waits until the page is connected, where it is one that moves, and all of it is worked out."""
        self.page.wait_for_function(CONNECTED)
        expect(self.page.get_by_text(BEING_WORKED_OUT)).to_have_count(0)

    def cookies(self) -> list[Any]:
        return list(self._context.cookies())

    def get(self, path: str) -> Any:
        """A page asked for beside what the window shows; where it leads to is not followed."""
        return self._context.request.get(f"{self.address}/console{path}", max_redirects=0)

    def post(self, path: str, **form: str) -> Any:
        """A form sent by hand, with the cookies of this browser; where it leads to is not followed."""
        return self._context.request.post(f"{self.address}/console{path}", form=dict(form), max_redirects=0)

    def _listen(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("websocket", self._opened)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"asked of another host: {url}")

    def _opened(self, socket: WebSocket) -> None:
        self._asked(socket.url)

    def _failed(self, request: Request) -> None:
        if request.failure != ABORTED:
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"answered {response.status}: {response.url}")
