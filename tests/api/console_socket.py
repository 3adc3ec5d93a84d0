"""The web socket of a page, as the library's script opens it, without a browser."""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from tests.api.console_visitor import Visitor

OPENED, CONNECTED = "0", "40"


def client_of(page: str) -> str:
    """The id of an open page, which its socket names."""
    found = re.search(r"['\"]client_id['\"]:\s*['\"]([0-9a-f-]+)['\"]", page)
    assert found is not None, page[:2000]
    return found[1]


@contextmanager
def socket_of(
    visitor: Visitor, client_id: str, cookies: str | None = None, origin: str | None = None
) -> Iterator[ClientConnection]:
    """An open socket of a page, with the visitor's cookie unless another is stated; raises where it is refused."""
    query = {
        "EIO": "4",
        "transport": "websocket",
        "client_id": client_id,
        "next_message_id": "0",
        "implicit_handshake": "true",
        "document_id": str(uuid.uuid4()),
        "tab_id": str(uuid.uuid4()),
        "old_tab_id": "",
    }
    base = str(visitor.http.base_url).replace("http://", "ws://")
    held = "; ".join(f"{one.name}={one.value}" for one in visitor.http.cookies.jar) if cookies is None else cookies
    with connect(
        f"{base}_nicegui_ws/socket.io/?{urlencode(query)}",
        additional_headers={"Cookie": held} if held else {},
        origin=origin,
        proxy=None,
        open_timeout=20,
    ) as socket:
        assert str(socket.recv(20)).startswith(OPENED)
        socket.send(CONNECTED)
        assert str(socket.recv(20)).startswith(CONNECTED)
        yield socket


def told_until_closed(socket: ClientConnection) -> list[str]:
    """Everything that a page is told from here on, until the server closes its socket."""
    return [str(message) for message in socket]


def acted(socket: ClientConnection, client_id: str) -> None:
    """Tells that somebody pressed something."""
    event = {"id": 0, "client_id": client_id, "listener_id": "none", "args": []}
    socket.send(f"42{json.dumps(['event', event], separators=(',', ':'))}")
