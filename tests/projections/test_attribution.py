"""The parts of a change come to the whole: beside a fold of every single event and price, and over random ways."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import exchange
from ledger.account import Account, evolve, leverage_of
from ledger.errors import Unknown
from ledger.events import AccountEvent, AnyEvent, ExchangeEvent, TradeBooked
from ledger.margin import Margin
from ledger.market import Market
from ledger.money import Ratio
from ledger.postgres import Connection, connect
from ledger.wallets import Balance
from ledger.words import SPOT
from projections.catalogue import ALL
from projections.questions.attribution import Cause, LevelChange, cause_of
from projections.questions.differences import differences_answer
from projections.questions.margin_wallet import margin_at_last_prices
from projections.questions.tally import Shown
from projections.runner import catch_up
from projections.snapshot import AsOf, open_snapshot
from projections.tables import LIVE, work_in
from tests.projections.logs import random_log, record

STEP = Fraction(1, 10**8)
PAGE = Shown(limit=40)


@pytest.fixture(scope="module")
def connection(module_database: str) -> Iterator[Connection]:
    """A random log, projected."""
    record(module_database, random_log())
    catch_up(module_database, ALL, timeout_seconds=60)
    with connect(module_database, autocommit=True) as connection:
        work_in(connection, LIVE)
        yield connection


def accounts() -> dict[str, int]:
    """The accounts of the log, with the position that opened each."""
    opened: dict[str, int] = {}
    for position, event in enumerate(random_log(), start=1):
        if not event.account_id.startswith("@"):
            opened.setdefault(event.account_id, position)
    return opened


def asked(connection: Connection, account_id: str, first: int, last: int) -> dict[str, Any]:
    with open_snapshot(connection, position=last) as snapshot:
        return differences_answer(snapshot, account_id, AsOf("position", first), PAGE, last=AsOf("position", last))


class EveryStep:
    """An account and the market folded event by event and price by price; what each step changed, summed by cause."""

    def __init__(self, account_id: str, first: int, last: int) -> None:
        self.account, self.market = Account.unopened(account_id), Market()
        self.equity: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        self.levels: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for position, event in enumerate(random_log()[:last], start=1):
            if event.account_id in (account_id, "@exchange", "@prices"):
                self._take(event, counts=position > first)

    def _take(self, event: AnyEvent, *, counts: bool) -> None:
        before = self._margins()
        if isinstance(event, AccountEvent):
            evolve(self.account, event)
            cause, without_fee = cause_of(event), self._margins(event)
        else:
            assert isinstance(event, ExchangeEvent)
            exchange.evolve(self.market, event)
            cause, without_fee = Cause.PRICES if event.account_id == "@prices" else Cause.SETTINGS, self._margins()
        if counts:
            self._count(cause, before, without_fee)
            self._count(Cause.FEES, without_fee, self._margins())

    def _margins(self, traded: AnyEvent | None = None) -> dict[str, Margin]:
        """Every margin wallet at the prices last marked; that of a trade as if its fee were still there."""
        found = {}
        for wallet in self.account.wallets.all():
            balances = dict(wallet.balances)
            if isinstance(traded, TradeBooked) and traded.wallet == wallet.name:
                old = wallet.balance(traded.fee_asset)
                balances[traded.fee_asset] = old._replace(free=old.free + traded.fee)
            if wallet.name != SPOT:
                found[wallet.name] = self._margin(wallet.name, balances)
        return found

    def _margin(self, name: str, balances: dict[str, Balance]) -> Margin:
        wallet = self.account.wallets.wallet(name).with_balances(balances)
        try:
            margin = margin_at_last_prices(wallet, self.market, leverage_of(self.account, name, self.market))
        except Unknown:
            margin = None
        assert margin is not None, "the rules let nothing into a margin wallet that has no price"
        return margin

    def _count(self, cause: Cause, before: dict[str, Margin], after: dict[str, Margin]) -> None:
        for name, margin in after.items():
            now, then = margin.valuation, before[name].valuation if name in before else None
            self.equity[name, cause] += Fraction(now.equity) - (Fraction(then.equity) if then else 0)
            level, old = level_of(now.level), level_of(then.level) if then else None
            if level is not None and old is not None:
                self.levels[name, cause] += level - old
            elif level is not None:
                self.levels[name, "from_none"] += level
            elif old is not None:
                self.levels[name, "to_none"] -= old


def level_of(level: Ratio) -> Fraction | None:
    return Fraction(level.numerator) / Fraction(level.denominator) if level.denominator else None


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_parts_are_those_of_every_single_step_and_come_to_the_whole(
    connection: Connection, data: st.DataObject
) -> None:
    account_id = data.draw(st.sampled_from(sorted(accounts())))
    first = data.draw(st.integers(accounts()[account_id], len(random_log())))
    last = data.draw(st.integers(first, len(random_log())))
    answer, steps = asked(connection, account_id, first, last), EveryStep(account_id, first, last)
    assert answer["unexplained"] == []
    for name, wallet in answer["wallets"].items():
        if name == SPOT:
            continue
        equity, level = wallet["equity"], wallet["margin_level"]
        told = {cause: Fraction(amount) for cause, amount in equity["by_cause"].items()}
        assert told == {cause: steps.equity[name, cause] for cause in Cause}
        assert sum(told.values()) == Fraction(equity["to"]) - Fraction(equity["from"]) == Fraction(equity["change"])
        shown = {**level["by_cause"], **{way: level[way]["levels"] for way in ("from_none", "to_none")}}
        for cause, amount in shown.items():
            assert abs(Fraction(amount) - steps.levels[name, cause]) < STEP, (name, cause)
        assert sum(map(Fraction, shown.values())) == Fraction(level["to"] or 0) - Fraction(level["from"] or 0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_events_changed_comes_to_the_difference(connection: Connection, data: st.DataObject) -> None:
    account_id = data.draw(st.sampled_from(sorted(accounts())))
    first = data.draw(st.integers(accounts()[account_id], len(random_log())))
    last = data.draw(st.integers(first, len(random_log())))
    answer = asked(connection, account_id, first, last)
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    rows = answer["events"]
    while answer["next"] is not None:
        with open_snapshot(connection, position=last) as snapshot:
            page = differences_answer(
                snapshot, account_id, AsOf("position", first), PAGE._replace(after=rows[-1]["position"])
            )
        rows, answer = rows + page["events"], {**answer, "next": page["next"]}
    assert len(rows) == answer["counts"]["events"]
    for row in rows:
        for change in row["changes"]:
            for part in Balance._fields:
                sums[change["wallet"], change["asset"], part] += Decimal(change.get(part, 0))
    for name, wallet in answer["wallets"].items():
        for asset, parts in wallet["assets"].items():
            for part, told in parts.items():
                assert sums.pop((name, asset, part), Decimal(0)) == Decimal(told["change"])
    assert not any(sums.values())


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_business_times_explain_themselves_as_well(connection: Connection, data: st.DataObject) -> None:
    account_id = data.draw(st.sampled_from(["alice", "bob", "carol"]))
    times = sorted(event.effective_at for event in random_log()[accounts()[account_id] :])
    first = data.draw(st.integers(0, len(times) - 1))
    last = data.draw(st.integers(first, len(times) - 1))
    with open_snapshot(connection, effective_at=times[last]) as snapshot:
        answer = differences_answer(
            snapshot, account_id, AsOf("effective_at", times[first]), PAGE, last=AsOf("effective_at", times[last])
        )
    assert answer["unexplained"] == []
    for name, wallet in answer["wallets"].items():
        if name != SPOT:
            assert sum(map(Decimal, wallet["equity"]["by_cause"].values())) == Decimal(wallet["equity"]["change"])


AMOUNTS = st.decimals(min_value=1, max_value=10**12, places=8)
DEBTS = st.one_of(st.just(Decimal(0)), AMOUNTS)


@given(st.lists(st.tuples(st.sampled_from(list(Cause)), AMOUNTS, DEBTS), min_size=1, max_size=30), DEBTS)
def test_the_sums_of_a_way_are_exact_whatever_way_a_level_takes(
    way: list[tuple[Cause, Decimal, Decimal]], first_debt: Decimal
) -> None:
    start = Ratio(Decimal(100), first_debt)
    change = LevelChange(start)
    for position, (cause, assets, debt) in enumerate(way, start=1):
        change.reach(cause, Ratio(assets, debt), (position, "some.event"))
    exact = sum(
        (
            Fraction(above) / Fraction(below)
            for part in [*change.causes.values(), change.from_none, change.to_none]
            for below, above in part.over.items()
        ),
        Fraction(0),
    )
    assert exact == (level_of(change.end) or 0) - (level_of(start) or 0)
    told = change.figures()
    shown = [*told["by_cause"].values(), told["from_none"]["levels"], told["to_none"]["levels"]]
    assert sum(map(Decimal, shown)) == Decimal(told["to"] or 0) - Decimal(told["from"] or 0)
    assert (told["change"] is None) == (told["from"] is None or told["to"] is None)
