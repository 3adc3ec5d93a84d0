"""Who is liquidated in the storm: buckets and pools on borrowed money, all of which one price vector brings down."""

from collections.abc import Iterator

from benchmarks.market import ISOLATED_PAIR, QUOTE, Asked, listings

FURTHER_PAIRS = 47
"""With these a price vector has 50 pairs, and every liquidation stores all of it."""
CRASH = {ISOLATED_PAIR: "32000"}
"""At 50,000 all are well above their lines, at this price all are below."""
SIZES = 500
"""How many different debts there are: so that many wallets stand at the same level, and their ids decide."""
POOLS_OF_TEN = 3
CUSTOMERS = 1_000


def borrower(number: int) -> str:
    """The id of an account that is liquidated."""
    return f"borrower-{number:05d}"


def customer(number: int) -> str:
    """The id of an account of somebody who only sends commands meanwhile."""
    return f"customer-{number:04d}"


def commands_of_storm(borrowers: int) -> Iterator[Asked]:
    """Every command of the set-up: the market, the borrowers, the customers."""
    yield from listings()
    yield from _further_pairs()
    yield {"type": "mark_prices", "prices": {ISOLATED_PAIR: "50000"}, "source": "benchmark"}
    for number in range(borrowers):
        account_id = borrower(number)
        yield from _funded(account_id)
        pooled = number % 10 < POOLS_OF_TEN
        yield from _into_the_pool(account_id, number) if pooled else _into_a_bucket(account_id, number)
        yield {
            "type": "book_fill",
            "account_id": account_id,
            "trade_id": "t",
            "pair": ISOLATED_PAIR,
            "side": "buy",
            "quantity": "0.1",
            "price": "50000",
            "fee": "0",
            "fee_asset": QUOTE,
            "auto_borrow": True,
        }
    for number in range(CUSTOMERS):
        yield from _funded(customer(number))


def _further_pairs() -> Iterator[Asked]:
    prices = {}
    for number in range(FURTHER_PAIRS):
        symbol, pair = f"COIN{number}", f"COIN{number}/{QUOTE}"
        yield {
            "type": "list_asset",
            "asset": symbol,
            "scale": 8,
            "daily_interest_rate": "0.0002",
            "idempotency_key": f"list-{symbol}",
        }
        yield {
            "type": "list_pair",
            "pair": pair,
            "price_scale": 2,
            "max_leverage": "5",
            "idempotency_key": f"list-{pair}",
        }
        prices[pair] = f"{100 + number}.25"
    yield {"type": "mark_prices", "prices": prices, "source": "benchmark"}


def _funded(account_id: str) -> Iterator[Asked]:
    yield {"type": "open_account", "account_id": account_id}
    yield {"type": "deposit", "account_id": account_id, "asset": QUOTE, "amount": "10000", "deposit_id": "first"}


def _into_a_bucket(account_id: str, number: int) -> Iterator[Asked]:
    keyed = {"account_id": account_id, "pair": ISOLATED_PAIR, "idempotency_key": "mode"}
    yield {**keyed, "type": "set_margin_mode", "mode": "isolated"}
    margin = {"asset": QUOTE, "amount": str(1_000 + number % SIZES), "idempotency_key": "margin"}
    yield {**keyed, "type": "add_margin", **margin}


def _into_the_pool(account_id: str, number: int) -> Iterator[Asked]:
    yield {
        "type": "transfer",
        "account_id": account_id,
        "asset": QUOTE,
        "amount": f"{2_000 + number % SIZES / 10:.1f}",
        "from": "spot",
        "to": "cross",
        "idempotency_key": "cross",
    }
