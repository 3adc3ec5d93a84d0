"""Events of margin calls and liquidations."""

from datetime import datetime

from ledger.events.event import Event, Fact, MarkPrice
from ledger.money import Exact
from ledger.words import Execution


class MarginCalled(Event):
    """`level` (8 decimals, down) is at or below `threshold`; assets and debt are values in the valuation asset."""

    TOPIC = "margin.called"
    wallet: str
    level: str
    threshold: Exact
    assets: Exact
    debt: Exact
    prices: dict[str, MarkPrice]
    tier: int | None = None


class AssetState(Fact):
    """What a wallet has of one asset."""

    free: Exact
    locked: Exact
    borrowed: Exact
    interest: Exact


class ReleasedHold(Fact):
    hold_id: str
    asset: str
    amount: Exact


class LiquidationStarted(Event):
    """`balances` are those before the holds were released; `prices` is the whole vector then known.

    `target` is the level to come back to, None where the wallet is to be closed out in full; `execute_by` is when an
    external execution is overdue, None for never.
    """

    TOPIC = "liquidation.started"
    liquidation_id: str
    wallet: str
    execution: Execution
    level: str
    liquidation_level: Exact
    assets: Exact
    debt: Exact
    balances: dict[str, AssetState]
    prices: dict[str, MarkPrice]
    released_holds: list[ReleasedHold]
    fee_rate: Exact
    tier: int | None = None
    target: Exact | None = None
    execute_by: datetime | None = None


class LiquidationFilled(Event):
    """The house took `taken` of an asset for `interest` and `principal` of a debt; prices in the valuation asset.

    `closing_prices`, by asset, are those of the completion where they are not the ones the liquidation started at.
    `to_tier` is the lower tier of a bucket that the fill is a step down to.
    """

    TOPIC = "liquidation.filled"
    liquidation_id: str
    wallet: str
    asset: str
    taken: Exact
    asset_price: Exact
    debt_asset: str
    interest: Exact
    principal: Exact
    debt_price: Exact
    closing_prices: dict[str, Exact] | None = None
    to_tier: int | None = None


class DeficitCovered(Event):
    """A debt that the wallet could not pay; the fund pays `value` of the valuation asset for it."""

    TOPIC = "deficit.covered"
    liquidation_id: str
    wallet: str
    asset: str
    interest: Exact
    principal: Exact
    price: Exact
    value: Exact


class LiquidationCompleted(Event):
    """The sum of a liquidation, amounts by asset; values in the valuation asset. Posts the fee.

    `closing_prices`, by asset, are those of the completion where they are not the ones the liquidation started at.
    Where the wallet goes on with debts, `owed` are these, `level` (8 decimals, down) is where it stands after the fee,
    and `tier` and `liquidation_level` are what it is judged by from here on.
    """

    TOPIC = "liquidation.completed"
    liquidation_id: str
    wallet: str
    sold: dict[str, Exact]
    repaid: dict[str, Exact]
    repaid_value: Exact
    fee: dict[str, Exact]
    fee_rate: Exact
    fee_value: Exact
    covered: dict[str, Exact]
    covered_value: Exact
    left: dict[str, Exact]
    closing_prices: dict[str, Exact] | None = None
    owed: dict[str, Exact] | None = None
    level: str | None = None
    liquidation_level: Exact | None = None
    tier: int | None = None
