"""How the simulation draws: who, which wallet, how much; near the bounds where rules say yes or no."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from tests.simulation.model import Holder, World, down, pair_in

T = TypeVar("T")
ACCOUNTS = ("alice", "bob", "carol")
ASSETS = {"USDT": 6, "BTC": 8, "ETH": 5}
PAIRS = {"BTC/USDT": (2, "10"), "ETH/USDT": (2, "5"), "ETH/BTC": (4, "3")}
WALLETS = ("cross", *(f"isolated:{pair}" for pair in PAIRS))


class Chooser(Protocol):
    """A source of choices: hypothesis or a seeded random generator."""

    def pick(self, choices: Sequence[T]) -> T: ...

    def number(self, low: int, high: int) -> int: ...


def plain(value: Fraction) -> str:
    """A decimal fraction in plain notation."""
    scaled = value * 10**18
    assert scaled.denominator == 1, value
    sign, digits = ("-" if value < 0 else ""), str(abs(scaled.numerator)).rjust(19, "0")
    return sign + (f"{digits[:-18]}.{digits[-18:]}".rstrip("0").rstrip("."))


def beginnings() -> list[dict[str, Any]]:
    """The commands that every simulated exchange starts with."""
    rates = {"USDT": "0.001", "BTC": "0.0003", "ETH": "0.00047"}
    assets = [
        {"type": "list_asset", "asset": asset, "scale": scale, "daily_interest_rate": rates[asset]}
        for asset, scale in ASSETS.items()
    ]
    pairs = [
        {"type": "list_pair", "pair": pair, "price_scale": scale, "max_leverage": leverage}
        for pair, (scale, leverage) in PAIRS.items()
    ]
    prices = {"BTC/USDT": "50000", "ETH/USDT": "2500"}
    accounts = [{"type": "open_account", "account_id": name} for name in ACCOUNTS]
    funds = [{"type": "deposit", "account_id": n, "asset": "USDT", "amount": "20000"} for n in ACCOUNTS]
    marked = {"type": "mark_prices", "prices": prices, "source": "index"}
    insurance = {"type": "fund_insurance", "asset": "USDT", "amount": "500"}
    return [*assets, *pairs, marked, insurance, *accounts, *funds]


class Drawing:
    """Draws the parts of commands for a world."""

    def __init__(self, choose: Chooser, world: World) -> None:
        self.choose, self.world = choose, world
        self.pressed: tuple[str, str] | None = None
        """The account and wallet that the last prices were drawn for, until it is examined."""

    def account(self) -> str:
        """Mostly one of those that trade; now and then a guest, who comes and goes."""
        guests = tuple(self.world.holders)[len(ACCOUNTS) :]
        return self.choose.pick(ACCOUNTS) if self.choose.number(0, 39) or not guests else self.choose.pick(guests)

    def asset(self) -> str:
        return self.choose.pick(tuple(ASSETS))

    def pair(self) -> str:
        return self.choose.pick(tuple(PAIRS))

    def wallet_of(self, holder: Holder) -> str:
        """Mostly a wallet that the account uses."""
        used = [name for name in WALLETS if pair_in(name) is None or holder.mode(pair_in(name) or "") == "isolated"]
        if holder.running and self.choose.number(0, 1):
            return self.choose.pick(tuple(holder.running))
        return self.choose.pick(used if self.choose.number(0, 9) else WALLETS)

    def asset_of(self, wallet: str) -> str:
        pair = pair_in(wallet)
        if pair is None or not self.choose.number(0, 19):
            return self.asset()
        return self.choose.pick(pair.split("/"))

    def amount(self, there: Fraction, asset: str) -> str:
        """An amount at, just above or below what is there, or of some value of its own."""
        scale, unit = ASSETS[asset], Fraction(1, 10 ** ASSETS[asset])
        kind = self.choose.number(0, 9)
        if kind == 0 or not there:
            price = self.world.price(asset, "cross", None)
            wanted = down(self.choose.number(1, 60000) / price / self.choose.pick((1, 10, 1000)), scale)
        elif kind == 1:
            wanted = there
        elif kind == 2:
            wanted = there + unit
        elif kind == 3:
            wanted = unit * self.choose.number(1, 1000)
        else:
            wanted = down(there * self.choose.number(1, 99) / 100, scale)
        return plain(max(wanted, unit))

    def own_id(self, letter: str) -> str:
        return f"{letter}{self.choose.number(1, 6)}"
