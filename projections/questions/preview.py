"""What a command would do if it were sent now: its events, and the balances, positions and levels it would leave."""

from collections.abc import Iterator
from typing import Any

from ledger.account import Account, leverage_of
from ledger.market import Market
from ledger.money import plain
from ledger.outcomes import Previewed
from ledger.positions import FLAT, Position
from ledger.wallets import Wallet
from ledger.words import SPOT
from projections.questions.figures import balance_figures
from projections.questions.margin_wallet import band, collateral_level, level, margin_at_last_prices, sums


def preview_answer(previewed: Previewed) -> dict[str, Any]:
    """The events that would be recorded, and of each account they touch what is not as before.

    Levels are those at the prices last marked, None where one is lacking or nothing is owed. `recorded` says where the
    events stand if they were recorded before under the same key; then nothing more would be.
    """
    recorded = previewed.recorded
    return {
        "recorded": None if recorded is None else [event._asdict() for event in recorded.events],
        "events": [
            {"topic": event.TOPIC, **event.model_dump(mode="json", exclude_none=True)} for event in previewed.events
        ],
        "accounts": {
            name: _changes(before, previewed.after[name], previewed.market) for name, before in previewed.before.items()
        },
    }


def _changes(before: Account, after: Account, market: Market) -> dict[str, Any]:
    wallets = [
        (before.wallets.wallet(wallet.name), wallet)
        for wallet in after.wallets.all()
        if wallet != before.wallets.wallet(wallet.name)
    ]
    return {
        "version": {"before": before.version, "after": after.version},
        "blocks": {"before": sorted(before.blocks), "after": sorted(after.blocks)},
        "balances": [row for pair in wallets for row in _balances(*pair)],
        "positions": [row for pair in wallets for row in _positions(*pair)],
        "margin_levels": {
            new.name: {"before": _levels(before, old, market), "after": _levels(after, new, market)}
            for old, new in wallets
            if new.name != SPOT
        },
    }


def _balances(before: Wallet, after: Wallet) -> Iterator[dict[str, Any]]:
    owes = after.name != SPOT
    for asset, balance in after.balances.items():
        was = before.balance(asset)
        if balance != was:
            figures = {"before": balance_figures(was, owes=owes), "after": balance_figures(balance, owes=owes)}
            yield {"wallet": after.name, "asset": asset, **figures}


def _positions(before: Wallet, after: Wallet) -> Iterator[dict[str, Any]]:
    for pair, position in after.positions.items():
        was = before.positions.get(pair, FLAT)
        if position != was:
            yield {"wallet": after.name, "pair": pair, "before": _figures(was), "after": _figures(position)}


def _figures(position: Position) -> dict[str, str]:
    return {name: plain(value) for name, value in position._asdict().items()}


def _levels(account: Account, wallet: Wallet, market: Market) -> dict[str, Any]:
    margin = margin_at_last_prices(wallet, market, leverage_of(account, wallet.name, market))
    levels = {"margin_level": level(margin), "collateral_margin_level": collateral_level(margin)}
    return {**sums(margin), **levels, "band": band(margin)}
