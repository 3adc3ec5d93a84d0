"""A batch: requests that are decided and recorded together, and what the database must be asked before they are."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from ledger.account import Account, original_of
from ledger.asked import Asked
from ledger.commands import ReverseEvent
from ledger.deciding import Draft, decide_all, preview
from ledger.decision import Context
from ledger.events import AnyEvent
from ledger.idempotency import Key, UsedKey, asked_keys, used_keys
from ledger.inbox import Request
from ledger.originals import Place, asked_decisions, found_decisions
from ledger.outcomes import Outcome, Recorded, moved
from ledger.present import Present
from ledger.privacy_key import PrivacyRefused
from ledger.snapshots import asked_accounts, found_accounts
from ledger.text_keys import TextKeys
from ledger.wire import Row, Wire
from ledger.words import EXCHANGE, PRICES


@dataclass(slots=True, eq=False)
class Batch:
    """Requests that are recorded together, with their answers once they are decided.

    `to_reverse` are the events that its reversals name, `decisions` those in the log that recorded them. `is_in_doubt`
    while the answer to its commit is missing.
    """

    requests: list[Request]
    text_keys: TextKeys
    asked: list[list[Asked]] = field(init=False)
    account_ids: list[str] = field(init=False)
    keys: list[Key] = field(init=False)
    to_reverse: list[Place] = field(init=False)
    decisions: dict[Place, list[AnyEvent]] = field(default_factory=dict)
    answers: list[list[Outcome] | Exception] = field(default_factory=list)
    draft: Draft | None = None
    is_in_doubt: bool = False

    def __post_init__(self) -> None:
        self.asked = [[Asked.of(command) for command in request.commands] for request in self.requests]
        every = [asked for request in self.asked for asked in request]
        self.account_ids = list({account_id: None for asked in every for account_id in asked.account_ids})
        self.keys = list({key: None for asked in every for key in asked.keys})
        reversals = [asked.command for asked in every if type(asked.command) is ReverseEvent]
        self.to_reverse = list({(one.account_id, one.version): None for one in reversals})

    @property
    def read_to(self) -> int:
        """The log position that it was decided on."""
        assert self.draft is not None
        return self.draft.first_position - 1

    def decide(self, present: Present, below: Draft | None, used: dict[Key, UsedKey]) -> None:
        """Decide every command on the present, or on the draft that will be the present once it is recorded."""
        draft = Draft.on_top_of(present, below, used, self.text_keys)
        draft.decisions = self.decisions
        self._hold_text_keys(draft)
        at = datetime.now(UTC)
        self.answers = [
            _decide_request(draft, asked, request, at) for asked, request in zip(self.asked, self.requests, strict=True)
        ]
        # What lies below is the present by the time anyone asks again; a chain would keep every draft in memory.
        draft.below = None
        self.draft = draft

    def _hold_text_keys(self, draft: Draft) -> None:
        # Without a privacy key each command with a text says so; the others need none.
        with suppress(PrivacyRefused):
            draft.hold_text_keys(asked for request in self.asked for asked in request)

    def is_touched_by(self, streams: set[str]) -> bool:
        """Whether something recorded on these streams may change what was decided."""
        return not streams.isdisjoint((EXCHANGE, PRICES)) or not streams.isdisjoint(self.account_ids)

    def move_to(self, position: int) -> None:
        """Stand right after a later position, as nothing recorded up to there touches it."""
        assert self.draft is not None
        before, by = self.read_to, position - self.read_to
        self.draft.move_to(position + 1)
        if not by:
            return

        def later(outcome: Outcome) -> Outcome:
            # A replay of what was recorded before this batch stands where it stood.
            if not isinstance(outcome, Recorded) or outcome.events[0].position <= before:
                return outcome
            return outcome._replace(position=outcome.position + by, events=moved(outcome.events, by))

        self.answers = [
            answer if isinstance(answer, Exception) else [later(outcome) for outcome in answer]
            for answer in self.answers
        ]


def _decide_request(draft: Draft, asked: list[Asked], request: Request, at: datetime) -> list[Any] | Exception:
    """The outcomes of one request; a fault of ours fails this request alone."""
    context = Context(at, request.actor, request.correlation_id)
    try:
        if request.dry_run:
            return [preview(draft, one, context) for one in asked]
        return decide_all(draft, asked, context, atomic=request.atomic)
    except psycopg.Error:
        raise  # A key could not be looked up: the whole batch is tried again.
    except Exception as error:
        return error


class Lookup:
    """What a batch needs to know before it is decided, asked for at once and taken when it is needed.

    The answers are those of the moment the server reads; what is recorded meanwhile by this writer lies in the draft
    below the batch's own, and what others record keeps the batch from being recorded.
    """

    def __init__(self, wire: Wire, present: Present, batch: Batch) -> None:
        self._present = present
        self._batch = batch
        self._missing = present.missing(batch.account_ids)
        self._has_keys = bool(batch.keys)
        calls = [asked_decisions(batch.to_reverse)] if batch.to_reverse else []
        calls += [asked_keys(batch.keys)] if self._has_keys else []
        if self._missing:
            calls.append(asked_accounts(self._missing, present.position))
        self._wire = wire
        self._answers = wire.send(*calls) if calls else None

    def take(self) -> dict[Key, UsedKey]:
        """Have the accounts in the present, what is to be reversed in the batch, and the keys that were used."""
        answers = [] if self._answers is None else self._answers.take()
        if self._missing:
            self._take_accounts(answers.pop())
        used = used_keys(answers.pop()) if self._has_keys else {}
        if self._batch.to_reverse:
            self._take_decisions(found_decisions(answers.pop()))
        return used

    def _take_decisions(self, decisions: dict[Place, list[AnyEvent]]) -> None:
        """Only what is to be reversed tells which other accounts that touches; they are asked for now."""
        self._batch.decisions = decisions
        originals = [original_of(*place, events) for place, events in decisions.items()]
        others = {one.other.account_id: None for one in originals if one.other is not None}
        self._batch.account_ids = list({**dict.fromkeys(self._batch.account_ids), **others})
        self._missing = self._present.missing(others)
        if self._missing:
            (answer,) = self._wire.send(asked_accounts(self._missing, self._present.position)).take()
            self._take_accounts(answer)

    def _take_accounts(self, answer: list[Row]) -> None:
        try:
            found = dict(_by_id(answer))
        except ValueError:
            # A snapshot that cannot be read is as good as none.
            asked = asked_accounts(self._missing, self._present.position, by_events_alone=True)
            (answer,) = self._wire.send(asked).take()
            found = dict(_by_id(answer))
        for account_id in self._missing:
            self._present.take(*found.get(account_id, (Account.unopened(account_id), 0)))


def _by_id(answer: list[Row]) -> Iterator[tuple[str, tuple[Account, int]]]:
    return ((account.id, (account, kept_at)) for account, kept_at in found_accounts(answer))
