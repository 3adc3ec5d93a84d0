"""Double entry: the lines of each event, which sum to zero for every asset."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import events as e
from ledger.postings import postings
from ledger.words import EXCHANGE
from tests.ledger.given import Happened, envelope, happened
from tests.ledger.happenings import (
    accrued,
    asset_limits,
    asset_listed,
    borrowed,
    called,
    closed,
    deposited,
    frozen,
    held,
    leverage_set,
    line,
    margin_added,
    margin_removed,
    marked,
    mode_set,
    opened,
    pair_listed,
    pair_status,
    rate_set,
    received,
    released,
    repaid,
    risk_limits,
    sent,
    tier,
    traded,
    transferred,
    unfrozen,
    withdrawal_cancelled,
    withdrawal_requested,
    withdrawal_settled,
)

SPOT, CROSS, BUCKET = "account/alice/spot", "account/alice/cross", "account/alice/isolated:BTC/USDT"
IN_BUCKET: dict[str, Any] = {"liquidation_id": "alice.7", "wallet": "isolated:BTC/USDT"}


def started(**fields: Any) -> Happened:
    terms = {"execution": "house", "level": "1.04", "liquidation_level": "1.05", "assets": "1", "debt": "1"}
    there: Any = {"balances": {}, "prices": {}, "released_holds": [], "fee_rate": "0.02"}
    return happened(e.LiquidationStarted, **IN_BUCKET, **{**terms, **there, **fields})


def liquidation_filled(**fields: Any) -> Happened:
    terms: Any = {"asset": "BTC", "taken": "0.5", "asset_price": "41500", "debt_asset": "USDT", "debt_price": "1"}
    return happened(e.LiquidationFilled, **IN_BUCKET, **{**terms, "interest": "1", "principal": "2", **fields})


def covered(value: str) -> Happened:
    terms: Any = {"asset": "BTC", "interest": "0.1", "principal": "0.2", "price": "50000", "value": value}
    return happened(e.DeficitCovered, **IN_BUCKET, **terms)


def completed(**fee: str) -> Happened:
    there: Any = {"sold": {}, "repaid": {}, "covered": {}, "left": {}, "fee": fee}
    values: Any = {"repaid_value": "0", "fee_rate": "0.02", "fee_value": "0", "covered_value": "0"}
    return happened(e.LiquidationCompleted, **IN_BUCKET, **there, **values)


Lines = dict[tuple[str, str], str]
HOLDS = [{"hold_id": "H1", "asset": "BTC", "amount": "0.3"}]
TABLE: list[tuple[Happened, Lines]] = [
    (deposited("5", "USDT"), {("external", "USDT"): "-5", (SPOT, "USDT"): "5"}),
    (withdrawal_requested("5", "USDT"), {(SPOT, "USDT"): "-5", (f"{SPOT}/locked", "USDT"): "5"}),
    (withdrawal_settled("5", "USDT"), {(f"{SPOT}/locked", "USDT"): "-5", ("external", "USDT"): "5"}),
    (withdrawal_cancelled("5", "USDT"), {(f"{SPOT}/locked", "USDT"): "-5", (SPOT, "USDT"): "5"}),
    (transferred("5", "USDT"), {(SPOT, "USDT"): "-5", (CROSS, "USDT"): "5"}),
    (sent("5", "USDT", "bob"), {(SPOT, "USDT"): "-5", ("clearing", "USDT"): "5"}),
    (received("5", "USDT", "bob"), {("clearing", "USDT"): "-5", (SPOT, "USDT"): "5"}),
    (margin_added("5", "USDT", source="cross"), {(CROSS, "USDT"): "-5", (BUCKET, "USDT"): "5"}),
    (margin_removed("5", "USDT"), {(BUCKET, "USDT"): "-5", (SPOT, "USDT"): "5"}),
    (borrowed("5", "USDT"), {(CROSS, "USDT"): "5", (f"{CROSS}/principal", "USDT"): "-5"}),
    (
        accrued(line("1", "USDT", "5", "1"), line("2", "BTC", "5", "1")),
        {
            (f"{CROSS}/interest", "USDT"): "-1",
            ("interest_income", "USDT"): "1",
            (f"{CROSS}/interest", "BTC"): "-2",
            ("interest_income", "BTC"): "2",
        },
    ),
    (
        repaid("1", "5", "USDT"),
        {(CROSS, "USDT"): "-6", (f"{CROSS}/interest", "USDT"): "1", (f"{CROSS}/principal", "USDT"): "5"},
    ),
    (held("5", "USDT", wallet="cross"), {(CROSS, "USDT"): "-5", (f"{CROSS}/locked", "USDT"): "5"}),
    (released("5", "USDT", wallet="cross"), {(f"{CROSS}/locked", "USDT"): "-5", (CROSS, "USDT"): "5"}),
    (
        traded("buy", "2", "10", fee="0.1", fee_asset="BTC"),
        {
            (CROSS, "USDT"): "-20",
            ("clearing", "USDT"): "20",
            ("clearing", "BTC"): "-2",
            (CROSS, "BTC"): "1.9",
            ("fees", "BTC"): "0.1",
        },
    ),
    (
        traded("sell", "2", "10", hold_id="H1", hold_used="1.5", fee="-1"),
        {
            (f"{CROSS}/locked", "BTC"): "-1.5",
            (CROSS, "BTC"): "-0.5",
            ("clearing", "BTC"): "2",
            ("clearing", "USDT"): "-20",
            (CROSS, "USDT"): "21",
            ("fees", "USDT"): "-1",
        },
    ),
    (started(released_holds=HOLDS), {(f"{BUCKET}/locked", "BTC"): "-0.3", (BUCKET, "BTC"): "0.3"}),
    (
        liquidation_filled(),
        {
            (BUCKET, "BTC"): "-0.5",
            ("liquidation", "BTC"): "0.5",
            ("liquidation", "USDT"): "-3",
            (f"{BUCKET}/interest", "USDT"): "1",
            (f"{BUCKET}/principal", "USDT"): "2",
        },
    ),
    (
        covered("15000"),
        {
            (f"{BUCKET}/interest", "BTC"): "0.1",
            (f"{BUCKET}/principal", "BTC"): "0.2",
            ("liquidation", "BTC"): "-0.3",
            ("insurance", "USDT"): "-15000",
            ("liquidation", "USDT"): "15000",
        },
    ),
    (
        completed(BTC="0.01", USDT="3"),
        {
            (BUCKET, "BTC"): "-0.01",
            ("insurance", "BTC"): "0.01",
            (BUCKET, "USDT"): "-3",
            ("insurance", "USDT"): "3",
        },
    ),
]


def posted(new: Happened, stream: str = "alice") -> Lines:
    """What an event posts, summed by book and asset, written plainly."""
    sums: dict[tuple[str, str], Decimal] = {}
    for book, asset, amount in postings(new(envelope(stream, 1))):  # type: ignore[arg-type]
        sums[book.path, asset] = sums.get((book.path, asset), Decimal(0)) + amount
    return {key: f"{amount.normalize():f}" for key, amount in sums.items() if amount}


@pytest.mark.parametrize(("new", "lines"), TABLE)
def test_the_lines_of_an_event_are_those_of_the_table(new: Happened, lines: Lines) -> None:
    assert posted(new) == lines


@pytest.mark.parametrize(("new", "lines"), TABLE)
def test_the_lines_of_an_event_sum_to_zero_for_every_asset(new: Happened, lines: Lines) -> None:
    sums: dict[str, Decimal] = {}
    for _, asset, amount in postings(new(envelope("alice", 1))):  # type: ignore[arg-type]
        sums[asset] = sums.get(asset, Decimal(0)) + amount
    assert set(sums.values()) == {0}


def test_the_insurance_fund_is_paid_in_and_out_from_outside() -> None:
    fund = happened(e.InsuranceFunded, asset="USDT", amount="5")
    assert posted(fund, EXCHANGE) == {("external", "USDT"): "-5", ("insurance", "USDT"): "5"}
    withdrawal = happened(e.InsuranceWithdrawn, asset="USDT", amount="5")
    assert posted(withdrawal, EXCHANGE) == {("insurance", "USDT"): "-5", ("external", "USDT"): "5"}


SILENT = [
    opened(),
    frozen(),
    unfrozen(),
    closed(),
    mode_set("isolated"),
    leverage_set("5"),
    called("cross"),
    asset_listed("BTC"),
    asset_limits("BTC"),
    pair_listed("BTC/USDT", "10"),
    pair_status("BTC/USDT", "halted"),
    risk_limits("cross", tier("3", "1.5", "1.3", "1.1")),
    rate_set("BTC", "1"),
    marked(),
    started(),
]


@pytest.mark.parametrize("new", SILENT)
def test_what_moves_nothing_posts_nothing(new: Happened) -> None:
    assert posted(new) == {}


def test_a_line_of_nothing_is_not_posted() -> None:
    lines = postings(traded("buy", "1", "10")(envelope("alice", 1)))  # type: ignore[arg-type]
    assert all(line.amount for line in lines)
    assert not any(line.book.path == "fees" for line in lines)
