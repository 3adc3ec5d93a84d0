"""What a backtest must show: buckets die alone, pools leave spot alone, and nobody is left across a line."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from api.backtest.falls import Fall, named_falls, pairs_of, synthetic_fall
from api.backtest.report import Replayed
from api.backtest.tally import total_of
from api.command_line.backtesting import replay
from api.demo import seeded
from ledger import events as e
from ledger.log import RecordedEvent
from ledger.postgres import connect
from ledger.postings import postings
from ledger.wallets import hour_of
from projections.liquidations.queries import insurance, liquidations, margin_calls, uncovered_deficits
from projections.snapshot import open_snapshot
from tests.api.backtest_log import ONE_DAY, Liquidated, examined, liquidated, log_of, walked
from tests.databases import fresh_database

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = [SHARED / "BTC-USD-4h.csv", SHARED / "ETH-USD-4h.csv"]
ACCOUNTS, SEED, MOST = 40, 7, 100_000


class Run(NamedTuple):
    """A backtest that was run, and its log."""

    url: str
    replayed: Replayed
    log: list[RecordedEvent]

    @property
    def liquidated(self) -> list[Liquidated]:
        return list(liquidated(self.log))


@pytest.fixture(scope="module", params=["synthetic", "2020-03-12"])
def run(request: pytest.FixtureRequest, server_url: str, template_database: str) -> Iterator[Run]:
    """The invented fall, and that of March 2020."""
    falls = falls_named(request.param)
    with fresh_database(server_url, template_database) as url:
        replayed = replay(url, falls, ACCOUNTS, SEED)
        yield Run(url, replayed, log_of(url))


def falls_named(name: str) -> Sequence[Fall]:
    if name != "synthetic":
        if not SHARED.is_dir():
            pytest.skip(f"the price history of {SHARED} is not there: only the invented fall is replayed")
        return named_falls(FILES, pairs_of(FILES), name)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(seeded, "FIVE_MINUTES", 15)
        return [synthetic_fall(SEED)]


def test_an_isolated_liquidation_leaves_every_other_wallet_of_the_account_as_it_was(run: Run) -> None:
    found = [one for one in run.liquidated if one.wallet != "cross"]
    assert found
    # Some had more to lose than their bucket.
    assert any("cross" in one.others() and one.before.wallets.cross.owes for one in found)
    for one in found:
        for name in one.others():
            assert one.after.wallets.wallet(name) == one.before.wallets.wallet(name)


def test_the_loss_of_an_isolated_liquidation_ends_with_the_bucket(run: Run) -> None:
    for one in run.liquidated:
        if one.wallet != "cross":
            bucket = one.after.wallets.wallet(one.wallet)
            assert not bucket.owes
            assert all(balance.net >= 0 for balance in bucket.balances.values())


def test_a_cross_liquidation_touches_neither_spot_nor_a_bucket(run: Run) -> None:
    found = [one for one in run.liquidated if one.wallet == "cross"]
    assert any(one.before.wallets.isolated for one in found)
    for one in found:
        assert one.after.wallets.spot == one.before.wallets.spot
        assert one.after.wallets.isolated == one.before.wallets.isolated


def test_a_liquidation_posts_to_its_own_wallet_and_to_the_house(run: Run) -> None:
    for one in run.liquidated:
        for line in (line for event in one.events for line in postings(event)):
            assert line.book.account_id is None or (line.book.account_id, line.book.name) == (one.before.id, one.wallet)


def test_who_was_liquidated_was_at_or_below_the_line_and_who_was_called_between_both_lines(run: Run) -> None:
    seen: defaultdict[str, int] = defaultdict(int)
    for walk, event in walked(run.log):
        if isinstance(event, e.LiquidationStarted | e.MarginCalled):
            account = walk.accounts[event.account_id]
            wallet = account.wallets.wallet(event.wallet)
            started = isinstance(event, e.LiquidationStarted)
            assert walk.is_across(account, wallet) if started else walk.is_to_be_called(account, wallet), event
            seen[event.TOPIC] += 1
    assert set(seen) == {"liquidation.started", "margin.called"}


def test_nobody_is_left_across_a_line_when_the_examination_of_a_vector_is_over(run: Run) -> None:
    vectors = 0
    for walk in examined(run.log):
        vectors += 1
        assert walk.newest is not None
        for account, wallet in walk.owing():
            assert not walk.is_across(account, wallet), (walk.newest.effective_at, account.id, wallet.name)
            if walk.is_to_be_called(account, wallet):
                assert walk.newest.effective_at - account.called_at[wallet.name] < ONE_DAY
    assert vectors > 50


def test_every_hour_is_charged_when_the_examination_of_a_vector_is_over(run: Run) -> None:
    for walk in examined(run.log):
        assert walk.newest is not None
        hour = hour_of(walk.newest.effective_at)
        for account, wallet in walk.owing():
            assert all(wallet.next_hours[asset] > hour for asset in wallet.debts), (hour, account.id, wallet.name)


def test_nobody_owes_when_the_fall_is_over(run: Run) -> None:
    *_, (walk, _) = walked(run.log)
    assert list(walk.owing()) == []


def test_nothing_is_made_or_lost_in_any_asset(run: Run) -> None:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for recorded in run.log:
        for line in postings(recorded.event):
            sums[line.asset] += line.amount
    assert sums == {"BTC": 0, "ETH": 0, "USDT": 0}


def test_verification_agrees(run: Run) -> None:
    assert run.replayed.verified.differences == []
    assert run.replayed.agrees


def test_the_report_says_what_the_projections_say(run: Run) -> None:
    total = total_of(run.replayed.tally.days.values())
    with connect(run.url) as connection, open_snapshot(connection) as snapshot:
        found = liquidations(snapshot.connection, snapshot.position, limit=MOST)
        calls = margin_calls(snapshot.connection, snapshot.position, limit=MOST)
        uncovered = uncovered_deficits(snapshot.connection, snapshot.position, limit=MOST)
        fund = insurance(snapshot.connection, snapshot.position)
    assert total.cross_liquidations + total.isolated_liquidations == len(found) == len(run.liquidated)
    assert total.calls == len(calls)
    assert total.repaid == sum(Decimal(one["completed"]["repaid_value"]) for one in found)
    assert total.deficits == sum(one["deficit_value"] for one in found)
    assert total.uncovered == sum(one["uncovered"] for one in uncovered)
    assert run.replayed.tally.fund == fund


def test_the_fund_was_used(run: Run) -> None:
    total = total_of(run.replayed.tally.days.values())
    assert total.paid_by_fund > 0
    assert total.deficits == total.paid_by_fund + total.uncovered
