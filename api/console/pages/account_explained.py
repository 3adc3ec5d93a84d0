"""What changed of an account between two points, and how much of it came from trades, interest, prices and the rest."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.forms import further
from api.console.frame import show
from api.console.pages.account_change import COLUMNS, OWED, changes
from api.console.pages.account_figures import level_shown, signed
from api.console.pages.account_moment import account_path
from api.console.pages.account_points import point_asked, points_form
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    card,
    event_link,
    figure,
    joined,
    link,
    moment,
    path_part,
    query,
    table,
    tag,
    wallet_name,
)

Answer = Mapping[str, Any]
EVENTS_SHOWN = 50
LAST_EVENTS = 200
"""How many of an account's events are explained where no point is stated; all may be more than can be."""
ATTRIBUTED = (("equity", "Equity, in USDT"), ("margin_level", "Margin level"))
WORDS = {
    "trades": "Trades, against the mark price",
    "fees": "Fees",
    "interest": "Interest",
    "prices": "Prices",
    "funds": "Funds in and out",
    "loans": "Loans and repayments",
    "liquidation": "Liquidation",
    "corrections": "Corrections",
    "settings": "Settings",
}


@console_page("/accounts/{account_id}/explain", "Account {account_id}: what changed")
async def explained(
    ask: Asker,
    account_id: str,
    first: Annotated[str, Query(alias="from")] = "",
    last: Annotated[str, Query(alias="to")] = "",
    times: str = "",
    after: str = "",
) -> None:
    """The difference between two points; without the first from the opening, without the last until now.

    Without both it is what the account's last events did. `times` says what points are that are no positions: recorded,
    or (`effective`) business times.
    """
    show(tag("p", joined("← ", account_link(account_id))))
    chosen = ""
    if not first.strip() and not last.strip() and (first := await before_the_last_events(ask, account_id)):
        chosen, times = f"What its last {LAST_EVENTS} events did; state points for more.", ""
    show(joined(points_form(account_id, first, last, times), tag("p", chosen, class_="note") if chosen else ""))
    asked: dict[str, Any] = {
        **point_asked("from", first, times),
        **point_asked("to", last, times),
        "after": after or None,
        "limit": EVENTS_SHOWN,
    }
    found = await ask.get(f"/v1/accounts/{path_part(account_id)}/diff", **asked)
    show(tag("div", explanation(found, first, last, times), class_="cards"))


async def before_the_last_events(ask: Asker, account_id: str) -> str:
    """The position at which a long history has its last events still before it; none where all are few."""
    path = f"/v1/accounts/{path_part(account_id)}"
    version = (await ask.get(path))["version"]
    if version <= LAST_EVENTS:
        return ""
    before = await ask.get(f"{path}/events", after_version=version - LAST_EVENTS - 1, limit=1)
    return str(before["events"][0]["position"])


def explanation(found: Answer, first: str, last: str, times: str = "") -> Markup:
    """Everything that a difference tells, in the order in which it is asked after."""
    parts = [_points(found, first), _unexplained(found["unexplained"])]
    parts += [_attributed(wallet, told) for wallet, told in found["wallets"].items() if "equity" in told]
    rows = list(changes({**found, "events": []}))
    changed = tag("div", table(COLUMNS, rows, "Nothing is otherwise."), class_="stack")
    parts.append(card("Balances, positions and settings", changed, wide=True))
    parts += [_events(found), _pages(found, first, last, times)]
    return joined(*parts)


def _points(found: Answer, first: str) -> Markup:
    account_id, counts = found["account_id"], found["counts"]
    ends = [
        figure(title, _place(one), link("the account then", _then(account_id, one)))
        for title, one in (("From", found["from"]), ("To", found["to"]))
    ]
    if not first.strip():
        ends[0] = figure("From", "the opening")
    topics = ", ".join(f"{count:,} {topic}" for topic, count in counts["topics"].items()) or "none"
    ends.append(figure("Events between", f"{counts['events']:,}", topics))
    if found["settings"]:
        ends.append(figure("Settings of the exchange", f"{len(found['settings']):,}", "that judge its wallets"))
    return card("The two points", tag("div", joined(*ends), class_="figures-row of-amounts"), wide=True)


def _place(one: Answer) -> Markup:
    """The position of a point, or its business time."""
    dated = (one["as_of"] or {}).get("effective_at")
    return moment(dated) if dated else joined("position ", event_link(one["position"]))


def _then(account_id: str, one: Answer) -> str:
    dated = (one["as_of"] or {}).get("effective_at")
    return account_path(account_id, **({"effective_at": dated} if dated else {"position": one["position"]}))


def _unexplained(rows: list[Answer]) -> Markup:
    """Loud where the events do not lead from one state to the other: then the books themselves are in question."""
    if not rows:
        return Markup("")
    said = ", ".join(f"{one['wallet']} {one.get('asset') or one.get('pair') or ''} {one['part']}" for one in rows)
    text = f"The events between do not lead from one state to the other in {said}. Run ledger verify."
    return tag("section", joined(tag("h2", "Not explained"), tag("p", text)), class_="card wide refusal", role="alert")


def _attributed(wallet: str, told: Answer) -> Markup:
    """What moved equity and level, cause by cause; the causes of each add up to its change."""
    lacking = told.get("lacks_price_at") or (told["equity"] or {}).get("lacks_price_at")
    if lacking is not None:
        text = "A price was lacking on the way, so what moved it cannot be told; ask between points with prices."
        return card(wallet_name(wallet), tag("p", text, class_="empty"))
    equity, level = told["equity"], told["margin_level"]
    rows = list(_causes(equity["by_cause"], level["by_cause"]))
    rows += _begun_and_ended(level)
    rows.append((tag("b", "Change"), signed(equity["change"]), signed(level["change"])))
    columns = [Column("Came from"), *(Column(title, True) for _, title in ATTRIBUTED)]
    ends = tag(
        "p",
        joined(
            *("equity ", amount(equity["from"]), " → ", amount(equity["to"])),
            *(" · level ", level_shown(level["from"]), " → ", level_shown(level["to"])),
        ),
    )
    return card(wallet_name(wallet), joined(ends, table(columns, rows, "")))


def _causes(equity: Mapping[str, str], level: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    for cause in (*equity, *(one for one in level if one not in equity)):
        moved, of_level = equity.get(cause, "0"), level.get(cause, "0")
        if Decimal(moved) or Decimal(of_level):
            yield WORDS.get(cause, cause), signed(moved), signed(of_level)


def _begun_and_ended(level: Answer) -> Iterator[tuple[object, ...]]:
    """A level is there only while something is owed: what it began at, and what it was when the debt ended."""
    for name, title in (("from_none", "A debt began, level"), ("to_none", "A debt ended, level")):
        if level[name]["times"]:
            yield title, None, signed(level[name]["levels"])


def _events(found: Answer) -> Markup:
    rows = [
        (
            event_link(one["position"]),
            moment(one["effective_at"]),
            one["topic"],
            _moved(one),
            _levels(one),
            one["actor"],
        )
        for one in found["events"]
    ]
    columns = [
        *(Column("Position", True), Column("At"), Column("Event"), Column("Changed"), Column("Level")),
        Column("By"),
    ]
    return card("Events", table(columns, rows, "No event of the account lies between; only prices moved."), wide=True)


def _moved(event: Answer) -> Markup:
    lines = []
    for change in event["changes"]:
        parts = [(part, value) for part, value in change.items() if part not in ("wallet", "asset")]
        for part, value in parts:
            place = f" {change['asset']} {part}, {wallet_name(change['wallet'])}"
            changed = signed(value, owed=part in OWED)
            lines.append(tag("div", joined(changed, tag("span", place, class_="note"))))
    return joined(*lines)


def _levels(event: Answer) -> Markup:
    moved = [one for one in event["margin_levels"].values() if one["before"] or one["after"]]
    return joined(*(tag("div", joined(one["before"], " → ", one["after"])) for one in moved))


def _pages(found: Answer, first: str, last: str, times: str) -> Markup:
    if found["next"] is None:
        return Markup("")
    stated = query(**{"from": first, "to": last or _now(found, times), "times": times, "after": found["next"]})
    return further("Further events", f"/accounts/{quote(found['account_id'], safe='')}/explain{stated}")


def _now(found: Answer, times: str) -> int | str:
    """Where the first page ended, so that all pages end there; business times do not mix with a position."""
    return "" if times == "effective" else int(found["to"]["position"])
