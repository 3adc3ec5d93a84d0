"""`ledger exposure`: longs and shorts, the largest debtors, concentration, and the wallets near their line."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from api.answers import json_of
from api.command_line.looking import logged_url
from api.command_line.points import POINT, POINT_HELP, point_of
from api.command_line.screen import Exit, out, say, stop, table_of
from ledger.errors import ProjectionsBehind
from ledger.money import VALUATION_ASSET, parse_positive
from ledger.postgres import SERVICE, connect
from projections.questions.exposure import exposure_answer
from projections.snapshot import AsOf, open_snapshot

SHARES = ("accounts", "total", "top_1", "top_5", "top_10", "herfindahl")


def exposure(
    within: Annotated[str, typer.Option(metavar="PERCENT", help="How near wallets are that are listed.")] = "10",
    at: Annotated[str | None, typer.Option("--at", metavar=POINT, help=f"As of {POINT_HELP}; now if left out.")] = None,
    effective: Annotated[bool, typer.Option("--effective", help="The time is a business time.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many debtors and wallets to list; all are counted.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what the exchange is exposed to: longs and shorts by pair, who owes most, how debt and collateral are
    spread over accounts, and which wallets are within some per cent of their liquidation.

    In a bucket it is the price of its pair that moves, in a cross pool all prices but the valuation asset's by the same
    part. Reads the projections.
    """
    if effective and at is None:
        stop("--effective says what the time of --at is, and --at is not given", Exit.USAGE)
    found = _answer(_percent(within), point_of(at, effective=effective), limit)
    if as_json:
        say(json_of(found, indent=2))
    else:
        _print(found)


def _percent(text: str) -> Decimal:
    try:
        return parse_positive(text.removesuffix("%"))
    except ValueError as error:
        stop(f"--within takes a percentage such as 10, not {text!r}: {error}", Exit.USAGE)


def _answer(within: Decimal, at: AsOf | None, limit: int) -> dict[str, Any]:
    asked: dict[str, Any] = {} if at is None else {at.kind: at.value}
    with connect(logged_url("exposure"), application_name="ledger exposure", role=SERVICE) as connection:
        try:
            with open_snapshot(connection, **asked) as snapshot:
                return exposure_answer(snapshot, within_percent=within, limit=limit)
        except ProjectionsBehind as refusal:
            stop(refusal.detail)


def _print(found: dict[str, Any]) -> None:
    say(f"at position {found['position']}, values in {VALUATION_ASSET} at the prices last marked\n")
    _print_pairs(found["pairs"])
    _print_debtors(found["debtors"])
    _print_concentration(found["concentration"])
    _print_near(found["near"])
    if found["unpriced"]:
        say(f"{found['unpriced']} wallets that owe lack a fresh price, and nothing is said of how near they are")


def _print_pairs(pairs: dict[str, Any]) -> None:
    rows = [
        (pair, *(one[side][part] for side in ("long", "short") for part in ("positions", "quantity", "value")),
         one["net"]["quantity"], one["net"]["value"])
        for pair, one in pairs.items()
    ]  # fmt: skip
    columns = ["pair", "longs", "base", "value", "shorts", "base", "value", "net base", "net value"]
    out().print(table_of("Open positions", columns, rows, right=range(1, 9)))


def _print_debtors(debtors: list[dict[str, Any]]) -> None:
    rows = [
        (
            one["account_id"],
            one["debt_value"],
            one["collateral_value"],
            ", ".join(f"{amount} {asset}" for asset, amount in one["debts"].items()),
            ", ".join(one["wallets"]),
        )
        for one in debtors
    ]
    columns = ["account", "debt", "collateral", "owes", "in"]
    out().print(table_of("Largest debtors", columns, rows, right=(1, 2)))


def _print_concentration(concentration: dict[str, Any]) -> None:
    rows = [
        (name, asset, *(spread[part] for part in SHARES))
        for name, spreads in concentration.items()
        for asset, spread in spreads.items()
    ]
    columns = ["of", "asset", "accounts", "total", "top 1", "top 5", "top 10", "Herfindahl"]
    out().print(table_of("Concentration (all: in value)", columns, rows, right=range(2, 8)))


def _print_near(near: dict[str, Any]) -> None:
    names = ("account_id", "wallet", "band", "margin_level", "total_debt", "move_percent", "liquidation_price")
    rows = [[one[name] for name in names] for one in near["wallets"]]
    title = f"Within {near['within_percent']} % of liquidation: {near['count']} wallets that owe {near['debt_value']}"
    columns = ["account", "wallet", "band", "level", "debt", "move %", "liquidation price"]
    out().print(table_of(title, columns, rows, right=range(3, 7)))
