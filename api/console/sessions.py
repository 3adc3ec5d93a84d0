"""Who is signed in: an API key kept in this process, found again by a cookie that says nothing of it."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field

from api.roles import Caller

COOKIE = "ledger_console"
SESSION = "console_session"
"""Where the state of a request that was let in has its session."""
IDLE_SECONDS = 30 * 60
"""How long a session lasts in which nobody does anything; what a page asks by itself does not count."""
LONGEST_SECONDS = 12 * 60 * 60
"""How long a session lasts at most, from signing in."""
MOST_SESSIONS = 1_000

IDLE = "nothing was done for half an hour"
TOO_LONG = "it lasted twelve hours, and none lasts longer"
LEFT = "somebody signed out"
REPLACED = "the same browser signed in anew"
CROWDED_OUT = f"more than {MOST_SESSIONS:,} sessions were open, and it was the oldest"


@dataclass(slots=True)
class Session:
    """A key that somebody signed in with, what for, and until when it is believed, in seconds of a monotonic clock.

    `over` is set when it ends, for the pages that are open; `why` then says in words what ended it.
    """

    key: str
    caller: Caller
    purpose: str
    ends_at: float
    idle_at: float
    why: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, why: str) -> None:
        """Ends it for good; the first reason stays."""
        self.why = self.why or why
        self.over.set()

    def touch(self) -> None:
        """Somebody did something, so it lasts on."""
        self.idle_at = time.monotonic() + IDLE_SECONDS

    def is_over(self) -> bool:
        """Whether it has ended, or ends now, its time having come."""
        now = time.monotonic()
        if now >= self.ends_at:
            self.end(TOO_LONG)
        elif now >= self.idle_at:
            self.end(IDLE)
        return self.over.is_set()


class Sessions:
    """The sessions of this process; whoever asks another process, or this one after a restart, signs in again.

    One that is over is remembered until it would have ended anyway, so that its browser can be told why.
    """

    def __init__(self) -> None:
        self._begun: dict[str, Session] = {}

    def begin(self, key: str, caller: Caller, purpose: str) -> str:
        """Opens a session and returns what its cookie says: 256 random bits."""
        now = time.monotonic()
        self._begun = {token: one for token, one in self._begun.items() if now < one.ends_at}
        if len(self._begun) >= MOST_SESSIONS:
            oldest = min(self._begun, key=lambda token: (not self._begun[token].is_over(), self._begun[token].ends_at))
            self._begun.pop(oldest).end(CROWDED_OUT)
        token = secrets.token_urlsafe(32)
        self._begun[token] = Session(key, caller, purpose, now + LONGEST_SECONDS, now + IDLE_SECONDS)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a cookie; None if there is none or it is over."""
        session = self._begun.get(token or "")
        return None if session is None or session.is_over() else session

    def why_over(self, token: str | None) -> str:
        """What ended the session of a cookie; empty where none is known."""
        session = self._begun.get(token or "")
        return "" if session is None else session.why

    def end(self, token: str | None, why: str) -> None:
        """Ends the session of a cookie, if there is one."""
        session = self._begun.get(token or "")
        if session is not None:
            session.end(why)
