"""What a comparison of an outside statement with the journal found: as tables, JSON or CSV, never held as a whole."""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from api.answers import moment
from api.command_line.screen import out, say, table_of
from ledger.money import ZERO, plain
from projections.questions.reconciliation import DIFFERENCES, KINDS, Reconciliation, Total
from projections.questions.reconciliation_pairs import EFFECTIVE, RECORDED, VIEWS, Period

ITEMS_SHOWN = 20
VIEW_WORDS = {EFFECTIVE: "by business time", RECORDED: "by recorded time"}
KIND_WORDS = {
    "matched": "matched",
    "different": "different",
    "missing_here": "missing here",
    "missing_there": "missing there",
    "reversed": "reversed here, not there",
    "late": "entered late",
    "other_period": "of another period",
}
PAIRED = ("account", "asset", "amount", "reference", "time")
COLUMNS = [
    *("view", "kind", "line", "position", "topic", "effective_at", "recorded_at", "differs"),
    *(f"{side}_{name}" for name in PAIRED for side in ("there", "here")),
]


@dataclass
class Compared:
    """The statement's name, the log position, the period, what was found, and the sums that the journal has of the
    period by view and asset."""

    name: str
    position: int
    period: Period
    found: Reconciliation
    journal_sums: dict[str, dict[str, Decimal]]

    def __post_init__(self) -> None:
        self.lines, self.lines_beside = self.found.lines()
        self.totals = {view: self.found.totals(view) for view in VIEWS}

    @property
    def agrees(self) -> bool:
        """Whether nothing is different or missing, and the journal's own sums are those of the postings compared."""
        differs = any(total.kind in DIFFERENCES for totals in self.totals.values() for total in totals)
        return not differs and all(one["journal_agrees"] for view in VIEWS for one in self.closing(view).values())

    def kinds(self, view: str) -> dict[str, dict[str, int]]:
        """How many lines and postings each kind has."""
        totals = self.totals[view]
        return {
            kind: {
                "lines": sum(one.lines for one in totals if one.kind == kind),
                "postings": sum(one.postings for one in totals if one.kind == kind),
            }
            for kind in KINDS
        }

    def closing(self, view: str) -> dict[str, dict[str, Any]]:
        """For each asset what both sides sum to, what the difference is made of, and whether the journal agrees.

        `there` less `here` is the sum of `difference` over all kinds. What is `here` but lies beside the period was
        paired with a line in it; the rest is what the journal itself sums to in the period.
        """
        by_asset: dict[str, list[Total]] = defaultdict(list)
        for one in self.totals[view]:
            by_asset[one.asset].append(one)
        journal = self.journal_sums[view]
        return {asset: _closing(by_asset[asset], journal.get(asset, ZERO)) for asset in sorted({*by_asset, *journal})}

    def items(self, view: str, *, with_matched: bool) -> Iterator[dict[str, Any]]:
        """What is listed of a view, in order of time."""
        for item in self.found.items(view, listed(with_matched)):
            differs = self.found.fields_that_differ(item) if item["kind"] == "different" else []
            yield {"view": view, **_written(item), "differs": differs}


def listed(with_matched: bool) -> Sequence[str]:
    """The kinds whose items are listed."""
    return KINDS if with_matched else KINDS[1:]


def _closing(totals: list[Total], journal: Decimal) -> dict[str, Any]:
    there, here = sum((one.there for one in totals), ZERO), sum((one.here for one in totals), ZERO)
    in_period = sum((one.here_in_period for one in totals), ZERO)
    return {
        "there": plain(there),
        "here": plain(here),
        "difference": plain(there - here),
        "made_of": {one.kind: plain(one.there - one.here) for one in totals if one.there != one.here},
        "here_beside_the_period": plain(here - in_period),
        "journal": plain(journal),
        "journal_agrees": in_period == journal,
    }


def _written(item: dict[str, Any]) -> dict[str, Any]:
    """An item with amounts in plain notation and times in UTC."""
    written = {
        name: plain(value) if isinstance(value, Decimal) else moment(value) if isinstance(value, datetime) else value
        for name, value in item.items()
    }
    return {"line": written.pop("number"), **written}


def print_json(compared: Compared, *, with_matched: bool) -> None:
    """The report as one JSON object, its items written one by one."""
    period = compared.period
    head = {
        "file": compared.name,
        "position": compared.position,
        "from": moment(period.first),
        "to": moment(period.last),
        "tolerance_seconds": int(period.tolerance.total_seconds()),
        "lines": compared.lines,
        "lines_beside_the_period": compared.lines_beside,
        "references_not_shown": dict(compared.found.hidden),
        "agrees": compared.agrees,
    }
    write = sys.stdout.write
    write(json.dumps(head)[:-1] + ', "views": {')
    for place, view in enumerate(VIEWS):
        said = {"kinds": compared.kinds(view), "totals": compared.closing(view)}
        write(f'{", " if place else ""}"{view}": {json.dumps(said)[:-1]}, "items": [')
        for number, item in enumerate(compared.items(view, with_matched=with_matched)):
            del item["view"]
            write(f"{',' if number else ''}\n{json.dumps(item)}")
        write("]}")
    write("}}\n")


def print_csv(compared: Compared, *, with_matched: bool) -> None:
    """Every item of both views as a row."""
    rows = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for view in VIEWS:
        for item in compared.items(view, with_matched=with_matched):
            rows.writerow({**item, "differs": " ".join(item["differs"])})


def print_tables(compared: Compared, *, with_matched: bool) -> None:
    """The report for people: sums of each view, and the first of what is listed."""
    period, beside = compared.period, compared.lines_beside
    say(f"{compared.name} against the journal at position {compared.position:,}")
    told = f"{compared.lines:,} lines, from {moment(period.first)} to {moment(period.last)}"
    say(f"{told}{f'; {beside:,} lines beside that are not counted' if beside else ''}")
    for why, count in sorted(compared.found.hidden.items()):
        say(f"{count:,} references of the journal are {why}: such postings are paired by id, or amount and time")
    for view in VIEWS:
        _print_view(compared, view, with_matched=with_matched)
    say("they agree" if compared.agrees else "they differ")


def _print_view(compared: Compared, view: str, *, with_matched: bool) -> None:
    rows = [
        (KIND_WORDS[one.kind], one.asset, one.lines, one.postings, plain(one.there), plain(one.here))
        for one in sorted(compared.totals[view], key=lambda one: (KINDS.index(one.kind), one.asset))
    ]
    columns = ["", "asset", "lines", "postings", "sum there", "sum here"]
    out().print(table_of(VIEW_WORDS[view], columns, rows, right=range(2, 6)))
    for asset, one in compared.closing(view).items():
        journal = "is" if one["journal_agrees"] else f"IS NOT, with {one['journal']},"
        beside = one["here_beside_the_period"]
        say(
            f"{asset}: {one['there']} there, {one['here']} here, {one['difference']} between them; the journal's own "
            f"sum {journal} what was compared of it{f', {beside} beside the period' if beside != '0' else ''}"
        )
    shown = [_row(item) for item in islice(compared.items(view, with_matched=with_matched), ITEMS_SHOWN)]
    more = compared.found.count(view, listed(with_matched)) - len(shown)
    if shown:
        columns = ["", "line", "position", "account", "asset", "amount", "reference", "time", "recorded"]
        out().print(table_of(None, columns, shown, right=[1, 2, 5]))
    if more:
        say(f"and {more:,} more, which --json and --csv list")


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    """An item on one line; of a field that differs what is there, then what is here."""
    cells = []
    for name in PAIRED:
        there, here = item[f"there_{name}"], item[f"here_{name}"]
        told = there if there is not None else here
        cells.append(f"{there} / {here}" if name in item["differs"] else told or "")
    numbers = [str(item[name]) if item[name] is not None else "" for name in ("line", "position")]
    return (KIND_WORDS[item["kind"]], *numbers, *cells, item["recorded_at"] or "")
