"""Accounts that fell: on borrowed money while prices wander, then called, half of them liquidated."""

import random
from collections.abc import Iterator

from benchmarks.market import PRICE_MAX_AGE_SECONDS, QUOTE, Asked
from benchmarks.reading.vectors import MORE

PAIR = f"{MORE[0]}/{QUOTE}"
"""Nobody else trades it, so that its fall is nobody else's."""
WALLET = f"isolated:{PAIR}"
BEFORE, CALLED_AT, LIQUIDATED_AT = "100.00", "95.50", "92.00"
"""With a margin of 120 for 1,000 the level is 1.136, then 1.085 and 1.045; the lines are 1.09 and 1.05."""
MARGIN, QUANTITY = "120", "10"
VECTORS_EACH = 3
"""For each account so many vectors come between the loans and the fall, each a step of every story."""


def fallen(number: int) -> str:
    """The id of an account that fell."""
    return f"fallen-{number:04d}"


def requests_of_fallen(accounts: int, rng: random.Random) -> Iterator[list[Asked]]:
    """Every request in its order; prices each have one of their own, for those of one request are of one time."""
    age = {"scope": PAIR, "price_max_age_seconds": PRICE_MAX_AGE_SECONDS, "idempotency_key": "fallen-age"}
    yield [{"type": "set_risk_limits", **age}]
    yield _marked(BEFORE)
    yield from ([*_on_borrowed_money(fallen(number))] for number in range(accounts))
    yield from (_marked(f"{rng.choice((99, 100))}.{rng.randint(0, 99):02d}") for _ in range(VECTORS_EACH * accounts))
    yield _marked(CALLED_AT)
    yield [_examined(number) for number in range(accounts)]
    yield _marked(LIQUIDATED_AT)
    yield [_examined(number) for number in range(0, accounts, 2)]
    yield _marked(BEFORE)
    yield from ([*_left_open(fallen(number))] for number in range(accounts))


def _on_borrowed_money(account_id: str) -> Iterator[Asked]:
    yield {"type": "open_account", "account_id": account_id}
    yield {"type": "deposit", "account_id": account_id, "asset": QUOTE, "amount": "1000", "deposit_id": "first"}
    keyed = {"account_id": account_id, "pair": PAIR}
    yield {**keyed, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "mode"}
    yield {**keyed, "type": "add_margin", "asset": QUOTE, "amount": MARGIN, "idempotency_key": "margin"}
    fill = {"side": "buy", "quantity": QUANTITY, "price": BEFORE, "fee": "0", "fee_asset": QUOTE}
    yield {**keyed, "type": "book_fill", "trade_id": "t", **fill, "auto_borrow": True}


def _marked(price: str) -> list[Asked]:
    return [{"type": "mark_prices", "prices": {PAIR: price}, "source": "benchmark"}]


def _examined(number: int) -> Asked:
    return {"type": "examine", "account_id": fallen(number), "wallet": WALLET}


def _left_open(account_id: str) -> Iterator[Asked]:
    """What waits for somebody's hand: a withdrawal, a hold, an adjustment, a freeze."""
    moved = {"account_id": account_id, "asset": QUOTE}
    yield {**moved, "type": "request_withdrawal", "withdrawal_id": "w", "amount": "10"}
    yield {**moved, "type": "place_hold", "hold_id": "h", "wallet": "spot", "amount": "10"}
    adjusted = {
        "adjustment_id": "a",
        "wallet": "spot",
        "amount": "1",
        "reason_code": "compensation",
        "reason": "benchmark",
    }
    yield {**moved, "type": "propose_adjustment", **adjusted}
    frozen = {"account_id": account_id, "blocks": ["trade"], "reason": "benchmark", "idempotency_key": "frozen"}
    yield {"type": "freeze_account", **frozen}
