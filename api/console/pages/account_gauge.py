"""A margin level on a gauge with its bands, drawn as SVG; floats are of the drawing alone."""

from collections.abc import Mapping

from api.console.pages.account_figures import level_cut
from api.console.writing import Markup, joined, tag

WIDTH = 400
TRACK_TOP, TRACK_HEIGHT = 24, 12
LABELS_TOP, LABEL_HEIGHT = TRACK_TOP + TRACK_HEIGHT + 12, 11
LEAST_LABEL_GAP = 34
LEAST_ROOM = 0.02
START = 1.0
"""Where the gauge begins: at a level of 1 the wallet holds just what it owes."""
ROOM_BEYOND = 0.55
"""How much of the way to the transfer-out line the gauge goes on beyond it."""

Lines = Mapping[str, str | None]
BANDS = (
    ("liquidation", "liquidation"),
    ("margin_call", "margin_call"),
    ("initial", "borrow_blocked"),
    ("transfer_out", "transfer_blocked"),
)
"""Each line, and the band that it and what is below it belong to."""


def gauge(level: str | None, lines: Lines, collateral: str | None = None) -> Markup:
    """The bands from a level of 1 on, with the level as a pointer, and that of collateral, where it differs, as a tick.

    A level beyond an end stands at that end. A wallet that owes nothing has no pointer.
    """
    scale = _Scale([float(line) for line in lines.values() if line is not None])
    told = "nothing is owed" if level is None else f"level {level}"
    drawn = [_bands(lines, scale), _labels(lines, scale)]
    if collateral is not None and collateral != level:
        drawn.append(_tick(collateral, scale))
    if level is not None:
        drawn.append(_pointer(level, scale))
    return tag("svg", joined(*drawn), viewBox=f"-4 0 {WIDTH + 8} 64", role="img", aria_label=told, class_="gauge")


class _Scale:
    """From a level to its place in the drawing."""

    def __init__(self, lines: list[float]) -> None:
        self._end = max(lines) + max((max(lines) - START) * ROOM_BEYOND, LEAST_ROOM)

    def place(self, level: str) -> float:
        share = (float(level) - START) / (self._end - START)
        return min(max(share, 0.0), 1.0) * WIDTH

    def sign(self, level: str) -> str:
        """What is written before a level that lies beyond an end."""
        return "‹ " if float(level) < START else "› " if float(level) > self._end else ""


def _bands(lines: Lines, scale: _Scale) -> Markup:
    pieces, start = [], 0.0
    ends = [(scale.place(level), kind) for line, kind in BANDS if (level := lines[line]) is not None]
    for end, kind in (*ends, (float(WIDTH), "normal")):
        if end > start:
            pieces.append(_box(start, end - start, f"piece {kind}"))
            start = end
    return joined(*pieces)


def _box(left: float, width: float, kind: str) -> Markup:
    place = {"x": f"{left:.1f}", "y": f"{TRACK_TOP}", "width": f"{width:.1f}", "height": f"{TRACK_HEIGHT}"}
    return tag("rect", **place, rx="1.5", class_=kind)


def _labels(lines: Lines, scale: _Scale) -> Markup:
    """The lines' levels beneath; equal lines share one, and one too near to the last stands a row lower."""
    written, last, row = [], float(-WIDTH), 0
    for place, level in sorted({(scale.place(line), line) for line in lines.values() if line is not None}):
        row = 1 - row if place - last < LEAST_LABEL_GAP else 0
        last = place
        shown = level_cut(level).rstrip("0").rstrip(".")
        written.append(tag("text", shown, x=f"{place:.1f}", y=f"{LABELS_TOP + LABEL_HEIGHT * row}", class_="line"))
    return joined(*written)


def _pointer(level: str, scale: _Scale) -> Markup:
    place = scale.place(level)
    top, bottom = TRACK_TOP - 7, TRACK_TOP + 2
    points = f"{place:.1f},{bottom} {place - 5:.1f},{top} {place + 5:.1f},{top}"
    anchor = "end" if place > WIDTH - 40 else "start" if place < 40 else "middle"
    said = f"{scale.sign(level)}{level_cut(level)}"
    label = tag("text", said, x=f"{place:.1f}", y="12", class_="level", text_anchor=anchor)
    return joined(tag("polygon", points=points, class_="pointer"), label)


def _tick(level: str, scale: _Scale) -> Markup:
    place = f"{scale.place(level):.1f}"
    line = tag("line", x1=place, x2=place, y1=f"{TRACK_TOP - 2}", y2=f"{TRACK_TOP + TRACK_HEIGHT + 2}")
    return tag("g", joined(tag("title", f"collateral level {level}"), line), class_="tick")
