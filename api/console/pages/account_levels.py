"""The chart of a margin level over time: its lines, the prices beneath, and events as marks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

Answer = Mapping[str, Any]
LINES = (("liquidation", "Liquidation", "--bad"), ("margin_call", "Margin call", "--warn"))
FONT = "Inter, Segoe UI, DejaVu Sans, Helvetica Neue, Arial, sans-serif"
PRICE_COLOURS = ("--good", "--severe", "--soft", "--accent", "--warn", "--bad")
TIME_LABELS = {
    **dict.fromkeys(("year", "month", "day"), "{d} {MMM}"),
    **dict.fromkeys(("hour", "minute"), "{HH}:{mm}"),
    **dict.fromkeys(("second", "millisecond"), "{HH}:{mm}:{ss}"),
}
ROOM_ABOVE_LINES = 2.5
"""The level axis ends at so many times the transfer-out line: what is above would flatten what is near the lines."""
ROOM_BELOW_LINES = 0.8
"""It begins no lower than so many times the liquidation line: the fills of a liquidation lead down to 0."""
AS_DRAWN = {"emphasis": {"disabled": True}}
"""What is pointed at is not made lighter: the library cannot do that to colours that follow the look."""
SEVERE = {"margin.called": "--warn", "liquidation.started": "--bad", "liquidation.completed": "--bad"}


def chart_options(path: Answer, now: int) -> dict[str, Any]:
    """What the chart is drawn from; figures are of the drawing alone, what is said of a point is exact.

    Points are placed at the latest business time by then, as an event may be dated before what was recorded before it.
    `now` is the log position that the page shows.
    """
    points, times = path["points"], times_of(path["points"])
    top = _top(points)
    series = [_level(points, times, top), *_lines(points, times), _marks(points, times, top)]
    series += [_price(pair, points, times, n) for n, pair in enumerate(path["pairs"])]
    series[0]["markLine"] = moment_line(path, now)
    return {
        "useUTC": True,
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": [_grid(top=34, height="52%"), _grid(bottom=30, height="24%")],
        "xAxis": [_time_axis(0, labels=False), _time_axis(1, labels=True)],
        "yAxis": [_level_axis(points, top), _price_axis()],
        "legend": {
            "type": "scroll",
            "top": 0,
            "left": 0,
            "icon": "circle",
            "itemWidth": 10,
            # As high as its text, of which the top would be cut off where the legend has pages.
            "itemHeight": 12,
            "itemGap": 16,
            **_text("--soft"),
        },
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "lineStyle": {"color": "var(--faint)"}},
        "tooltip": _tooltip(),
        "series": series,
    }


def times_of(points: Sequence[Answer]) -> list[str | None]:
    """For each point the latest business time up to it; None before the first."""
    latest: str | None = None
    found = []
    for point in points:
        at = point["effective_at"]
        if at is not None and (latest is None or datetime.fromisoformat(at) > datetime.fromisoformat(latest)):
            latest = at
        found.append(latest)
    return found


def moment_line(path: Answer, now: int) -> dict[str, Any]:
    """A line where the page stands: at the last point recorded by then, or at the first that has a time."""
    points, times = path["points"], times_of(path["points"])
    before = [time for point, time in zip(points, times, strict=True) if point["position"] <= now and time]
    style = {"color": "var(--accent)", "width": 2, "type": "solid"}
    known = before[-1:] or [time for time in times if time][:1]
    places = [{"xAxis": time} for time in known]
    return {"silent": True, "symbol": "none", "label": {"show": False}, "lineStyle": style, "data": places}


def _tooltip() -> dict[str, Any]:
    """What is said of a point stands in the level's series alone: in each of them it would be said for every price."""
    return {
        "trigger": "axis",
        "confine": True,
        "backgroundColor": "var(--raised)",
        "borderColor": "var(--line)",
        ":formatter": "(points) => (points.find((one) => one.data && one.data.told) || {data: {}}).data.told || ''",
        **_text("--ink"),
    }


def _text(colour: str) -> dict[str, Any]:
    return {"textStyle": {"color": f"var({colour})", "fontSize": 12}}


def _grid(**place: Any) -> dict[str, Any]:
    return {"left": 46, "right": 14, **place}


def _time_axis(grid: int, *, labels: bool) -> dict[str, Any]:
    return {
        "type": "time",
        "gridIndex": grid,
        "axisLabel": {"show": labels, "color": "var(--soft)", "hideOverlap": True, "formatter": TIME_LABELS},
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "axisTick": {"show": False},
    }


def _value_axis(grid: int, name: str) -> dict[str, Any]:
    return {
        "type": "value",
        "gridIndex": grid,
        "name": name,
        "nameGap": 8,
        "nameTextStyle": {"color": "var(--faint)", "fontSize": 10, "align": "left", "padding": [0, 0, 0, -34]},
        "scale": True,
        "splitNumber": 4,
        "axisLabel": {"color": "var(--soft)", "fontSize": 11},
        "splitLine": {"lineStyle": {"color": "var(--line)"}},
    }


def _level_axis(points: Sequence[Answer], top: float) -> dict[str, Any]:
    line = min(_lines_of(points, "liquidation"), default=1.0)
    least = max(min([*_levels(points), line]), line * ROOM_BELOW_LINES)
    return {**_value_axis(0, ""), "min": round(least * 0.98, 2), "max": round(top, 2)}


def _levels(points: Sequence[Answer]) -> list[float]:
    return [float(one["level"]) for one in points if one["level"] is not None]


def _lines_of(points: Sequence[Answer], line: str) -> list[float]:
    return [float(one["lines"][line]) for one in points if one["lines"]]


def _price_axis() -> dict[str, Any]:
    return {**_value_axis(1, "prices, change in %")}


def _top(points: Sequence[Answer]) -> float:
    out = max(_lines_of(points, "transfer_out"), default=2.0)
    return max(min(max(_levels(points), default=0.0) * 1.02, out * ROOM_ABOVE_LINES), out * 1.02)


def _level(points: Sequence[Answer], times: Sequence[str | None], top: float) -> dict[str, Any]:
    items = [
        {"value": [time, _place(one["level"], top, None)], "told": told(one)}
        for one, time in zip(points, times, strict=True)
        if time is not None
    ]
    return {
        **_stepped("Margin level", "--accent", {"width": 1.8}),
        "data": items,
        "z": 4,
    }


def _place(level: str | None, top: float, instead: float | None) -> float | None:
    return instead if level is None else min(float(level), top)


def _lines(points: Sequence[Answer], times: Sequence[str | None]) -> list[dict[str, Any]]:
    return [
        {
            **_stepped(title, colour, {"width": 1.2, "type": "dashed"}),
            "silent": True,
            "data": [
                [time, float(one["lines"][line]) if one["lines"] else None]
                for one, time in zip(points, times, strict=True)
                if time is not None
            ],
        }
        for line, title, colour in LINES
    ]


def _marks(points: Sequence[Answer], times: Sequence[str | None], top: float) -> dict[str, Any]:
    """Every event of the account that acted on the wallet; where nothing is owed it stands on the upper edge."""
    items = []
    for one, time in zip(points, times, strict=True):
        if one["version"] is None or time is None:
            continue
        colour = SEVERE.get(one["topic"])
        items.append(
            {
                "value": [time, _place(one["level"], top, top)],
                "version": one["version"],
                "symbolSize": 10 if colour else 7,
                "itemStyle": {"color": f"var({colour or '--ink'})"},
            }
        )
    style = {"itemStyle": {"color": "var(--ink)"}, "z": 6, "cursor": "pointer", **AS_DRAWN}
    return {"name": "Events", "type": "scatter", "data": items, **style}


def _price(pair: str, points: Sequence[Answer], times: Sequence[str | None], number: int) -> dict[str, Any]:
    """A price as its change in per cent from the first of the path, so that all pairs share an axis."""
    first = next((float(one["prices"][pair]) for one in points if pair in one["prices"]), 1.0)
    items = []
    for one, time in zip(points, times, strict=True):
        price = one["prices"].get(pair)
        if time is not None and price is not None:
            items.append([time, round((float(price) / first - 1) * 100, 3)])
    colour = PRICE_COLOURS[number % len(PRICE_COLOURS)]
    return {**_stepped(pair, colour, {"width": 1.4}), "data": items, "xAxisIndex": 1, "yAxisIndex": 1}


def _stepped(name: str, colour: str, line: dict[str, Any]) -> dict[str, Any]:
    """A line that stands still until its next point, as balances and marked prices do."""
    paint = {"color": f"var({colour})"}
    style = {"lineStyle": {**paint, **line}, "itemStyle": paint}
    return {"name": name, "type": "line", "step": "end", "showSymbol": False, **style, **AS_DRAWN}


def told(point: Answer) -> str:
    """What is said of a point: exact figures, escaped."""
    at = point["effective_at"]
    event = "" if point["version"] is None else f" · event {point['version']}"
    said = [
        f"<b>{escape(point['topic'] or 'end of the path')}</b>{event}",
        f"{escape(at[:19].replace('T', ' '))} UTC · position {point['position']:,}" if at else "",
        f"level {point['level'] or _why_none(point)}",
        *(f"{escape(pair)} {price}" for pair, price in point["prices"].items()),
    ]
    return "<br>".join(one for one in said if one)


def _why_none(point: Answer) -> str:
    return "unknown, a price is lacking" if point["band"] == "unpriced" else "none, nothing is owed"
