"""The market's settings are folded once, and nobody who takes them further changes them for the others."""

from ledger import exchange
from ledger.events import AssetLimitsSet, InterestRateSet, PairStatusSet
from ledger.postgres import connect
from projections.market.queries import market_at
from projections.runner import catch_up
from projections.snapshot import open_snapshot
from tests.projections.logs import random_log, recorded_log


def test_who_takes_a_market_further_leaves_it_to_others_as_it_was(database: str) -> None:
    recorded_log(database)
    catch_up(database, ["market"])
    settings = [event for event in random_log() if isinstance(event, AssetLimitsSet | InterestRateSet | PairStatusSet)]
    assert {type(event) for event in settings} >= {AssetLimitsSet, InterestRateSet}
    with connect(database) as connection, open_snapshot(connection, names=["market"]) as snapshot:
        first = next(at for at, event in enumerate(random_log(), start=1) if event in settings) - 1
        before = market_at(snapshot.connection, first)
        taken = market_at(snapshot.connection, first)
        for event in settings:
            exchange.evolve(taken, event)
        assert taken != before
        assert market_at(snapshot.connection, first) == before
