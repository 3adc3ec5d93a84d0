"""A margin level on a gauge with its bands, drawn as SVG; floats are of the drawing alone."""

from collections.abc import Mapping
from itertools import pairwise

from api.console.pages.account_figures import level_cut
from api.console.writing import Markup, joined, tag

WIDTH = 400
TRACK_TOP, TRACK_HEIGHT = 24, 12
LABELS_TOP = TRACK_TOP + TRACK_HEIGHT + 12
START = 1.0
"""Where the gauge begins: at a level of 1 the wallet holds just what it owes."""
ROOM_BEYOND = 0.55
"""How much of the way from 1 to the last line the gauge goes on beyond it."""

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
    scale = _Scale(lines)
    told = "nothing is owed" if level is None else f"level {level}"
    drawn = [_bands(scale), _labels(scale)]
    if collateral is not None and collateral != level:
        drawn.append(_tick(collateral, scale))
    if level is not None:
        drawn.append(_pointer(level, scale))
    return tag("svg", joined(*drawn), viewBox=f"-4 0 {WIDTH + 8} 54", role="img", aria_label=told, class_="gauge")


class _Scale:
    """From a level to its place: every band is equally wide, for lines lie close together far below others."""

    def __init__(self, lines: Lines) -> None:
        found = [(float(level), kind) for line, kind in BANDS if (level := lines[line]) is not None]
        ends = [one for n, one in enumerate(found) if one[0] > max([START, *(level for level, _ in found[:n])])]
        self.kinds = [*(kind for _, kind in ends), "normal"]
        self.levels = [START, *(level for level, _ in ends)]
        self.end = self.levels[-1] + (self.levels[-1] - START) * ROOM_BEYOND
        self.width = WIDTH / len(self.kinds)

    def place(self, level: float) -> float:
        bounds = [*self.levels, self.end]
        for n, (low, high) in enumerate(pairwise(bounds)):
            if level < high:
                return (n + max(level - low, 0.0) / (high - low)) * self.width
        return float(WIDTH)

    def sign(self, level: float) -> str:
        """What is written before a level that lies beyond an end."""
        return "‹ " if level < START else "› " if level > self.end else ""


def _bands(scale: _Scale) -> Markup:
    return joined(*(_box(n * scale.width, scale.width, f"piece {kind}") for n, kind in enumerate(scale.kinds)))


def _box(left: float, width: float, kind: str) -> Markup:
    place = {"x": f"{left:.1f}", "y": f"{TRACK_TOP}", "width": f"{width:.1f}", "height": f"{TRACK_HEIGHT}"}
    return tag("rect", **place, rx="1.5", class_=kind)


def _labels(scale: _Scale) -> Markup:
    """Beneath where a band ends, the level of its line."""
    return joined(
        *(
            tag("text", f"{level:.4f}".rstrip("0").rstrip("."), x=f"{n * scale.width:.1f}", y=f"{LABELS_TOP}")
            for n, level in enumerate(scale.levels)
            if n
        )
    )


def _pointer(level: str, scale: _Scale) -> Markup:
    place = scale.place(float(level))
    top, bottom = TRACK_TOP - 7, TRACK_TOP + 2
    points = f"{place:.1f},{bottom} {place - 5:.1f},{top} {place + 5:.1f},{top}"
    anchor = "end" if place > WIDTH - 40 else "start" if place < 40 else "middle"
    said = f"{scale.sign(float(level))}{level_cut(level)}"
    label = tag("text", said, x=f"{place:.1f}", y="12", class_="level", text_anchor=anchor)
    return joined(tag("polygon", points=points, class_="pointer"), label)


def _tick(level: str, scale: _Scale) -> Markup:
    place = f"{scale.place(float(level)):.1f}"
    line = tag("line", x1=place, x2=place, y1=f"{TRACK_TOP - 2}", y2=f"{TRACK_TOP + TRACK_HEIGHT + 2}")
    return tag("g", joined(tag("title", f"collateral level {level}"), line), class_="tick")
