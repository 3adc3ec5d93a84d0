"""What the events between two points come to: sums per wallet and asset, counts, one page of rows, and attributions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast

from ledger.events import AssetLimitsSet, ExchangeEvent, RiskLimitsSet
from ledger.log import RecordedEvent
from ledger.money import plain
from ledger.positions import FLAT
from ledger.wallets import NOTHING, Balance, Wallets
from ledger.words import CROSS, EXCHANGE, Line, pair_of
from projections.audit_trail.queries import entry
from projections.questions.attribution import Attribution, Cause
from projections.questions.margin_wallet import level
from projections.questions.path import Happening, Marks
from projections.questions.points import Standpoint
from projections.questions.walk import Step, Walk, wallets_touched

Changes = dict[tuple[str, str], Balance]
"""What is more (or, negative, less) of each part, by wallet and asset; debts are positive."""


class Shown(NamedTuple):
    """What of the difference is shown: one wallet (None: all), the first `limit` events after the one at a position."""

    wallet: str | None = None
    after: int = 0
    limit: int = 100

    def shows(self, wallet: str) -> bool:
        return self.wallet is None or wallet == self.wallet


class Tally:
    """Follows the path from a standpoint. `rows` has one event more than is shown where there are more."""

    def __init__(self, start: Standpoint, shown: Shown) -> None:
        self._walk = Walk(start.account, start.market)
        self._shown = shown
        self._in_log_order = start.point.effective_at is None
        self.has_passed = self._in_log_order or not shown.after
        self.changes: Changes = {}
        self.topics: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = []
        self.settings: list[dict[str, Any]] = []
        self.attributions = {
            wallet.name: self._attribution(wallet.name, start.point.position)
            for wallet in (start.account.wallets.cross, *start.account.wallets.isolated.values())
            if shown.shows(wallet.name)
        }

    def _attribution(self, wallet: str, position: int) -> Attribution:
        return Attribution(self._walk.margin(wallet), position, pooled=wallet == CROSS)

    def take(self, happening: Happening) -> None:
        """The next thing on the path: prices, a setting of the exchange, or an event of the account."""
        if isinstance(happening, Marks):
            self._walk.mark(happening.prices)
        elif happening.event.account_id == EXCHANGE:
            self._take_setting(happening)
        else:
            self._take_event(happening)

    def _take_setting(self, recorded: RecordedEvent) -> None:
        """Of all settings only collateral tiers move a level, and only the pool's; the others move lines."""
        event, place = recorded.event, (recorded.position, recorded.event.TOPIC)
        pool = self.attributions.get(CROSS) if isinstance(event, AssetLimitsSet) else None
        if pool is not None:
            pool.reach(Cause.PRICES, self._walk.margin(CROSS), place)
        self._walk.take_setting(cast(ExchangeEvent, event))
        if pool is not None:
            pool.reach(Cause.SETTINGS, self._walk.margin(CROSS), place)
        if self._concerns(event):
            self.settings.append(entry(recorded))

    def _concerns(self, event: Any) -> bool:
        """Whether a setting judges a wallet that is shown otherwise than before."""
        if isinstance(event, RiskLimitsSet):
            return any(event.scope == (pair_of(wallet) or CROSS) for wallet in self.attributions)
        has = self._walk.account.wallets.cross.balances
        return isinstance(event, AssetLimitsSet) and self._shown.shows(CROSS) and event.asset in has

    def _take_event(self, recorded: RecordedEvent) -> None:
        step = self._walk.take(recorded)
        changes = changes_of(step.lines, recorded.event.account_id, self._shown)
        for key, more in changes.items():
            self.changes[key] = _sum(self.changes.get(key, NOTHING), more)
        margins = {name: margin for name, margin in step.margins.items() if self._shown.shows(name)}
        for name, margin in margins.items():
            if name not in self.attributions:
                self.attributions[name] = Attribution(margin.before, recorded.position, pooled=False)
            self.attributions[name].take(step, name)
        if self._shown.wallet is None or self._shown.wallet in wallets_touched(recorded.event, step.lines):
            self.topics[recorded.event.TOPIC] += 1
            self._show(step, changes)

    def _show(self, step: Step, changes: Changes) -> None:
        position, after = step.recorded.position, self._shown.after
        if position > after if self._in_log_order else self.has_passed:
            if len(self.rows) <= self._shown.limit:
                self.rows.append(_row(step, changes, self._shown))
        elif position == after:
            self.has_passed = True

    def arrive(self, end: Standpoint) -> None:
        """The path is behind: only the prices are left that were marked since each wallet's last event."""
        self._walk.mark(end.market.prices)
        for name, attribution in self.attributions.items():
            attribution.reach(Cause.PRICES, self._walk.margin(name), (end.point.position, "prices.marked"))

    def unexplained(self, before: Wallets, end: Standpoint) -> Iterator[dict[str, Any]]:
        """Where what the events did does not lead from one state to the other; nothing, unless something is broken."""
        after = end.account.wallets
        for name, asset in sorted({*self.changes, *_kept(before, self._shown), *_kept(after, self._shown)}):
            led_to = _sum(before.wallet(name).balance(asset), self.changes.get((name, asset), NOTHING))
            found = after.wallet(name).balance(asset)
            yield from _unlike({"wallet": name, "asset": asset}, led_to._asdict(), found._asdict())
        walked = self._walk.account.wallets
        for wallet in after.all():
            for pair in (
                {**wallet.positions, **walked.wallet(wallet.name).positions} if self._shown.shows(wallet.name) else ()
            ):
                led_to_position = walked.wallet(wallet.name).positions.get(pair, FLAT)
                found_position = wallet.positions.get(pair, FLAT)
                yield from _unlike(
                    {"wallet": wallet.name, "pair": pair}, led_to_position._asdict(), found_position._asdict()
                )
        for name, attribution in self.attributions.items():
            margin = Walk(end.account, end.market).margin(name)
            if margin is not None and attribution.lacks_price_at is None:
                yield from _unlike({"wallet": name}, attribution.end._asdict(), margin.valuation._asdict())


def changes_of(lines: Iterable[Line], account_id: str, shown: Shown) -> Changes:
    """The lines of an account's own books, summed by wallet, asset and part."""
    changes: Changes = {}
    for book, asset, amount in lines:
        if book.account_id == account_id and shown.shows(book.name):
            changes[book.name, asset] = changes.get((book.name, asset), NOTHING).posted(book.part, amount)
    return changes


def _row(step: Step, changes: Changes, shown: Shown) -> dict[str, Any]:
    """An event as the answer tells it: its envelope, what it changed, and the levels before and after."""
    told = {name: value for name, value in entry(step.recorded).items() if name in ROW}
    moved = [
        {"wallet": wallet, "asset": asset, **{part: plain(amount) for part, amount in more._asdict().items() if amount}}
        for (wallet, asset), more in changes.items()
        if any(more)
    ]
    levels = {
        name: {"before": level(margin.before), "after": level(margin.after)}
        for name, margin in step.margins.items()
        if shown.shows(name)
    }
    return {**told, "changes": moved, "margin_levels": levels}


ROW = ("position", "topic", "recorded_at", "version", "effective_at", "actor", "correlation_id", "reason")


def _sum(left: Balance, right: Balance) -> Balance:
    return Balance(*(one + other for one, other in zip(left, right, strict=True)))


def _kept(wallets: Wallets, shown: Shown) -> set[tuple[str, str]]:
    return {(wallet.name, asset) for wallet in wallets.all() if shown.shows(wallet.name) for asset in wallet.balances}


def _unlike(
    place: Mapping[str, str], led_to: Mapping[str, Decimal], found: Mapping[str, Decimal]
) -> Iterator[dict[str, Any]]:
    for part, amount in led_to.items():
        if amount != found[part]:
            yield {**place, "part": part, "by_events": plain(amount), "to": plain(found[part])}
