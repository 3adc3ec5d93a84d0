"""Carol and Ivan: the same wealth, the same trade at the same price; hers on the cross pool, his in a bucket."""

from decimal import Decimal
from typing import Any, NamedTuple

from api.demo.scenario import Scenario
from api.demo.script import Script, quantity_of
from ledger.words import CROSS, MarginMode, Side, isolated

CAROL, IVAN = "carol", "ivan"
# Of the valuation asset: margin put up, size of the trade, money left in spot, value of what else each owns.
MARGIN, TRADE, SPARE, SAVINGS = Decimal(10_000), Decimal(40_000), Decimal(5_000), Decimal(20_000)
JOINS_AT = Decimal("0.02")
SCALE = 8


class Trade(NamedTuple):
    """What both of them buy."""

    pair: str
    quantity: Decimal
    price: Decimal


def step_of_trade(scenario: Scenario) -> int:
    """The number of the vector at which they trade."""
    return scenario.full_step(scenario.step_at(JOINS_AT))


def trade_of(scenario: Scenario) -> Trade:
    price = scenario.vectors[step_of_trade(scenario)].prices[scenario.first.pair]
    return Trade(scenario.first.pair, quantity_of(TRADE, price, scenario.first.quantity_scale), price)


def open_accounts(script: Script, scenario: Scenario) -> None:
    """Opens both accounts and gives each the same money and the same savings in another asset."""
    prices = scenario.vectors[step_of_trade(scenario)].prices
    savings = quantity_of(SAVINGS, prices[scenario.last.pair], SCALE)
    for account_id in (CAROL, IVAN):
        script.write("open_account", account_id)
        amounts = ((scenario.first.quote, MARGIN + SPARE), (scenario.last.base, savings))
        for asset, amount in amounts:
            deposit_id = f"deposit-{account_id}-{asset}"
            script.write("deposit", account_id, asset=asset, amount=amount, deposit_id=deposit_id)


def put_up_margin(script: Script, scenario: Scenario) -> None:
    """Carol backs her trade with all but her spare money; Ivan fills a bucket, and half of his savings lie in cross."""
    prices = scenario.vectors[step_of_trade(scenario)].prices
    savings = quantity_of(SAVINGS, prices[scenario.last.pair], SCALE)
    quote, base, pair = scenario.first.quote, scenario.last.base, scenario.first.pair
    script.write("transfer", CAROL, from_="spot", to=CROSS, asset=quote, amount=MARGIN)
    script.write("transfer", CAROL, from_="spot", to=CROSS, asset=base, amount=savings)
    script.write("set_margin_mode", IVAN, pair=pair, mode=MarginMode.ISOLATED)
    script.write("transfer", IVAN, from_="spot", to=isolated(pair), asset=quote, amount=MARGIN)
    script.write("transfer", IVAN, from_="spot", to=CROSS, asset=base, amount=quantity_of(savings, Decimal(2), SCALE))


def make_the_trade(script: Script, scenario: Scenario) -> None:
    """Both buy the same quantity at the same price, and borrow what their margin does not pay."""
    trade = trade_of(scenario)
    for account_id, mode in ((CAROL, MarginMode.CROSS), (IVAN, MarginMode.ISOLATED)):
        terms: dict[str, Any] = {"auto_borrow": True, "expected_mode": mode}
        script.trade(account_id, Side.BUY, scenario.first, trade.quantity, trade.price, **terms)
