"""An explanation in sentences: which wallet came to which line through what, and what became of it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ledger.money import plain
from ledger.words import CROSS, pair_of

THROUGH = {
    "interest.accrued": "when interest was charged",
    "loan.borrowed": "when a loan was taken",
    "loan.repaid": "when a loan was repaid",
    "trade.booked": "when a trade was booked",
    "funds.transferred": "when funds were transferred",
    "margin.added": "when margin was added",
    "margin.removed": "when margin was removed",
    "leverage.set": "when its leverage was set",
    "risk_limits.set": "when its lines were set anew",
    "asset_limits.set": "when what its assets count was set anew",
}
SETTINGS = {"leverage.set", "risk_limits.set"}
"""What moves a line and leaves the level where it is."""


def sentence_of(found: Mapping[str, Any]) -> str:
    """The answer in a sentence: the wallet, its level and line, when, and through what."""
    whose = f"Account {found['account_id']}'s {_wallet(found['wallet'])}"
    line, crossing = found["line"], found["crossing"]
    name = "its line" if line["name"] == "liquidation" else "its call line"
    if crossing is None:
        stood = f"{whose} stood at {number(found['started']['level'])}, at or below {name} {number(line['level'])}"
        return f"{stood}, since before position {found['path']['walked_from']}, as far back as was looked."
    level = "no assets" if crossing["level"] is None else number(crossing["level"])
    at = f"at {_moment(crossing['effective_at'])}, at or below {name} {number(crossing['line'])}"
    came = "was at" if crossing["topic"] in SETTINGS else "fell to"
    return f"{whose} {came} {level} {at}, {_through(crossing)} (position {crossing['position']})."


def end_of(found: Mapping[str, Any]) -> str:
    """What became of it: of a liquidation what was sold, repaid, charged, covered and left."""
    began = found["started"]
    if found["kind"] == "margin_call":
        return f"It was called at level {number(began['level'])} (position {began['position']})."
    outcome = found["outcome"]
    parts = [
        f"sold {amounts(outcome['sold'])}",
        f"repaid {amounts(outcome['repaid'])}",
        f"charged {amounts(outcome['charged']['fee'])}",
        f"covered {amounts(outcome['covered'])} by the insurance fund",
    ]
    told = ", ".join(part for part in parts if " nothing" not in part)
    uncovered = Decimal(found["insurance"]["uncovered"])
    lacking = f", of which {number(plain(uncovered))} could not be paid" if uncovered else ""
    owed = f", and still owes {amounts(outcome['owed'])}" if outcome["owed"] else ""
    how = f"liquidated by {'the house' if found['execution'] == 'house' else 'external execution'}"
    aim = f", to be brought back to level {number(began['target'])}" if began["target"] is not None else ""
    running, keeps = ("", "it left") if found["status"] == "completed" else ("is running: so far it ", "it has")
    done = f"{running}{told or 'did nothing'}{lacking}; {keeps} {amounts(outcome['left'])}{owed}"
    return f"It was {how} at level {number(began['level'])} (position {began['position']}){aim}, which {done}."


def _wallet(name: str) -> str:
    return "cross pool" if name == CROSS else f"isolated bucket {pair_of(name)}"


def _through(crossing: Mapping[str, Any]) -> str:
    pair = crossing["through"]
    if pair is None:
        return THROUGH.get(crossing["topic"], f"through {crossing['topic']}")
    change = crossing["prices"][pair]
    if change["from"] is None:
        return f"when {pair} was first marked, at {number(change['to'])}"
    rose = Decimal(change["to"]) > Decimal(change["from"])
    return f"when {pair} {'rose' if rose else 'fell'} to {number(change['to'])}"


def amounts(by_asset: Mapping[str, Mapping[str, Any]]) -> str:
    """Amounts by asset as text; `nothing` where there is none."""
    return ", ".join(_amounts(by_asset)) or "nothing"


def _amounts(by_asset: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    return (f"{number(one['amount'])} {asset}" for asset, one in by_asset.items())


def number(text: str) -> str:
    """A figure with its thousands apart and without zeros at its end."""
    return f"{Decimal(plain(Decimal(text))):,f}"


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
