"""The parts of the story of a liquidation or a margin call that are told in tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.console.charts import told_steps
from api.console.pages.account_change import OWED
from api.console.pages.account_figures import signed
from api.console.saying import said
from api.console.writing import Column, Markup, amount, band, card, event_link, joined, moment, table, tag, text

Answer = Mapping[str, Any]

STEPS_IN_TABLE = 100
"""The last steps of the way, those nearest the line; the chart has all."""


def verdict(found: Answer) -> Markup:
    """Whether every number is what it comes to when it is worked out again."""
    wrong = found["disagreements"]
    if found["agrees"]:
        return tag("span", "all agree", class_="good")
    return tag("span", f"{wrong} {'does' if wrong == 1 else 'do'} not agree", class_="bad", role="alert")


def path_table(found: Answer) -> Markup:
    crossing = found["crossing"]
    steps = told_steps(found["path"])[-STEPS_IN_TABLE:]
    rows = [
        (
            event_link(one["position"]),
            moment(one["effective_at"]),
            _through(one),
            amount(one["total_assets"]),
            amount(one["total_debt"]),
            text(one["level"]),
            band(one["band"]),
            tag("span", "crossed the line", class_="bad")
            if crossing and crossing["position"] == one["position"]
            else "",
        )
        for one in steps
    ]
    columns = [
        Column("Position", True),
        Column("Counts from"),
        Column("Through"),
        Column("Assets, USDT", True),
        Column("Debt, USDT", True),
        Column("Level", True),
        Column("Band"),
        Column(""),
    ]
    return table(columns, rows, "Nothing moved the level in this time.")


def _through(step: Answer) -> Markup:
    """What moved the level: prices from and to, or the topic of an event."""
    if not step.get("prices"):
        return tag("span", step["topic"] or "the state before", class_="topic")
    moved = (
        joined(f"{pair} ", amount(one["from"]), " → ", amount(one["to"]), " ") for pair, one in step["prices"].items()
    )
    return joined(*moved)


def prices_table(found: Answer) -> Markup:
    rows = [
        (
            pair,
            amount(mark["price"]),
            moment(mark["effective_at"]),
            text(None) if mark["position"] is None else event_link(mark["position"]),
            "yes" if mark["values_the_wallet"] else "no",
        )
        for pair, mark in found["prices"].items()
    ]
    columns = [
        Column("Decided on"),
        Column("Price", True),
        Column("Of"),
        Column("Marked at", True),
        Column("Values the wallet"),
    ]
    return table(columns, rows, "It was decided without a price.")


def amounts_table(outcome: Answer) -> Markup:
    charged = outcome["charged"]
    kinds = (
        ("Sold", outcome["sold"]),
        ("Bought", outcome["bought"]),
        ("Repaid", outcome["repaid"]),
        ("of it interest", outcome["repaid_interest"]),
        ("Interest charged", charged["interest"]),
        ("Fee", charged["fee"]),
        ("Trading fees", charged["trade_fees"]),
        ("Covered by the fund", outcome["covered"]),
        ("Left", outcome["left"]),
        ("Still owed", outcome["owed"]),
    )
    rows = [
        (title, amount(one["amount"], asset), amount(one["value"]))
        for title, amounts in kinds
        for asset, one in amounts.items()
    ]
    rows.append(("Lost to rounding", text(""), amount(outcome["lost_to_rounding"])))
    columns = [Column("What"), Column("Amount", True), Column("Value, USDT", True)]
    return tag("div", table(columns, rows, ""), class_="stack")


def events_cards(found: Answer) -> Markup:
    """The wallet's last events before it, and each event of it."""
    before = _listed(found["last_events"], "The wallet had no event before.")
    return joined(
        card("Step by step", _listed(found["steps"], "No step was recorded yet."), wide=True),
        card("The wallet's last events before", before, wide=True),
    )


def _listed(events: Iterable[Answer], empty: str) -> Markup:
    rows = [
        (
            event_link(one["position"]),
            moment(one["effective_at"]),
            tag("span", one["topic"], class_="topic"),
            said(one),
            joined(*(_changed(change) for change in one["changes"])) or text(None),
        )
        for one in events
    ]
    columns = [
        Column("Position", True),
        Column("Counts from"),
        Column("Topic"),
        Column("What"),
        Column("Changed in the wallet", True),
    ]
    return tag("div", table(columns, rows, empty), class_="stack")


def _changed(change: Answer) -> Markup:
    """What an event changed of one asset, a line for each part."""
    parts = (
        tag("div", joined(tag("span", f"{part} ", class_="hint"), signed(value, change["asset"], owed=part in OWED)))
        for part, value in change.items()
        if part != "asset"
    )
    return joined(*parts)


def wallet_card(found: Answer) -> Markup:
    """The wallet before and after, asset by asset."""
    rows = []
    for when in ("before", "after"):
        for asset, held in found[when]["assets"].items():
            parts = (amount(held[part]) for part in ("free", "locked", "borrowed", "interest", "net"))
            rows.append((when, asset, *parts))
    columns = [
        Column(""),
        Column("Asset"),
        *(Column(part, True) for part in ("Free", "Locked", "Borrowed", "Interest", "Net")),
    ]
    after = found["after"]
    level = after["margin_level"] or "none, for nothing is owed"
    return card(
        "The wallet before and after",
        tag("div", table(columns, rows, "It held nothing."), class_="stack"),
        wide=True,
        hint=f"level after: {level}",
    )


def insurance_card(fund: Answer) -> Markup:
    """What the fund gave and took; what it holds is told to who may read the house's reports."""
    rows = [
        (event_link(step["position"]), asset, amount(one["change"]), amount(one.get("balance")))
        for step in fund["steps"]
        for asset, one in step["assets"].items()
    ]
    columns = [Column("Position", True), Column("Asset"), Column("Change", True), Column("The fund then", True)]
    unpaid = fund["uncovered"]
    note = (
        tag("span", "nothing uncovered", class_="good")
        if unpaid == "0"
        else tag("span", f"{unpaid} uncovered", class_="bad")
    )
    return card("Insurance fund", table(columns, rows, "The fund neither paid nor was paid."), wide=True, hint=note)


def checks_card(found: Answer) -> Markup:
    """Each number as stated and as it comes to; those that do not agree stand first and open."""
    wrong = [one for one in found["checks"] if not one["agrees"]]
    right = [one for one in found["checks"] if one["agrees"]]
    agreed = tag("details", joined(tag("summary", f"{len(right)} that agree"), _checked(right)))
    return card(
        "Every number worked out again",
        joined(_checked(wrong) if wrong else "", agreed),
        wide=True,
        hint=verdict(found),
    )


def _checked(checks: list[Answer]) -> Markup:
    rows = [
        (event_link(one["position"]), one["name"], _value(one["stated"]), _value(one["recomputed"])) for one in checks
    ]
    columns = [Column("Position", True), Column("Number"), Column("Stated", True), Column("Worked out", True)]
    return table(columns, rows, "")


def _value(value: str | None) -> Markup:
    return tag("span", text(value), class_="checked")
