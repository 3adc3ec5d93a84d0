"""Whether a session is still believed: its time has not come, and its key is one of the staff's."""

from api.console.sessions import Session, Sessions
from api.doors import caller_by
from api.failures import DATABASE_LOST
from api.keys import KeyRing
from api.problems import Forbidden, Unauthenticated
from api.roles import Caller, Role


class Believing:
    """Sessions beside the keys that they were begun with; who is asked about is looked up at most a second ago."""

    def __init__(self, sessions: Sessions, keys: KeyRing) -> None:
        self.sessions = sessions
        self._keys = keys

    async def session_of(self, token: str | None) -> Session | None:
        """The session of a cookie, if it is believed now."""
        session = self.sessions.find(token)
        return session if session is not None and await self.is_believed(session) else None

    async def is_believed(self, session: Session) -> bool:
        """Ends a session whose key was revoked, and takes up what its key may now; without a database it stays."""
        try:
            session.caller = await self.staff(session.key)
        except (Unauthenticated, Forbidden) as refused:
            session.end(str(refused))
        except DATABASE_LOST:
            # Nothing can be asked without it either, and the page says so.
            pass
        return not session.is_over()

    async def staff(self, key: str) -> Caller:
        """Whose key it is; Unauthenticated for one that is not good, Forbidden for a customer's."""
        caller = await caller_by(self._keys, f"Bearer {key}")
        if caller.role is Role.CUSTOMER:
            raise Forbidden(
                f"the key {caller.name} is that of the customer of account {caller.account_id}; the console is for "
                "the staff: sign in with a key of another role"
            )
        return caller
