"""Everything that can be refused: one tree, stable codes, sentences that say what to do."""

from typing import Any, ClassVar


class Refusal(Exception):
    """A request that is not carried out and leaves no trace; `code` is stable, the message says why with values."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


# 1. Is the request well formed?
class Malformed(Refusal):
    code, title = "malformed", "The request is not well formed"


class TooManyDecimals(Malformed):
    code, title = "too_many_decimals", "The amount has more decimals than its asset keeps"


class TooMuchAsked(Malformed):
    code, title = "too_much_asked", "The question takes more work than is done for one"


# 2. Does it exist?
class Unknown(Refusal):
    code, title = "unknown", "There is no such thing"


class UnknownAccount(Unknown):
    code, title = "unknown_account", "There is no such account"


class UnknownAsset(Unknown):
    code, title = "unknown_asset", "The asset is not listed"


class UnknownPair(Unknown):
    code, title = "unknown_pair", "The pair is not listed"


class UnknownWithdrawal(Unknown):
    code, title = "unknown_withdrawal", "The account has no such withdrawal"


class UnknownHold(Unknown):
    code, title = "unknown_hold", "The account has no such hold"


class UnknownLiquidation(Unknown):
    code, title = "unknown_liquidation", "The account has no such liquidation"


class UnknownEvent(Unknown):
    code, title = "unknown_event", "There is no such event"


class UnknownAdjustment(Unknown):
    code, title = "unknown_adjustment", "The account has no such adjustment"


class UnknownCheckpoint(Unknown):
    code, title = "unknown_checkpoint", "There is no such checkpoint"


class UnknownPublication(Unknown):
    code, title = "unknown_publication", "No liabilities were published there"


class NotSealed(Unknown):
    code, title = "not_sealed", "The log is not sealed so far yet"


# 3. Was this key used?
class IdempotencyKeyReused(Refusal):
    code, title = "idempotency_key_reused", "The idempotency key was used with other content"


# 4. Is the version right?
class VersionMismatch(Refusal):
    code, title = "version_mismatch", "The account is at another version than expected"


# 5. Is the state right?
class StateRefusal(Refusal):
    code, title = "state", "The state of the account does not allow it"


class AccountExists(StateRefusal):
    code, title = "account_exists", "The account is already open"


class AccountClosed(StateRefusal):
    code, title = "account_closed", "The account is closed"


class AccountFrozen(StateRefusal):
    code, title = "account_frozen", "The account is frozen for this"


class AccountNotEmpty(StateRefusal):
    code, title = "account_not_empty", "The account still holds, owes or waits for something"


class LiquidationRunning(StateRefusal):
    code, title = "liquidation_running", "The wallet is being liquidated"


class WithdrawalExists(StateRefusal):
    code, title = "withdrawal_exists", "The withdrawal was requested before"


class WithdrawalNotPending(StateRefusal):
    code, title = "withdrawal_not_pending", "The withdrawal is no longer pending"


class HoldExists(StateRefusal):
    code, title = "hold_exists", "The hold was placed before"


class TradeAlreadyBooked(StateRefusal):
    code, title = "trade_already_booked", "The trade is already booked on this account"


class DepositAlreadyBooked(StateRefusal):
    code, title = "deposit_already_booked", "The deposit is already booked on this account"


class NotReversible(StateRefusal):
    code, title = "not_reversible", "Events of this kind are not reversed"


class AlreadyReversed(StateRefusal):
    code, title = "already_reversed", "The event was reversed before"


class AdjustmentExists(StateRefusal):
    code, title = "adjustment_exists", "The adjustment was proposed before"


class AdjustmentNotPending(StateRefusal):
    code, title = "adjustment_not_pending", "The adjustment is no longer pending"


class AssetExists(StateRefusal):
    code, title = "asset_exists", "The asset is already listed"


class PairExists(StateRefusal):
    code, title = "pair_exists", "The pair is already listed"


class PriceNotHeld(StateRefusal):
    code, title = "price_not_held", "No such price is held"


# 6. Do modes and assets match?
class RuleRefusal(Refusal):
    code, title = "rule", "A rule does not allow it"


class EffectiveInFuture(RuleRefusal):
    code, title = "effective_in_future", "The business time lies in the future"


class SameAccount(RuleRefusal):
    code, title = "same_account", "Both sides are the same account"


class SameActor(RuleRefusal):
    code, title = "same_actor", "Who proposed it may not decide on it"


class MarginModeMismatch(RuleRefusal):
    code, title = "margin_mode_mismatch", "The pair's margin mode is another one"


class PositionOpen(RuleRefusal):
    code, title = "position_open", "Something is still open on the pair"


class WalletMismatch(RuleRefusal):
    code, title = "wallet_mismatch", "The wallets do not go together"


class AssetMismatch(RuleRefusal):
    code, title = "asset_mismatch", "The asset does not belong to this wallet"


class HoldMismatch(RuleRefusal):
    code, title = "hold_mismatch", "The hold is on another wallet or asset"


class LiquidationMismatch(RuleRefusal):
    code, title = "liquidation_mismatch", "The liquidation is of another wallet or kind"


class QuoteAmountMismatch(Malformed):
    code, title = "quote_amount_mismatch", "The quote amount is not quantity times price"


class AssetDisabled(RuleRefusal):
    code, title = "asset_disabled", "The asset is not enabled for this"


class PairNotTrading(RuleRefusal):
    code, title = "pair_not_trading", "The pair's status does not allow the trade"


class NotCollateral(RuleRefusal):
    code, title = "not_collateral", "The asset does not count as collateral"


class LeverageNotAllowed(RuleRefusal):
    code, title = "leverage_not_allowed", "The leverage is not allowed here"


class LiquidationTargetTooLow(RuleRefusal):
    code, title = "liquidation_target_too_low", "The liquidation target is not above every liquidation line"


class NothingToDo(RuleRefusal):
    code, title = "nothing_to_do", "Nothing would change"


# 7. Are prices fresh?
class PriceStale(RuleRefusal):
    code, title = "price_stale", "A price that is needed is too old or was never marked"


class PriceOutOfOrder(RuleRefusal):
    code, title = "price_out_of_order", "A newer price is already known"


# 8. Is there enough?
class InsufficientFunds(RuleRefusal):
    code, title = "insufficient_funds", "There is not enough free"


class TransferBlocked(RuleRefusal):
    code, title = "transfer_blocked", "The margin level would fall below the transfer-out line"


class CorrectionBlocked(RuleRefusal):
    code, title = "correction_blocked", "The margin level would fall to the call line"


class BorrowBlocked(RuleRefusal):
    code, title = "borrow_blocked", "The margin level would fall below the initial ratio"


class TradeBlocked(RuleRefusal):
    code, title = "trade_blocked", "The wallet is at or below its liquidation line"


class BorrowLimitExceeded(RuleRefusal):
    code, title = "borrow_limit_exceeded", "The loan would pass a limit"


class RepaymentExceedsDebt(RuleRefusal):
    code, title = "repayment_exceeds_debt", "The repayment is more than is owed"


class NotLiquidatable(RuleRefusal):
    code, title = "not_liquidatable", "The wallet is above its liquidation line"


class InsufficientInsurance(RuleRefusal):
    code, title = "insufficient_insurance", "The insurance fund does not hold as much to withdraw"


# Of what is recorded already.
class EventUnreadable(Refusal):
    code, title = "event_unreadable", "An event of the log cannot be read"


# Of the batch and of the house itself.
class BatchRefused(RuleRefusal):
    code, title = "batch_refused", "Another command of the same atomic batch was refused"


class TooManyRequests(Refusal):
    code, title = "too_many_requests", "More requests are waiting than can be taken"


class Unavailable(Refusal):
    code, title = "unavailable", "The ledger cannot reach its database"


class ProjectionsBehind(Unavailable):
    code, title = "projections_behind", "The projections have not yet got there"
