"""A margin wallet as its row keeps it: balances by asset, with the first uncharged hour of each debt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from ledger.wallets import Balance, Wallet


def wallet_of(name: str, balances: Mapping[str, Sequence[str | None]]) -> Wallet:
    """The wallet that a row's `balances` tell of: free, locked, borrowed, interest and hour, by asset."""
    wallet = Wallet(name)
    for asset, (*amounts, hour) in balances.items():
        wallet.balances[asset] = Balance(*(Decimal(amount) for amount in amounts if amount is not None))
        if hour is not None:
            wallet.next_hours[asset] = datetime.fromisoformat(hour)
    return wallet


def balances_of(wallet: Wallet) -> str:
    """The balances of a wallet as JSON: four amounts and the first uncharged hour by asset, in order of symbol."""
    written, hours = [], wallet.next_hours
    for asset, (free, locked, borrowed, interest) in sorted(wallet.balances.items()):
        hour = f'"{hours[asset].isoformat()}"' if asset in hours else "null"
        written.append(f'"{asset}": ["{free!s}", "{locked!s}", "{borrowed!s}", "{interest!s}", {hour}]')
    return f"{{{', '.join(written)}}}"
