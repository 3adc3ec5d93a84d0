"""How pages ask: the HTTP API of this process: roles, refusals and answers are its own."""

import secrets
from typing import Any

import httpx
from starlette.types import ASGIApp

from api.console.sessions import Session
from api.console.within import Within
from api.doors import CORRELATION_HEADER
from api.problems import Unauthenticated, problem_of, status_of
from api.reads.door import PURPOSE_HEADER

NOT_BELIEVED = status_of(Unauthenticated)

_OF_THE_ASKER = (b"authorization", b"x-purpose")


class Refused(Exception):
    """What the API refused, in its own words."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.status = status
        self.title = str(problem.get("title", "The question was refused"))
        self.detail = str(problem.get("detail", ""))
        self.code = str(problem.get("code", ""))


class Asker:
    """Asks with the key of one session, and why it asks; raises Refused for every answer that is a problem.

    All questions of one asker have one correlation id, so that the log of reads tells which belong to one view. A key
    that is not believed any more ends the session, and of one that is over nothing is asked.
    """

    def __init__(self, app: ASGIApp, session: Session) -> None:
        self._session = session
        self._client = httpx.AsyncClient(transport=Within(app), base_url="http://console", headers=_headers(session))

    @property
    def session(self) -> Session:
        return self._session

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What every question states of who asks, for one that is not asked here."""
        return [(name.lower(), value) for name, value in self._client.headers.raw if name.lower() in _OF_THE_ASKER]

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a question; parameters that are None are left out."""
        stated = {name: value for name, value in parameters.items() if value is not None}
        return await self._asked("GET", path, params=stated)

    async def health(self) -> dict[str, Any]:
        """What GET /health tells, also where it answers 503 because something of it stands still."""
        response = await self._client.get("/health")
        content: dict[str, Any] = response.json()
        if "projections" not in content:
            raise Refused(response.status_code, content)
        return content

    async def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """The result of one command."""
        return await self._asked("POST", "/v1/commands", json=command)

    async def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """The answer to what is asked by a body, such as a preview."""
        return await self._asked("POST", path, json=content)

    async def _asked(self, method: str, path: str, **stated: Any) -> dict[str, Any]:
        if self._session.is_over():
            raise Refused(NOT_BELIEVED, problem_of(Unauthenticated(f"the session is over: {self._session.why}")))
        response = await self._client.request(method, path, **stated)
        content: dict[str, Any] = response.json()
        if response.status_code == NOT_BELIEVED:
            self._session.end(str(content.get("detail", "")))
        if response.is_error:
            raise Refused(response.status_code, content)
        return content


def _headers(session: Session) -> httpx.Headers:
    """A purpose is sent in UTF-8, as the API reads it; without one there is no header."""
    stated = {
        "Authorization": f"Bearer {session.key}",
        CORRELATION_HEADER: f"console-{secrets.token_hex(12)}",
        PURPOSE_HEADER: session.purpose,
    }
    return httpx.Headers({name: value for name, value in stated.items() if value}, encoding="utf-8")
