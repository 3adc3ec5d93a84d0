"""The mixed work: a stream of commands, the same for the same seed, of which most are recorded."""

import random
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.market import CROSS_PAIRS, ISOLATED_PAIR, QUOTE, TRADED, Asked, Prices, Traded
from benchmarks.zipf import cumulative_weights, draw_ranks, shuffled_names

# Of 1,000 commands, how many are of each kind. Trades come first on an exchange, then money that comes in; margin moves
# and loans are a third, as this is a ledger of margin; and a few of each hundred are what clients get wrong: more asked
# than is there, a request sent again, and a key used twice for different things.
MIX = {
    "deposit": 240,
    "transfer": 110,
    "add_margin": 110,
    "borrow": 90,
    "repay": 90,
    "trade_in_spot": 250,
    "trade_on_margin": 50,
    "overdraft": 30,
    "replay": 20,
    "reused_key": 10,
}
# Prices are marked once in so many commands, which is every other batch of 1,000.
COMMANDS_PER_MARK = 2_000
# Of four neighbouring ranks one trades on isolated margin, one on cross margin, two in spot alone.
CLASSES = 4
ISOLATED_CLASS, CROSS_CLASS = 0, 1
# Eight neighbouring ranks hold both halves of all classes.
HALVES = 2
GROUP = CLASSES * HALVES
ISOLATED_WALLET = f"isolated:{ISOLATED_PAIR}"
DEPOSITS_KEPT = 10_000
# More than any account can ever have.
TOO_MUCH = "1000000000000"


class Script(NamedTuple):
    """The commands of one turn, and how many of them are meant to be replayed and refused."""

    commands: list[Asked]
    replayed: int
    refused: int


class Loan(NamedTuple):
    account_id: str
    wallet: str
    asset: str
    amount: str


class Population:
    """The accounts of a run: their ids by rank, and how often each rank is chosen."""

    def __init__(self, accounts: int, seed: int) -> None:
        self.names = shuffled_names(-(-accounts // GROUP) * GROUP, seed)
        self.weights = cumulative_weights(len(self.names))

    def base_of(self, rank: int) -> Traded:
        """The pair whose base the account of a rank was given at set-up, and sells."""
        return TRADED[rank // GROUP % len(TRADED)]


class Stream:
    """Commands of one sender: over all accounts, over one `half` of them, or all on the account `only`.

    What a turn borrowed or deposited is repaid or sent again in a later turn of the same stream only, when it surely
    was recorded, whatever the order in which requests of one turn arrive.
    """

    def __init__(
        self,
        name: str,
        population: Population,
        *,
        half: int | None = None,
        only: str | None = None,
        marks: bool = True,
    ) -> None:
        self._name, self._population, self._half, self._only, self._marks = name, population, half, only, marks
        self._rng = random.Random(name)
        self._ranks = draw_ranks(self._rng, population.weights)
        self._prices = Prices(self._rng)
        self._count = self._replayed = self._refused = 0
        self._loans: list[Loan] = []
        self._new_loans: list[Loan] = []
        self._deposits: list[Asked] = []
        self._new_deposits: list[Asked] = []
        self._makers: dict[str, Callable[[], Asked]] = {kind: getattr(self, f"_{kind}") for kind in MIX}

    def script(self, commands: int) -> Script:
        """The next commands."""
        self._loans += self._new_loans
        self._deposits = (self._deposits + self._new_deposits)[-DEPOSITS_KEPT:]
        self._new_loans, self._new_deposits = [], []
        self._replayed = self._refused = 0
        kinds = self._rng.choices(list(MIX), weights=list(MIX.values()), k=commands)
        return Script([self._next(kind) for kind in kinds], self._replayed, self._refused)

    def _next(self, kind: str) -> Asked:
        self._count += 1
        if self._marks and self._count % COMMANDS_PER_MARK == 0:
            return self._prices.mark()
        return self._makers[kind]()

    def _rank(self, of_class: int | None = None) -> int:
        """A rank of this stream's accounts; where the choice fell on another class or half, its neighbour's."""
        rank = next(self._ranks)
        place = rank % CLASSES if of_class is None else of_class
        half = rank % GROUP // CLASSES if self._half is None else self._half
        return rank - rank % GROUP + half * CLASSES + place

    def _account(self, of_class: int | None = None) -> str:
        return self._only or self._population.names[self._rank(of_class)]

    def _key(self) -> str:
        return f"{self._name}-{self._count}"

    def _amount(self, most_cents: int = 50_000) -> str:
        cents = self._rng.randint(100, most_cents)
        return f"{cents // 100}.{cents % 100:02d}"

    def _ask(self, kind: str, account_id: str, amount: str, **fields: str) -> Asked:
        named = {"account_id": account_id, "asset": QUOTE, "amount": amount, "idempotency_key": self._key()}
        return {"type": kind, **named, **fields}

    def _deposit(self) -> Asked:
        deposit = self._ask("deposit", self._account(), self._amount())
        self._new_deposits.append(deposit)
        return deposit

    def _transfer(self) -> Asked:
        return self._ask("transfer", self._account(CROSS_CLASS), self._amount(), **{"from": "spot", "to": "cross"})

    def _add_margin(self) -> Asked:
        return self._ask("add_margin", self._account(ISOLATED_CLASS), self._amount(), pair=ISOLATED_PAIR)

    def _borrow(self) -> Asked:
        in_bucket = self._rng.random() < 0.5
        wallet, of_class = (ISOLATED_WALLET, ISOLATED_CLASS) if in_bucket else ("cross", CROSS_CLASS)
        loan = Loan(self._account(of_class), wallet, QUOTE, self._amount(10_000))
        self._new_loans.append(loan)
        return self._ask("borrow", loan.account_id, loan.amount, wallet=wallet)

    def _repay(self) -> Asked:
        if not self._loans:
            return self._borrow()
        place = self._rng.randrange(len(self._loans))
        self._loans[place], self._loans[-1] = self._loans[-1], self._loans[place]
        loan = self._loans.pop()
        return self._ask("repay", loan.account_id, loan.amount, wallet=loan.wallet)

    def _trade_in_spot(self) -> Asked:
        buyer, seller = self._rank(), self._rank()
        traded = self._population.base_of(seller)
        names = self._population.names
        if self._only is None:
            return self._trade(traded, names[self._other(buyer, seller)], names[seller], "spot")
        if self._rng.random() < 0.5:
            return self._trade(traded, self._only, names[seller], "spot")
        return self._trade(traded, names[buyer], self._only, "spot")

    def _trade_on_margin(self) -> Asked:
        seller = self._rank()
        while (traded := self._population.base_of(seller)).pair not in CROSS_PAIRS:
            seller = (seller + GROUP) % len(self._population.names)
        buyer = self._only or self._population.names[self._other(self._rank(CROSS_CLASS), seller)]
        return self._trade(traded, buyer, self._population.names[seller], "cross")

    def _other(self, rank: int, taken: int) -> int:
        """A rank that is not the taken one, of the same class and half."""
        return rank if rank != taken else (rank + GROUP) % len(self._population.names)

    def _trade(self, traded: Traded, buyer: str, seller: str, wallet: str) -> Asked:
        fee = {"fee": "0.01", "fee_asset": QUOTE}
        return {
            "type": "book_trade",
            "trade_id": self._key(),
            "pair": traded.pair,
            "quantity": self._rng.choice(traded.quantities),
            "price": self._prices.of[traded.pair],
            "buyer": {"account_id": buyer, "wallet": wallet, **fee},
            "seller": {"account_id": seller, "wallet": "spot", **fee},
        }

    def _overdraft(self) -> Asked:
        self._refused += 1
        if self._rng.random() < 0.5:
            return self._ask("transfer", self._account(), TOO_MUCH, **{"from": "spot", "to": "cross"})
        return self._ask("request_withdrawal", self._account(), TOO_MUCH, withdrawal_id=self._key())

    def _replay(self) -> Asked:
        if not self._deposits:
            return self._deposit()
        self._replayed += 1
        return self._rng.choice(self._deposits)

    def _reused_key(self) -> Asked:
        if not self._deposits:
            return self._deposit()
        self._refused += 1
        deposit = self._rng.choice(self._deposits)
        return {**deposit, "amount": f"{deposit['amount']}1"}
