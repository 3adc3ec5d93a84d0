"""The story that the console is looked at with: traders near and over their lines, and accounts to act on."""

from typing import Any

from tests.api.house import House, deposit, open_account, opened_market, wait_until

LONG_TRAIL_EVENTS = 620
TRADER, LIQUIDATED, CALLED = "alice", "lucy", "mary"

Command = dict[str, Any]

LONG = {"trade_id": "btc-1", "side": "buy", "quantity": "0.1234", "price": "50010.5", "fee": "1.25"}


def tell(house: House) -> None:
    """Alice trades on cross and isolated margin; the risk engine liquidates lucy with a deficit, and calls mary."""
    opened_market(house)
    house.send({"type": "fund_insurance", "asset": "USDT", "amount": "5000", "idempotency_key": "fund"})
    house.send(open_account("paul"), *(deposit("paul", f"0.0{n % 9 + 1}", f"p{n}") for n in range(LONG_TRAIL_EVENTS)))
    house.send(*_of_alice())
    house.send(*_short(LIQUIDATED, margin="100"), *_short(CALLED, margin="187"))
    house.send(_marked(BTC="51000", ETH="2050"))
    house.send({"type": "repay", **_of(TRADER, "r1"), "wallet": "cross", "asset": "USDT", "amount": "500"})
    house.send(_marked(BTC="49500.5", ETH="2510"))
    wait_until(lambda: _is_over(house))
    house.send(*(one for name in ("olga", "petra", "rita") for one in (open_account(name), deposit(name, "100", "d1"))))


def _is_over(house: House) -> bool:
    found = house.get(f"/v1/liquidations?account_id={LIQUIDATED}&status=completed").json()["liquidations"]
    called = house.get(f"/v1/margin-calls?account_id={CALLED}").json()["margin_calls"]
    return bool(found and called)


def _of(account_id: str, key: str) -> Command:
    return {"account_id": account_id, "idempotency_key": key}


def _marked(**prices: str) -> Command:
    return {
        "type": "mark_prices",
        "prices": {f"{asset}/USDT": price for asset, price in prices.items()},
        "source": "story",
    }


def _of_alice() -> list[Command]:
    """A pool that owes, a bucket that is long, an order that waits and a withdrawal."""
    usdt, bucket = {"asset": "USDT"}, {"pair": "BTC/USDT"}
    fill = {"type": "book_fill", "account_id": TRADER, "fee_asset": "USDT", "auto_borrow": True}
    return [
        open_account(TRADER),
        deposit(TRADER, "12345.67891234", "d1"),
        deposit(TRADER, "0.5", "d2", "BTC"),
        {"type": "transfer", **_of(TRADER, "t1"), **usdt, "from": "spot", "to": "cross", "amount": "4000"},
        {"type": "borrow", **_of(TRADER, "b1"), **usdt, "wallet": "cross", "amount": "2000.5"},
        {
            **fill,
            "trade_id": "eth-1",
            "pair": "ETH/USDT",
            "side": "buy",
            "quantity": "1.5",
            "price": "2000",
            "fee": "3",
        },
        {"type": "set_margin_mode", **_of(TRADER, "m1"), **bucket, "mode": "isolated"},
        {"type": "add_margin", **_of(TRADER, "a1"), **bucket, **usdt, "amount": "1500"},
        {**fill, **bucket, **LONG},
        {"type": "place_hold", "account_id": TRADER, "hold_id": "h1", "wallet": "spot", **usdt, "amount": "100.25"},
        {"type": "request_withdrawal", "account_id": TRADER, "withdrawal_id": "w1", **usdt, "amount": "50"},
    ]


def _short(account_id: str, margin: str) -> list[Command]:
    """0.2 ETH sold at 2,000 on isolated margin: 500 or 587 against 0.2 ETH, which at 2,510 are 502."""
    bucket = {"account_id": account_id, "pair": "ETH/USDT"}
    sold = {"side": "sell", "quantity": "0.2", "price": "2000", "fee": "0", "fee_asset": "USDT", "auto_borrow": True}
    return [
        open_account(account_id),
        deposit(account_id, margin, "d1"),
        {"type": "set_margin_mode", **bucket, "mode": "isolated", "idempotency_key": "m1"},
        {"type": "add_margin", **bucket, "asset": "USDT", "amount": margin, "idempotency_key": "a1"},
        {"type": "book_fill", **bucket, "trade_id": f"short-{account_id}", **sold},
    ]
