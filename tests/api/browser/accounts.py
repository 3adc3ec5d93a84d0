"""What the page of an account must show, worked out from the API's answer about the same position."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.api.browser.shown import Card, Row

Answer = Mapping[str, Any]

PARTS = ("free", "locked", "borrowed", "interest", "net")
NOTHING = "–"


def require_as_answered(shown: Mapping[str, Card], account: Answer) -> int:
    """Every number of the wallets and positions is that of the answer; how many numbers were compared."""
    prices = {pair: Fraction(one["price"]) for pair, one in account["prices"].items()}
    spot = {row["Asset"]: (row["Free"], row["Locked"]) for row in _rows(shown["Spot"])}
    assert spot == {asset: (one["free"], one["locked"]) for asset, one in account["spot"].items()}
    cross = {pair: price for pair, price in account["cross"]["liquidation_prices"].items() if price}
    compared = 2 * len(spot) + _require_wallet(shown["Cross pool"], account["cross"], cross, account, prices)
    for pair, bucket in account["isolated"].items():
        lines = {pair: bucket["liquidation_price"]} if bucket["liquidation_price"] else {}
        compared += _require_wallet(shown[f"Isolated {pair}"], bucket, lines, account, prices)
    assert {title for title in shown if title.startswith("Isolated ")} == {f"Isolated {p}" for p in account["isolated"]}
    return compared + _require_positions(shown["Positions"], account, prices)


def _rows(card: Card) -> list[Row]:
    return card.tables[0] if card.tables else []


def _require_wallet(
    card: Card, wallet: Answer, lines: Mapping[str, str], account: Answer, prices: Mapping[str, Fraction]
) -> int:
    """Figures, gauge, liquidation prices and assets of one margin wallet."""
    sums = {"Assets": "total_assets", "Debt": "total_debt", "Equity": "equity"}
    figures = {title: cut(wallet[name], 2) for title, name in sums.items()}
    levels = {"Level": wallet["margin_level"], "Collateral level": wallet.get("collateral_margin_level")}
    figures |= {title: cut(level, 4) for title, level in levels.items() if level is not None}
    assert card.figures == figures
    assert card.gauge == _gauge(wallet)
    assert wallet["band"].replace("_", " ") in card.text
    shown_lines = [row for table in card.tables for row in table if "Liquidation price" in row]
    assert shown_lines == [
        {
            "Liquidation price": pair,
            "At": price,
            "Price": f"{_plain(prices[pair])}\n{marked_at(account['prices'][pair])}",
            "Away": percent(Fraction(price) - prices[pair], prices[pair]),
        }
        for pair, price in lines.items()
    ]
    return len(figures) + 3 * len(lines) + _require_assets(card, wallet["assets"])


def _gauge(wallet: Answer) -> str | None:
    """What the gauge says to who does not see it: the level; where there is no debt, that."""
    if wallet["margin_level"]:
        return f"level {wallet['margin_level']}"
    return "nothing is owed" if wallet["assets"] else None


def _require_assets(card: Card, assets: Answer) -> int:
    """Each amount that is shown is the answer's; what is not shown is zero."""
    rows = {row["Asset"]: row for table in card.tables for row in table if "Asset" in row}
    assert set(rows) <= set(assets)
    amounts = {(asset, part): rows.get(asset, {}).get(part.capitalize(), "0") for asset in assets for part in PARTS}
    assert amounts == {(asset, part): assets[asset][part] for asset in assets for part in PARTS}
    return len(amounts)


def _require_positions(card: Card, account: Answer, prices: Mapping[str, Fraction]) -> int:
    expected = []
    for one in account["positions"]:
        quantity, profit = one["quantity"], one["unrealised_profit"]
        cost = abs(Fraction(quantity) * Fraction(one["entry_price"]))
        expected.append(
            {
                "Pair": one["pair"],
                "Wallet": "cross" if one["wallet"] == "cross" else "isolated",
                "Side": "short" if quantity.startswith("-") else "long",
                "Quantity": quantity.removeprefix("-"),
                "Entry": one["entry_price"],
                "Price": f"{_plain(prices[one['pair']])}\n{marked_at(account['prices'][one['pair']])}",
                "Unrealised": signed(profit),
                "": percent(Fraction(profit), cost),
                "Realised": signed(one["realised_profit"]),
            }
        )
    assert _rows(card) == expected
    return 6 * len(expected)


def cut(amount: str, decimals: int) -> str:
    """An amount without the decimals after so many."""
    whole, point, rest = amount.partition(".")
    return f"{whole}{point}{rest[:decimals]}"


def signed(amount: str) -> str:
    """A change as pages write it."""
    if not amount.strip("-0."):
        return NOTHING
    return amount if amount.startswith("-") else f"+{amount}"


def marked_at(price: Answer) -> str:
    """When a price was marked, as pages write times."""
    return f"{datetime.fromisoformat(price['effective_at']):%Y-%m-%d %H:%M:%S}"


def percent(part: Fraction, whole: Fraction) -> str:
    """A share at two decimals, with its sign."""
    share = part / whole * 100
    return f"{'-' if share < 0 else '+' if share > 0 else ''}{float(abs(round(share, 2))):.2f} %"


def _plain(price: Fraction) -> str:
    """A price of the story, which has two decimals at most, as the ledger writes it."""
    return f"{float(price):f}".rstrip("0").rstrip(".")
