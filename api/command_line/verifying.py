"""`ledger verify`: every event folded again from nothing, and compared with what the projections answer."""

import typer

from api.command_line.database import readable_url
from api.command_line.screen import Exit, say, show_progress, shown_in, stop
from projections.verify import VerificationRefused, VerifyReport
from projections.verify import verify as verify_projections

DIFFERENCES_SHOWN = 100


def verify() -> None:
    """Fold the whole log again, compare it with the live projections line by line, and check the trial balance.

    Ends with 1 if anything differs.
    """
    if not verify_database(readable_url()):
        raise typer.Exit(Exit.DIFFERENCE)


def verify_database(url: str) -> bool:
    """Verifies, prints what was found, and says whether everything agrees."""
    report = verification_of(url)
    print_verification(report)
    return not report.differences and report.trial_balance_zero


def verification_of(url: str) -> VerifyReport:
    """Verifies with a progress bar; ends the command where another verification runs."""
    try:
        with show_progress() as progress:
            return verify_projections(url, shown_in(progress, "verifying"))
    except VerificationRefused as refusal:
        stop(str(refusal))


def print_verification(report: VerifyReport) -> None:
    """Says what was found: differences, how much was folded, and whether the trial balance is zero."""
    for difference in report.differences[:DIFFERENCES_SHOWN]:
        say(f"difference: {difference}")
    if len(report.differences) > DIFFERENCES_SHOWN:
        say(f"and {len(report.differences) - DIFFERENCES_SHOWN:,} further differences")
    found = f"{len(report.differences):,} differences" if report.differences else "no difference"
    balance = "zero for every asset" if report.trial_balance_zero else "NOT ZERO"
    say(
        f"verified {report.events:,} events and {report.accounts:,} accounts up to position {report.position:,}: "
        f"{found}; trial balance {balance}"
    )
