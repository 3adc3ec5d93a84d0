"""What the insurance fund cannot pay of a deficit."""

from decimal import Decimal

from ledger.money import ZERO


def uncovered_part(deficit: Decimal, held: Decimal) -> Decimal:
    """The part of a deficit that a fund holding this much does not have, both in the valuation asset; never below zero.

    The fund goes below zero by it, and one that is there already has nothing (domain, sections 4 and 7).
    """
    return max(deficit - max(held, ZERO), ZERO)
