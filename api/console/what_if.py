"""What other prices would do: shocks by pair, a sweep as a chart, and the wallets that would be acted on."""

from collections.abc import Iterable
from typing import Any

from nicegui import ui

from api.console.asking import Asker, Refused
from api.console.forms import asked_by, written
from api.console.frame import refusal_card, show
from api.console.report_frame import SHOWN, files
from api.console.reporting import REPORTS, SHOCK, SWEEP, Query, answer_to
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    band,
    card,
    figure,
    heading,
    joined,
    table,
    tag,
    wallet_name,
)

NAME = "what-if"
ALL = "all"
SWEPT = (("from", "-50%"), ("to", "+50%"), ("step", "5%"))

Answer = dict[str, Any]


async def show_what_if(ask: Asker, query: Query) -> None:
    """The form with every pair there is, and beneath it what the shocks that are stated would do."""
    market = await ask.get("/v1/market")
    show(_form(market["pairs"], query))
    if not any(value.strip() for name, value in query.items() if name not in _PREFILLED):
        show(tag("p", _EMPTY, class_="empty"))
        return
    try:
        answer = await answer_to(ask, REPORTS[NAME], {**query, "limit": str(SHOWN)})
    except Refused as refused:
        refusal_card(refused)
        return
    has_sweep = "sweep" in answer
    show(files((NAME, "sweep") if has_sweep else (NAME,), answer, query))
    if has_sweep:
        with ui.element("section").classes("card wide"):
            show(heading(f"Sweep of {answer['sweep']['of']}", _SWEEP))
            ui.echart(sweep_chart(answer["sweep"]["steps"]), renderer="svg").classes("sweep-chart")
    show(_cards(answer)).classes("cards after-chart")


_PREFILLED = {f"{SWEEP}{name}" for name, _ in SWEPT}
_EMPTY = (
    "State a change such as -20% or a price such as 48000 for some pairs, or one change for all; nothing is recorded. "
    "A sweep asks for one change after the other."
)
_SWEEP = "wallets liquidated, and the deficit they would leave"


def _form(pairs: Iterable[str], query: Query) -> Markup:
    shocks = [_field(f"{SHOCK}{name}", name, "-20%", query) for name in (ALL, *pairs)]
    of = _field(f"{SWEEP}of", "Sweep of", "none", query, list="swept")
    sweep = [_field(f"{SWEEP}{name}", name, start, query, start) for name, start in SWEPT]
    names = tag("datalist", joined(*(tag("option", value=name) for name in (ALL, *pairs))), id="swept")
    return asked_by(f"/reports/{NAME}", *shocks, of, *sweep, names)


def _field(name: str, title: str, example: str, query: Query, start: str = "", **attributes: str) -> Markup:
    return written(title, name, query.get(name, start), example, **attributes)


def _cards(answer: Answer) -> Markup:
    shocks = [
        (pair, one["stated"], amount(one["price"]), amount(one["shocked"])) for pair, one in answer["shocks"].items()
    ]
    of_shocks = [Column("Pair"), *(Column(title, True) for title in ("Shock", "Price", "Shocked"))]
    return joined(
        card("What would happen", _figures(answer), wide=True),
        card("Prices", table(of_shocks, shocks, "No price is shocked; a sweep may shock one after the other.")),
        card("Wallets by band", _bands(answer["bands"])),
        card("Insurance fund", _fund(answer["fund"])),
        card("By pair", _by_pair(answer["by_pair"]), wide=True),
        card("Wallets that would be called or liquidated", _acted_on(answer), wide=True, hint="the worst first"),
    )


def _figures(answer: Answer) -> Markup:
    shown = (
        figure("Liquidated", f"{answer['liquidated']:,}", "wallets"),
        figure("Called", f"{answer['called']:,}", "wallets"),
        figure("Repaid", amount(answer["repaid_value"]), "USDT"),
        figure("Fees", amount(answer["fee_value"]), "USDT"),
        figure("Deficit", amount(answer["deficit"]), "USDT that the fund would pay"),
        figure("Uncovered", amount(answer["uncovered_deficit"]), "USDT that it does not hold"),
        figure("Lack a price", f"{answer['unpriced']['count']:,}", "wallets not examined"),
    )
    return tag("div", joined(*shown), class_="figures-row of-amounts")


def _bands(bands: Answer) -> Markup:
    rows = [(band(name), f"{one['before']:,}", f"{one['after']:,}") for name, one in bands.items()]
    return table([Column("Band"), Column("Now", True), Column("Then", True)], rows, "No wallet owes anything.")


def _fund(fund: Answer) -> Markup:
    rows = [(asset, amount(fund["before"].get(asset)), amount(held)) for asset, held in fund["after"].items()]
    return table([Column("Asset"), Column("Now", True), Column("Then", True)], rows, "Nothing is in the fund.")


def _by_pair(pairs: Answer) -> Markup:
    rows = [
        (pair, f"{one['called']:,}", f"{one['liquidated']:,}", amount(one["repaid_value"]), amount(one["deficit"]))
        for pair, one in pairs.items()
    ]
    columns = [Column("Wallets"), *(Column(title, True) for title in ("Called", "Liquidated", "Repaid", "Deficit"))]
    return table(columns, rows, "No wallet would be acted on.")


def _acted_on(answer: Answer) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            band(one["band"]["before"]),
            band(one["band"]["after"]),
            f"{one['margin_level']['before']} → {one['margin_level']['after']}",
            amount(one["equity"]["after"]),
            amount((one.get("close_out") or {}).get("deficit")),
        )
        for one in answer["wallets"]
    ]
    figures = [Column(title, True) for title in ("Level", "Equity then", "Deficit")]
    columns = [Column("Account"), Column("Wallet"), Column("Now"), Column("Then"), *figures]
    more = "" if answer["next"] is None else tag("p", f"The worst {SHOWN}; the file has all of them.", class_="hint")
    return joined(table(columns, rows, "No wallet would be called or liquidated at these prices."), more)


def sweep_chart(steps: list[Answer]) -> dict[str, Any]:
    """Liquidated wallets as bars and the deficit as a line, over the changes, in the colours of the look."""
    words = {"color": "var(--soft)"}
    axis = {"axisLabel": words, "nameTextStyle": words}
    quiet = {"axisLine": {"lineStyle": {"color": "var(--line)"}}, "splitLine": {"show": False}}
    grid_lines = {"splitLine": {"lineStyle": {"color": "var(--line)"}}}
    return {
        "animation": False,
        "grid": {"left": 56, "right": 84, "top": 48, "bottom": 32},
        "legend": {"textStyle": words, "top": 0},
        "tooltip": {"trigger": "axis", "className": "chart-tip"},
        "xAxis": {"type": "category", "data": [one["change"] for one in steps], **axis, **quiet},
        "yAxis": [
            {"type": "value", "name": "wallets", "minInterval": 1, **axis, **grid_lines},
            {"type": "value", "name": "USDT", **axis, **quiet},
        ],
        "series": [
            _series("Liquidated", "bar", "var(--accent)", [one["liquidated"] for one in steps]),
            _series("Called", "bar", "var(--warn)", [one["called"] for one in steps]),
            # A chart is drawn with floats; what is exact stands in the file.
            {**_series("Deficit", "line", "var(--bad)", [float(one["deficit"]) for one in steps]), "yAxisIndex": 1},
        ],
    }


def _series(name: str, kind: str, colour: str, figures: list[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "data": figures,
        "symbol": "none",
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2},
        "emphasis": {"disabled": True},
    }
