"""What is kept of an account folded by date does not depend on the process that kept it."""

import os
import subprocess
import sys
from datetime import timedelta

from ledger import events as e
from ledger.postgres import connect
from ledger.words import Capability
from projections.rebuild import rebuild
from tests.projections.logs import random_log, record

CATCH_UP = "import sys; from projections.runner import catch_up; catch_up(sys.argv[1])"


def backdated_freeze() -> list[e.AnyEvent]:
    """An account that was frozen after a deposit that is dated later, and has enough events for a fold to be kept."""
    opened, deposited, frozen = (
        next(event for event in random_log() if isinstance(event, kind))
        for kind in (e.AccountOpened, e.FundsDeposited, e.AccountFrozen)
    )

    def dated(event: e.AnyEvent, version: int, days: int, **more: object) -> e.AnyEvent:
        at = opened.effective_at + timedelta(days=days)
        named = {"account_id": "zed", "version": version, "effective_at": at, "idempotency_key": f"k{version}"}
        return event.model_copy(update={**named, **more})

    first = [dated(opened, 1, 0), dated(deposited, 2, 10, deposit_id="d2"), dated(frozen, 3, 5, blocks=[*Capability])]
    return [*first, *(dated(deposited, version, 11, deposit_id=f"d{version}") for version in range(4, 206))]


def test_a_rebuild_finds_what_another_process_kept(database: str) -> None:
    record(database, backdated_freeze())
    for seed in ("1", "2"):
        other = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", CATCH_UP, database], env=other, check=True)
        with connect(database) as connection:
            kept = connection.execute("select state -> 'blocks' from projections.account_folds").fetchall()
        assert {tuple(blocks) for (blocks,) in kept} == {tuple(sorted(Capability))}
        (report,) = rebuild(database, ["accounts"])
        assert (report.differences, report.examples) == (0, [])
