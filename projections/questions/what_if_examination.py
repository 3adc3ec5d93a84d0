"""One margin wallet examined in memory: what its account would decide at prices that nobody has marked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from ledger import events as e
from ledger.account import Account, Decision, decide
from ledger.account.state import Hold
from ledger.commands import CompleteLiquidation, Examine
from ledger.decision import Context
from ledger.errors import NothingToDo
from ledger.market import Market
from ledger.money import ZERO
from ledger.persistent import PersistentMap
from ledger.postings import INSURANCE, postings
from ledger.wallets import Wallet, Wallets
from ledger.words import Execution, pair_of
from projections.margin_levels.queries import OwingWallet

NOBODY = "what-if"
Amounts = dict[str, Decimal]


@dataclass(slots=True)
class CloseOut:
    """What liquidations did in sum: amounts by asset, values in the valuation asset.

    `deficits` is what the fund is asked for by the asset that is covered, `fund` its lines as they are posted.
    """

    sold: Amounts = field(default_factory=dict)
    repaid: Amounts = field(default_factory=dict)
    fee: Amounts = field(default_factory=dict)
    covered: Amounts = field(default_factory=dict)
    deficits: Amounts = field(default_factory=dict)
    repaid_value: Decimal = ZERO
    fund: list[tuple[str, Decimal]] = field(default_factory=list)

    @property
    def deficit(self) -> Decimal:
        """What the insurance fund is asked for."""
        return sum(self.deficits.values(), ZERO)

    def add(self, other: "CloseOut") -> None:
        """Add what another one did, but for the lines of the fund."""
        for name in ("sold", "repaid", "fee", "covered", "deficits"):
            add_amounts(getattr(self, name), getattr(other, name))
        self.repaid_value += other.repaid_value


def add_amounts(to: Amounts, more: Amounts) -> None:
    """Add amounts by asset."""
    for asset, amount in more.items():
        to[asset] = to.get(asset, ZERO) + amount


def account_of(one: OwingWallet) -> Account:
    """An account that has this wallet and nothing else: an examination looks at no other.

    What is locked in a margin wallet is locked by holds; which ones does not matter for what they release.
    """
    name, wallets = one.wallet.name, Wallets(one.account_id)
    pair = pair_of(name)
    if pair is None:
        wallets.cross = one.wallet
    else:
        wallets.isolated = {pair: one.wallet}
    account = Account(one.account_id, wallets, version=1, holds=_holds(one.wallet))
    if one.leverage is not None:
        account.leverages = {name: one.leverage}
    if one.called_at is not None:
        account.called_at = {name: one.called_at}
    return account


def _holds(wallet: Wallet) -> PersistentMap[Hold]:
    locked = {asset: balance.locked for asset, balance in wallet.balances.items() if balance.locked}
    return PersistentMap({asset: Hold(wallet.name, asset, amount) for asset, amount in locked.items()})


def examined(account: Account, wallet: str, market: Market) -> list[e.AccountEvent]:
    """The events that an examination at the market's prices would record; none where it would find nothing to do."""
    command = Examine(type="examine", account_id=account.id, wallet=wallet)
    try:
        return completed_by_house(decide(command, {account.id: account}, market, _context(market)), market)
    except NothingToDo:
        return []


def completed_by_house(decision: Decision, market: Market) -> list[e.AccountEvent]:
    """A decision's events; of a liquidation left to others also those by which the house would close the wallet out.

    At what prices others would, nobody knows.
    """
    started = next((event for event in decision.events if isinstance(event, e.LiquidationStarted)), None)
    if started is None or started.execution is Execution.HOUSE:
        return decision.events
    command = CompleteLiquidation(
        type="complete_liquidation",
        account_id=started.account_id,
        liquidation_id=started.liquidation_id,
        idempotency_key=NOBODY,
    )
    return decision.events + decide(command, decision.accounts, market, _context(market)).events


def _context(market: Market) -> Context:
    at = market.newest_prices_at
    assert at is not None, "a market with shocked prices has prices"
    return Context(at, NOBODY, NOBODY)


def close_out_of(events: Iterable[e.AccountEvent]) -> CloseOut | None:
    """What the liquidation among the events did; None where there is none."""
    found, is_started = CloseOut(), False
    for event in events:
        match event:
            case e.LiquidationStarted():
                is_started = True
            case e.DeficitCovered():
                add_amounts(found.covered, {event.asset: event.interest + event.principal})
                add_amounts(found.deficits, {event.asset: event.value})
            case e.LiquidationCompleted():
                for name in ("sold", "repaid", "fee"):
                    add_amounts(getattr(found, name), getattr(event, name))
                found.repaid_value += event.repaid_value
        found.fund += [(line.asset, line.amount) for line in postings(event) if line.book is INSURANCE]
    return found if is_started else None
