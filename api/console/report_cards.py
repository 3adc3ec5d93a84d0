"""Each report as cards: its figures and its tables."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any
from urllib.parse import urlencode

from api.asking import MOST_ROWS
from api.console.reporting import Query
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
    link,
    liquidation_link,
    moment,
    share_bar,
    table,
    tag,
    wallet_name,
)

Answer = dict[str, Any]

MOST_DEBTORS = 12
VALUED = "values in USDT, at the prices last marked"
ACCOUNT, WALLET, ASSET = Column("Account"), Column("Wallet"), Column("Asset")


def trial_balance_cards(answer: Answer, query: Query) -> Markup:
    """Every book in every asset, one column an asset; a book of the house leads to its lines."""
    assets = answer["assets"]
    off = [asset for asset, sums in assets.items() if sums["total"] != "0"]
    verdict = tag("span", f"off in {', '.join(off)}" if off else "balanced", class_="bad" if off else "good")
    books = sorted({book for sums in assets.values() for book in sums["books"]})
    rows: list[list[object]] = [
        [_named(book), *(_book_sum(book, asset, sums["books"].get(book), query) for asset, sums in assets.items())]
        for book in books
    ]
    rows.append([tag("b", "total"), *(amount(sums["total"]) for sums in assets.values())])
    columns = [Column("Book"), *(Column(asset, True) for asset in assets)]
    hint = "what stands in all books of a kind; customers' debts are below zero"
    return card(
        joined("Sums of all books: ", verdict), table(columns, rows, "Nothing was moved yet."), wide=True, hint=hint
    )


def _named(book: str) -> str:
    return book.replace("accounts/", "all accounts: ")


def _book_sum(book: str, asset: str, held: str | None, query: Query) -> Markup:
    """A sum; that of one book of the house is a link to its lines, newest first."""
    if held is None or book.startswith("accounts/"):
        return amount(held)
    asked = {**{name: value for name, value in query.items() if value}, "book": book, "asset": asset, "order": "desc"}
    return link(amount(held), f"/reports/book?{urlencode(asked)}")


def book_cards(answer: Answer, _: Query) -> Markup:
    return card(f"{answer['book']} in {answer['asset']}", _lines(answer["lines"], of_one_book=True), wide=True)


def statement_cards(answer: Answer, _: Query) -> Markup:
    title = joined("Statement of ", account_link(answer["account_id"]))
    return card(title, _lines(answer["lines"], of_one_book=False), wide=True)


def _lines(lines: Iterable[Answer], *, of_one_book: bool) -> Markup:
    rows = [
        (
            event_link(one["position"]),
            moment(one["recorded_at"]),
            moment(one["effective_at"]),
            joined(one["topic"], _correction(one)),
            *(() if of_one_book else (_book(one), one["asset"])),
            amount(one["amount"]),
            amount(one["balance"]),
        )
        for one in lines
    ]
    books = [] if of_one_book else [Column("Book"), ASSET]
    start = [Column("Position", True), Column("Recorded"), Column("Dated"), Column("Event")]
    columns = [*start, *books, Column("Amount", True), Column("Balance", True)]
    return table(columns, rows, "No line: nothing was booked here within what was asked.")


def _book(line: Answer) -> str:
    part = "" if line["part"] == "free" else f" {line['part']}"
    return wallet_name(line["wallet"]) + part


def _correction(line: Answer) -> Markup:
    """What a line's event takes back, or what took it back, or the adjustment that it is of."""
    for name, said in (("reverses", "reverses"), ("reversed_by", "reversed by")):
        if line.get(name) is not None:
            return tag("div", joined(said, " ", event_link(line[name])), class_="note")
    return tag("div", line["reason_code"].replace("_", " "), class_="note") if line.get("reason_code") else joined("")


def loan_cards(answer: Answer, _: Query) -> Markup:
    totals = [
        (one["asset"], f"{one['loans']:,}", amount(one["principal"]), amount(one["interest"]))
        for one in answer["totals"]
    ]
    of_all = [ASSET, Column("Loans", True), Column("Principal", True), Column("Interest", True)]
    rows = [
        (
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            one["asset"],
            amount(one["principal"]),
            amount(one["interest"]),
            moment(one.get("next_hour")),
        )
        for one in answer["loans"]
    ]
    columns = [ACCOUNT, WALLET, ASSET, *of_all[2:], Column("Next hour charged")]
    return joined(
        card("By asset", table(of_all, totals, "Nobody owes anything."), wide=True),
        card("Open debts", table(columns, rows, "No debt is as was asked."), wide=True),
    )


def level_cards(answer: Answer, _: Query) -> Markup:
    total = sum(answer["bands"].values())
    counts = [
        (link(band(name), f"/reports/margin-levels?band={name}"), share_bar(count, total, name), f"{count:,}")
        for name, count in answer["bands"].items()
    ]
    by_band = [Column("Band"), Column("Share"), Column("Wallets", True)]
    return joined(
        card("By band", table(by_band, counts, "No wallet owes anything."), wide=True, hint=f"{total:,} wallets owe"),
        card("Wallets that owe", owing_table(answer["wallets"], "No wallet is in this band."), wide=True, hint=VALUED),
    )


def owing_table(wallets: Iterable[Answer], empty: str) -> Markup:
    """Wallets that owe, with their levels and what they are worth."""
    rows = [
        (
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            joined(band(one["band"]), lacking_note(one)),
            one["margin_level"],
            amount(one["total_assets"]),
            amount(one["total_debt"]),
            amount(one["equity"]),
        )
        for one in wallets
    ]
    figures = [Column(title, True) for title in ("Level", "Assets", "Debt", "Equity")]
    return table([ACCOUNT, WALLET, Column("Band"), *figures], rows, empty)


def lacking_note(wallet: Answer) -> Markup:
    """Of which assets a wallet has no fresh price, for lack of which nobody examines it."""
    lacking = ", ".join(wallet["lacking_prices"])
    return tag("div", f"no fresh price of {lacking}", class_="note") if lacking else joined("")


def insurance_cards(answer: Answer, _: Query) -> Markup:
    held = [(asset, amount(value)) for asset, value in answer["assets"].items()]
    rows = [
        (
            event_link(one["position"]),
            liquidation_link(one["liquidation_id"]),
            wallet_name(one["wallet"]),
            amount(one["value"]),
            amount(one["uncovered"]),
            amount(one["uncovered_so_far"]),
        )
        for one in answer["uncovered_deficits"]
    ]
    columns = [Column("Position", True), Column("Liquidation"), WALLET]
    columns += [Column(title, True) for title in ("Deficit", "Uncovered", "Uncovered so far")]
    total = joined(amount(answer["uncovered_total"], "USDT"), " in all")
    return joined(
        card("The fund holds", table([ASSET, Column("Holds", True)], held, "Nothing is in the fund.")),
        card("Deficits it could not cover", table(columns, rows, "Every deficit was covered."), wide=True, hint=total),
    )


def exposure_cards(answer: Answer, _: Query) -> Markup:
    near = answer["near"]
    figures = (
        figure("Wallets near", f"{near['count']:,}", f"within {near['within_percent']} % of their liquidation"),
        figure("They owe", amount(near["debt_value"], "USDT")),
        figure("Lack a price", f"{answer['unpriced']:,}", "wallets that cannot be examined"),
    )
    return joined(
        card("How near", tag("div", joined(*figures), class_="figures-row"), wide=True),
        card("Positions by pair, in USDT", _sides(answer["pairs"]), wide=True),
        card("Nearest to liquidation", _near(near["wallets"]), wide=True),
        card("Concentration", _concentration(answer["concentration"]), hint="by account"),
        card("Largest debtors, in USDT", _debtors(answer["debtors"]), hint=f"the file has the largest {MOST_ROWS:,}"),
    )


def _sides(pairs: Answer) -> Markup:
    rows = [
        (pair, *(amount(one[side]["value"]) for side in ("long", "short", "net")), amount(one["net"]["quantity"]))
        for pair, one in pairs.items()
    ]
    columns = [Column("Pair"), *(Column(title, True) for title in ("Long", "Short", "Net", "Net quantity"))]
    return table(columns, rows, "No position is open.")


def _concentration(concentration: Answer) -> Markup:
    rows = [
        (f"{kind}, {asset}", f"{one['accounts']:,}", *(percent(one[name]) for name in ("top_1", "top_5", "top_10")))
        for kind, assets in concentration.items()
        for asset, one in assets.items()
    ]
    columns = [Column("Of"), *(Column(title, True) for title in ("Accounts", "Largest", "Largest 5", "Largest 10"))]
    return table(columns, rows, "Nobody owes anything.")


def percent(part: str | None) -> str | None:
    """A part of 1, of 8 decimals, in per cent cut after two: what is not all is never told as all."""
    if part is None:
        return None
    hundredths = Decimal(part).scaleb(4).to_integral_value(ROUND_DOWN)
    return f"{hundredths.scaleb(-2):.2f}%"


def _debtors(debtors: Sequence[Answer]) -> Markup:
    rows = [
        (account_link(one["account_id"]), amount(one["debt_value"]), amount(one["collateral_value"]))
        for one in debtors[:MOST_DEBTORS]
    ]
    return table([ACCOUNT, Column("Owes", True), Column("Collateral", True)], rows, "Nobody owes anything.")


def _near(wallets: Iterable[Answer]) -> Markup:
    rows = [
        (
            account_link(one["account_id"]),
            wallet_name(one["wallet"]),
            band(one["band"]),
            one["margin_level"],
            f"{one['move_percent']} %",
        )
        for one in wallets
    ]
    columns = [ACCOUNT, WALLET, Column("Band"), Column("Level", True), Column("Prices move", True)]
    return table(columns, rows, "No wallet is that near.")
