"""One account at any moment: its wallets side by side, what the last event changed, its levels over time."""

import asyncio
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments, GenericEventArguments

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.frame import refusal_card, show
from api.console.pages.account_change import change_shown
from api.console.pages.account_levels import chart_options, moment_line
from api.console.pages.account_moment import Moment, account_path, moment_at_event, moment_of
from api.console.pages.account_points import points_form
from api.console.pages.account_wallets import locked_shown, positions_shown, wallets_shown
from api.console.pages.accounts import status_word
from api.console.writing import Markup, card, event_link, joined, link, moment, tabs, tag, wallet_name

SLIDER_TELLS_SECONDS = 0.05
SLIDER_REST_SECONDS = 0.1
EVENTS_IN_CHART = 400
POINTS_IN_CHART = 600
SOON_SECONDS = 0.05
# A click with a key held opens the link as browsers do; any other stays on the page.
STAY = "(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); emit(); }"

MOST_DIGITS = 18


@console_page("/accounts/{account_id}", "Account {account_id}")
async def account(
    ask: Asker,
    account_id: str,
    version: str = "",
    position: str = "",
    wallet: str = "",
) -> None:
    """The account as of an event (`version`), a log position, or now; `wallet` is the one whose level is drawn.

    Parameters are taken as they are written, here as in all pages of accounts, so that what is wrong with one is said
    on the page.
    """
    shown = await moment_of(ask, account_id, number(version, "version"), number(position, "position"))
    page = _AccountPage(ask, shown, wallet or _drawn_first(shown.account))
    page.build()
    ui.timer(SOON_SECONDS, page.draw, once=True)


def number(written: str, name: str) -> int | None:
    """A whole number as somebody types it, commas and blanks left out; None where nothing is written."""
    digits = written.replace(",", "").replace(" ", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        detail = (
            f"{name} is {written[:60]!r}; state a whole number of at most {MOST_DIGITS} digits, or leave it out "
            "for the account as it is now"
        )
        raise Refused(400, {"title": "The address is malformed", "detail": detail, "code": "malformed"})
    return int(digits)


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

    def __init__(self, ask: Asker, shown: Moment, wallet: str) -> None:
        self._ask, self._shown, self._wallet = ask, shown, wallet
        self._wanted = 0
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
        version = self._wanted = int(event.args)
        await asyncio.sleep(SLIDER_REST_SECONDS)
        if self._wanted == version:
            await self._go(version)

    async def _step(self, by: int) -> None:
        """One event back or on, from the one last asked for: keys pressed quickly add up."""
        start = self._wanted or self._shown.version
        # Between two events one step back leads to the one that was last.
        if by < 0 and self._shown.position not in (None, self._shown.event["position"]) and not self._wanted:
            start += 1
        await self._jump(min(max(start + by, 1), self._shown.last_version))

    async def _jump(self, version: int) -> None:
        self._slider.set_value(version)
        await self._go(version)

    async def _go(self, version: int) -> None:
        """Goes to an event; an answer that comes when another was asked for meanwhile is left alone."""
        self._wanted = version
        self._refusal.clear()
        try:
            found = await moment_at_event(self._ask, self._id, version, self._shown.last_version)
        except Refused as refused:
            with self._refusal:
                refusal_card(refused)
            self._wanted = 0
            return
        if self._wanted == version:
            self._wanted, self._shown = 0, found
            self._fill()
            ui.navigate.history.replace(f"/console{self._here(version=version)}")

    def _here(self, **stated: object) -> str:
        return account_path(self._id, **stated, wallet=self._wallet)

    def _fill(self) -> None:
        shown = self._shown
        for element, version in ((self._back, shown.version - 1), (self._on, shown.version + 1)):
            within = min(max(version, 1), shown.last_version)
            element.props(f'href="/console{self._here(version=within)}"')
        self._standing.set_content(standing(shown.account))
        self._where.set_content(where(shown, self._wallet))
        self._change.set_content(change_shown(shown))
        self._wallets.set_content(wallets_shown(shown.account))
        self._rest.set_content(joined(positions_shown(shown.account), locked_shown(*shown.locked), explain_form(shown)))
        self._tabs.set_content(drawn_tabs(shown, self._wallet))
        if self._chart is not None and self._path is not None:
            self._chart.options["series"][0]["markLine"] = moment_line(self._path, shown.account["position"])
            self._chart.update()

    async def draw(self) -> None:
        """The chart of the wallet's level: over its last events, or all where they are few."""
        first = max(self._shown.last_version - EVENTS_IN_CHART, 1)
        path = f"/v1/accounts/{quote(self._id, safe='')}"
        try:
            began = await self._ask.get(f"{path}/events", after_version=first - 1, limit=1)
            since = began["events"][0]["position"]
            asked = {"wallet": self._wallet, "from_position": since, "points": POINTS_IN_CHART}
            self._path = await self._ask.get(f"{path}/level-path", **asked)
        except Refused as refused:
            self._drawing.clear()
            with self._drawing:
                refusal_card(refused)
            return
        self._drawing.clear()
        with self._drawing:
            self._put_chart(self._path)

    def _put_chart(self, path: dict[str, Any]) -> None:
        if all(one["level"] is None for one in path["points"]):
            show(
                tag("p", f"{wallet_name(self._wallet)} owed nothing in that time, so it has no level.", class_="empty")
            )
            return
        options = chart_options(path, self._shown.account["position"])
        self._chart = ui.echart(options, on_point_click=self._pointed_at, renderer="svg").classes("levels-chart")
        show(under_chart(path)).classes("note")

    async def _pointed_at(self, event: EChartPointClickEventArguments) -> None:
        point: Any = event.data
        version = point.get("version") if isinstance(point, dict) else None
        if version is not None:
            await self._jump(int(version))


def standing(account: dict[str, Any]) -> Markup:
    """Status, blocks and modes of the account, in a line."""
    blocks = f"blocks {', '.join(account['blocks'])}" if account["blocks"] else "nothing is blocked"
    modes = [f"{pair} {mode}" for pair, mode in account["margin_modes"].items()]
    return tag(
        "p",
        joined(
            status_word(account["status"]), " · ", blocks, " · ", ", ".join(modes) or "every pair is on cross margin"
        ),
    )


def where(shown: Moment, wallet: str) -> Markup:
    """Which moment the page shows, and how to go to another."""
    account_id, position = shown.account["account_id"], shown.account["position"]
    event = joined("Event ", tag("b", f"{shown.version:,}"), f" of {shown.last_version:,} · ", shown.event["topic"])
    if shown.is_now:
        stands = joined("as it is now, at position ", event_link(position))
    elif shown.position is not None:
        stands = joined("as of position ", event_link(position), ", recorded later than the event")
    else:
        stands = joined("as of position ", event_link(position), " · ", moment(shown.event["effective_at"]))
    fields = joined(
        tag("input", name="position", inputmode="numeric", placeholder="Log position", aria_label="Log position"),
        tag("input", type="hidden", name="wallet", value=wallet),
        tag("button", "Go", type="submit"),
        link("Now", account_path(account_id, wallet=wallet)),
    )
    form = tag("form", fields, action=f"/console{account_path(account_id)}", method="get")
    return joined(tag("span", joined(event, " · ", stands)), form)


def drawn_tabs(shown: Moment, wallet: str) -> Markup:
    """The wallets whose level may be drawn."""
    names = ["cross", *(f"isolated:{pair}" for pair in shown.account["isolated"])]
    stated = {"position": shown.position} if shown.position is not None else {}
    if not shown.is_now and not stated:
        stated = {"version": shown.version}
    account_id = shown.account["account_id"]
    places = [(wallet_name(name), account_path(account_id, **stated, wallet=name), name == wallet) for name in names]
    title = "Margin level over time"
    return tag("div", joined(tag("h2", title), tabs(places, "Wallets")), class_="between")


def under_chart(path: dict[str, Any]) -> Markup:
    """What the chart is of, and what is left out."""
    counts = path["counts"]
    said = [
        f"{counts['events']:,} events and {counts['prices']:,} price vectors from position {path['from_position']:,} "
        f"to {path['to_position']:,}, {counts['points']:,} points drawn: all events, and the lowest and highest level "
        "of each stretch; press an event's mark to go there"
    ]
    if path["is_cut"]:
        said.append("what lies before was too much to walk at once")
    return tag("p", "; ".join(said) + ".")


def explain_form(shown: Moment) -> Markup:
    """Where two points are asked for, between which the change is explained."""
    form = points_form(shown.account["account_id"], "", str(shown.account["position"]))
    return card("Explain what changed between two points", form, wide=True)
