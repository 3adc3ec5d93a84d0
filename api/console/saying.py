"""What each event says in a few words, for lists where it is one line of many."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from api.console.writing import Markup, account_link, amount, joined, text, wallet_name

Event = Mapping[str, Any]

VALUATION_ASSET = "USDT"
PRICES_SHOWN = 3
_FIELD = re.compile(r"\{(\w+)(?:\|(\w+))?\}")

WORDS: dict[str, str] = {
    "account.opened": "opened",
    "account.unfrozen": "no longer frozen",
    "account.closed": "closed",
    "funds.deposited": "{amount|asset} deposited",
    "withdrawal.requested": "{amount|asset} to be withdrawn",
    "withdrawal.settled": "{amount|asset} withdrawn",
    "withdrawal.cancelled": "{amount|asset} not withdrawn after all",
    "funds.transferred": "{amount|asset} from {source|wallet} to {target|wallet}",
    "transfer.sent": "{amount|asset} sent to {to_account_id|account}",
    "transfer.received": "{amount|asset} received from {from_account_id|account}",
    "margin.added": "{amount|asset} from {source|wallet} as margin into {pair}",
    "margin.removed": "{amount|asset} of margin out of {pair} to {target|wallet}",
    "margin_mode.set": "{pair} on {mode} margin",
    "leverage.set": "{wallet|wallet} at {leverage}x",
    "funds.held": "{amount|asset} held in {wallet|wallet}",
    "hold.released": "{amount|asset} no longer held in {wallet|wallet}",
    "loan.borrowed": "{amount|asset} borrowed in {wallet|wallet}",
    "loan.repaid": "{principal|asset} and {interest|asset} of interest repaid in {wallet|wallet}",
    "margin.called": "{wallet|wallet} at level {level}, call line {threshold}",
    "liquidation.started": "{wallet|wallet} at level {level}, liquidation line {liquidation_level}",
    "liquidation.filled": "{taken|asset} taken in {wallet|wallet} at {asset_price} for {debt_asset} owed",
    "liquidation.completed": "{wallet|wallet}: debt of {repaid_value} repaid, {covered_value} covered",
    "deficit.covered": "{value|valuation} from the fund for {wallet|wallet}",
    "adjustment.proposed": "{amount|asset} in {wallet|wallet} proposed, {reason_code}",
    "adjustment.posted": "{amount|asset} in {wallet|wallet} adjusted, {reason_code}",
    "adjustment.rejected": "{amount|asset} in {wallet|wallet} rejected, {reason_code}",
    "texts.erased": "texts made unreadable for ever, {reason_code}",
    "event.reversed": "{reversed_topic} of version {reversed_version} reversed",
    "asset.listed": "{asset} with {scale} decimals, {daily_interest_rate} a day",
    "asset_limits.set": "limits of {asset}",
    "pair.listed": "{pair} at up to {max_leverage}x",
    "pair_status.set": "{pair} is {status}",
    "risk_limits.set": "risk limits of {scope}",
    "interest_rate.set": "{asset} at {daily_rate} a day",
    "price.rejected": "a held price of {pair}",
    "insurance.funded": "{amount|asset} into the insurance fund",
    "insurance.withdrawn": "{amount|asset} out of the insurance fund",
}
"""What is said of each topic; `{amount|asset}` is an amount of the asset that another field names."""


def said(event: Event) -> Markup:
    """An event's entry in the trail in a few words; nothing of a topic that has none."""
    special = _SPECIAL.get(event["topic"])
    return special(event) if special else _filled(WORDS.get(event["topic"], ""), event)


def topics() -> list[str]:
    """Every topic that something is said of, in order."""
    return sorted({*WORDS, *_SPECIAL})


def trimmed(value: str) -> str:
    """A figure without zeros at its end."""
    return value.rstrip("0").rstrip(".") if "." in value else value


def _filled(words: str, event: Event) -> Markup:
    parts: list[object] = []
    end = 0
    for found in _FIELD.finditer(words):
        parts += words[end : found.start()], _field(event, found[1], found[2])
        end = found.end()
    return joined(*parts, words[end:])


def _field(event: Event, name: str, kind: str | None) -> Markup:
    value = event.get(name)
    if value is None:
        return text(None)
    match kind:
        case None:
            return amount(trimmed(value)) if re.fullmatch(r"-?\d+\.\d+", str(value)) else text(value)
        case "wallet":
            return text(wallet_name(value))
        case "account":
            return account_link(value)
        case "valuation":
            return amount(trimmed(value), VALUATION_ASSET)
        case _:
            return amount(trimmed(value), event.get(kind))


def _frozen(event: Event) -> Markup:
    return joined("frozen: ", ", ".join(event["blocks"]))


def _traded(event: Event) -> Markup:
    bought = "bought" if event["side"] == "buy" else "sold"
    base = event["pair"].partition("/")[0]
    where = "" if event["wallet"].startswith("isolated:") else f" in {event['wallet']}"
    price = amount(trimmed(event["price"]))
    return joined(f"{bought} ", amount(trimmed(event["quantity"]), base), " at ", price, f" on {event['pair']}{where}")


def _accrued(event: Event) -> Markup:
    charged: dict[str, Decimal] = {}
    hours: dict[str, int] = {}
    for line in event["lines"]:
        charged[line["asset"]] = charged.get(line["asset"], Decimal()) + Decimal(line["amount"])
        hours[line["asset"]] = hours.get(line["asset"], 0) + line["hours"]
    told: list[object] = []
    for asset, sum_of_it in charged.items():
        told += [", " if told else "", amount(trimmed(f"{sum_of_it:f}"), asset), f" for {_spell(hours[asset])}"]
    return joined("interest in ", wallet_name(event["wallet"]), ": ", *told)


def _spell(hours: int) -> str:
    return "1 hour" if hours == 1 else f"{hours} hours"


def _marked(event: Event) -> Markup:
    parts: list[object] = []
    for pair, price in list(event["prices"].items())[:PRICES_SHOWN]:
        stated = price if isinstance(price, str) else price["price"]
        parts += [", " if parts else "", f"{pair} ", amount(trimmed(stated))]
    more = len(event["prices"]) - PRICES_SHOWN
    held = " held back" if event["topic"] == "prices.held" else ""
    return joined(*parts, f" and {more} more" if more > 0 else "", held)


_SPECIAL: dict[str, Callable[[Event], Markup]] = {
    "account.frozen": _frozen,
    "trade.booked": _traded,
    "interest.accrued": _accrued,
    "prices.marked": _marked,
    "prices.held": _marked,
}
