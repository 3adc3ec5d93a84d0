"""How a wallet came to its line: its level at every step of the log that moved it, and the step that crossed it."""

import sys
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, cast

from ledger import exchange
from ledger.account import Account
from ledger.errors import Malformed
from ledger.events import ExchangeEvent, LiquidationStarted
from ledger.log import Connection, RecordedEvent, read_stream, read_versions, stream_pages, version_at
from ledger.margin import Margin, valued_assets
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, base_of, plain, valuation_pair
from ledger.postings import postings
from ledger.snapshots import accounts_at, rules_in_force
from ledger.words import EXCHANGE, PRICES
from projections.questions.explanation_case import MOST_WALKED, Case
from projections.questions.explanation_prices import Feed, LoggedMark, marks_of
from projections.questions.margin_wallet import band, level, sums
from projections.questions.tally import Shown, changes_of
from projections.questions.walk import Walk

KEPT = "select version from snapshots where stream = %s and rules = %s and position <= %s"


class Span(NamedTuple):
    """What is told: the level over a time before the cause, in so many steps at most.

    `most_folded` bounds how many events of the account are folded to find it as it was.
    """

    over: timedelta = timedelta(hours=1)
    steps: int = 200
    most_folded: int = sys.maxsize


class Approach:
    """The way of a wallet to the decision that is explained, in log order, from a business time on or shortly before.

    `walk` has the account and the market just before the cause, `at_decision` is the account just before the decision
    that made it. `steps` are those dated after `since` that moved the level or a line, the last ones where there are
    more than the span says; `crossing` is the last that took the level to the line or below it, None where none did.
    """

    def __init__(self, connection: Connection, case: Case, since: datetime, span: Span) -> None:
        self.case, self.since, self.span = case, since, span
        self.feed = Feed(connection, case.cause.position)
        self.line = "liquidation" if isinstance(case.event, LiquidationStarted) else "margin_call"
        self.position, self.is_cut = self._start(connection)
        self.start: dict[str, Any] | None = None
        self.steps: deque[dict[str, Any]] = deque(maxlen=span.steps)
        self.count = 0
        self.crossing: dict[str, Any] | None = None
        self.at_decision: Account | None = None
        self.walk, ahead = self._begin(connection)
        self._now = self._margin()
        self._is_across = is_across(self._now, self.line)
        self.began_across = self._is_across
        self._go(ahead)

    def _start(self, connection: Connection) -> tuple[int, bool]:
        """The position of the last vector that is not of the time asked about, and whether that was too far to walk."""
        first = self.feed.back_to(lambda one: one.event.effective_at <= self.since)
        is_cut = self.feed.is_cut
        position = first.position if first else self.feed.read[-1].position if is_cut else 0
        version = version_at(connection, self.case.account_id, position)
        least = self.case.event.version - 1 - MOST_WALKED
        if version >= least:
            return position, is_cut
        return read_versions(connection, self.case.account_id, [least])[0].position, True

    def _begin(self, connection: Connection) -> tuple[Walk, list[RecordedEvent]]:
        """The account and the market at the start, and what happened from there to the cause, in log order."""
        account_id, until = self.case.account_id, self.case.cause.position
        self._require_few(connection)
        account = accounts_at(connection, [account_id], self.position).get(account_id, Account.unopened(account_id))
        pages = stream_pages(connection, account_id, account.version, self.case.event.version - 1)
        own = [one for page in pages for one in page]
        settings = read_stream(connection, EXCHANGE, until_position=until)
        market = Market()
        for one in settings:
            if one.position <= self.position:
                exchange.evolve(market, cast(ExchangeEvent, one.event))
        assets = _assets(account, own, self.case.wallet) - {VALUATION_ASSET}
        marks = self.feed.marks_at(self.position, map(valuation_pair, assets))
        market.prices.update({pair: logged.mark for pair, logged in marks.items()})
        further = [one for one in (*settings, *self.feed.read) if self.position < one.position < until]
        return Walk(account, market), sorted([*own, *further], key=lambda one: one.position)

    def _require_few(self, connection: Connection) -> None:
        """Malformed where more events lead to the start, from a snapshot or the opening, than are folded."""
        account_id, most = self.case.account_id, self.span.most_folded
        kept = connection.execute(KEPT, [account_id, rules_in_force(), self.position]).fetchone()
        folded = version_at(connection, account_id, self.position) - (kept[0] if kept else 0)
        if folded > most:
            raise Malformed(
                f"{folded} events of account {account_id} are to be folded to find it as it was at position "
                f"{self.position}, at most {most} are for one answer; `ledger explain` folds them all"
            )

    def _margin(self) -> Margin | None:
        return self.walk.margin(self.case.wallet)

    def _go(self, ahead: Iterable[RecordedEvent]) -> None:
        first = next((one for one in self.feed.read if one.position == self.position), None)
        self.start = self._entry(first, {})
        for one in ahead:
            if one.position == self.case.first.position:
                self.at_decision = self.walk.account.copy()
            self._take(one)
        if self.at_decision is None:
            self.at_decision = self.walk.account.copy()

    def _take(self, one: RecordedEvent) -> None:
        event, moved = one.event, dict[str, Any]()
        if event.account_id == PRICES:
            moved = self._mark(one)
            if not moved:
                return
        elif event.account_id == EXCHANGE:
            self.walk.take_setting(cast(ExchangeEvent, event))
        else:
            step = self.walk.take(one)
            if self.case.wallet not in step.margins:
                return
            moved = {"changes": changes_told(step.lines, event.account_id, self.case.wallet)}
        before, self._now = self._now, self._margin()
        if _figures(before) != _figures(self._now):
            self._tell(one, moved)
        elif event.effective_at <= self.since:
            self.start = self._entry(one, moved)

    def _mark(self, one: RecordedEvent) -> dict[str, Any]:
        """Takes a vector; the prices that it changed of what the wallet holds and owes, nothing where it did not."""
        before, wallet = self.walk.market.prices.copy(), self.walk.account.wallets.wallet(self.case.wallet)
        self.walk.take_setting(cast(ExchangeEvent, one.event))
        valuing = {valuation_pair(asset) for asset in valued_assets(wallet)}
        changed = {}
        for pair, mark in sorted(marks_of(one).items()):
            old = before.get(pair)
            if pair in valuing and (old is None or old.price != mark.price):
                changed[pair] = {"from": None if old is None else plain(old.price), "to": plain(mark.price)}
        return {"prices": changed} if changed else {}

    def _tell(self, one: RecordedEvent, moved: dict[str, Any]) -> None:
        entry = self._entry(one, moved)
        was_across, self._is_across = self._is_across, is_across(self._now, self.line)
        if self._is_across and not was_across:
            self.crossing = {**entry, "through": self._through(moved)}
        if one.event.effective_at > self.since:
            self.steps.append(entry)
            self.count += 1
        else:
            self.start = entry

    def _entry(self, one: RecordedEvent | None, moved: dict[str, Any]) -> dict[str, Any]:
        margin = self._now
        place: dict[str, Any] = {"position": self.position, "effective_at": None, "topic": None}
        if one is not None:
            place = {"position": one.position, "effective_at": one.event.effective_at, "topic": one.event.TOPIC}
        lines = None if margin is None else margin.lines
        told = {"level": level(margin), "line": lines and plain(getattr(lines, self.line)), "band": band(margin)}
        return {**place, **told, **sums(margin), "tier": lines and lines.tier, **moved}

    def _through(self, moved: dict[str, Any]) -> str | None:
        """The pair whose price took most of what the level lost; None where no price moved."""
        wallet, now = self.walk.account.wallets.wallet(self.case.wallet), self._now
        if now is None or "prices" not in moved:
            return None

        def gained(pair: str) -> Decimal:
            balance, change = wallet.balance(base_of(pair)), moved["prices"][pair]
            more = Decimal(change["to"]) - Decimal(change["from"] or 0)
            return (balance.held - cast(Decimal, getattr(now.lines, self.line)) * balance.owed) * more

        most: str = min(moved["prices"], key=lambda pair: (gained(pair), pair))
        return most

    def known_marks(self, further: dict[str, LoggedMark]) -> dict[str, LoggedMark]:
        """The prices just before the cause: of each pair as the vectors walked have it, else as it is given."""
        walked: dict[str, LoggedMark] = {}
        for one in self.feed.read:
            for pair, mark in marks_of(one).items():
                walked.setdefault(pair, LoggedMark(mark, one.position))
        return {**further, **walked}


def is_across(margin: Margin | None, line: str) -> bool:
    """Whether a wallet is at or below a line; one that owes nothing, or lacks a price, is not."""
    if margin is None or margin.valuation.debt <= ZERO:
        return False
    return bool(margin.valuation.assets <= getattr(margin.lines, line) * margin.valuation.debt)


def changes_told(lines: Iterable[Any], account_id: str, wallet: str) -> list[dict[str, str]]:
    """What lines of a posting change in one wallet, by asset and part."""
    changed = changes_of(lines, account_id, Shown(wallet))
    return [
        {"asset": asset, **{part: plain(amount) for part, amount in more._asdict().items() if amount}}
        for (_, asset), more in changed.items()
        if any(more)
    ]


def _assets(account: Account, ahead: Iterable[RecordedEvent], wallet: str) -> set[str]:
    """The assets that a wallet ever had, with those that events ahead bring."""
    brought = {
        line.asset
        for one in ahead
        for line in postings(one.event)
        if (line.book.account_id, line.book.name) == (account.id, wallet)
    }
    return {*account.wallets.wallet(wallet).balances, *brought}


def _figures(margin: Margin | None) -> tuple[Any, ...] | None:
    return None if margin is None else (margin.valuation.assets, margin.valuation.debt, margin.lines)
