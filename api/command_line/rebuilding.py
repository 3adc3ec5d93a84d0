"""`ledger rebuild`: projections made again from the log, beside the live ones, compared and put in their place."""

from typing import Annotated

import typer

from api.command_line.database import migrated_url
from api.command_line.screen import Exit, say, show_progress, shown_in, stop
from ledger import collect_seldom
from projections.apart import BuilderEnded
from projections.catalogue import ALL
from projections.copying import CopyFailed
from projections.rebuild import RebuildRefused, RebuildReport
from projections.rebuild import rebuild as rebuild_projections
from projections.runner import ProjectionFailed


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help="Projections to rebuild; none named means all.")] = None,
) -> None:
    """Build projections anew from nothing while the live ones answer, compare both, and swap.

    Ends with 1 if a live copy differed from its log; the new copy has taken its place all the same.
    """
    unknown = [name for name in names or [] if name not in ALL]
    if unknown:
        stop(f"{', '.join(unknown)}: no such projection; there are {', '.join(ALL)}", Exit.USAGE)
    try:
        reports = _rebuild(migrated_url(), names or list(ALL))
    except (RebuildRefused, CopyFailed, BuilderEnded, ProjectionFailed) as refusal:
        stop(str(refusal))
    for report in reports:
        _print(report)
    if any(report.differences for report in reports):
        raise typer.Exit(Exit.DIFFERENCE)


def _rebuild(url: str, names: list[str]) -> list[RebuildReport]:
    # Long work on many long-lived objects: what is garbage is looked for seldom.
    collect_seldom()
    with show_progress() as progress:
        return rebuild_projections(url, names, shown_in(progress, "rebuilding:"))


def _print(report: RebuildReport) -> None:
    found = f"{report.differences} differences" if report.differences else "no difference"
    say(f"{report.name}: rebuilt at position {report.position}, {found} to what was live")
    for example in report.examples:
        say(f"    {example}")
