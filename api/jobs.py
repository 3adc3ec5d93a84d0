"""Jobs: a command without an account that means every account it fits, expanded into one decision for each."""

from collections.abc import Sequence
from itertools import groupby

from api.keys import Pool
from ledger import Command, Ledger, Malformed, Outcome, Recorded, Refusal, Refused, TooManyRequests, Unavailable
from ledger.commands import AccrueInterest
from ledger.errors import BatchRefused, NothingToDo
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
        return [_refused_in_atomic_batch(command) for command in commands]
    if not jobs:
        return ledger.submit(commands, actor=actor, correlation_id=correlation_id, atomic=atomic)
    outcomes: list[Outcome] = []
    for jobs_follow, group in groupby(commands, key=is_job):
        if jobs_follow:
            outcomes += [_do(ledger, pool, job, actor, correlation_id, wait_seconds) for job in group]
        else:
            outcomes += _submit_part(ledger, list(group), actor, correlation_id)
    return outcomes


def _submit_part(ledger: Ledger, part: Sequence[Command], actor: str, correlation_id: str | None) -> list[Outcome]:
    """The outcomes of a part of what was asked; other parts may be recorded, so too many requests refuse this alone."""
    try:
        return ledger.submit(part, actor=actor, correlation_id=correlation_id)
    except TooManyRequests as refusal:
        return [Refused(refusal)] * len(part)


def _refused_in_atomic_batch(command: Command) -> Refused:
    if is_job(command):
        return Refused(
            Malformed("accrue_interest without account_id is one decision per account and no part of an atomic batch")
        )
    return Refused(BatchRefused("a job of this atomic batch was refused, so none was recorded; leave the job out"))


def _do(
    ledger: Ledger, pool: Pool, job: Command, actor: str, correlation_id: str | None, wait_seconds: float
) -> Outcome:
    """One job: its decisions on all accounts that owe now, and what came of them together."""
    if job.expected_version is not None:
        return Refused(Malformed("expected_version is of one account; accrue_interest without account_id is of many"))
    try:
        with open_snapshot(pool, timeout_seconds=wait_seconds, names=["loans"]) as snapshot:
            account_ids = accounts_that_owe(snapshot.connection, snapshot.position)
    except Unavailable as unavailable:
        return Refused(unavailable)
    outcomes: list[Outcome] = []
    for start in range(0, len(account_ids), DECISIONS_AT_ONCE):
        part = [job.model_copy(update={"account_id": one}) for one in account_ids[start : start + DECISIONS_AT_ONCE]]
        outcomes += _submit_part(ledger, part, actor, correlation_id)
    return _together(account_ids, outcomes)


def _together(account_ids: Sequence[str], outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of many: the first true refusal, which says what was recorded all the same; else all the events."""
    recorded = [outcome for outcome in outcomes if isinstance(outcome, Recorded)]
    for account_id, outcome in zip(account_ids, outcomes, strict=True):
        if isinstance(outcome, Refused) and not isinstance(outcome.refusal, NothingToDo):
            return Refused(_of_account(outcome.refusal, account_id, len(recorded)))
    events = [event for outcome in recorded for event in outcome.events]
    if events:
        last = max(events, key=lambda event: event.position)
        replayed = all(outcome.replayed for outcome in recorded)
        return Recorded(last.account_id, last.version, last.position, events, replayed)
    return Refused(NothingToDo(f"none of the {len(account_ids)} accounts that owe has an uncharged hour up to then"))


def _of_account(refusal: Refusal, account_id: str, recorded: int) -> Refusal:
    """A refusal of one of the job's accounts; the others are charged, and a repeated job charges none twice."""
    return type(refusal)(
        f"account {account_id}: {refusal.detail}; {recorded} others are charged, and a repeated job leaves these alone",
        **{**refusal.members, "account_id": account_id},
    )
