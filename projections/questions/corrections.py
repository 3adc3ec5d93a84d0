"""What statements and the audit trail say of corrections: reversals both ways, and the reasons of adjustments."""

from collections.abc import Iterable
from typing import Any

from projections.corrections.queries import adjustments_posted_at, reversals_at
from projections.snapshot import Snapshot

Told = dict[int, dict[str, Any]]
"""What is to be said of an event, by its position."""


def told_of_reversals(snapshot: Snapshot, positions: Iterable[int]) -> Told:
    """Of each event that was reversed `reversed_by` (position and version), of each reversal `reverses`.

    As of the snapshot's point: a reversal that was not known then, or does not count yet, is not told.
    """
    told: Told = {}
    asked = sorted(set(positions))
    for row in reversals_at(snapshot.connection, snapshot.position, asked, snapshot.effective_at) if asked else ():
        reversal = {"position": row["position"], "version": row["version"]}
        original = {"position": row["reversed_position"], "version": row["reversed_version"]}
        told.setdefault(row["reversed_position"], {})["reversed_by"] = reversal
        told.setdefault(row["position"], {})["reverses"] = original
    return told


def with_corrections(snapshot: Snapshot, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of a statement, each with the positions of what reversed its event and of what its event reverses, and
    with the id and the reason code of an adjustment; None where there is none."""
    positions = {line["position"] for line in lines}
    told = told_of_reversals(snapshot, positions)
    adjusted = {line["position"] for line in lines if line["topic"] == "adjustment.posted"}
    posted = {row["position"]: row for row in adjustments_posted_at(snapshot.connection, sorted(adjusted))}
    return [{**line, **_beside(told.get(line["position"], {}), posted.get(line["position"], {}))} for line in lines]


def _beside(reversal: dict[str, Any], adjustment: dict[str, Any]) -> dict[str, Any]:
    places = {name: (reversal.get(name) or {}).get("position") for name in ("reverses", "reversed_by")}
    return {**places, **{name: adjustment.get(name) for name in ("adjustment_id", "reason_code")}}
