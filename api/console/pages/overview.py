"""The first page: whether all is well, live."""

import asyncio
import time
from typing import Any

from nicegui import ui

from api.console.asking import Asker, Refused
from api.console.doors import console_page
from api.console.frame import refusal_card, show
from api.console.pages.account_figures import worth
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
    wallet_name,
)

LIVE_SECONDS = 2.0
EXPOSURE_SECONDS = 30.0
"""Bands and exposure are worked out over all wallets, so they are asked more seldom, and after all else is shown."""
SHOWN = 8

Answer = dict[str, Any]


@console_page("/", "Overview")
async def overview(ask: Asker) -> None:
    """How the log grows, whether the books balance, who is near a line; asked again whenever the log has grown."""
    pulse = _Pulse()
    first, accounts = await asyncio.gather(_health(ask), _accounts(ask))
    standing = show(pulse.shown(first)).classes("standing")
    with ui.element("div").classes("cards"):
        live = show(accounts).classes("contents")
        exposed = show(Markup("")).classes("contents")
    exposed.set_content(await _exposure(ask))

    async def look() -> None:
        grown = pulse.position
        standing.set_content(pulse.shown(await _health(ask)))
        if pulse.position != grown:
            live.set_content(await _accounts(ask))

    async def look_at_exposure() -> None:
        exposed.set_content(await _exposure(ask))

    for seconds, work in ((LIVE_SECONDS, look), (EXPOSURE_SECONDS, look_at_exposure)):
        ui.timer(seconds, _until_refused(work), immediate=False)


def _until_refused(work: Any) -> Any:
    """Work that shows a refusal, such as the end of the session, once, and then stays away."""
    refused_before = False

    async def guarded() -> None:
        nonlocal refused_before
        if refused_before:
            return
        try:
            await work()
        except Refused as refused:
            refused_before = True
            refusal_card(refused)

    return guarded


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
        lags = {name: one["lag"] for name, one in health["projections"].items()}
        failed = [name for name, one in health["projections"].items() if one["error"]]
        return card(
            "Log",
            tag(
                "div",
                joined(
                    figure("Position", event_link(self.position)),
                    figure("Events per second", f"{self._rate:,.0f}", "over the last look"),
                    _projections(lags, failed),
                    _risk(health["risk"]),
                ),
                class_="figures-row",
            ),
            wide=True,
            hint=f"every {LIVE_SECONDS:.0f} s",
        )


def _projections(lags: dict[str, int], failed: list[str]) -> Markup:
    if failed:
        return figure("Projections", tag("span", f"{len(failed)} stopped", class_="bad"), ", ".join(failed))
    behind, worst = max((lag, name) for name, lag in lags.items())
    note = f"all {len(lags)} at the end of the log" if behind == 0 else f"{worst} is {behind:,} events behind"
    return figure("Projections", tag("span", f"lag {behind:,}", class_="good" if behind == 0 else "warn"), note)


def _risk(risk: Answer) -> Markup:
    word = tag("span", "watching", class_="good") if risk["led"] else tag("span", "nobody leads", class_="bad")
    return figure("Risk engine", word, f"{risk['watched'] or 0:,} wallets that owe")


async def _health(ask: Asker) -> Answer:
    return await ask.get("/health")


async def _accounts(ask: Asker) -> Markup:
    """Everything that moves with the log, in one sweep of questions."""
    trial, calls, liquidations, fund = await asyncio.gather(
        ask.get("/v1/reports/trial-balance"),
        ask.get("/v1/margin-calls", limit=SHOWN, order="desc"),
        ask.get("/v1/liquidations", limit=SHOWN, order="desc"),
        ask.get("/v1/reports/insurance", limit=1),
    )
    return joined(_trial_balance(trial), _insurance(fund), _calls(calls), _liquidations(liquidations))


def _trial_balance(trial: Answer) -> Markup:
    off = [asset for asset, sums in trial["assets"].items() if sums["total"] != "0"]
    verdict = tag("span", f"off in {', '.join(off)}" if off else "balanced", class_="bad" if off else "good")
    rows = [
        (asset, amount(_customers(sums["books"])), amount(sums["total"])) for asset, sums in trial["assets"].items()
    ]
    columns = [Column("Asset"), Column("Customers hold, net", True), Column("Sum of all books", True)]
    return card("Trial balance", table(columns, rows, "No asset was moved yet."), hint=verdict)


def _customers(books: dict[str, str]) -> str:
    from decimal import Decimal

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
        (moment(one["effective_at"]), account_link(one["account_id"]), wallet_name(one["wallet"]), one["level"])
        for one in calls["margin_calls"]
    ]
    columns = [Column("Called"), Column("Account"), Column("Wallet"), Column("Level", True)]
    return card("Latest margin calls", _rows_on_a_phone(table(columns, rows, "No wallet was ever called.")))


def _liquidations(found: Answer) -> Markup:
    rows = [
        (
            moment(one["started_at"]),
            liquidation_link(one["liquidation_id"]),
            wallet_name(one["wallet"]),
            one["started"]["level"],
            worth(one["deficit_value"]),
        )
        for one in found["liquidations"]
    ]
    columns = [
        Column("Started"),
        Column("Liquidation"),
        Column("Wallet"),
        Column("Level", True),
        Column("Deficit", True),
    ]
    return card("Latest liquidations", _rows_on_a_phone(table(columns, rows, "No wallet was ever liquidated.")))


def _rows_on_a_phone(written: Markup) -> Markup:
    """A table whose rows are broken where they do not fit, with the names of their figures."""
    return tag("div", written, class_="stack")


async def _exposure(ask: Asker) -> Markup:
    levels = await ask.get("/v1/reports/margin-levels", limit=1)
    exposure = await ask.get("/v1/reports/exposure")
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
        _bands(levels),
        card("Exposure, in USDT", table(columns, pairs, "No position is open.")),
        card("Largest debtors, in USDT", table(owed, debtors, "Nobody owes anything.")),
    )
