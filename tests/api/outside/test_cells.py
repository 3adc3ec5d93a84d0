"""Cells of outside statements: read exactly, or refused with the value and what would be right."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from api.outside.cells import AmountForm, TimeForm, Unreadable, account_of, asset_of, reference_of, signed
from api.outside.statement import INCOMING, OUTGOING

UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("text", "point", "thousands", "amount"),
    [
        ("1250.50", ".", "", "1250.50"),
        ("+3", ".", "", "3"),
        ("-0.00000001", ".", "", "-0.00000001"),
        ("\u22125", ".", "", "-5"),
        ("1.234.567,89", ",", ".", "1234567.89"),
        ("1,234.5", ".", ",", "1234.5"),
        ("234,5", ",", ".", "234.5"),
        ("-12'000", ".", "'", "-12000"),
        ("9" * 38, ".", "", "9" * 38),
    ],
)
def test_an_amount_is_read_as_it_is_written(text: str, point: str, thousands: str, amount: str) -> None:
    assert AmountForm(point, thousands).read(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "point", "thousands"),
    [
        ("1e400", ".", ""),
        ("1,5", ".", ""),
        ("1.5", ",", ""),
        ("1.234", ",", ""),
        ("1,23,456.7", ".", ","),
        ("1234,567", ".", ","),
        ("1.5,000", ".", ","),
        ("", ".", ""),
        ("-", ".", ""),
        ("--5", ".", ""),
        ("+-5", ".", ""),
        ("5-", ".", ""),
        (".5", ".", ""),
        ("5.", ".", ""),
        ("007", ".", ""),
        ("NaN", ".", ""),
        ("Infinity", ".", ""),
        ("\u0661", ".", ""),
        ("\uff11", ".", ""),
        ("0x10", ".", ""),
        ("1_000", ".", ""),
        ("(100)", ".", ""),
        ("100 USDT", ".", ""),
        ("9" * 39, ".", ""),
        ("9" * 100_000, ".", ""),
    ],
)
def test_an_amount_of_another_form_is_refused(text: str, point: str, thousands: str) -> None:
    with pytest.raises(Unreadable, match=r"amount .* is none; write it with at most 38 digits") as refusal:
        AmountForm(point, thousands).read(text)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("text", ["0", "-0.00", "+0"])
def test_an_amount_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="moves nothing"):
        AmountForm(".", "").read(text)


@pytest.mark.parametrize(
    ("text", "written", "zone", "at", "is_day"),
    [
        ("2026-03-02T10:45:00Z", None, "UTC", datetime(2026, 3, 2, 10, 45), False),
        ("2026-03-02 10:45", None, "UTC", datetime(2026, 3, 2, 10, 45), False),
        ("2026-03-02T10:45:00.123456+05:30", None, "UTC", datetime(2026, 3, 2, 5, 15, 0, 123456), False),
        ("2026-03-02 10:45:00 +0100", None, "UTC", datetime(2026, 3, 2, 9, 45), False),
        ("2026-03-02", None, "UTC", datetime(2026, 3, 2), True),
        ("2026-07-02", None, "Europe/Berlin", datetime(2026, 7, 1, 22), True),
        ("02.03.2026", "%d.%m.%Y", "UTC", datetime(2026, 3, 2), True),
        ("02.07.26 10:45", "%d.%m.%y %H:%M", "Europe/Berlin", datetime(2026, 7, 2, 8, 45), False),
    ],
)
def test_a_time_is_read_in_its_zone(text: str, written: str | None, zone: str, at: datetime, is_day: bool) -> None:
    assert TimeForm(written, ZoneInfo(zone)).read(text) == (at.replace(tzinfo=UTC), is_day)


@pytest.mark.parametrize(
    ("text", "written", "zone", "why"),
    [
        ("02.03.2026", None, "UTC", "write it as 2020"),
        ("2026-02-30", None, "UTC", "write it as 2020"),
        ("2026-W10-1", None, "UTC", "write it as 2020"),
        ("1772445600", None, "UTC", "write it as 2020"),
        ("", None, "UTC", "write it as 2020"),
        ("0001-01-01T00:00:00+14:00", None, "UTC", "outside the years"),
        ("2026-03-02", "%d.%m.%Y", "UTC", "not written as --time-format"),
        ("2026-03-29T02:30:00", None, "Europe/Berlin", "skipped by the clocks of Europe/Berlin"),
    ],
)
def test_a_time_of_another_form_is_refused(text: str, written: str | None, zone: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        TimeForm(written, ZoneInfo(zone)).read(text)


def test_a_direction_gives_an_amount_its_sign() -> None:
    assert signed(Decimal(5), "Credit", INCOMING, OUTGOING) == 5
    assert signed(Decimal(5), "debit", INCOMING, OUTGOING) == -5
    with pytest.raises(Unreadable, match="direction 'sideways' is none"):
        signed(Decimal(5), "sideways", INCOMING, OUTGOING)
    with pytest.raises(Unreadable, match="has a sign beside the direction"):
        signed(Decimal(-5), "debit", INCOMING, OUTGOING)


def test_accounts_assets_and_references_are_those_that_the_ledger_takes() -> None:
    assert (account_of("alice"), asset_of("BTC"), reference_of("rent\nMarch"), reference_of("")) == (
        "alice", "BTC", "rent March", None,
    )  # fmt: skip
    for read, text, why in (
        (account_of, "a/b", "an id has 1 to 64"),
        (account_of, "", "an id has 1 to 64"),
        (asset_of, "btc", "an asset has 2 to 12"),
        (reference_of, "a\x07", "no control characters"),
        (reference_of, "x" * 501, "at most 500"),
    ):
        with pytest.raises(Unreadable, match=why):
            read(text)
