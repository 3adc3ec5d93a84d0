"""The web socket of an open page: it lasts no longer than the session that the page was shown to."""

import asyncio
from contextlib import suppress

from nicegui import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.console.believing import Believing
from api.console.sessions import SESSION, Session

LOOK_SECONDS = 5.0
"""How often the session of an open page is looked at, so that a revoked key is noticed where nothing is asked."""
SOMEBODY_ACTED = '42["event"'
RELOAD = '42["run_javascript",{"code":"location.reload()"}]'
"""What makes the page ask for itself again, which leads to the sign-in page with what ended the session."""
GONE: Message = {"type": "websocket.disconnect", "code": 1001}


def is_of_session(client_ids: list[str], session: Session) -> bool:
    """Whether the page that a socket names was shown to this session; the library would take one that names none.

    Of two names the library reads the first, others the last. A page that is not open any more is let in: the library
    knows it not, and tells the browser to reload.
    """
    if len(client_ids) != 1 or not client_ids[0]:
        return False
    client = Client.instances.get(client_ids[0])
    return client is None or getattr(client.request.state, SESSION, None) is session


class SessionSocket:
    """One socket, between the server and the library."""

    def __init__(self, app: ASGIApp, believing: Believing, session: Session) -> None:
        self._app = app
        self._believing = believing
        self._session = session
        self._is_open = False

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns when either side has closed it, or the session is over and the page was told to reload."""
        looking = asyncio.create_task(self._look())

        async def receive_until_over() -> Message:
            message = await self._received(receive)
            if message is GONE and self._is_open:
                self._is_open = False
                # The browser may be gone already.
                with suppress(Exception):
                    await send({"type": "websocket.send", "text": RELOAD})
                    await send({"type": "websocket.close", "code": 1000})
            return message

        async def send_until_over(message: Message) -> None:
            if self._session.over.is_set():
                return
            self._is_open = self._is_open or message["type"] == "websocket.accept"
            await send(message)

        try:
            await self._app(scope, receive_until_over, send_until_over)
        finally:
            looking.cancel()

    async def _look(self) -> None:
        while await self._believing.is_believed(self._session):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._session.over.wait(), LOOK_SECONDS)

    async def _received(self, receive: Receive) -> Message:
        """The next message of the browser, or that it is gone once the session is over."""
        message, over = asyncio.ensure_future(receive()), asyncio.ensure_future(self._session.over.wait())
        try:
            await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            if not message.done():
                message.cancel()
        if self._session.over.is_set():
            return GONE
        if str(message.result().get("text") or "").startswith(SOMEBODY_ACTED):
            self._session.touch()
        return message.result()
