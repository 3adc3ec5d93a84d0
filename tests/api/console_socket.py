"""The web socket of a page, as the library's script opens it, without a browser."""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.api.console_visitor import Visitor

TOLD_SECONDS = 30
OPENED, CONNECTED, PING, PONG = "0", "40", "2", "3"


def client_of(page: str) -> str:
    """The id of an open page, which its socket names."""
    found = re.search(r"['\"]client_id['\"]:\s*['\"]([0-9a-f-]+)['\"]", page)
    assert found is not None, page[:2000]
    return found[1]


@contextmanager
def socket_of(
    visitor: Visitor, *client_ids: str, cookies: str | None = None, origin: str | None = None
) -> Iterator[ClientConnection]:
    """An open socket of the page that it names, with the visitor's cookie or another; raises where it is refused."""
    query = {
        "EIO": "4",
        "transport": "websocket",
        "client_id": client_ids,
        "next_message_id": "0",
        "implicit_handshake": "true",
        "document_id": str(uuid.uuid4()),
        "tab_id": str(uuid.uuid4()),
        "old_tab_id": "",
    }
    base = str(visitor.http.base_url).replace("http://", "ws://")
    held = "; ".join(f"{one.name}={one.value}" for one in visitor.http.cookies.jar) if cookies is None else cookies
    with connect(
        f"{base}_nicegui_ws/socket.io/?{urlencode(query, doseq=True)}",
        additional_headers={"Cookie": held} if held else {},
        origin=None if origin is None else Origin(origin),
        proxy=None,
        open_timeout=20,
    ) as socket:
        assert str(socket.recv(20)).startswith(OPENED)
        socket.send(CONNECTED)
        assert str(socket.recv(20)).startswith(CONNECTED)
        yield socket


def told(socket: ClientConnection) -> Iterator[str]:
    """What a page is told from here on, until the server closes its socket; pings are answered as browsers do."""
    deadline = time.monotonic() + TOLD_SECONDS
    while True:
        try:
            message = socket.recv(deadline - time.monotonic())
        except ConnectionClosed:
            return
        if message == PING:
            socket.send(PONG)
        else:
            yield str(message)
