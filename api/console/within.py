"""Questions to an application of this process, without a network between."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp, Message


class Within(httpx.AsyncBaseTransport):
    """As httpx's own ASGITransport, which looks for a package that is not installed twice in every question.

    Requests and answers are whole: nothing is streamed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the application, once it is whole."""
        content = await request.aread()
        started: Message = {}
        parts: list[bytes] = []

        asked = iter([{"type": "http.request", "body": content, "more_body": False}])

        async def receive() -> Message:
            # Who asks stays until he is answered: whoever listens for his going hears nothing.
            return next(asked, None) or await asyncio.get_running_loop().create_future()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(_scope(request), receive, send)
        return httpx.Response(started["status"], headers=started["headers"], content=b"".join(parts))


def _scope(request: httpx.Request) -> dict[str, Any]:
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
    }
