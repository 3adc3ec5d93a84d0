"""The console's questions asked of a running house, without a browser."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from api.console.asking import Asker
from api.console.sessions import Session
from api.roles import Caller, Role
from tests.api.house import House

T = TypeVar("T")


class OverTheWire(Asker):
    """Asks a house that another thread serves, as the console asks its own process."""

    def __init__(self, house: House, who: str) -> None:
        super().__init__(_no_app, Session(house.key(who), Caller(who, Role.AUDITOR), "", 1e18, 1e18))
        self._client = httpx.AsyncClient(
            base_url=str(house.http.base_url),
            headers={"Authorization": f"Bearer {house.key(who)}"},
            trust_env=False,
            verify=False,
        )


async def _no_app(*_: Any) -> None:
    raise AssertionError("nothing is asked in this process")


def asking(house: House, ask: Callable[[Asker], Awaitable[T]], who: str = "admin") -> T:
    """What a page gets that asks with the key of `who`."""

    async def answered() -> T:
        return await ask(OverTheWire(house, who))

    return asyncio.run(answered())


def events_of(house: House, topic: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.get("/v1/events", params={"topic": topic, "limit": 1000}).json()["events"]
    return found
