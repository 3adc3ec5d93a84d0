"""The end of a fall: who still owes closes its positions with the market maker and repays everything."""

from collections.abc import Iterable
from decimal import Decimal

from api.demo.scenario import Listing
from api.demo.script import Script
from ledger.money import ZERO, round_down, round_up
from ledger.wallets import Wallet
from ledger.words import Side
from projections.margin_levels.queries import OwingWallet

Prices = dict[str, Decimal]


def close_positions(script: Script, owing: Iterable[OwingWallet], listings: Iterable[Listing], prices: Prices) -> None:
    """Each wallet sells what it does not owe, buys what it lacks of what it owes, and repays.

    So no debt is carried from one fall to the next, over months in which nothing is replayed.
    """
    known = list(listings)
    for one in owing:
        listed = [listing for listing in known if listing.base in one.wallet.balances]
        for listing in listed:
            _sell(script, one.account_id, one.wallet, listing, prices[listing.pair])
        for listing in listed:
            _buy_back(script, one.account_id, one.wallet, listing, prices[listing.pair])
        for asset in sorted(one.wallet.debts):
            script.write("repay", one.account_id, wallet=one.wallet.name, asset=asset, amount="all")


def _sell(script: Script, account_id: str, wallet: Wallet, listing: Listing, price: Decimal) -> None:
    spare = round_down(max(wallet.balance(listing.base).net, ZERO), listing.quantity_scale)
    if spare:
        script.trade(account_id, Side.SELL, listing, spare, price, wallet=wallet.name)


def _buy_back(script: Script, account_id: str, wallet: Wallet, listing: Listing, price: Decimal) -> None:
    lacking = round_up(max(-wallet.balance(listing.base).net, ZERO), listing.quantity_scale)
    if lacking:
        script.trade(account_id, Side.BUY, listing, lacking, price, wallet=wallet.name)
