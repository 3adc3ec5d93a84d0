"""Who is signed in: an API key kept in this process, found again by a cookie that says nothing of it."""

import secrets
import time
from dataclasses import dataclass

from api.roles import Caller

COOKIE = "ledger_console"
IDLE_SECONDS = 30 * 60
"""How long a session lasts that asks for nothing."""
LONGEST_SECONDS = 12 * 60 * 60
"""How long a session lasts at most, from signing in."""
MOST_SESSIONS = 1_000


@dataclass(slots=True)
class Session:
    """A key that somebody signed in with, what for, and until when it is believed, in seconds of a monotonic clock."""

    key: str
    caller: Caller
    purpose: str
    ends_at: float
    idle_at: float

    def is_over(self, now: float) -> bool:
        return now >= min(self.ends_at, self.idle_at)


class Sessions:
    """The sessions of this process; whoever asks another process, or this one after a restart, signs in again."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}

    def begin(self, key: str, caller: Caller, purpose: str) -> str:
        """Opens a session and returns what its cookie says: 256 random bits."""
        now = time.monotonic()
        self._open = {token: session for token, session in self._open.items() if not session.is_over(now)}
        while len(self._open) >= MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        token = secrets.token_urlsafe(32)
        self._open[token] = Session(key, caller, purpose, now + LONGEST_SECONDS, now + IDLE_SECONDS)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a cookie, which then lasts on; None if there is none or it is over."""
        session = self._open.get(token or "")
        now = time.monotonic()
        if session is None or session.is_over(now):
            return None
        session.idle_at = now + IDLE_SECONDS
        return session

    def end(self, token: str | None) -> None:
        self._open.pop(token or "", None)
