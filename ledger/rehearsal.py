"""A rehearsal: commands decided one after the other as if each were recorded, and none is."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from ledger.account import Account
from ledger.asked import Asked
from ledger.commands import Command
from ledger.deciding import Draft, decide_all
from ledger.decision import Context
from ledger.idempotency import asked_keys, used_keys
from ledger.log import Connection
from ledger.outcomes import Outcome
from ledger.present import Present
from ledger.privacy_key import PrivacyRefused
from ledger.snapshots import accounts_at
from ledger.text_keys import PassingTextKeys
from ledger.wire import execute


class Rehearsal:
    """Stands at the log's end as it is when it begins, and keeps the accounts that it has decided on in memory.

    Texts are sealed as they would be, so that a command that comes again is known by them.
    """

    def __init__(self, connection: Connection, text_keys: PassingTextKeys, *, actor: str) -> None:
        self._connection = connection
        self._context = Context(datetime.now(UTC), actor, str(uuid4()))
        self._present = Present(2**62, 2**62, lambda _: None)
        self._present.catch_up(connection)
        self._draft = Draft.on_top_of(self._present, None, {}, text_keys)

    def submit(self, commands: Sequence[Command]) -> list[Outcome]:
        """What each would be answered after all before it. No command names an event to be reversed."""
        asked = [Asked.of(command) for command in commands]
        self._take_accounts(asked)
        keys = list({key: None for one in asked for key in one.keys})
        draft = self._draft
        draft.used_keys = used_keys(execute(self._connection, asked_keys(keys))) if keys else {}
        with suppress(PrivacyRefused):  # Each command with a text says so; the others need none.
            draft.hold_text_keys(asked)
        outcomes = decide_all(draft, asked, self._context, atomic=False)
        # Accounts and the market are what the next commands stand on; of the rest nothing is needed any more.
        draft.first_position += len(draft.events)
        for done in (draft.events, draft.decided, draft.keys):
            done.clear()
        return outcomes

    def _take_accounts(self, asked: Sequence[Asked]) -> None:
        missing = self._present.missing({account_id: None for one in asked for account_id in one.account_ids})
        if not missing:
            return
        found = accounts_at(self._connection, missing, self._present.position)
        for account_id in missing:
            self._present.take(found.get(account_id) or Account.unopened(account_id), 0)
