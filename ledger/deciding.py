"""Deciding the commands of a batch one after the other, each on what those before it left, none recorded yet."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from ledger import account, exchange
from ledger.account import Account, AccountCommand
from ledger.asked import Asked
from ledger.commands import ReverseEvent
from ledger.decision import Context
from ledger.errors import BatchRefused, Refusal, Unavailable
from ledger.events import AnyEvent, PricesHeld, made
from ledger.exchange import ExchangeCommand
from ledger.idempotency import Key, UsedKey, content_of, require_same_content
from ledger.market import Market
from ledger.originals import Place
from ledger.outcomes import EventReference, Outcome, Previewed, Recorded, Refused, moved, recorded
from ledger.present import Present, market_after
from ledger.privacy_key import PrivacyRefused
from ledger.private_texts import texts_of
from ledger.text_keys import TextKeys

logger = logging.getLogger("ledger.texts")

# What is made for every command is made of a tuple in half the time that its class takes.
_new = tuple.__new__


class Mark(NamedTuple):
    """How far a draft had come."""

    events: int
    keys: int
    decided: int
    market: Market


@dataclass(slots=True)
class Draft:
    """What would be recorded on top of `present`, and of the draft `below` that is being recorded; neither is changed.

    `used_keys` are those of its keys that are in the log, `keys` those that it claims; `first_position` is the one that
    its first event will have. `decisions` are those in the log that recorded an event which is to be reversed.
    """

    present: Present
    text_keys: TextKeys
    used_keys: dict[Key, UsedKey]
    market: Market
    first_position: int
    below: "Draft | None" = None
    accounts: dict[str, Account] = field(default_factory=dict)
    keys: dict[Key, UsedKey] = field(default_factory=dict)
    events: list[AnyEvent] = field(default_factory=list)
    decisions: dict[Place, list[AnyEvent]] = field(default_factory=dict)
    # Each account decided, with what this draft had of it before, so that a request can be taken back.
    decided: list[tuple[str, Account | None]] = field(default_factory=list)

    @classmethod
    def on_top_of(
        cls, present: Present, below: "Draft | None", used_keys: dict[Key, UsedKey], text_keys: TextKeys
    ) -> "Draft":
        """An empty draft on the present, or on the draft that will be the present once it is recorded."""
        if below is None:
            return cls(present, text_keys, used_keys, present.market, present.position + 1)
        return cls(present, text_keys, used_keys, below.market, below.position + 1, below)

    @property
    def position(self) -> int:
        """The log's last position if everything decided so far were recorded."""
        return self.first_position + len(self.events) - 1

    def account(self, account_id: str) -> Account:
        """The account as this draft leaves it; it must not be changed."""
        decided = self.accounts.get(account_id)
        if decided is None and self.below is not None:
            decided = self.below.accounts.get(account_id)
        return self.present.account(account_id) if decided is None else decided

    def used_key(self, key: Key) -> UsedKey | None:
        """What is known of a key that was used, by an earlier command of this draft or the one below, or in the log."""
        used = self.keys.get(key)
        if used is None and self.below is not None:
            used = self.below.keys.get(key)
        return self.used_keys.get(key) if used is None else used

    def decision_of(self, place: Place) -> list[AnyEvent] | None:
        """All events of the decision that recorded, or would record, the event of an account and version; None: none
        did."""
        found = self.decisions.get(place) or self._decided_here(place)
        return self.below._decided_here(place) if found is None and self.below is not None else found

    def _decided_here(self, place: Place) -> list[AnyEvent] | None:
        for used in self.keys.values():
            if any((one.account_id, one.version) == place for one in used.events):
                return [self.events[one.position - self.first_position] for one in used.events]
        keyless = (event for event in self.events if (event.account_id, event.version) == place)
        return [event] if (event := next(keyless, None)) is not None else None

    def hold_text_keys(self, every: Iterable[Asked]) -> None:
        """Have the keys of all accounts whose texts will be sealed, looked up at once."""
        wanted = {account_id for asked in every if asked.texts for account_id in asked.account_ids}
        if wanted:
            self.text_keys.hold({account_id: self.account(account_id).erasures for account_id in wanted})

    def sealed(self, account_id: str, texts: Mapping[str, str]) -> dict[str, str]:
        """Texts of an account by field as they are stored; Unavailable, where its key cannot be had."""
        made = self.account(account_id).erasures
        try:
            return {name: self.text_keys.seal(account_id, made, name, text) for name, text in texts.items()}
        except PrivacyRefused as error:
            logger.error("texts cannot be sealed: %s", error)
            raise Unavailable(
                f"{', '.join(texts)} of account {account_id} cannot be stored encrypted now, so nothing was recorded; "
                "who runs the ledger finds more in its log: retry with the same key, or leave it out"
            ) from error

    def mark(self) -> Mark:
        """How far this draft has come, to come back to."""
        return Mark(len(self.events), len(self.keys), len(self.decided), self.market)

    def take_back(self, mark: Mark) -> None:
        """Leave everything as it was at a mark."""
        while len(self.decided) > mark.decided:
            account_id, before = self.decided.pop()
            if before is None:
                del self.accounts[account_id]
            else:
                self.accounts[account_id] = before
        for key in list(self.keys)[mark.keys :]:
            del self.keys[key]
        del self.events[mark.events :]
        self.market = mark.market

    def move_to(self, first_position: int) -> None:
        """Take later positions, where others recorded meanwhile what concerns nothing in this draft."""
        by = first_position - self.first_position
        self.first_position = first_position
        self.keys = {key: UsedKey(used.content, moved(used.events, by)) for key, used in self.keys.items()}


def decide_all(draft: Draft, request: Sequence[Asked], context: Context, *, atomic: bool) -> list[Outcome]:
    """The outcomes of one request's commands in their order, what they record added to the draft.

    With `atomic`, one refusal refuses all; the others then say batch_refused. Anything but a refusal that is raised
    leaves the draft as it was.
    """
    mark = draft.mark()
    outcomes: list[Outcome] = []
    try:
        for place, asked in enumerate(request):
            try:
                outcomes.append(decide(draft, asked, context))
            except Refusal as refusal:
                if atomic:
                    draft.take_back(mark)
                    return _all_refused(request, place, refusal)
                outcomes.append(_refused(refusal))
    except BaseException:
        draft.take_back(mark)
        raise
    return outcomes


def preview(draft: Draft, asked: Asked, context: Context) -> Previewed | Refused:
    """What one command would record on top of the draft, or its refusal; the draft stays as it is."""
    mark = draft.mark()
    try:
        answer = decide(draft, asked, context)
        events = draft.events[mark.events :]
        after = {name: draft.account(name) for name in asked.account_ids} if events else {}
        after |= {event.account_id: draft.account(event.account_id) for event in events if not asked.is_of_exchange}
    except Refusal as refusal:
        return _refused(refusal)
    finally:
        draft.take_back(mark)
    before = {name: draft.account(name) for name in after}
    return Previewed(events, before, after, draft.market, answer if answer.replayed else None)


def _refused(refusal: Refusal) -> Refused:
    """A refusal as an answer, without the frames it was raised in, which hold on to accounts and the draft."""
    refusal.__cause__ = refusal.__context__ = None
    return Refused(refusal.with_traceback(None))


def _all_refused(request: Sequence[Asked], place: int, refusal: Refusal) -> list[Outcome]:
    other = BatchRefused(
        f"command {place + 1} of {len(request)} in this atomic batch, {request[place].command.type}, was refused "
        f"({refusal.code}), so none was recorded; correct that one and send all again"
    )
    return [_refused(refusal if place == index else other) for index in range(len(request))]


def decide(draft: Draft, asked: Asked, context: Context) -> Recorded:
    """Decide one command and add what it records to the draft; raises the refusal, and then adds nothing.

    Checked in this order: does it exist, was the key used, and then all that the rules of the family say.
    """
    if asked.is_of_exchange:
        return _decide_exchange(draft, asked, context)
    command = cast(AccountCommand, asked.command)
    accounts = {}
    for account_id in asked.account_ids:
        accounts[account_id] = draft.account(account_id)
    account.admit(command, accounts, draft.market)
    if (replayed := _replay(draft, asked)) is not None:
        return replayed
    if type(command) is ReverseEvent:
        decision = _decide_reversal(draft, command, accounts, context)
    else:
        decision = account.decide(command, accounts, draft.market, context)
    # Before anything is added to the draft, for a text that cannot be sealed refuses the command.
    sealed = _sealed_texts(draft, asked)
    events = [_sealed(draft, asked, sealed, event) for event in decision.events] if sealed else decision.events
    for account_id, after in decision.accounts.items():
        draft.decided.append((account_id, draft.accounts.get(account_id)))
        draft.accounts[account_id] = after
    return _add(draft, asked, events, sealed)


def _decide_reversal(
    draft: Draft, command: ReverseEvent, accounts: dict[str, Account], context: Context
) -> account.Decision:
    """Decide on an event that the command names by its version, and on the other account's part of it."""
    place = (command.account_id, command.version)
    decision = draft.decision_of(place)
    if decision is None:
        raise account.unknown_event(command, accounts[command.account_id].version)
    original = account.original_of(*place, decision)
    if original.other is not None:
        beside = original.other.account_id
        accounts[beside] = draft.account(beside)
    return account.decide_reversal(command, original, accounts, draft.market, context)


def _decide_exchange(draft: Draft, asked: Asked, context: Context) -> Recorded:
    command = cast(ExchangeCommand, asked.command)
    exchange.admit(command, draft.market)
    if (replayed := _replay(draft, asked)) is not None:
        return replayed
    events = exchange.decide(command, draft.market, context)
    draft.market = market_after(draft.market, events)
    return _add(draft, asked, events, asked.texts)


def _replay(draft: Draft, asked: Asked) -> Recorded | None:
    """The first answer if the command's key was used for the same; refuses other content and further keys taken."""
    command = asked.command
    replayed: Recorded | None = None
    taken_on: str | None = None
    for key in asked.keys:
        used = draft.used_key(key)
        if used is None:
            continue
        account_id, text = key
        if text == asked.own_key:
            require_same_content(command, account_id, used, _sealed_texts(draft, asked))
            replayed = recorded(command, used.events, replayed=True)
        elif taken_on is None:
            taken_on = account_id
    if taken_on is not None and replayed is None:
        raise account.already_booked(cast(AccountCommand, command), taken_on)
    return replayed


def _add(draft: Draft, asked: Asked, events: Sequence[AnyEvent], sealed: dict[str, str]) -> Recorded:
    """Add a decision: its events take the next positions, and its keys name them and keep the command, texts sealed."""
    command = asked.command
    references, position = [], draft.position
    for event in events:
        position += 1
        pairs = tuple(event.prices) if type(event) is PricesHeld else ()
        references.append(_new(EventReference, (event.account_id, event.TOPIC, event.version, position, pairs)))
    draft.events += events
    if asked.keys:
        own, further = UsedKey(content_of(command, sealed), references), None
        for key in asked.keys:
            if key[1] == asked.own_key:
                draft.keys[key] = own
            else:
                draft.keys[key] = further = further or UsedKey(None, references)
    return recorded(command, references, replayed=False)


def _sealed_texts(draft: Draft, asked: Asked) -> dict[str, str]:
    """A command's texts as they are kept with its key, which is of the account that it is decided on."""
    return draft.sealed(asked.command.stream, asked.texts) if asked.texts else asked.texts


def _sealed(draft: Draft, asked: Asked, sealed: dict[str, str], event: AnyEvent) -> AnyEvent:
    """An event as it is stored, its texts under the key of its own account; mostly they are the command's."""
    texts = texts_of(event)
    if not texts:
        return event
    is_the_commands = event.account_id == asked.command.stream and texts == asked.texts
    return made(type(event), event.__dict__ | (sealed if is_the_commands else draft.sealed(event.account_id, texts)))
