"""`ledger stress`: who would be called or liquidated at other prices, as tables, over a sweep also as a picture."""

import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from api.answers import json_of
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of
from api.command_line.screen import Exit, note, out, say, stop, table_of
from api.command_line.stress_plot import ENDINGS, draw_sweep
from ledger.errors import ProjectionsBehind
from ledger.money import VALUATION_ASSET
from ledger.postgres import SERVICE, connect
from projections.questions.shocks import Sweep, read_sweep
from projections.questions.what_if import Listed, what_if_answer
from projections.snapshot import AsOf, open_snapshot

SHOCK = "PAIR=CHANGE"
SWEEP = "PAIR=FROM..TO:STEP"
_SWEEP = re.compile(r"([^=]+)=(.+)\.\.(.+):(.+)")
FIGURES = ("called", "liquidated", "repaid_value", "fee_value", "deficit")


def stress(
    shock: Annotated[
        list[str] | None,
        typer.Option(
            metavar=SHOCK,
            help="A shock, such as BTC/USDT=-20%, ETH=1400, or all=-30%; one of each, as many as you like.",
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(metavar=SWEEP, help="Changes one after the other, such as BTC/USDT=-50%..+50%:5%."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the sweep into this file (.svg or .png).")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar=POINT, help=f"As of {POINT_HELP}; now if left out.")] = None,
    effective: Annotated[bool, typer.Option("--effective", help="The time is a business time.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many wallets to list; all are counted.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell which wallets would be called or liquidated at shocked prices, and what the insurance fund would pay.

    Nothing is recorded. Reads the projections. A change counts from the price last marked; a price is as fresh as it is
    now, and wallets that lack one are counted as unpriced.
    """
    if plot is not None and (sweep is None or plot.suffix.lower() not in ENDINGS):
        stop(f"--plot draws a --sweep into a file that ends with {' or '.join(ENDINGS)}, not {plot}", Exit.USAGE)
    if plot is not None:
        _require_writable(plot)
    if effective and at is None:
        stop("--effective says what the time of --at is, and --at is not given", Exit.USAGE)
    shocks, swept = _shocks(shock or []), None if sweep is None else _sweep(sweep)
    found = _answer(shocks, swept, point_of(at, effective=effective), limit)
    if as_json:
        say(json_of(found, indent=2))
    else:
        _print(found)
    if plot is not None:
        _draw(found, plot)


def _require_writable(file: Path) -> None:
    """Ends the command where the picture could not be written once it is worked out; the file stays as it is."""
    is_new = not file.exists()
    try:
        file.open("ab").close()
    except OSError as error:
        _stop_unwritable(file, error)
    if is_new:
        file.unlink()


def _stop_unwritable(file: Path, error: OSError) -> NoReturn:
    stop(f"the picture cannot be written into {file}: {error.strerror}", Exit.USAGE)


def _draw(found: dict[str, Any], file: Path) -> None:
    try:
        draw_sweep(found, file)
    except OSError as error:
        _stop_unwritable(file, error)
    note(f"drawn into {file}")


def _shocks(stated: list[str]) -> dict[str, str]:
    shocks: dict[str, str] = {}
    for text in stated:
        name, equals, change = text.partition("=")
        if not (name and equals and change):
            stop(f"{text!r} is no shock such as BTC/USDT=-20%", Exit.USAGE)
        if name in shocks:
            stop(f"{name} is shocked twice, by {shocks[name]} and {change}; state one of them", Exit.USAGE)
        shocks[name] = change
    return shocks


def _sweep(stated: str) -> Sweep:
    found = _SWEEP.fullmatch(stated)
    if found is None:
        stop(f"{stated!r} is no sweep such as BTC/USDT=-50%..+50%:5%", Exit.USAGE)
    return read_sweep(*found.groups())


def _answer(shocks: dict[str, str], sweep: Sweep | None, at: AsOf | None, limit: int) -> dict[str, Any]:
    asked: dict[str, Any] = {} if at is None else {at.kind: at.value}
    with connect(logged_url("stress"), application_name="ledger stress", role=SERVICE) as connection:
        try:
            with open_snapshot(connection, **asked) as snapshot:
                return what_if_answer(snapshot, shocks, sweep, Listed(limit=limit))
        except ProjectionsBehind as refusal:
            stop(refusal.detail)


def _print(found: dict[str, Any]) -> None:
    say(f"at position {found['position']}, values in {VALUATION_ASSET} at the shocked prices; nothing is recorded\n")
    if found["shocks"]:
        rows = [(pair, *shock.values()) for pair, shock in found["shocks"].items()]
        out().print(table_of("Prices", ["pair", "shock", "price", "shocked"], rows, right=(1, 2, 3)))
        _print_bands(found)
        _print_sums(found)
        _print_wallets(found)
    if "sweep" in found:
        _print_sweep(found["sweep"])


def _print_bands(found: dict[str, Any]) -> None:
    rows = [(band, counts["before"], counts["after"]) for band, counts in found["bands"].items()]
    unpriced = found["unpriced"]["count"]
    rows.append(("unpriced", unpriced, unpriced))
    out().print(table_of("Wallets that owe, by band", ["band", "before", "after"], rows, right=(1, 2)))


def _print_sums(found: dict[str, Any]) -> None:
    rows = [(name, *(figures[figure] for figure in FIGURES)) for name, figures in found["by_pair"].items()]
    rows.append(("in all", *(found[figure] for figure in FIGURES)))
    columns = ["pair", "called", "liquidated", "repaid", "fees", "deficit"]
    out().print(table_of("Expected", columns, rows, right=range(1, 6)))
    before, after = found["fund"]["before"], found["fund"]["after"]
    assets = sorted({*before, *after})
    funds = [(asset, before.get(asset, "0"), after.get(asset, "0")) for asset in assets]
    out().print(table_of("Insurance fund", ["asset", "before", "after"], funds, right=(1, 2)))
    say(f"deficit {found['deficit']}, of which the fund does not hold {found['uncovered_deficit']}\n")


def _print_wallets(found: dict[str, Any]) -> None:
    rows = [
        (
            one["account_id"],
            one["wallet"],
            one["outcome"],
            one["margin_level"]["before"],
            one["margin_level"]["after"],
            one["equity"]["after"],
            (one["close_out"] or {}).get("deficit", ""),
        )
        for one in found["wallets"]
    ]
    if rows:
        columns = ["account", "wallet", "would be", "level", "level then", "equity then", "deficit"]
        out().print(table_of("The worst first", columns, rows, right=(3, 4, 5, 6)))
    left_out = found["called"] + found["liquidated"] - len(rows)
    if left_out:
        say(f"{left_out} more are not listed; --limit lists more\n")


def _print_sweep(sweep: dict[str, Any]) -> None:
    names = ("change", "called", "liquidated", "deficit", "fee_value", "uncovered_deficit", "fund_after")
    columns = [sweep["of"], "called", "liquidated", "deficit", "fees", "uncovered", "fund then"]
    rows = [[step[name] for name in names] for step in sweep["steps"]]
    out().print(table_of("Sweep", columns, rows, right=range(len(columns))))
