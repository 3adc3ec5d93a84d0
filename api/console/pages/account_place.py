"""Where the page of an account stands: its status, which moment is shown, and the ways to others."""

from typing import Any

from api.console.forms import chosen
from api.console.pages.account_moment import Moment, account_path
from api.console.pages.account_points import KINDS, points_form
from api.console.pages.accounts import status_word
from api.console.writing import Markup, card, event_link, joined, link, moment, tabs, tag, wallet_name

SPANS = {
    "1h": ("1 h", 3600),
    "1d": ("1 d", 86_400),
    "7d": ("7 d", 7 * 86_400),
    "30d": ("30 d", 30 * 86_400),
    "all": ("all", None),
}
"""How much time a chart may be of: how it is called, and its seconds."""
USUAL_SPAN = "7d"


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


def where(shown: Moment, wallet: str, span: str = USUAL_SPAN) -> Markup:
    """Which moment the page shows, and how to go to another."""
    account_id = shown.account["account_id"]
    event = joined("Event ", tag("b", f"{shown.version:,}"), f" of {shown.last_version:,} · ", shown.event["topic"])
    kept = {"wallet": wallet, "span": span}
    hidden = (tag("input", type="hidden", name=name, value=value) for name, value in kept.items())
    title = "Log position, or time in UTC"
    fields = joined(
        tag("input", name="at", placeholder="Position or time", title=title, aria_label=title, maxlength="40"),
        chosen("", "times", KINDS, "recorded" if "recorded_at" in shown.stated else "effective", aria_label="Times"),
        *hidden,
        tag("button", "Go", type="submit"),
        link("Now", account_path(account_id, **kept)),
    )
    form = tag("form", fields, action=f"/console{account_path(account_id)}", method="get")
    return joined(tag("span", joined(event, " · ", _stands(shown))), form)


def _stands(shown: Moment) -> Markup:
    """As of when the page is."""
    position = event_link(shown.account["position"])
    if shown.is_now:
        return joined("as it is now, at position ", position)
    if shown.is_dated:
        return joined("as of what counts at ", moment(shown.stated["effective_at"]), ", known at position ", position)
    if "recorded_at" in shown.stated:
        return joined("as recorded by ", moment(shown.stated["recorded_at"]), ", position ", position)
    if "position" in shown.stated:
        return joined("as of position ", position, ", recorded later than the event")
    return joined("as of position ", position, " · ", moment(shown.event["effective_at"]))


def drawn_tabs(shown: Moment, wallet: str, span: str = USUAL_SPAN) -> Markup:
    """The wallets whose level may be drawn, and over how much time."""
    account_id, stated = shown.account["account_id"], shown.stated

    def to(**chosen: str) -> str:
        return account_path(account_id, **stated, **{"wallet": wallet, "span": span, **chosen})

    names = ["cross", *(f"isolated:{pair}" for pair in shown.account["isolated"])]
    wallets = [(wallet_name(name), to(wallet=name), name == wallet) for name in names]
    spans = [(words, to(span=name), name == span) for name, (words, _) in SPANS.items()]
    ways = joined(tabs(wallets, "Wallets"), tabs(spans, "Time"))
    return tag("div", joined(tag("h2", "Margin level over time"), ways), class_="between")


def under_chart(path: dict[str, Any]) -> Markup:
    """What the chart is of, and what is left out."""
    counts = path["counts"]
    vectors = {
        "all": f"{counts['prices']:,} price vectors",
        "extremes": f"the {counts['prices']:,} price vectors with the lowest and highest prices of each stretch",
        "samples": f"{counts['prices']:,} price vectors, evenly taken from many more,",
    }[path["vectors"]]
    said = [
        f"{counts['events']:,} events and {vectors} from position {path['from_position']:,} "
        f"to {path['to_position']:,}; press an event's mark to go there"
    ]
    if path["is_cut"]:
        said.append("the events nearest to the moment shown, for there are too many to draw them all")
    return tag("p", "; ".join(said) + ".", class_="note")


def no_level(path: dict[str, Any]) -> Markup:
    """Why there is no level to be drawn."""
    name = wallet_name(path["wallet"])
    if any(one["band"] == "unpriced" for one in path["points"]):
        words = f"{name} lacked a price in that time, so its level is not known; choose another time."
    else:
        words = f"{name} owed nothing in that time, so it has no level; choose another time, or another wallet."
    return tag("p", words, class_="empty")


def explain_form(shown: Moment) -> Markup:
    """Where two points are asked for, between which the change is explained."""
    to = "" if shown.is_now else shown.stated.get("effective_at") or str(shown.account["position"])
    form = points_form(shown.account["account_id"], "", to, "effective" if shown.is_dated else "")
    return card("Explain what changed between two points", form, wide=True)
