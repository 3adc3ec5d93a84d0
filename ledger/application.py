"""The Ledger: takes commands, has them decided and recorded in batches, and answers each."""

import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from threading import Lock
from types import TracebackType
from typing import Any, Self, cast

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import InfrastructureFactory, Mapper, PersistenceError, Recording
from eventsourcing.utils import Environment, EnvType

from ledger.account import Account, fold
from ledger.commands import Command
from ledger.errors import Unavailable
from ledger.events import AccountEvent
from ledger.inbox import Inbox, Request
from ledger.market import Market
from ledger.outcomes import Outcome, Previewed, Refused
from ledger.storage import EventFactory, EventMapper, library_environment
from ledger.writer import Writer, WriterSettings


class LedgerApplication(Application[str]):
    """The event-sourcing application: our events, mapper and recorder behind the library's repository and log."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:  # noqa: ARG002
        return library_environment(name)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return EventFactory(env, self._url)

    def construct_mapper(self) -> Mapper[str]:
        return EventMapper()

    def save(self, *objs: Any, **kwargs: Any) -> list[Recording[str]]:
        """Record events, all or none; `kwargs` reach the recorder.

        Unlike the library's, it takes events only: to look at each whether it is one costs more than to record it.
        """
        return self.events.put(objs, **kwargs)

    def account(self, account_id: str) -> Account:
        """The account as all its recorded events leave it."""

        def project(_: object, events: Iterable[DomainEventProtocol[str]]) -> Account:
            return fold(account_id, cast(Iterable[AccountEvent], events))

        return cast(Account, self.repository.get(account_id, projector_func=cast(Any, project)))


class Ledger:
    """The ledger of one database, with one writer; safe to use from many threads, and beside other processes.

    `url` names a database whose migrations are applied. It need not be reachable yet: until it is, commands are
    answered with Unavailable.
    """

    def __init__(self, url: str, settings: WriterSettings | None = None) -> None:
        self._settings = settings or WriterSettings()
        self._application = LedgerApplication(url)
        self._inbox = Inbox(self._settings.waiting_commands)
        self._writer = Writer(url, self._inbox, self._application.save, self._settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Take no more commands, answer those that wait, and let the database go."""
        self._inbox.close()
        self._writer.join()
        self._application.close()

    def submit(
        self, commands: Sequence[Command], *, actor: str, correlation_id: str | None = None, atomic: bool = False
    ) -> list[Outcome]:
        """Have commands decided one after the other and recorded; returns when they are, an outcome for each.

        With `atomic` all are recorded or none. Raises TooManyRequests when too many commands wait already.
        """
        return self.submit_async(commands, actor=actor, correlation_id=correlation_id, atomic=atomic).result()

    def submit_async(
        self, commands: Sequence[Command], *, actor: str, correlation_id: str | None = None, atomic: bool = False
    ) -> "Future[list[Outcome]]":
        """As `submit`, without waiting: the outcomes come in the future."""
        correlation_id = correlation_id or str(uuid.uuid4())
        size = max(1, len(commands) if atomic else self._settings.batch_commands)
        parts = [
            Request(commands[start : start + size], actor, correlation_id, atomic)
            for start in range(0, max(1, len(commands)), size)
        ]
        self._inbox.put(parts)
        return parts[0].answer if len(parts) == 1 else _all_of([part.answer for part in parts])

    def preview(self, command: Command, *, actor: str) -> Previewed:
        """What a command would record now and what it would change, decided as if it were recorded; nothing is.

        Raises the refusal that it would be answered with.
        """
        request = Request([command], actor, str(uuid.uuid4()), atomic=False, dry_run=True)
        self._inbox.put([request])
        (answer,) = request.answer.result()
        if isinstance(answer, Refused):
            raise answer.refusal
        return cast(Previewed, answer)

    @property
    def waiting_commands(self) -> int:
        """How many commands wait to be decided."""
        return self._inbox.waiting

    def market(self) -> Market:
        """The listings, limits, rates and prices in force, including all recorded before this was asked; read only."""
        self.submit([], actor="ledger")
        return self._writer.present.market

    def account(self, account_id: str) -> Account:
        """An account as all its recorded events leave it; version 0 if it was never opened."""
        try:
            return self._application.account(account_id)
        except PersistenceError as error:
            raise Unavailable(f"account {account_id} cannot be read from the database ({error}); retry") from error


def _all_of(parts: Sequence["Future[list[Outcome]]"]) -> "Future[list[Outcome]]":
    """The outcomes of all parts in their order, once the last is there."""
    whole: Future[list[Outcome]] = Future()
    whole.set_running_or_notify_cancel()
    missing, lock = set(parts), Lock()

    def arrived(part: "Future[list[Outcome]]") -> None:
        with lock:
            missing.discard(part)
            if missing:
                return
        error = next((error for one in parts if (error := one.exception()) is not None), None)
        if error is not None:
            whole.set_exception(error)
        else:
            whole.set_result([outcome for one in parts for outcome in one.result()])

    for part in parts:
        part.add_done_callback(arrived)
    return whole
