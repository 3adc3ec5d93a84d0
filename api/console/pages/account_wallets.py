"""The wallets of an account side by side: what each has and owes, its level on a gauge, its liquidation prices."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from api.console.pages.account_figures import (
    Prices,
    distance,
    level_shown,
    price_of,
    price_shown,
    share_in_percent,
    signed,
    worth,
)
from api.console.pages.account_gauge import gauge
from api.console.writing import Column, Markup, amount, band, card, figure, joined, moment, table, tag, wallet_name

Answer = Mapping[str, Any]
PARTS = ("free", "locked", "borrowed", "interest", "net")
ALWAYS = ("free", "net")
SUMS = (("total_assets", "Assets"), ("total_debt", "Debt"), ("equity", "Equity"))


def wallets_shown(account: Answer) -> Markup:
    """Spot, the cross pool and every bucket, each as a card beside the others."""
    prices = account["prices"]
    buckets = [_bucket(pair, bucket, prices, account) for pair, bucket in account["isolated"].items()]
    cards = joined(_spot(account["spot"]), _cross(account["cross"], prices), *buckets)
    return tag("div", cards, class_="cards")


def _spot(assets: Answer) -> Markup:
    rows = [(asset, amount(one["free"]), amount(one["locked"])) for asset, one in assets.items()]
    columns = [Column("Asset"), Column("Free", True), Column("Locked", True)]
    return card("Spot", table(columns, rows, "Nothing was ever in spot."), hint="unleveraged")


def _cross(pool: Answer, prices: Prices) -> Markup:
    lines = {pair: price for pair, price in pool["liquidation_prices"].items() if price}
    collateral = pool["collateral_margin_level"]
    further = [("Collateral level", level_shown(collateral))] if collateral else []
    return card(
        "Cross pool",
        joined(_level(pool, further, collateral), _tables(lines, prices, pool["assets"])),
        hint=joined(f"{pool['max_leverage']}x ", _judged(pool)),
    )


def _bucket(pair: str, bucket: Answer, prices: Prices, account: Answer) -> Markup:
    lines = {pair: bucket["liquidation_price"]} if bucket["liquidation_price"] else {}
    mode = "" if account["margin_modes"].get(pair) == "isolated" else " · mode is cross"
    return card(
        joined("Isolated ", pair),
        joined(_level(bucket, [], None), _tables(lines, prices, bucket["assets"])),
        hint=joined(f"tier {bucket['tier']} · {bucket['max_leverage']}x{mode} ", _judged(bucket)),
    )


def _level(wallet: Answer, further: list[tuple[str, Markup]], collateral: str | None) -> Markup:
    sums = [figure(title, worth(wallet[name])) for name, title in SUMS]
    more = [figure(title, value) for title, value in further]
    level = [] if wallet["margin_level"] is None else [figure("Level", level_shown(wallet["margin_level"]))]
    return joined(
        _gauge(wallet, collateral),
        _lacking(wallet),
        tag("div", joined(*level, *more, *sums), class_="figures-row small"),
    )


def _judged(wallet: Answer) -> Markup:
    """The band by the prices last marked; beside it that nobody acts on it while one of them is too old."""
    owes_unpriced = bool(wallet["lacking_prices"]) and wallet["band"] != "unpriced" and _owes(wallet)
    return joined(band(wallet["band"]), " ", band("unpriced") if owes_unpriced else "")


def _lacking(wallet: Answer) -> Markup:
    """Which prices are too old to decide on."""
    if not (wallet["lacking_prices"] and _owes(wallet)):
        return Markup("")
    of = ", ".join(wallet["lacking_prices"])
    words = (
        f"No fresh price of {of}: figures are at the prices last marked, and nobody examines this wallet until then."
    )
    return tag("p", words, class_="bad")


def _owes(wallet: Answer) -> bool:
    return any(one[part].strip("-0.") for one in wallet["assets"].values() for part in ("borrowed", "interest"))


def _gauge(wallet: Answer, collateral: str | None) -> Markup | str:
    """Without a pointer where nothing is owed; none where a price is lacking, or nothing was ever in the wallet."""
    if wallet["band"] == "unpriced" or not wallet["assets"]:
        return ""
    return gauge(wallet["margin_level"], wallet["lines"], collateral)


def _tables(lines: Mapping[str, str], prices: Prices, assets: Answer) -> Markup:
    return tag("div", joined(_liquidation_prices(lines, prices), _assets(assets)), class_="stack")


def _liquidation_prices(lines: Mapping[str, str], prices: Prices) -> Markup:
    """Each liquidation price beside the price now, and how far the one is from the other."""
    if not lines:
        return Markup("")
    rows = [
        (pair, amount(price), _dated_price(pair, prices), distance(price, price_of(pair, prices)))
        for pair, price in lines.items()
    ]
    columns = [Column("Liquidation price"), Column("At", True), Column("Price", True), Column("Away", True)]
    return table(columns, rows, "")


def _assets(assets: Answer) -> Markup:
    """What is in the wallet; assets and parts that are zero throughout are left out."""
    held = {asset: one for asset, one in assets.items() if any(one[part].strip("-0.") for part in PARTS)}
    parts = [part for part in PARTS if part in ALWAYS or any(one[part].strip("-0.") for one in held.values())]
    rows = [(asset, *(amount(one[part]) for part in parts)) for asset, one in held.items()]
    columns = [Column("Asset"), *(Column(part.capitalize(), True) for part in parts)]
    return table(columns, rows, "Empty: nothing is held, and nothing owed.")


def positions_shown(account: Answer) -> Markup:
    """Open positions with their profit, in the quote asset."""
    rows = [_position(one, account["prices"]) for one in account["positions"]]
    columns = [
        *(Column("Pair"), Column("Wallet"), Column("Side"), Column("Quantity", True), Column("Entry", True)),
        *(Column("Price", True), Column("Unrealised", True), Column("", True), Column("Realised", True)),
    ]
    return card("Positions", table(columns, rows, "No position is open."), wide=True, hint="profit before fees")


def _position(one: Answer, prices: Prices) -> tuple[object, ...]:
    quantity, profit = one["quantity"], one["unrealised_profit"]
    is_short = quantity.startswith("-")
    cost = abs(Fraction(quantity) * Fraction(one["entry_price"]))
    return (
        one["pair"],
        wallet_name(one["wallet"]) if one["wallet"] == "cross" else "isolated",
        tag("span", "short" if is_short else "long", class_="loss" if is_short else "gain"),
        amount(quantity.removeprefix("-")),
        amount(one["entry_price"]),
        _dated_price(one["pair"], prices),
        signed(profit),
        None if profit is None else share_in_percent(Fraction(profit), cost),
        signed(one["realised_profit"]),
    )


def _dated_price(pair: str, prices: Prices) -> Markup:
    """A price, and the business time of it, for a quotient of two that of the older."""
    times = [one["effective_at"] for name, one in prices.items() if name.split("/")[0] in pair.split("/")]
    oldest = min(times, key=datetime.fromisoformat, default=None)
    return joined(price_shown(pair, prices), tag("div", moment(oldest), class_="note") if oldest else "")


def is_anything_locked(account: Answer) -> bool:
    """Whether funds are locked anywhere: then there are holds or withdrawals to be shown."""
    wallets = [account["spot"], account["cross"]["assets"], *(one["assets"] for one in account["isolated"].values())]
    return any(one["locked"].strip("0.") for assets in wallets for one in assets.values())


def locked_shown(holds: Sequence[Answer], withdrawals: Sequence[Answer], is_whole: bool = True) -> Markup:
    """What funds are locked for: open orders, and withdrawals that wait."""
    columns = [Column("For"), Column("Id"), Column("Wallet"), Column("Locked", True), Column("Since")]
    rows = [*_holds(holds), *_withdrawals(withdrawals)]
    hint = "" if is_whole else f"the first {len(rows):,}; GET /v1/holds and GET /v1/withdrawals have them all"
    return card("Locked funds", table(columns, rows, ""), wide=True, hint=hint) if rows else Markup("")


def _holds(holds: Sequence[Answer]) -> Iterator[tuple[object, ...]]:
    for one in holds:
        left = amount(one["amount"], one["asset"])
        yield "open order", one["hold_id"], wallet_name(one["wallet"]), left, None


def _withdrawals(withdrawals: Sequence[Answer]) -> Iterator[tuple[object, ...]]:
    for one in withdrawals:
        waits = amount(one["amount"], one["asset"])
        yield "withdrawal", one["withdrawal_id"], "spot", waits, moment(one["requested_at"])
