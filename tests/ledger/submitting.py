"""What tests send to a running Ledger, and how they read its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ledger import Ledger, Outcome, Recorded, Refused, parse_command
from ledger.log import log_end
from ledger.postgres import connect

USDT = {"type": "list_asset", "asset": "USDT", "scale": 6, "daily_interest_rate": "0.0002", "idempotency_key": "usdt"}
BTC = {"type": "list_asset", "asset": "BTC", "scale": 8, "daily_interest_rate": "0.0001", "idempotency_key": "btc"}
PAIR = {"type": "list_pair", "pair": "BTC/USDT", "price_scale": 2, "max_leverage": "5", "idempotency_key": "pair"}


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """A ledger with two assets, one pair, and the open accounts alice and bob."""
    with Ledger(url) as ledger:
        everything = ask(ledger, USDT, BTC, PAIR, opening("alice"), opening("bob"))
        assert all(isinstance(outcome, Recorded) for outcome in everything)
        yield ledger


def ask(ledger: Ledger, *commands: dict[str, Any], atomic: bool = False) -> list[Outcome]:
    """Submit commands as one request of the actor `test`."""
    return ledger.submit([parse_command(one) for one in commands], actor="test", atomic=atomic)


def ask_one(ledger: Ledger, command: dict[str, Any]) -> Outcome:
    (outcome,) = ask(ledger, command)
    return outcome


def opening(account_id: str) -> dict[str, Any]:
    return {"type": "open_account", "account_id": account_id}


def depositing(amount: str, key: str | None, account_id: str = "alice", **more: Any) -> dict[str, Any]:
    named = {} if key is None else {"idempotency_key": key}
    return {"type": "deposit", "account_id": account_id, "asset": "USDT", "amount": amount, **named, **more}


def sending(amount: str, key: str, source: str = "alice", target: str = "bob") -> dict[str, Any]:
    sent = {"account_id": source, "to_account_id": target, "asset": "USDT", "amount": amount}
    return {"type": "send", "idempotency_key": key, **sent}


def trading(trade_id: str, **more: Any) -> dict[str, Any]:
    """Alice buys 0.01 BTC of bob for 100 USDT in spot."""
    sides = {
        side: {"account_id": name, "fee": "0", "fee_asset": "USDT", "wallet": "spot"}
        for side, name in (("buyer", "alice"), ("seller", "bob"))
    }
    terms = {"trade_id": trade_id, "pair": "BTC/USDT", "quantity": "0.01", "price": "10000"}
    return {"type": "book_trade", **terms, **sides, **more}


def code(outcome: Outcome) -> str:
    """The code of a refusal, or how it was recorded."""
    if isinstance(outcome, Refused):
        return outcome.refusal.code
    return "replayed" if outcome.replayed else "recorded"


def free(ledger: Ledger, account_id: str, asset: str = "USDT") -> Decimal:
    return ledger.account(account_id).wallets.wallet("spot").balance(asset).free


def end_of(url: str) -> int:
    """The last position of the log."""
    with connect(url) as connection:
        return log_end(connection).position
