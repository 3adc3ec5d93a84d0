"""The story of one liquidation or margin call, as the explanation gives it: the way there, what was done."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from api.console.asking import Asker
from api.console.charts import Options, flow_chart, flow_of, level_chart, priced_pair
from api.console.doors import console_page
from api.console.frame import show
from api.console.pages.account_figures import worth
from api.console.pages.liquidations import between
from api.console.story import (
    STEPS_IN_TABLE,
    amounts_table,
    checks_card,
    events_cards,
    insurance_card,
    path_table,
    prices_table,
    verdict,
    wallet_card,
)
from api.console.writing import (
    Markup,
    account_link,
    card,
    event_link,
    figure,
    heading,
    joined,
    moment,
    path_part,
    tag,
    text,
    wallet_name,
)

Answer = Mapping[str, Any]

STEPS_SHOWN = 1000
"""The most steps of the way to the line that are asked for."""


@console_page("/liquidations/{liquidation_id}", "Liquidation")
async def liquidation(ask: Asker, liquidation_id: str) -> None:
    """The story of a liquidation."""
    path = f"/v1/liquidations/{path_part(liquidation_id)}/explanation"
    found = await ask.get(path, limit=STEPS_SHOWN)
    show(joined(between("/liquidations"), _head(found, found["liquidation_id"])))
    with ui.element("div").classes("cards"):
        _way(found)
        _flow(found)
        show(
            joined(events_cards(found), wallet_card(found), insurance_card(found["insurance"]), checks_card(found))
        ).classes("contents")


@console_page("/margin-calls/{account_id}/{position}", "Margin call")
async def margin_call(ask: Asker, account_id: str, position: str) -> None:
    """The story of a margin call."""
    path = f"/v1/accounts/{path_part(account_id)}/margin-calls/{path_part(position)}/explanation"
    found = await ask.get(path, limit=STEPS_SHOWN)
    show(joined(between("/margin-calls"), _head(found, found["call_id"])))
    with ui.element("div").classes("cards"):
        _way(found)
        show(joined(events_cards(found), wallet_card(found), checks_card(found))).classes("contents")


def _head(found: Answer, identifier: str) -> Markup:
    """The headline, and its figures."""
    started = found["started"]
    figures = joined(
        figure("Account", account_link(found["account_id"]), wallet_name(found["wallet"])),
        figure("Level", started["level"], f"line {found['line']['level']}"),
        figure("Assets, USDT", worth(started["assets"])),
        figure("Debt, USDT", worth(started["debt"])),
        figure("Recorded", event_link(started["position"]), moment(started["effective_at"])),
        figure("Recomputed", verdict(found), f"{len(found['checks'])} numbers and decisions"),
    )
    return joined(
        tag("p", joined(tag("strong", identifier), " ", text(found.get("status", ""))), class_="lead"),
        tag("p", found["sentence"], class_="sentence"),
        tag("section", tag("div", figures, class_="figures-row roomy"), class_="card wide standing"),
    )


def _way(found: Answer) -> None:
    """The chart of the way to the line, and its steps."""
    path = found["path"]
    with ui.element("section").classes("card wide"):
        pair = priced_pair(found)
        over = f"the {path['over_seconds'] // 60} minutes before, {pair or 'no price'} beneath"
        show(heading("The way to the line", over))
        if path["steps"]:
            chart(level_chart(found), f"Level of {found['account_id']}'s wallet on its way to the line")
        else:
            show(tag("p", "Nothing moved the level in this time: the line itself moved, or it was crossed before."))
        note = tag("p", path["note"], class_="hint") if path["note"] else ""
        steps = tag("details", joined(tag("summary", steps_told(path)), path_table(found)))
        show(joined(note, steps, prices_table(found)))


def steps_told(path: Answer) -> str:
    """How many of the steps the table tells."""
    told, count = min(len(path["steps"]), STEPS_IN_TABLE), path["count"]
    return f"The last {told:,} of {count:,} steps" if told < count else f"All {count:,} steps"


def chart(options: Options, words: str, kind: str = "") -> None:
    """A chart in the colours of the page; `words` say what it shows to who does not see it."""
    ui.echart(options, renderer="svg").classes(f"chart {kind}").props(f'role="img" aria-label="{words}"')


def _flow(found: Answer) -> None:
    """Where the money went, as charts and as amounts."""
    outcome = found["outcome"]
    assets, debt = flow_of(found)
    for title, bars in (("What became of the assets, in USDT", assets), ("What became of the debt, in USDT", debt)):
        with ui.element("section").classes("card"):
            show(heading(title))
            chart(flow_chart(bars), title, "low")
    show(card("In amounts", amounts_table(outcome))).classes("contents")
