"""Deciding the commands of a batch one after the other, each on what those before it left, none recorded yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ledger import account, exchange
from ledger.account import Account, AccountCommand
from ledger.commands import AccrueInterest, Command
from ledger.decision import Context
from ledger.errors import BatchRefused, Refusal
from ledger.events import AnyEvent
from ledger.exchange import ExchangeCommand
from ledger.idempotency import Key, KeyClaim, UsedKey, content_of, require_same_content
from ledger.market import Market
from ledger.outcomes import EventReference, Outcome, Recorded, Refused, recorded
from ledger.present import Present, market_after
from ledger.words import EXCHANGE, PRICES


def is_of_exchange(command: Command) -> bool:
    """Whether a command is decided on one of the exchange's own streams; interest without an account never is."""
    return command.stream in (EXCHANGE, PRICES) and not isinstance(command, AccrueInterest)


def streams_of(command: Command) -> tuple[str, ...]:
    """The ids of the accounts that a command touches; none if it names none."""
    return () if command.stream in (EXCHANGE, PRICES) else account.streams_of(cast(AccountCommand, command))


def keys_of(command: Command) -> list[Key]:
    """Every key that a command claims, its idempotency key first."""
    if not is_of_exchange(command):
        return account.keys_of(cast(AccountCommand, command))
    return [] if command.key is None else [(command.stream, command.key)]


@dataclass(slots=True)
class Draft:
    """What would be recorded on top of `present`, which stays as it is.

    A draft may lie on another one: what it decided is taken over into that one at its end, or dropped as a whole.
    """

    present: Present
    keys: dict[Key, UsedKey]
    market: Market
    below: "Draft | None" = None
    accounts: dict[str, Account] = field(default_factory=dict)
    claims: list[KeyClaim] = field(default_factory=list)
    events: list[AnyEvent] = field(default_factory=list)

    @classmethod
    def on_the_present(cls, present: Present, used_keys: dict[Key, UsedKey]) -> "Draft":
        """The draft of a batch; `used_keys` are those of its keys that are in the log."""
        return cls(present, used_keys, present.market)

    @property
    def position(self) -> int:
        """The log's last position if everything decided so far were recorded."""
        below = self.present.position if self.below is None else self.below.position
        return below + len(self.events)

    def on_top(self) -> "Draft":
        """An empty draft on this one."""
        return Draft(self.present, {}, self.market, self)

    def take_over(self, top: "Draft") -> None:
        """Add what a draft on this one decided."""
        self.market = top.market
        self.keys |= top.keys
        self.accounts |= top.accounts
        self.claims += top.claims
        self.events += top.events

    def account(self, account_id: str) -> Account:
        """The account as this draft leaves it; it must not be changed."""
        draft: Draft | None = self
        while draft is not None:
            if (decided := draft.accounts.get(account_id)) is not None:
                return decided
            draft = draft.below
        return self.present.account(account_id)

    def used_key(self, key: Key) -> UsedKey | None:
        """What is known of a key that was used, in the log or by an earlier command of this draft."""
        draft: Draft | None = self
        while draft is not None:
            if (used := draft.keys.get(key)) is not None:
                return used
            draft = draft.below
        return None


def decide_all(draft: Draft, commands: Sequence[Command], context: Context, *, atomic: bool) -> list[Outcome]:
    """The outcomes of one request's commands in their order, what they record added to the draft.

    With `atomic`, one refusal refuses all; the others then say batch_refused. Anything but a refusal that is raised
    leaves the draft as it was.
    """
    top = draft.on_top()
    outcomes: list[Outcome] = []
    for place, command in enumerate(commands):
        try:
            outcomes.append(decide(top, command, context))
        except Refusal as refusal:
            if atomic:
                return _all_refused(commands, place, refusal)
            outcomes.append(Refused(refusal))
    draft.take_over(top)
    return outcomes


def _all_refused(commands: Sequence[Command], place: int, refusal: Refusal) -> list[Outcome]:
    other = BatchRefused(
        f"command {place + 1} of {len(commands)} in this atomic batch, {commands[place].type}, was refused "
        f"({refusal.code}), so none was recorded; correct that one and send all again"
    )
    return [Refused(refusal if place == index else other) for index in range(len(commands))]


def decide(draft: Draft, command: Command, context: Context) -> Recorded:
    """Decide one command and add what it records to the draft; raises the refusal, and then adds nothing.

    Checked in this order: does it exist, was the key used, and then all that the rules of the family say.
    """
    if is_of_exchange(command):
        return _decide_exchange(draft, cast(ExchangeCommand, command), context)
    asked = cast(AccountCommand, command)
    accounts = {stream: draft.account(stream) for stream in streams_of(asked)}
    account.admit(asked, accounts, draft.market)
    keys = account.keys_of(asked)
    if (replayed := _replay(draft, asked, keys)) is not None:
        return replayed
    decision = account.decide(asked, accounts, draft.market, context)
    draft.accounts.update(decision.accounts)
    return _add(draft, asked, keys, decision.events)


def _decide_exchange(draft: Draft, command: ExchangeCommand, context: Context) -> Recorded:
    exchange.admit(command, draft.market)
    keys = keys_of(command)
    if (replayed := _replay(draft, command, keys)) is not None:
        return replayed
    event = exchange.decide(command, draft.market, context)
    draft.market = market_after(draft.market, [event])
    return _add(draft, command, keys, [event])


def _replay(draft: Draft, command: Command, keys: Sequence[Key]) -> Recorded | None:
    """The first answer if the command's key was used for the same; refuses other content and further keys taken."""
    replayed: Recorded | None = None
    taken_on: str | None = None
    for account_id, key in keys:
        used = draft.used_key((account_id, key))
        if used is not None and key == command.key:
            require_same_content(command, account_id, used)
            replayed = recorded(command, used.events, replayed=True)
        elif used is not None and taken_on is None:
            taken_on = account_id
    if taken_on is not None and replayed is None:
        raise account.already_booked(cast(AccountCommand, command), taken_on)
    return replayed


def _add(draft: Draft, command: Command, keys: Sequence[Key], events: Sequence[AnyEvent]) -> Recorded:
    """Add a decision: its events take the next positions, and its keys name them."""
    first = draft.position + 1
    references = [
        EventReference(event.account_id, event.TOPIC, event.version, position)
        for position, event in enumerate(events, start=first)
    ]
    draft.events += events
    content = content_of(command) if keys else None
    for account_id, key in keys:
        kept = content if key == command.key else None
        draft.keys[account_id, key] = UsedKey(kept, references)
        draft.claims.append(KeyClaim(account_id, key, kept, first, draft.position))
    return recorded(command, references, replayed=False)
