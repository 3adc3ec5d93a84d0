"""What a what-if keeps is enough: the fund goes on in order whatever the order of taking, and the worst are found."""

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from ledger.words import Band
from projections.questions.what_if_examination import CloseOut
from projections.questions.what_if_kept import FundUse, Outcome, Place, Seen, Worst

Posted = tuple[Place, list[tuple[str, Decimal]]]
DEFICIT = (Place(False, Decimal("0.5"), "zoe", "cross"), [("USDT", Decimal(-150))])
FEE = (Place(False, Decimal("1.05"), "amy", "cross"), [("BTC", Decimal("0.1")), ("USDT", Decimal(60))])


@pytest.mark.parametrize("taken", [(DEFICIT, FEE), (FEE, DEFICIT)])
def test_a_deficit_is_paid_from_what_the_fund_holds_when_its_turn_comes(taken: Sequence[Posted]) -> None:
    """Of 150 the fund holds 100; the fee of 60 comes after, for its wallet stands higher."""
    use = FundUse()
    for place, lines in taken:
        use.take(place, lines)
    assets, uncovered = use.after({"USDT": Decimal(100)})
    assert uncovered == Decimal(50)
    assert assets == {"USDT": Decimal(10), "BTC": Decimal("0.1")}


def outcomes() -> list[Outcome]:
    """Five hundred, of which many stand at the same level, in no order."""
    chance = random.Random(3)
    found = []
    for number in range(500):
        seen = Seen(Band.LIQUIDATION, f"{chance.randrange(90, 110) / 100:.8f}", Decimal(1))
        found.append(Outcome(f"a{number}", "cross", seen, seen, chance.choice([None, CloseOut()])))
    chance.shuffle(found)
    return found


@pytest.mark.parametrize("most", [1, 7, 1000])
@pytest.mark.parametrize("after", [None, 0, 250, 499])
def test_the_first_after_a_place_are_found_and_few_more_are_kept_meanwhile(most: int, after: int | None) -> None:
    found = outcomes()
    in_order = sorted(found, key=lambda one: one.place)
    worst = Worst(None if after is None else in_order[after].place, most)
    for one in found:
        worst.take(one)
        assert len(worst) <= 2 * most
    assert worst.first() == in_order[0 if after is None else after + 1 :][:most]
