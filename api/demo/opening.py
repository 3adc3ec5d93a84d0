"""What stands before the first trade: listings, limits, the insurance fund, a market maker with deep pockets."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from api.demo.cast import Trader
from api.demo.scenario import Scenario
from api.demo.script import MAKER, Script, quantity_of
from api.demo.two_traders import open_accounts
from ledger.market import PRICE_MAX_AGE_SECONDS
from ledger.money import VALUATION_ASSET
from ledger.words import CROSS

VALUATION_RATE, BASE_RATE = Decimal("0.0003"), Decimal("0.0002")
SCALE = 8
HAIRCUTS = [{"up_to": Decimal(5_000_000), "ratio": Decimal("0.95")}, {"ratio": Decimal("0.9")}]
INSURANCE = Decimal(250_000)
# What the market maker has of every asset, in the valuation asset: more than all others together could trade.
DEPTH = Decimal(1_000_000)


def listing(scenario: Scenario, at: datetime) -> Script:
    """Lists the market and funds the insurance."""
    script = market(scenario, at)
    script.write("fund_insurance", asset=VALUATION_ASSET, amount=INSURANCE)
    return script


def market(scenario: Scenario, at: datetime) -> Script:
    """Lists assets and pairs, and sets how old a price may be where the data need it."""
    script = Script("listing", at)
    script.write("list_asset", asset=VALUATION_ASSET, scale=SCALE, daily_interest_rate=VALUATION_RATE)
    for one in scenario.listings:
        rate = BASE_RATE
        script.write("list_asset", asset=one.base, scale=SCALE, daily_interest_rate=rate, collateral_tiers=HAIRCUTS)
        script.write("list_pair", pair=one.pair, price_scale=one.price_scale, max_leverage=one.max_leverage)
    if scenario.price_max_age_seconds != PRICE_MAX_AGE_SECONDS:
        for scope in (CROSS, *(one.pair for one in scenario.listings)):
            script.write("set_risk_limits", scope=scope, price_max_age_seconds=scenario.price_max_age_seconds)
    return script


def accounts(scenario: Scenario, traders: Sequence[Trader], at: datetime) -> Script:
    """Opens every account and books what each brings."""
    script = Script("accounts", at)
    depth = DEPTH * (1 + len(traders))
    script.write("open_account", MAKER)
    _deposit(script, VALUATION_ASSET, depth)
    for one in scenario.listings:
        _deposit(script, one.base, quantity_of(depth, scenario.vectors[0].prices[one.pair], SCALE))
    open_accounts(script, scenario)
    for trader in traders:
        trader.open(script)
    return script


def _deposit(script: Script, asset: str, amount: Decimal) -> None:
    script.write("deposit", MAKER, asset=asset, amount=amount, deposit_id=f"deposit-{MAKER}-{asset}")
