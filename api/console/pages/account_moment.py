"""A moment of an account's history: now, an event of it by version, or any position of the log."""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote

from api.console.asking import Asker, Refused
from api.console.pages.account_wallets import is_anything_locked
from api.console.writing import query

Answer = dict[str, Any]


class Moment(NamedTuple):
    """The account as it was, the last of its events by then, and what that event changed.

    `change` is what the difference across that event tells, None for the opening, before which there was no account.
    `last_version` is the account's newest; `position` is stated where the moment is a position of the log.
    """

    account: Answer
    event: Answer
    change: Answer | None
    locked: tuple[list[Answer], list[Answer]]
    last_version: int
    position: int | None

    @property
    def version(self) -> int:
        return int(self.event["version"])

    @property
    def is_now(self) -> bool:
        return self.account["as_of"] is None


def account_path(account_id: str, **stated: object) -> str:
    """Where the page of an account is, within the console."""
    return f"/accounts/{quote(account_id, safe='')}{query(**stated)}"


async def moment_at_event(ask: Asker, account_id: str, version: int, last_version: int) -> Moment:
    """The account as one of its events left it, where it has so many."""
    _require_version(account_id, version, last_version)
    account, event, change = await _at_event(ask, f"/v1/accounts/{quote(account_id, safe='')}", version)
    return Moment(account, event, change, await _locked(ask, account), last_version, None)


async def moment_of(ask: Asker, account_id: str, version: int | None, position: int | None) -> Moment:
    """What is asked of a moment: the version, else the position, else now. Refused where there is none like it."""
    path = f"/v1/accounts/{quote(account_id, safe='')}"
    last = (await ask.get(f"{path}/events", order="desc", limit=1))["events"][0]
    if version is not None:
        return await moment_at_event(ask, account_id, version, last["version"])
    account = await ask.get(path, position=position)
    event = last if account["version"] == last["version"] else await _event(ask, path, account["version"])
    change = await _change(ask, path, event)
    return Moment(account, event, change, await _locked(ask, account), last["version"], position)


def _require_version(account_id: str, version: int, last: int) -> None:
    if not 1 <= version <= last:
        raise Refused(
            404,
            {
                "title": "There is no such event",
                "detail": f"event {version} of account {account_id} is asked for, it has events 1 to {last}; ask for "
                "one of them, or leave the version out for the account as it is now",
                "code": "unknown",
            },
        )


async def _at_event(ask: Asker, path: str, version: int) -> tuple[Answer, Answer, Answer | None]:
    event = await _event(ask, path, version)
    change = await _change(ask, path, event)
    account = await ask.get(path, position=event["position"]) if change is None else change["to"]
    return account, event, change


async def _event(ask: Asker, path: str, version: int) -> Answer:
    found: Answer = (await ask.get(f"{path}/events", after_version=version - 1, limit=1))["events"][0]
    return found


async def _change(ask: Asker, path: str, event: Answer) -> Answer | None:
    if event["version"] == 1:
        return None
    position = event["position"]
    return await ask.get(f"{path}/diff", from_position=position - 1, to_position=position, limit=1)


async def _locked(ask: Asker, account: Answer) -> tuple[list[Answer], list[Answer]]:
    """What funds are locked for; asked only where some are."""
    if not is_anything_locked(account):
        return [], []
    which = {"account_id": account["account_id"], "position": account["position"]}
    holds, withdrawals = await asyncio.gather(
        ask.get("/v1/holds", **which), ask.get("/v1/withdrawals", **which, status="pending")
    )
    return holds["holds"], withdrawals["withdrawals"]
