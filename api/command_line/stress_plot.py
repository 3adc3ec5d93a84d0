"""The picture of a sweep: how many wallets are called and liquidated, and what becomes of the insurance fund."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.money import VALUATION_ASSET, base_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png")
SIZE_INCHES = (9.0, 7.0)
DOTS_PER_INCH = 150
# Told apart by colour-blind readers (Okabe and Ito 2008), and in grey by their brightness, line and mark.
CALLED: dict[str, Any] = {"color": "#E69F00", "linestyle": "--", "marker": "o", "markersize": 3.5}
LIQUIDATED: dict[str, Any] = {"color": "#B2182B", "linestyle": "-", "marker": "s", "markersize": 3.5}
FUND: dict[str, Any] = {"color": "#0072B2", "linestyle": "-", "marker": "s", "markersize": 3.5}
DEFICIT: dict[str, Any] = {"color": "#444444", "linestyle": "--", "marker": "o", "markersize": 3.5}
MAGNITUDES = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))


def draw_sweep(found: dict[str, Any], file: Path) -> None:
    """Draw the sweep of a what-if into an SVG or PNG file, by its ending; the same sweep gives the same file.

    Amounts become floats here, where no digit beyond the width of a line is seen, and nowhere else.
    """
    import matplotlib as library  # What only this command needs is not loaded by all others.
    from matplotlib.figure import Figure

    with library.rc_context({"svg.hashsalt": "sweep", "svg.fonttype": "path", "font.size": 10}):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        _draw(figure, found)
        kind = file.suffix.lower().removeprefix(".")
        figure.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata={"Date": None} if kind == "svg" else None)


def _draw(figure: "Figure", found: dict[str, Any]) -> None:
    sweep, steps = found["sweep"], found["sweep"]["steps"]
    wallets, money = figure.subplots(2, 1, sharex=True)
    changes = [float(step["change"].removesuffix("%")) for step in steps]
    figure.suptitle(f"Stress of {_named(sweep['of'])}{_beside(found)}", fontsize=13, fontweight="bold")
    for name, style in (("called", CALLED), ("liquidated", LIQUIDATED)):
        wallets.plot(changes, [step[name] for step in steps], label=name, **style)
    _label(wallets, f"at log position {found['position']}; nothing is recorded", "wallets")
    for figure_name, label, style in (
        ("fund_after", f"{VALUATION_ASSET} of the insurance fund then", FUND),
        ("deficit", "deficit", DEFICIT),
    ):
        money.plot(changes, [float(step[figure_name]) for step in steps], label=label, **style)
    money.axhline(0, color="#000000", linewidth=0.8)
    funds = [float(step["fund_after"]) for step in steps]
    below = [one < 0 for one in funds]
    if any(below):
        uncovered: dict[str, Any] = {"color": LIQUIDATED["color"], "alpha": 0.18, "linewidth": 0}
        money.fill_between(changes, funds, 0, where=below, interpolate=True, label="uncovered", **uncovered)
    _label(money, "", VALUATION_ASSET)
    money.yaxis.set_major_formatter(lambda value, _: _short(value))
    money.xaxis.set_major_formatter(lambda value, _: f"{value:+g}" if value else "0")
    money.set_xlabel(f"change of {_named(sweep['of'])}, %")


def _label(axes: "Axes", title: str, unit: str) -> None:
    axes.set_title(title, fontsize=9, loc="left", color="#444444")
    axes.set_ylabel(unit)
    axes.axvline(0, color="#000000", linewidth=0.8, linestyle=":")
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.locator_params(axis="y", integer=unit == "wallets")
    axes.legend(frameon=False, loc="best")


def _named(name: str) -> str:
    return "all prices" if name == "all" else name


def _beside(found: dict[str, Any]) -> str:
    """The shocks that every step comes beside; of many, how many. What is swept is not shocked beside it."""
    swept = found["sweep"]["of"]
    shocks = {pair: shock for pair, shock in found["shocks"].items() if swept not in (pair, base_of(pair))}
    if len(shocks) > 3:
        return f" beside {len(shocks)} shocks"
    told = ", ".join(f"{pair} {shock['stated']}" for pair, shock in shocks.items())
    return f" beside {told}" if told else ""


def _short(value: float) -> str:
    """A tick in thousands, millions or thousands of millions."""
    for size, unit in MAGNITUDES:
        if abs(value) >= size:
            return f"{value / size:,.4g} {unit}"
    return f"{value:,.4g}"
