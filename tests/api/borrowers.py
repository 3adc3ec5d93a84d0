"""Accounts that owe USDT against BTC in a house, and what the risk engine did to them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger.events import LiquidationStarted
from ledger.log import read_log
from ledger.postgres import connect
from tests.api.house import House, deposit, open_account

START = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def wallet_command(account_id: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "account_id": account_id, "idempotency_key": kind, "effective_at": stamp(START), **fields}


def let_borrow(house: House, owed: Sequence[tuple[str, int]]) -> None:
    """Opens accounts that have 1 BTC in the cross pool and owe so much USDT, which they keep there."""
    house.send(*(one for name, _ in owed for one in (open_account(name), deposit(name, "1", "d1", "BTC"))))
    house.send(
        *(
            one
            for name, amount in owed
            for one in (
                wallet_command(name, "transfer", asset="BTC", amount="1", **{"from": "spot", "to": "cross"}),
                wallet_command(name, "borrow", wallet="cross", asset="USDT", amount=str(amount)),
            )
        )
    )


def crowd(count: int) -> list[tuple[str, int]]:
    """So many accounts that all cross their line at a price of 8,500, the second half owing as much as the first."""
    half = (count + 1) // 2
    return [(f"b{number:04d}", 86_000 + number % half) for number in range(count)]


def mark(house: House, price: str, at: datetime) -> None:
    house.send({"type": "mark_prices", "prices": {"BTC/USDT": price}, "source": "test", "effective_at": stamp(at)})


def events_of(house: House, account_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = house.get(f"/v1/accounts/{account_id}/events").json()["events"]
    return events


def topics_of(house: House, account_id: str) -> list[str]:
    return [event["topic"] for event in events_of(house, account_id)]


def liquidations_of(url: str) -> list[LiquidationStarted]:
    """Every liquidation that was started, in log order."""
    with connect(url) as connection:
        events = [one.event for one in read_log(connection, 0, 1_000_000)]
    return [event for event in events if isinstance(event, LiquidationStarted)]


def most_under_water_first(owed: Sequence[tuple[str, int]]) -> list[str]:
    """The accounts of a crowd in the order in which they are liquidated: who owes most, then by id."""
    return [name for name, _ in sorted(owed, key=lambda one: (-one[1], one[0]))]


def levels_of(started: Sequence[LiquidationStarted]) -> list[Decimal]:
    return [Decimal(one.level or 0) for one in started]
