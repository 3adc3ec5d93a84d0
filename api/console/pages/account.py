"""One account at any moment: its wallets side by side, what the last event changed, its levels over time."""

import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments, GenericEventArguments

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.frame import refusal_card, show
from api.console.latest import Latest
from api.console.pages.account_change import change_shown
from api.console.pages.account_levels import chart_options, moment_line
from api.console.pages.account_moment import Moment, account_path, last_version_of, moment_at_event, moment_of
from api.console.pages.account_place import (
    SPANS,
    USUAL_SPAN,
    drawn_tabs,
    explain_form,
    no_level,
    standing,
    under_chart,
    where,
)
from api.console.pages.account_points import moment_asked, number
from api.console.pages.account_wallets import locked_shown, positions_shown, wallets_shown
from api.console.writing import Markup, joined, path_part, tag

SLIDER_TELLS_SECONDS = 0.05
POINTS_IN_CHART = 300
SOON_SECONDS = 0.05
LOOKS_AGAIN_SECONDS = 1.0
# A click with a key held opens the link as browsers do; any other stays on the page.
STAY = "(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); emit(); }"


@console_page("/accounts/{account_id}", "Account {account_id}")
async def account(
    ask: Asker,
    account_id: str,
    version: str = "",
    position: str = "",
    recorded_at: str = "",
    effective_at: str = "",
    at: str = "",
    times: str = "",
    wallet: str = "",
    span: str = "",
) -> None:
    """The account as of an event (`version`), a log position, a recorded or a business time, or now.

    `at` is a position or a time as somebody types it, `times` what the time is of. `wallet` is the one whose level is
    drawn, over `span`. Parameters are taken as they are written, here as in all pages of accounts, so that what is
    wrong with one is said on the page.
    """
    asked = {"position": number(position, "position"), "recorded_at": recorded_at, "effective_at": effective_at}
    stated = {name: value for name, value in asked.items() if value not in (None, "")} or moment_asked(at, times)
    shown = await moment_of(ask, account_id, number(version, "version"), **stated)
    drawn = wallet or _drawn_first(shown.account)
    page = _AccountPage(ask, shown, drawn, span if span in SPANS else USUAL_SPAN)
    page.build()
    ui.timer(SOON_SECONDS, page.draw, once=True)


def _drawn_first(account: dict[str, Any]) -> str:
    """The wallet that owes most; the pool where none owes, unless only buckets were ever used."""
    debts = {"cross": account["cross"]["total_debt"]}
    debts |= {f"isolated:{pair}": one["total_debt"] for pair, one in account["isolated"].items()}
    owing = {name: debt for name, debt in debts.items() if debt and debt.strip("0.")}
    if owing:
        return max(owing, key=lambda name: Decimal(owing[name]))
    return "cross" if account["cross"]["assets"] or len(debts) == 1 else list(debts)[1]


class _AccountPage:
    """The page of one account, which goes to another moment without being loaded again."""

    def __init__(self, ask: Asker, shown: Moment, wallet: str, span: str) -> None:
        self._ask, self._shown, self._wallet, self._span = ask, shown, wallet, span
        self._latest = Latest(self._go)
        self._looks_again_at = 0.0
        self._path: dict[str, Any] | None = None
        self._chart: ui.echart | None = None

    @property
    def _id(self) -> str:
        return str(self._shown.account["account_id"])

    def build(self) -> None:
        """Everything but the chart, which is drawn once the page is there."""
        self._standing = show(Markup("")).classes("account-standing")
        self._bar()
        self._refusal = ui.element("div")
        with ui.element("div").classes("stacked"):
            self._change = show(Markup(""))
            self._wallets = show(Markup(""))
            with ui.element("section").classes("card wide"):
                self._tabs = show(Markup(""))
                self._drawing = ui.element("div").classes("drawing")
                with self._drawing:
                    show(tag("p", "The level is being drawn …", class_="empty"))
            self._rest = show(Markup("")).classes("stacked")
        self._fill()

    def _bar(self) -> None:
        with ui.element("div").classes("moments card"):
            self._back = self._step_link("back", "‹", "Previous event (left arrow)")
            self._slider = ui.slider(min=1, max=self._shown.last_version, value=self._shown.version, step=1)
            self._slider.props('label :label-always="false" aria-label="Event of the account"')
            self._slider.on("update:model-value", self._slid, throttle=SLIDER_TELLS_SECONDS)
            self._on = self._step_link("on", "›", "Next event (right arrow)")
            self._where = show(Markup("")).classes("where")

    def _step_link(self, step: str, sign: str, title: str) -> ui.element:
        element = ui.element("a").classes("button").props(f'data-step="{step}" title="{title}" role="button"')
        element.on("click", lambda: self._step(-1 if step == "back" else 1), js_handler=STAY)
        with element:
            ui.html(sign, sanitize=False, tag="span")
        return element

    async def _slid(self, event: GenericEventArguments) -> None:
        """The slider was moved; nothing is asked before it rests."""
        await self._latest.want(int(event.args), rested=True)

    async def _step(self, by: int) -> None:
        """One event back or on, from the one last asked for: keys pressed quickly add up."""
        wanted = self._latest.wanted
        start = self._shown.version if wanted is None else wanted
        # Between two events one step back leads to the one that was last.
        if by < 0 and wanted is None and self._shown.is_between:
            start += 1
        if by > 0 and start >= self._shown.last_version:
            await self._look_for_newer()
        version = min(max(start + by, 1), self._shown.last_version)
        if version != start or self._shown.is_between:
            await self._jump(version)

    async def _look_for_newer(self) -> None:
        """The account may have gone on since the page was opened; a key that is held looks once a second."""
        if time.monotonic() < self._looks_again_at:
            return
        self._looks_again_at = time.monotonic() + LOOKS_AGAIN_SECONDS
        with suppress(Refused):
            newest = await last_version_of(self._ask, self._id)
            self._shown = self._shown._replace(last_version=max(newest, self._shown.last_version))
            self._slider.props(f":max={self._shown.last_version}")

    async def _jump(self, version: int) -> None:
        self._slider.set_value(version)
        await self._latest.want(version)

    async def _go(self, version: int) -> None:
        """Goes to an event; a refusal is shown unless another was asked for meanwhile."""
        self._refusal.clear()
        try:
            found = await moment_at_event(self._ask, self._id, version, self._shown.last_version)
        except Refused as refused:
            if self._latest.wanted == version:
                with self._refusal:
                    refusal_card(refused)
            return
        if self._latest.wanted == version:
            self._shown = found
            self._fill()
            ui.navigate.history.replace(f"/console{self._here(version=version)}")
            await self._draw_anew()

    def _here(self, **stated: object) -> str:
        return account_path(self._id, **stated, wallet=self._wallet, span=self._span)

    def _fill(self) -> None:
        shown = self._shown
        for element, version in ((self._back, shown.version - 1), (self._on, shown.version + 1)):
            within = min(max(version, 1), shown.last_version)
            element.props(f'href="/console{self._here(version=within)}"')
        self._standing.set_content(standing(shown.account))
        self._where.set_content(where(shown, self._wallet, self._span))
        self._change.set_content(change_shown(shown))
        self._wallets.set_content(wallets_shown(shown.account))
        self._rest.set_content(joined(positions_shown(shown.account), locked_shown(*shown.locked), explain_form(shown)))
        self._tabs.set_content(drawn_tabs(shown, self._wallet, self._span))

    async def _draw_anew(self) -> None:
        """The line of the moment goes to its place; where that is not in the chart, the chart goes there."""
        if self._path is None or not self._path["from_position"] <= self._shown.place <= self._path["to_position"]:
            await self.draw()
        elif self._chart is not None:
            self._chart.options["series"][0]["markLine"] = moment_line(self._path, self._shown.place)
            self._chart.update()

    async def draw(self) -> None:
        """The chart of the wallet's level, with the moment that is shown in its middle."""
        asked = {"around_position": self._shown.place, "span_seconds": SPANS[self._span][1], "points": POINTS_IN_CHART}
        path = f"/v1/accounts/{path_part(self._id)}/level-path"
        try:
            self._path = await self._ask.get(path, wallet=self._wallet, **asked)
        except Refused as refused:
            self._path = None
            self._drawing.clear()
            with self._drawing:
                refusal_card(refused)
            return
        self._drawing.clear()
        with self._drawing:
            self._put_chart(self._path)

    def _put_chart(self, path: dict[str, Any]) -> None:
        self._chart = None
        if all(one["level"] is None for one in path["points"]):
            show(no_level(path))
            return
        options = chart_options(path, self._shown.place)
        self._chart = ui.echart(options, on_point_click=self._pointed_at, renderer="svg").classes("levels-chart")
        show(under_chart(path)).classes("note")

    async def _pointed_at(self, event: EChartPointClickEventArguments) -> None:
        point: Any = event.data
        version = point.get("version") if isinstance(point, dict) else None
        if version is not None:
            await self._jump(int(version))
