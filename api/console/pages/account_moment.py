"""A moment of an account's history: now, an event of it, a position of the log, or a recorded or business time."""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote

from api.console.asking import Asker, Refused
from api.console.pages.account_wallets import is_anything_locked
from api.console.writing import path_part, query

Answer = dict[str, Any]
MOST_LOCKED = 1000
"""How many holds, and how many withdrawals, are listed."""


class Locked(NamedTuple):
    """What funds are locked for; `is_whole` unless there is more than is listed."""

    holds: list[Answer]
    withdrawals: list[Answer]
    is_whole: bool = True


class Moment(NamedTuple):
    """The account as it was, the last of its events by then, and what that event changed.

    `change` is what the difference across that event tells: None for the opening, before which there was no account,
    and for a business time, by which events are not in the order of the log. `last_version` is the account's newest.
    `stated` is how the moment is asked for in an address: a version, a position, a time, or nothing for now.
    """

    account: Answer
    event: Answer
    change: Answer | None
    locked: Locked
    last_version: int
    stated: dict[str, Any]

    @property
    def version(self) -> int:
        return int(self.event["version"])

    @property
    def is_now(self) -> bool:
        return self.account["as_of"] is None

    @property
    def is_dated(self) -> bool:
        """Whether it is a business time of what is known, rather than a place in the log."""
        return "effective_at" in self.stated

    @property
    def is_between(self) -> bool:
        """Whether it is a position or a recorded time after the last event by then."""
        return not self.is_now and bool(self.account["position"] != self.event["position"]) and not self.is_dated

    @property
    def place(self) -> int:
        """The log position that stands for it where only a position will do."""
        return int(self.event["position"] if self.is_dated else self.account["position"])


def account_path(account_id: str, **stated: object) -> str:
    """Where the page of an account is, within the console."""
    return f"/accounts/{quote(account_id, safe='')}{query(**stated)}"


async def last_version_of(ask: Asker, account_id: str) -> int:
    """The version of the newest event of an account."""
    return int((await _last_event(ask, _api_path(account_id)))["version"])


async def moment_at_event(ask: Asker, account_id: str, version: int, last_version: int) -> Moment:
    """The account as one of its events left it, where it has so many."""
    _require_version(account_id, version, last_version)
    account, event, change = await _at_event(ask, _api_path(account_id), version)
    return Moment(account, event, change, await _locked(ask, account), last_version, {"version": version})


async def moment_of(ask: Asker, account_id: str, version: int | None = None, **asked: Any) -> Moment:
    """What is asked of a moment: the version, else what `asked` states as GET /v1/accounts/{id} takes it, else now.

    Refused where there is none like it.
    """
    path = _api_path(account_id)
    last = await _last_event(ask, path)
    if version is not None:
        return await moment_at_event(ask, account_id, version, last["version"])
    account = await ask.get(path, **asked)
    is_last = account["version"] == last["version"]
    event = last if is_last else await _event(ask, path, account["version"])
    change = None if "effective_at" in asked else await _change(ask, path, event)
    # Between the two questions the account may have gone on.
    newest = max(last["version"], account["version"])
    return Moment(account, event, change, await _locked(ask, account), newest, asked)


def _api_path(account_id: str) -> str:
    return f"/v1/accounts/{path_part(account_id)}"


async def _last_event(ask: Asker, path: str) -> Answer:
    found: Answer = (await ask.get(f"{path}/events", order="desc", limit=1))["events"][0]
    return found


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


async def _locked(ask: Asker, account: Answer) -> Locked:
    """What funds are locked for; asked only where some are."""
    if not is_anything_locked(account):
        return Locked([], [])
    which = {"account_id": account["account_id"], "position": account["position"], "limit": MOST_LOCKED}
    if account["as_of"] is not None:
        which["effective_at"] = account["as_of"].get("effective_at")
    holds, withdrawals = await asyncio.gather(
        ask.get("/v1/holds", **which), ask.get("/v1/withdrawals", **which, status="pending")
    )
    is_whole = holds["next"] is None and withdrawals["next"] is None
    return Locked(holds["holds"], withdrawals["withdrawals"], is_whole)
