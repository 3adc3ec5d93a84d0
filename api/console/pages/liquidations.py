"""Liquidations and margin calls, the newest first."""

from api.console.asking import Asker
from api.console.causes import margin_call_link
from api.console.doors import console_page
from api.console.endless import Endless, Row, scroll_on
from api.console.forms import any_of, asked_by, chosen, written
from api.console.frame import show
from api.console.writing import (
    Column,
    Markup,
    account_link,
    amount,
    event_link,
    joined,
    link,
    liquidation_link,
    moment,
    tabs,
    tag,
    wallet_name,
)

LIQUIDATION_COLUMNS = [
    Column("Liquidation"),
    Column("Started", True),
    Column("Counts from"),
    Column("Account"),
    Column("Wallet"),
    Column("Level", True),
    Column("Debt, USDT", True),
    Column("Covered, USDT", True),
    Column("Status"),
]
CALL_COLUMNS = [
    Column("Called", True),
    Column("Counts from"),
    Column("Account"),
    Column("Wallet"),
    Column("Level", True),
    Column("Call line", True),
    Column("Debt, USDT", True),
]
NONE_SUCH = "No liquidation is like that. Leave a filter out."
NONE_YET = "No wallet was ever liquidated; the first liquidation will stand here."


def _liquidation_cells(one: Row) -> tuple[object, ...]:
    return (
        liquidation_link(one["liquidation_id"]),
        event_link(one["started_position"]),
        moment(one["started_at"]),
        account_link(one["account_id"]),
        wallet_name(one["wallet"]),
        one["started"]["level"],
        amount(one["started"]["debt"]),
        amount(one["deficit_value"]),
        _status(one),
    )


def _status(one: Row) -> Markup:
    """Running, overdue, or completed, and what the insurance fund could not pay."""
    if one["overdue"]:
        return tag("span", "overdue", class_="bad")
    if one["status"] == "running":
        return tag("span", "running", class_="warn")
    unpaid = one["uncovered_deficit"] != "0"
    return joined("completed", tag("span", f", {one['uncovered_deficit']} uncovered", class_="bad") if unpaid else "")


def _call_cells(one: Row) -> tuple[object, ...]:
    return (
        margin_call_link(one["account_id"], one["position"], f"{one['position']:,}"),
        moment(one["effective_at"]),
        account_link(one["account_id"]),
        wallet_name(one["wallet"]),
        one["level"],
        one["threshold"],
        amount(one["debt"]),
    )


LIQUIDATIONS = Endless(
    asked="/v1/liquidations",
    named="liquidations",
    page="/liquidations",
    columns=LIQUIDATION_COLUMNS,
    cells=_liquidation_cells,
    place=lambda one: int(one["started_position"]),
    filters=("account_id", "status", "overdue"),
)
CALLS = Endless(
    asked="/v1/margin-calls",
    named="margin_calls",
    page="/margin-calls",
    columns=CALL_COLUMNS,
    cells=_call_cells,
    place=lambda one: int(one["position"]),
    filters=("account_id",),
)
LIQUIDATIONS.serve()
CALLS.serve()


@console_page("/liquidations", "Liquidations")
async def liquidations(ask: Asker, account_id: str = "", state: str = "") -> None:
    """The list; `state` is running, overdue or completed, as the address has it."""
    only = {"account_id": account_id.strip()} if account_id.strip() else {}
    if state == "overdue":
        only["overdue"] = "true"
    elif state:
        only["status"] = state
    show(joined(between("/liquidations"), _form("/liquidations", account_id.strip(), state)))
    scroll_on()
    found = await LIQUIDATIONS.table(ask, only, NONE_SUCH if only else NONE_YET)
    show(tag("section", found, class_="card wide stack"))


@console_page("/margin-calls", "Margin calls")
async def margin_calls(ask: Asker, account_id: str = "") -> None:
    """The list of all calls, or of an account's."""
    only = {"account_id": account_id.strip()} if account_id.strip() else {}
    show(joined(between("/margin-calls"), _form("/margin-calls", account_id.strip())))
    scroll_on()
    found = await CALLS.table(
        ask, only, "No wallet was called." if not only else "No wallet of this account was called."
    )
    show(tag("section", found, class_="card wide stack"))


def between(here: str) -> Markup:
    """The way between liquidations and margin calls."""
    places = (("/liquidations", "Liquidations"), ("/margin-calls", "Margin calls"))
    return tabs([(title, path, path == here) for path, title in places], "Liquidations and margin calls")


def _form(path: str, account_id: str, state: str | None = None) -> Markup:
    """Filters by account and, for liquidations, by how they stand."""
    fields = [written("Account", "account_id", account_id, "any")]
    if state is not None:
        fields.append(chosen("How it stands", "state", any_of(("running", "overdue", "completed")), state))
    return asked_by(path, *fields, reset=link("Show all", path) if account_id or state else "")
