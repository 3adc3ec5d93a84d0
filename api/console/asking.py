"""How pages ask: the HTTP API of this process: roles, refusals and answers are its own."""

from typing import Any

import httpx
from starlette.types import ASGIApp

from api.console.sessions import Session
from api.console.within import Within


class Refused(Exception):
    """What the API refused, in its own words."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.status = status
        self.title = str(problem.get("title", "The question was refused"))
        self.detail = str(problem.get("detail", ""))
        self.code = str(problem.get("code", ""))


class Asker:
    """Asks with the key of one session; raises Refused for every answer that is a problem."""

    def __init__(self, app: ASGIApp, session: Session) -> None:
        self._session = session
        self._client = httpx.AsyncClient(
            transport=Within(app),
            base_url="http://console",
            headers={"Authorization": f"Bearer {session.key}"},
        )

    @property
    def session(self) -> Session:
        return self._session

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a question; parameters that are None are left out."""
        stated = {name: value for name, value in parameters.items() if value is not None}
        return await self._answer(await self._client.get(path, params=stated))

    async def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """The result of one command."""
        return await self._answer(await self._client.post("/v1/commands", json=command))

    async def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """The answer to what is asked by a body, such as a preview."""
        return await self._answer(await self._client.post(path, json=content))

    async def _answer(self, response: httpx.Response) -> dict[str, Any]:
        content: dict[str, Any] = response.json()
        if response.is_error:
            raise Refused(response.status_code, content)
        return content
