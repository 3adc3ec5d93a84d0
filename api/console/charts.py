"""Charts of a liquidation: the level on its way to the line with the price beneath, and where the money went.

Figures are drawn as the browser reads them, to the pixel; the exact ones stand in the tables beside each chart.
Colours are those of the page's look, which an SVG follows by itself when it changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

Answer = Mapping[str, Any]
Options = dict[str, Any]

NAUGHT = Decimal()
_INK, _SOFT, _LINE = "var(--ink)", "var(--soft)", "var(--line)"
_TOOLTIP: Options = {
    "trigger": "axis",
    "confine": True,
    "backgroundColor": "var(--surface)",
    "borderColor": _LINE,
    "textStyle": {"color": _INK, "fontSize": 12},
}
# A figure is written out, in groups of three and never with an exponent.
_WRITTEN = "(value) => value == null ? '–' : Number(value).toLocaleString('en-US', {maximumFractionDigits: 8})"


def level_chart(found: Answer) -> Options:
    """The level at each step with the lines it is judged by, and beneath it the price that moved it, in one time."""
    steps, pair = told_steps(found["path"]), priced_pair(found)
    series = [_level_series(steps, found), _price_series(price_steps(found, pair), pair)]
    return {
        "useUTC": True,
        "animation": False,
        "grid": [
            {"left": 64, "right": 20, "top": 24, "height": "48%"},
            {"left": 64, "right": 20, "top": "66%", "bottom": 34},
        ],
        "tooltip": {**_TOOLTIP, ":valueFormatter": _WRITTEN},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [_time_axis(0, shown=False), _time_axis(1, shown=True)],
        "yAxis": [_axis(0, "level"), _axis(1, pair or "price")],
        "series": series,
    }


def told_steps(path: Answer) -> list[Answer]:
    """The state at the start and every step; where the first steps are left out, only those that follow them.

    From the start to a step that did not come right after it no line is true.
    """
    start = [] if path["start"] is None or path["left_out"] else [path["start"]]
    return [*start, *path["steps"]]


def priced_pair(found: Answer) -> str | None:
    """The pair that the price is drawn of: the one that took the level to its line, else the first that moved it."""
    crossing = found["crossing"] or {}
    moved = [pair for one in found["path"]["steps"] for pair in one.get("prices", {})]
    candidates = [crossing.get("through"), *crossing.get("prices", {}), *moved]
    valuing = [pair for pair, mark in found["prices"].items() if mark["values_the_wallet"]]
    return next((pair for pair in candidates if pair in found["prices"]), next(iter(valuing), None))


def price_steps(found: Answer, pair: str | None) -> list[tuple[str, str]]:
    """The price of a pair at each time that it moved, from what it was when the span began."""
    steps = told_steps(found["path"])
    moves = [(one["effective_at"], one["prices"][pair]) for one in steps if pair in one.get("prices", {})]
    if not moves:
        return []
    # What is told first is not before the first move, unless all that is told begins with it.
    (at, first), began_at = moves[0], steps[0]["effective_at"]
    began = [] if first["from"] is None or began_at == at else [(began_at, first["from"])]
    return [*began, *((at, move["to"]) for at, move in moves)]


def flow_chart(bars: Sequence["Bar"]) -> Options:
    """Bars that each begin where the one before ended, but for those that stand for a sum."""
    return {
        "animation": False,
        "grid": {"left": 12, "right": 12, "top": 26, "bottom": 8, "containLabel": True},
        "tooltip": {**_TOOLTIP, "trigger": "item", ":valueFormatter": _WRITTEN},
        "xAxis": {
            "type": "category",
            "data": [bar[0] for bar in bars],
            "axisLabel": {"color": _SOFT, "interval": 0, "fontSize": 11},
            "axisLine": {"lineStyle": {"color": _LINE}},
            "axisTick": {"show": False},
        },
        "yAxis": {"type": "value", "axisLabel": _labels(), "splitLine": {"lineStyle": {"color": _LINE}}},
        "series": [_foundations(bars), _heights(bars)],
    }


Bar = tuple[str, Decimal, Decimal, str]
"""A bar: what it is called, from and to which value, and the colour it has."""


def flow_of(found: Answer) -> tuple[list[Bar], list[Bar]]:
    """What became of the assets (sold, bought, paid back, charged, left) and of the debt (repaid, covered, still owed).

    In value, at the prices closed out at. What a fill of an external execution brought is bought, and pays the debt
    directly where it is of the same asset; the house takes what it sells for the debt at once, and buys nothing.
    """
    outcome = found["outcome"]
    sold, bought, left = _worth(outcome["sold"]), _worth(outcome["bought"]), _worth(outcome["left"])
    fees = _worth(outcome["charged"]["fee"]) + _worth(outcome["charged"]["trade_fees"])
    repaid, covered, owed = _worth(outcome["repaid"]), _worth(outcome["covered"]), _worth(outcome["owed"])
    paid = repaid + Decimal(outcome["lost_to_rounding"]) - _taken_by_the_house(found["steps"])
    kept = [("Bought", -bought, "good"), ("Paid back", paid, "warn")] if bought else []
    assets = _falling("Held", left, [("Sold", sold, "warn"), *kept, ("Fees", fees, "bad")])
    debt = _falling("Owed", owed, [("Repaid", repaid, "good"), ("Covered", covered, "severe")])
    return [*assets, _sum("Left", left)], [*debt, _sum("Still owed", owed)]


def _taken_by_the_house(steps: Sequence[Answer]) -> Decimal:
    """The value of what the house took, of which the rest of what was sold went to others."""
    filled = (one for one in steps if one["topic"] == "liquidation.filled")
    return sum((Decimal(one["taken"]) * Decimal(one["asset_price"]) for one in filled), NAUGHT)


def _falling(title: str, rest: Decimal, parts: Sequence[tuple[str, Decimal, str]]) -> Iterator[Bar]:
    """A whole, and what is taken from it or (below zero) added to it, part by part, until there is the rest."""
    height = rest + sum((part for _, part, _ in parts), NAUGHT)
    yield title, NAUGHT, height, "var(--accent)"
    for name, part, colour in parts:
        yield name, min(height, height - part), max(height, height - part), f"var(--{colour})"
        height -= part


def _sum(title: str, value: Decimal) -> Bar:
    return title, NAUGHT, value, "var(--accent)"


def _worth(amounts: Mapping[str, Answer]) -> Decimal:
    """The value of amounts, without what has no price."""
    return sum((Decimal(one["value"]) for one in amounts.values() if one["value"] is not None), NAUGHT)


def _foundations(bars: Sequence[Bar]) -> Options:
    """What each bar stands on, which is not seen."""
    shown = {"color": "transparent"}
    data = [f"{low:f}" for _, low, _, _ in bars]
    return {
        "type": "bar",
        "stack": "flow",
        "silent": True,
        "itemStyle": shown,
        "data": data,
        "tooltip": {"show": False},
    }


def _heights(bars: Sequence[Bar]) -> Options:
    data = [
        {"name": name, "value": f"{high - low:f}", "itemStyle": {"color": colour}} for name, low, high, colour in bars
    ]
    label = {"show": True, "position": "top", "color": _INK, "fontSize": 11, ":formatter": f"(one) => {_SHORT}"}
    return {"type": "bar", "stack": "flow", "barMaxWidth": 64, "data": data, "label": label}


_SHORT = "Number(one.value).toLocaleString('en-US', {maximumFractionDigits: 2})"


def _level_series(steps: Sequence[Answer], found: Answer) -> Options:
    lines = found["before"]["lines"]
    marks = [
        _mark("call", lines["margin_call"], "var(--warn)"),
        _mark("liquidation", lines["liquidation"], "var(--bad)"),
    ]
    crossing = found["crossing"]
    point = [] if crossing is None else [{"coord": [crossing["effective_at"], crossing["level"]], "name": "crossed"}]
    return {
        "name": "Level",
        "type": "line",
        "step": "end",
        "data": [[one["effective_at"], one["level"]] for one in steps if one["level"] is not None],
        "symbolSize": 5,
        "lineStyle": {"color": "var(--accent)", "width": 2},
        "itemStyle": {"color": "var(--accent)"},
        "markLine": {"symbol": "none", "silent": True, "data": [mark for mark in marks if mark is not None]},
        "markPoint": {"symbol": "circle", "symbolSize": 13, "itemStyle": {"color": "var(--bad)"}, "data": point},
    }


def _mark(name: str, level: str | None, colour: str) -> Options | None:
    if level is None:
        return None
    label = {"formatter": f"{name} {level}", "color": colour, "fontSize": 11, "position": "insideStartTop"}
    return {"yAxis": level, "label": label, "lineStyle": {"color": colour, "type": "dashed"}}


def _price_series(steps: Sequence[tuple[str, str]], pair: str | None) -> Options:
    return {
        "name": pair or "Price",
        "type": "line",
        "step": "end",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "data": [list(one) for one in steps],
        "symbolSize": 4,
        "lineStyle": {"color": _SOFT, "width": 1.5},
        "itemStyle": {"color": _SOFT},
    }


def _time_axis(grid: int, *, shown: bool) -> Options:
    return {
        "type": "time",
        "gridIndex": grid,
        "axisLabel": {"show": shown, "color": _SOFT, "hideOverlap": True, "margin": 12},
        "axisLine": {"lineStyle": {"color": _LINE}},
        "splitLine": {"show": False},
    }


def _axis(grid: int, name: str) -> Options:
    return {
        "type": "value",
        "scale": True,
        "gridIndex": grid,
        "name": name,
        "nameTextStyle": {"color": _SOFT, "align": "left"},
        "axisLabel": _labels(),
        "splitNumber": 4 if grid == 0 else 2,
        "splitLine": {"lineStyle": {"color": _LINE}},
    }


def _labels() -> Options:
    return {"color": _SOFT, ":formatter": _WRITTEN}
