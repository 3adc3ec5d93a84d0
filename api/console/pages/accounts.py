"""The list of accounts, a page at a time, and the wallets that are in a band."""

from typing import Any

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.frame import show
from api.console.pages.account_figures import level_shown
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    band,
    card,
    event_link,
    joined,
    link,
    moment,
    table,
    tag,
    wallet_name,
)
from api.console.writing import query as written_query

ROWS = 50
STATUSES = ("open", "frozen", "closed")
CAPABILITIES = ("deposit", "withdraw", "transfer", "borrow", "trade")
BANDS = ("liquidation", "margin_call", "borrow_blocked", "transfer_blocked", "normal", "unpriced")

Answer = dict[str, Any]


@console_page("/accounts", "Accounts")
async def accounts(
    ask: Asker,
    status: str = "",
    blocked: str = "",
    band: str = "",
    after: str = "",
) -> None:
    """Accounts by id; or, where a band is chosen, the wallets that owe and are in it."""
    show(_filters(status, blocked, band)).classes("filters")
    stated = {"status": status, "blocked": blocked, "band": band}
    if band:
        found = await ask.get("/v1/reports/margin-levels", band=band, after=after or None, limit=ROWS)
        show(_wallets(found, stated, after))
    else:
        which = {"status": status or None, "blocked": blocked or None, "after": after or None}
        show(_accounts(await ask.get("/v1/accounts", **which, limit=ROWS), stated, after))


def _filters(status: str, blocked: str, band: str) -> Markup:
    fields = joined(
        _choice("Status", "status", STATUSES, status),
        _choice("Freeze blocks", "blocked", CAPABILITIES, blocked),
        _choice("Wallets in band", "band", BANDS, band),
        tag("button", "Show", type="submit"),
        link("All accounts", "/accounts") if status or blocked or band else "",
    )
    return tag("form", fields, action="/console/accounts", method="get", class_="row")


def _choice(title: str, name: str, values: tuple[str, ...], chosen: str) -> Markup:
    options = [tag("option", "any", value="")]
    options += [
        tag("option", one.replace("_", " "), value=one, selected="" if one == chosen else None) for one in values
    ]
    return tag("label", joined(tag("span", title), tag("select", joined(*options), name=name)))


def _accounts(found: Answer, stated: dict[str, str], after: str) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            joined(status_word(one["status"]), _blocks(one["blocks"])),
            ", ".join(pair for pair, mode in one["modes"].items() if mode == "isolated") or None,
            ", ".join(f"{wallet_name(wallet)} {leverage}x" for wallet, leverage in one["leverages"].items()) or None,
            f"{one['version']:,}",
            event_link(one["position"]),
            moment(one["opened_at"]),
        )
        for one in found["accounts"]
    ]
    columns = [
        *(Column("Account"), Column("Status"), Column("Isolated"), Column("Leverage set"), Column("Events", True)),
        *(Column("Last event", True), Column("Opened")),
    ]
    empty = "No account is like that. Choose other filters, or see all accounts."
    return joined(card("Accounts", table(columns, rows, empty), wide=True), _pages(found, stated, after))


def _wallets(found: Answer, stated: dict[str, str], after: str) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            band(one["band"]),
            level_shown(one["margin_level"]),
            amount(one["total_debt"]),
            amount(one["equity"]),
        )
        for one in found["wallets"]
    ]
    columns = [
        *(Column("Account"), Column("Wallet"), Column("Band"), Column("Level", True), Column("Owes, in USDT", True)),
        Column("Equity, in USDT", True),
    ]
    title = f"Wallets in {stated['band'].replace('_', ' ')}"
    whole = card(title, table(columns, rows, "No wallet that owes is in this band now."), wide=True)
    return joined(whole, _pages(found, stated, after))


def _pages(found: Answer, stated: dict[str, str], after: str) -> Markup:
    first = link("First page", f"/accounts{written_query(**stated)}") if after else ""
    further = link("Next page", f"/accounts{written_query(**stated, after=found['next'])}") if found["next"] else ""
    return tag("p", joined(first, " ", further), class_="pages")


def status_word(status: str) -> Markup:
    """An account's status; what is not open stands out."""
    return tag("span", status, class_="good" if status == "open" else "bad")


def _blocks(blocks: list[str]) -> Markup:
    return tag("span", f" blocks {', '.join(blocks)}", class_="note") if blocks else Markup("")
