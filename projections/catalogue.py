"""All projections of the ledger by name: the table of contents of the read side."""

from projections.accounts.projector import AccountsProjector
from projections.audit_trail.projector import AuditTrailProjector
from projections.balances.projector import BalancesProjector
from projections.corrections.projector import CorrectionsProjector
from projections.cross_pool.projector import CrossPoolProjector
from projections.isolated_buckets.projector import IsolatedBucketsProjector
from projections.journal.projector import JournalProjector
from projections.liquidations.projector import LiquidationsProjector
from projections.loans.projector import LoansProjector
from projections.margin_levels.projector import MarginLevelsProjector
from projections.market.projector import MarketProjector
from projections.positions.projector import PositionsProjector
from projections.projector import Projector
from projections.trial_balance.projector import TrialBalanceProjector

PROJECTORS: dict[str, type[Projector]] = {
    projector.name: projector
    for projector in (
        MarketProjector,
        AccountsProjector,
        BalancesProjector,
        CrossPoolProjector,
        IsolatedBucketsProjector,
        PositionsProjector,
        LoansProjector,
        MarginLevelsProjector,
        LiquidationsProjector,
        CorrectionsProjector,
        JournalProjector,
        TrialBalanceProjector,
        AuditTrailProjector,
    )
}
ALL = tuple(PROJECTORS)
