"""The list of accounts, a page at a time, and the wallets that are in a band."""

from typing import Any

from api.console.asking import Asker
from api.console.doors import console_page
from api.console.forms import any_of, asked_by, chosen
from api.console.frame import show
from api.console.report_cards import VALUED, owing_table
from api.console.writing import (
    BANDS,
    Column,
    Markup,
    account_link,
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
    show(_filters(status, blocked, band))
    stated = {"status": status, "blocked": blocked, "band": band}
    if band:
        found = await ask.get("/v1/reports/margin-levels", band=band, after=after or None, limit=ROWS)
        show(_wallets(found, stated, after))
    else:
        which = {"status": status or None, "blocked": blocked or None, "after": after or None}
        show(_accounts(await ask.get("/v1/accounts", **which, limit=ROWS), stated, after))


def _filters(status: str, blocked: str, band: str) -> Markup:
    fields = (
        chosen("Status", "status", any_of(STATUSES), status),
        chosen("Freeze blocks", "blocked", any_of(CAPABILITIES), blocked),
        chosen("Wallets in band", "band", any_of(BANDS), band),
    )
    return asked_by("/accounts", *fields, reset=link("All accounts", "/accounts") if status or blocked or band else "")


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
    title = f"Wallets in {stated['band'].replace('_', ' ')}"
    whole = card(
        title, owing_table(found["wallets"], "No wallet that owes is in this band now."), wide=True, hint=VALUED
    )
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
