"""Jobs: a command without an account that means every account it fits, expanded into one decision for each."""

from collections.abc import Sequence
from itertools import groupby

from api.keys import Pool
from ledger import Command, EventReference, Ledger, Malformed, Outcome, Recorded, Refused
from ledger.commands import AccrueInterest
from ledger.errors import NothingToDo
from projections.loans.queries import accounts_that_owe
from projections.snapshot import open_snapshot

WAIT_SECONDS = 30.0
"""How long a job waits for the projections that name its accounts."""
DECISIONS_AT_ONCE = 1000


def is_job(command: Command) -> bool:
    """Whether a command is a job: interest of all who owe."""
    return isinstance(command, AccrueInterest) and command.account_id is None


def submit(
    ledger: Ledger,
    pool: Pool,
    commands: Sequence[Command],
    *,
    actor: str,
    correlation_id: str | None = None,
    atomic: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> list[Outcome]:
    """Like Ledger.submit, also for jobs: each is answered by one outcome, after the commands before it.

    An atomic batch takes no job: a job is as many decisions as accounts, each of which stands for itself.
    """
    jobs = [command for command in commands if is_job(command)]
    if jobs and atomic:
        raise Malformed("accrue_interest without account_id is one decision per account and no part of an atomic batch")
    if not jobs:
        return ledger.submit(commands, actor=actor, correlation_id=correlation_id, atomic=atomic)
    outcomes: list[Outcome] = []
    for jobs_follow, group in groupby(commands, key=is_job):
        if jobs_follow:
            outcomes += [_do(ledger, pool, job, actor, correlation_id, wait_seconds) for job in group]
        else:
            outcomes += ledger.submit(list(group), actor=actor, correlation_id=correlation_id)
    return outcomes


def _do(
    ledger: Ledger, pool: Pool, job: Command, actor: str, correlation_id: str | None, wait_seconds: float
) -> Outcome:
    """One job: its decisions on all accounts that owe now, and what came of them together."""
    if job.expected_version is not None:
        return Refused(Malformed("expected_version is of one account; accrue_interest without account_id is of many"))
    with open_snapshot(pool, timeout_seconds=wait_seconds, names=["loans"]) as snapshot:
        account_ids = accounts_that_owe(snapshot.connection, snapshot.position)
    outcomes: list[Outcome] = []
    for start in range(0, len(account_ids), DECISIONS_AT_ONCE):
        part = [job.model_copy(update={"account_id": one}) for one in account_ids[start : start + DECISIONS_AT_ONCE]]
        outcomes += ledger.submit(part, actor=actor, correlation_id=correlation_id)
    return _together(job, account_ids, outcomes)


def _together(job: Command, account_ids: Sequence[str], outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of many: all events that were recorded, else the first true refusal, else NothingToDo."""
    events: list[EventReference] = []
    replayed, refusals = True, []
    for outcome in outcomes:
        if isinstance(outcome, Recorded):
            events += outcome.events
            replayed = replayed and outcome.replayed
        elif not isinstance(outcome.refusal, NothingToDo):
            refusals.append(outcome)
    if events:
        last = max(events, key=lambda event: event.position)
        return Recorded(job.stream, last.version, last.position, events, replayed)
    if refusals:
        return refusals[0]
    return Refused(NothingToDo(f"none of the {len(account_ids)} accounts that owe has an uncharged hour up to then"))
