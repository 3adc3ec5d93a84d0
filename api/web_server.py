"""The web server: how it serves the application, and that streams end when it stops."""

import socket

import uvicorn
from starlette.types import ASGIApp

from api.streams.house import Streams

SHUTDOWN_SECONDS = 10


def server_config(app: ASGIApp, *, console: bool = False) -> uvicorn.Config:
    """How the web server serves an application: with what the API needs, and nothing that costs each request more.

    The console needs web sockets, and to be started and ended.
    """
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio" if console else "none",
        lifespan="on" if console else "off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


class Server(uvicorn.Server):
    """Ends the streams before it waits for all answers to end, for theirs would not."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.end()
        await super().shutdown(sockets)
