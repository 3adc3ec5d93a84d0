"""One account as its events left it: the state that its decisions read."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ledger.persistent import PersistentMap
from ledger.wallets import Wallets
from ledger.words import (
    AccountStatus,
    AdjustmentReason,
    AdjustmentStatus,
    Capability,
    Execution,
    MarginMode,
    WithdrawalStatus,
)

CROSS_START_LEVERAGE = Decimal(3)
START_MODE = MarginMode.CROSS


class Hold(NamedTuple):
    """Funds locked for an open order; `amount` is what is left of it."""

    wallet: str
    asset: str
    amount: Decimal


class Withdrawal(NamedTuple):
    asset: str
    amount: Decimal
    status: WithdrawalStatus


class Adjustment(NamedTuple):
    """A signed amount to be posted; `proposed_by` is the actor of the event `version` that proposed it.

    While it is pending, `counts_at` is when the line of an outside statement has it count. Texts are in its proposal.
    """

    wallet: str
    asset: str
    amount: Decimal
    reason_code: AdjustmentReason
    status: AdjustmentStatus
    proposed_by: str
    version: int
    counts_at: datetime | None = None


class RunningLiquidation(NamedTuple):
    """A liquidation that waits for the fills of an external execution; fee, target and tier as when it started."""

    liquidation_id: str
    execution: Execution
    fee_rate: Decimal
    repaid: dict[str, Decimal]
    sold: dict[str, Decimal]
    target: Decimal | None = None
    tier: int | None = None


@dataclass(slots=True)
class Account:
    """The state of one account; version 0 is an account that was never opened.

    `leverages` and `called_at` are by wallet name, `modes` by pair; what is absent is at its start value. `reversals`
    are the versions of reversals, by that of the event each reversed; `erasures` counts those of texts. An event
    changes none of the mappings, it puts others in their place: a copy costs the same however much there is.
    """

    id: str
    wallets: Wallets
    version: int = 0
    status: AccountStatus = AccountStatus.OPEN
    blocks: frozenset[Capability] = frozenset()
    modes: dict[str, MarginMode] = field(default_factory=dict)
    leverages: dict[str, Decimal] = field(default_factory=dict)
    holds: PersistentMap[Hold] = field(default_factory=PersistentMap)
    withdrawals: PersistentMap[Withdrawal] = field(default_factory=PersistentMap)
    adjustments: PersistentMap[Adjustment] = field(default_factory=PersistentMap)
    reversals: PersistentMap[int] = field(default_factory=PersistentMap)
    called_at: dict[str, datetime] = field(default_factory=dict)
    liquidations: dict[str, RunningLiquidation] = field(default_factory=dict)
    erasures: int = 0

    @classmethod
    def unopened(cls, account_id: str) -> "Account":
        return cls(account_id, Wallets(account_id))

    def mode(self, pair: str) -> MarginMode:
        return self.modes.get(pair, START_MODE)

    def copy(self) -> "Account":
        """An account to decide on: what happens to it leaves this one as it is."""
        return Account(
            self.id,
            self.wallets.copy(),
            self.version,
            self.status,
            self.blocks,
            self.modes,
            self.leverages,
            self.holds,
            self.withdrawals,
            self.adjustments,
            self.reversals,
            self.called_at,
            self.liquidations,
            self.erasures,
        )
