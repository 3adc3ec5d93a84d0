"""The first page: whether all is well, live."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from nicegui import ui

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.frame import show
from api.console.pages.account_figures import level_shown, worth
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    band,
    card,
    event_link,
    figure,
    joined,
    liquidation_link,
    moment,
    share_bar,
    table,
    tag,
    text,
    wallet_name,
)

LIVE_SECONDS = 2.0
LISTS_SECONDS = 10.0
"""What names customers is read, and so logged, each time: more seldom, and only where the log has grown."""
EXPOSURE_SECONDS = 30.0
"""Bands and exposure are worked out over all wallets: most seldom, and after all else is shown."""
SHOWN = 8
STILL_SECONDS = 10.0
"""How long the risk engine may rest while there is something to examine."""
NOT_TOLD = "Not told just now"

Work = Callable[[], Awaitable[None]]
Answer = dict[str, Any]


@console_page("/", "Overview")
async def overview(ask: Asker) -> None:
    """How the log grows, whether the books balance, who is near a line; asked again where the log has grown."""
    pulse = _Pulse()
    first, lists = await asyncio.gather(_standing(ask, pulse), _lists(ask))
    standing = show(first).classes("standing")
    with ui.element("div").classes("cards flowing"):
        live = show(lists).classes("contents")
        exposed = show(Markup("")).classes("contents")
    exposed.set_content(await _exposure(ask))

    async def look() -> None:
        standing.set_content(await _standing(ask, pulse))

    ui.timer(LIVE_SECONDS, look, immediate=False)
    for place, seconds, asked in ((live, LISTS_SECONDS, _lists), (exposed, EXPOSURE_SECONDS, _exposure)):
        ui.timer(seconds, _where_grown(ask, pulse, place, asked), immediate=False)


def _where_grown(ask: Asker, pulse: "_Pulse", place: ui.html, asked: Callable[[Asker], Awaitable[Markup]]) -> Work:
    """Work that asks again where the log has grown since it last did, or something was refused then."""
    shown_at = pulse.position

    async def look() -> None:
        nonlocal shown_at
        if pulse.position != shown_at or NOT_TOLD in place.content:
            shown_at = pulse.position
            place.set_content(await asked(ask))

    return look


async def _told(title: str, question: Awaitable[Answer], cards: Callable[[Answer], Markup]) -> Markup:
    """What an answer says; where it was refused, why, in its place: the rest of the page goes on."""
    try:
        return cards(await question)
    except Refused as refused:
        return card(title, tag("p", f"{NOT_TOLD}: {refused.detail}", class_="empty", role="alert"))


async def _standing(ask: Asker, pulse: "_Pulse") -> Markup:
    return await _told("Log", ask.health(), pulse.shown)


class _Pulse:
    """How fast the log grows, from one look to the next."""

    def __init__(self) -> None:
        self.position = -1
        self._at = time.monotonic()
        self._rate = 0.0

    def shown(self, health: Answer) -> Markup:
        """Position, rate, projections and risk engine as figures."""
        now = time.monotonic()
        if self.position >= 0 and now > self._at:
            self._rate = (health["position"] - self.position) / (now - self._at)
        self.position, self._at = health["position"], now
        return card(
            "Log",
            joined(
                tag(
                    "div",
                    joined(
                        figure("Position", event_link(self.position)),
                        figure("Events per second", f"{self._rate:,.0f}", "over the last look"),
                        _projections(health["projections"]),
                        _risk(health["risk"], self.position),
                        _prices(health["prices"], health["unpriced_wallets"]),
                        _overdue(health["overdue_liquidations"]),
                    ),
                    class_="figures-row",
                ),
                _lags(health["projections"]),
            ),
            wide=True,
            hint=f"every {LIVE_SECONDS:.0f} s, what names customers every {LISTS_SECONDS:.0f} s",
        )


def _projections(projections: dict[str, Answer]) -> Markup:
    failed = [name for name, one in projections.items() if one["error"]]
    if failed:
        return figure("Projections", tag("span", f"{len(failed)} stopped", class_="bad"), ", ".join(failed))
    unled = [name for name, one in projections.items() if not one["led"]]
    if unled:
        note = f"{len(unled)} of {len(projections)} follow nothing: run ledger serve or ledger project"
        return figure("Projections", tag("span", "nobody leads", class_="bad"), note)
    behind, worst = max(((one["lag"], name) for name, one in projections.items()), default=(0, ""))
    note = f"all {len(projections)} at the end of the log" if behind == 0 else f"{worst} is {behind:,} events behind"
    return figure("Projections", tag("span", f"lag {behind:,}", class_="good" if behind == 0 else "warn"), note)


def _lags(projections: dict[str, Answer]) -> Markup:
    """Each projection with the number of events it is behind, and why it stopped where it did."""
    lags = (f"{name.replace('_', ' ')} {one['lag']:,}" for name, one in sorted(projections.items()))
    stopped = (
        tag("p", f"{name} stopped at position {one['error_position']}: {one['error']}", class_="said", role="alert")
        for name, one in projections.items()
        if one["error"]
    )
    return joined(tag("p", f"Events behind: {' · '.join(lags)}", class_="note"), *stopped)


def _risk(risk: Answer, position: int) -> Markup:
    """Who watches the margin wallets; an engine that lets events pass for long stands still, though it is led."""
    behind = position - (risk["position"] or 0)
    rested = 0.0 if risk["stepped_at"] is None else time.time() - datetime.fromisoformat(risk["stepped_at"]).timestamp()
    watched = f"{risk['watched'] or 0:,} wallets that owe"
    if not risk["led"]:
        return figure("Risk engine", tag("span", "nobody leads", class_="bad"), watched)
    if behind > 0 and rested > STILL_SECONDS:
        still = f"{behind:,} events behind, last step {rested:,.0f} s ago"
        return figure("Risk engine", tag("span", "stands still", class_="bad"), still)
    return figure("Risk engine", tag("span", "watching", class_="good"), watched)


def _prices(prices: Answer | None, unpriced: int | None) -> Markup:
    """None is told of them while a projection fails."""
    if prices is None:
        return figure("Prices", text(None), "not known while a projection stands still")
    stale, held = prices["stale_prices"], prices["held_prices"]
    word = tag("span", "fresh", class_="good") if not stale else tag("span", f"{stale:,} stale", class_="warn")
    return figure("Prices", word, f"{held:,} held, {unpriced or 0:,} wallets lack one")


def _overdue(count: int | None) -> Markup:
    word = text(None) if count is None else tag("span", f"{count:,}", class_="bad" if count else "good")
    return figure("Overdue liquidations", word, "beyond the time limit of their execution")


async def _lists(ask: Asker) -> Markup:
    """The books, and what happened last, in one sweep of questions."""
    latest: dict[str, Any] = {"limit": SHOWN, "order": "desc"}
    return joined(
        *await asyncio.gather(
            _told("Trial balance", ask.get("/v1/reports/trial-balance"), _trial_balance),
            _told("Insurance fund", ask.get("/v1/reports/insurance", limit=1), _insurance),
            _told("Latest margin calls", ask.get("/v1/margin-calls", **latest), _calls),
            _told("Latest liquidations", ask.get("/v1/liquidations", **latest), _liquidations),
        )
    )


def _trial_balance(trial: Answer) -> Markup:
    off = [asset for asset, sums in trial["assets"].items() if sums["total"] != "0"]
    verdict = tag("span", f"off in {', '.join(off)}" if off else "balanced", class_="bad" if off else "good")
    rows = [
        (asset, amount(_customers(sums["books"])), amount(sums["total"])) for asset, sums in trial["assets"].items()
    ]
    columns = [Column("Asset"), Column("Customers hold, net", True), Column("Sum of all books", True)]
    return card("Trial balance", table(columns, rows, "No asset was moved yet."), hint=verdict)


def _customers(books: dict[str, str]) -> str:
    return f"{sum((Decimal(value) for name, value in books.items() if name.startswith('accounts/')), Decimal()):f}"


def _bands(levels: Answer) -> Markup:
    bands = levels["bands"]
    total = sum(bands.values())
    rows = [(band(name), share_bar(count, total, name), f"{count:,}") for name, count in bands.items()]
    return card(
        "Margin wallets by band",
        table([Column("Band"), Column("Share"), Column("Wallets", True)], rows, "No wallet owes anything."),
        hint=f"{total:,} wallets owe",
    )


def _insurance(fund: Answer) -> Markup:
    rows = [(asset, amount(held)) for asset, held in fund["assets"].items()]
    uncovered = fund["uncovered_total"]
    note = "every deficit was covered" if uncovered == "0" else f"{uncovered} USDT uncovered"
    return card(
        "Insurance fund",
        table([Column("Asset"), Column("Holds", True)], rows, "Nothing is in the fund."),
        hint=tag("span", note, class_="good" if uncovered == "0" else "bad"),
    )


def _calls(calls: Answer) -> Markup:
    rows = [
        (
            moment(one["effective_at"]),
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            level_shown(one["level"]),
        )
        for one in calls["margin_calls"]
    ]
    columns = [Column("Called"), Column("Account"), Column("Wallet"), Column("Level", True)]
    return card("Latest margin calls", _rows_on_a_phone(table(columns, rows, "No wallet was ever called.")))


def _liquidations(found: Answer) -> Markup:
    rows = [
        (
            moment(one["started_at"]),
            liquidation_link(one["liquidation_id"]),
            level_shown(one["started"]["level"]),
            worth(one["deficit_value"]),
        )
        for one in found["liquidations"]
    ]
    columns = [Column("Started"), Column("Liquidation"), Column("Level", True), Column("Deficit", True)]
    return card("Latest liquidations", _rows_on_a_phone(table(columns, rows, "No wallet was ever liquidated.")))


def _rows_on_a_phone(written: Markup) -> Markup:
    """A table whose rows are broken where they do not fit, with the names of their figures."""
    return tag("div", written, class_="stack")


async def _exposure(ask: Asker) -> Markup:
    """What is worked out over all wallets that owe, one after the other."""
    bands = await _told("Margin wallets by band", ask.get("/v1/reports/margin-levels", limit=1), _bands)
    return joined(bands, await _told("Exposure, in USDT", ask.get("/v1/reports/exposure"), _exposed))


def _exposed(exposure: Answer) -> Markup:
    pairs = [
        (pair, *(worth(one[side]["value"]) for side in ("long", "short", "net")))
        for pair, one in exposure["pairs"].items()
    ]
    debtors = [
        (account_link(one["account_id"]), worth(one["debt_value"]), worth(one["collateral_value"]))
        for one in exposure["debtors"][:SHOWN]
    ]
    columns = [Column("Pair"), Column("Long", True), Column("Short", True), Column("Net", True)]
    owed = [Column("Account"), Column("Owes", True), Column("Collateral", True)]
    return joined(
        card("Exposure, in USDT", _rows_on_a_phone(table(columns, pairs, "No position is open."))),
        card("Largest debtors, in USDT", table(owed, debtors, "Nobody owes anything.")),
    )
