"""Wallets at a liquidation line, and limits that close them out in part."""

from decimal import Decimal
from typing import Any

from ledger import events as e
from ledger.account import Account
from ledger.market import Market
from tests.ledger.given import given, market_after
from tests.ledger.happenings import (
    BTC_BUCKET,
    borrowed,
    deposited,
    margin_added,
    margin_removed,
    mode_set,
    opened,
    risk_limits,
    the_market,
    tier,
    transferred,
)

ROWS = (tier("3", "1.5", "1.3", "1.1"), tier("5", "1.25", "1.16", "1.1"))
TIERS = (
    tier("10", "1.2", "1.1", "1.05", base_limit="0.3", quote_limit="10000"),
    tier("5", "1.25", "1.15", "1.08", base_limit="1", quote_limit="30000"),
    tier("3", "1.5", "1.2", "1.12"),
)


def pool(eth: str = "22") -> Account:
    """It holds ether at 2,000 and owes 40,000 USDT: 22 ether are the liquidation line."""
    past = (opened(), deposited(eth, "ETH"), transferred(eth, "ETH"), borrowed("40000", "USDT"))
    return given(*past, transferred("40000", "USDT", "cross", "spot"))


def bucket(btc: str) -> Account:
    """It holds bitcoin at 50,000 and owes 40,000 USDT: its third tier."""
    past = (opened(), deposited(btc, "BTC"), mode_set("isolated"), margin_added(btc, "BTC"))
    return given(*past, borrowed("40000", "USDT", BTC_BUCKET), margin_removed("40000", "USDT"))


def aiming_at(target: str, **fields: Any) -> Market:
    return market_after(the_market(), risk_limits("cross", *ROWS, liquidation_target=target, **fields))


def tiered(**fields: Any) -> Market:
    return market_after(the_market(), risk_limits("BTC/USDT", *TIERS, **fields))


def fills(events: list[e.Event]) -> list[tuple[str, Decimal, str, Decimal, int | None]]:
    return [
        (event.asset, event.taken, event.debt_asset, event.interest + event.principal, event.to_tier)
        for event in events
        if isinstance(event, e.LiquidationFilled)
    ]


def end_of(events: list[e.Event]) -> e.LiquidationCompleted:
    assert isinstance(events[-1], e.LiquidationCompleted)
    return events[-1]
