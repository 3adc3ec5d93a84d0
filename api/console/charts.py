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
    steps = [one for one in (found["path"]["start"], *found["path"]["steps"]) if one is not None]
    pair = priced_pair(found)
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


def priced_pair(found: Answer) -> str | None:
    """The pair that the price is drawn of: the one that took the level to its line, else the first that moved it."""
    crossing = found["crossing"] or {}
    moved = [pair for one in found["path"]["steps"] for pair in one.get("prices", {})]
    candidates = [crossing.get("through"), *crossing.get("prices", {}), *moved]
    valuing = [pair for pair, mark in found["prices"].items() if mark["values_the_wallet"]]
    return next((pair for pair in candidates if pair in found["prices"]), next(iter(valuing), None))


def price_steps(found: Answer, pair: str | None) -> list[tuple[str, str]]:
    """The price of a pair at each time that it moved, from what it was when the span began."""
    start, steps = found["path"]["start"], found["path"]["steps"]
    moves = [(one["effective_at"], one["prices"][pair]) for one in steps if pair in one.get("prices", {})]
    if not moves:
        return []
    began = [] if start is None or moves[0][1]["from"] is None else [(start["effective_at"], moves[0][1]["from"])]
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


def flow_of(outcome: Answer) -> tuple[list[Bar], list[Bar]]:
    """What became of the assets (sold, charged, left), and of the debt (repaid, covered, still owed), in value.

    What a fill by others brought more or less than its mark price, and what rounding took, is a bar of its own.
    """
    charged = outcome["charged"]
    sold, fee = _worth(outcome["sold"]), _worth(charged["fee"])
    left, repaid = _worth(outcome["left"]), _worth(outcome["repaid"])
    covered, owed = _worth(outcome["covered"]), _worth(outcome["owed"])
    assets = [*_falling("Held", sold + fee + left, [("Sold", sold, "warn"), ("Fee", fee, "bad")]), _sum("Left", left)]
    debt = _falling("Owed", repaid + covered + owed, [("Repaid", repaid, "good"), ("Covered", covered, "severe")])
    return assets, [*debt, _sum("Still owed", owed)]


def _falling(title: str, whole: Decimal, parts: Sequence[tuple[str, Decimal, str]]) -> Iterator[Bar]:
    yield title, NAUGHT, whole, "var(--accent)"
    rest = whole
    for name, part, colour in parts:
        yield name, rest - part, rest, f"var(--{colour})"
        rest -= part


def _sum(title: str, value: Decimal) -> Bar:
    return title, NAUGHT, value, "var(--accent)"


def _worth(amounts: Mapping[str, Answer]) -> Decimal:
    return sum((Decimal(one["value"]) for one in amounts.values()), NAUGHT)


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
