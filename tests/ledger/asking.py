"""What is asked, one word a command: the fields that clients send, without account and key."""

from datetime import datetime
from typing import Any

Asked = dict[str, Any]


def deposit(amount: str, asset: str, **fields: Any) -> Asked:
    return {"type": "deposit", "amount": amount, "asset": asset, **fields}


def request_withdrawal(amount: str, asset: str, withdrawal_id: str = "W1") -> Asked:
    return {"type": "request_withdrawal", "amount": amount, "asset": asset, "withdrawal_id": withdrawal_id}


def settle(withdrawal_id: str = "W1") -> Asked:
    return {"type": "settle_withdrawal", "withdrawal_id": withdrawal_id}


def cancel(withdrawal_id: str = "W1") -> Asked:
    return {"type": "cancel_withdrawal", "withdrawal_id": withdrawal_id}


def transfer(amount: str, asset: str, source: str = "spot", target: str = "cross") -> Asked:
    return {"type": "transfer", "amount": amount, "asset": asset, "from": source, "to": target}


def send(amount: str, asset: str, to: str = "bob") -> Asked:
    return {"type": "send", "amount": amount, "asset": asset, "to_account_id": to}


def add_margin(amount: str, asset: str, pair: str = "BTC/USDT", source: str = "spot") -> Asked:
    return {"type": "add_margin", "amount": amount, "asset": asset, "pair": pair, "from": source}


def remove_margin(amount: str, asset: str, pair: str = "BTC/USDT", target: str = "spot") -> Asked:
    return {"type": "remove_margin", "amount": amount, "asset": asset, "pair": pair, "to": target}


def set_mode(mode: str, pair: str = "BTC/USDT") -> Asked:
    return {"type": "set_margin_mode", "mode": mode, "pair": pair}


def set_leverage(leverage: str, wallet: str = "cross") -> Asked:
    return {"type": "set_leverage", "leverage": leverage, "wallet": wallet}


def borrow(amount: str, asset: str, wallet: str = "cross", **fields: Any) -> Asked:
    return {"type": "borrow", "amount": amount, "asset": asset, "wallet": wallet, **fields}


def repay(amount: str, asset: str, wallet: str = "cross", **fields: Any) -> Asked:
    return {"type": "repay", "amount": amount, "asset": asset, "wallet": wallet, **fields}


def accrue(hour: datetime, **fields: Any) -> Asked:
    return {"type": "accrue_interest", "hour": hour.isoformat(), **fields}


def hold(amount: str, asset: str, wallet: str = "spot", hold_id: str = "H1") -> Asked:
    return {"type": "place_hold", "amount": amount, "asset": asset, "wallet": wallet, "hold_id": hold_id}


def release(hold_id: str = "H1") -> Asked:
    return {"type": "release_hold", "hold_id": hold_id}


def fill(side: str, quantity: str, price: str, pair: str = "BTC/USDT", **fields: Any) -> Asked:
    """A fill without a fee, in the wallet of the pair's mode, unless told."""
    fee = {"fee": "0", "fee_asset": pair.partition("/")[2], "trade_id": "T1", **fields}
    return {"type": "book_fill", "side": side, "quantity": quantity, "price": price, "pair": pair, **fee}


def trade(quantity: str, price: str, buyer: Asked, seller: Asked, pair: str = "BTC/USDT", **fields: Any) -> Asked:
    terms = {"quantity": quantity, "price": price, "pair": pair, "trade_id": "T1", **fields}
    sides = {"buyer": {"fee": "0", "fee_asset": "USDT", **buyer}, "seller": {"fee": "0", "fee_asset": "USDT", **seller}}
    return {"type": "book_trade", **terms, **sides}


def examine(wallet: str = "cross", **fields: Any) -> Asked:
    return {"type": "examine", "wallet": wallet, **fields}


def liquidate(wallet: str = "cross", execution: str = "house") -> Asked:
    return {"type": "liquidate", "wallet": wallet, "execution": execution}
