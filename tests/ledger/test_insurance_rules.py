"""What the insurance fund cannot pay of a deficit is the part that it does not hold."""

from decimal import Decimal

import pytest

from ledger.insurance import uncovered_part


@pytest.mark.parametrize(
    ("deficit", "held", "uncovered"),
    [("100", "100", "0"), ("100", "250", "0"), ("100", "99.99", "0.01"), ("100", "0", "100"), ("0", "-5", "0")],
)
def test_a_fund_pays_of_a_deficit_what_it_holds(deficit: str, held: str, uncovered: str) -> None:
    assert uncovered_part(Decimal(deficit), Decimal(held)) == Decimal(uncovered)


def test_a_fund_below_zero_pays_nothing_and_goes_down_by_the_deficit_alone() -> None:
    assert uncovered_part(Decimal(100), Decimal(-40)) == Decimal(100)
