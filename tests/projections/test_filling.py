"""A copy filled from nothing has what is current gathered from its states: at its end, or when it is looked for."""

import pytest

from ledger.log import read_log
from ledger.postgres import PROJECTIONS, connect
from projections.catalogue import ALL
from projections.copying import WITHOUT_COMPRESSION, Comparison, Copy, compare
from projections.copying import feeding as feeding_copies
from projections.runner import catch_up
from tests.projections.logs import random_log, recorded_log

COUNT = "select count(*) from filled_balances.balances"


@pytest.mark.parametrize("kept_accounts", [1, 50_000])
def test_what_is_gathered_is_what_batch_by_batch_would_have_been_put(database: str, kept_accounts: int) -> None:
    """With more accounts than are kept projectors look for what they wrote, and go on from what was gathered."""
    recorded_log(database)
    catch_up(database)
    with (
        connect(database, autocommit=True, role=PROJECTIONS) as reader,
        connect(database, autocommit=True, role=PROJECTIONS) as writer,
    ):
        copies = [Copy.created(writer, name, f"filled_{name}") for name in ALL]
        with feeding_copies(reader, writer) as feeder:
            for copy in copies:
                copy.is_filling = True
                if hasattr(copy.projector, "_kept"):
                    copy.projector._kept._limit = kept_accounts
            for start in range(0, len(random_log()), 150):
                feeder.feed(copies, read_log(reader, start, 150))
            feeder.settle()
        assert writer.execute(COUNT).fetchone() == (0,)
        for copy in copies:
            copy.index(writer)
            assert copy.failure is None
            assert compare(writer, copy.name, copy.schema) == Comparison(0, [])


def test_what_follows_after_the_end_is_put_batch_by_batch(database: str) -> None:
    recorded_log(database)
    catch_up(database)
    with connect(database, autocommit=True) as reader, connect(database, autocommit=True) as writer:
        copy = Copy.created(writer, "balances", "filled_balances")
        copy.is_filling = True
        with feeding_copies(reader, writer) as feeder:
            feeder.feed([copy], read_log(reader, 0, 300))
            feeder.settle()
            copy.index(writer)
            feeder.feed([copy], read_log(reader, 300, len(random_log())))
            feeder.settle()
        assert compare(writer, "balances", copy.schema) == Comparison(0, [])


def test_who_migrates_lets_the_projections_leave_out_compression(database: str) -> None:
    with connect(database, autocommit=True, role=PROJECTIONS) as connection:
        assert connection.execute(WITHOUT_COMPRESSION).fetchone() == ("off",)
