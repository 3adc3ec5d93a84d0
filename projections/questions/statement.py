"""A statement: what an account held, what moved it line by line, and what it then held, for each wallet.

It is a function of the log up to the end of its range: whatever is recorded or rebuilt later, it stays the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from psycopg_pool import ConnectionPool

from ledger.errors import EventUnreadable, UnknownAccount
from ledger.events import AnyEvent
from ledger.log import read_positions
from ledger.money import ZERO, decimals_of
from ledger.postgres import Connection
from ledger.wallets import NOTHING, Balance
from ledger.words import CROSS, SPOT, Part
from projections.accounts.queries import account
from projections.balances.queries import balances
from projections.corrections.queries import adjustments_posted_at
from projections.journal.statement_queries import PartSum, PostedLine, Recorded, part_sums, posted_lines
from projections.questions.corrections import told_of_reversals
from projections.questions.free_text import FreeText, free_texts
from projections.questions.known import known_of_account
from projections.questions.statement_range import Asked, Span, span_of
from projections.snapshot import TIMEOUT_SECONDS, Snapshot, open_snapshot

PROJECTIONS = ("accounts", "journal", "balances", "corrections")
SUBJECTS = {
    "trade_id": "trade",
    "deposit_id": "deposit",
    "withdrawal_id": "withdrawal",
    "adjustment_id": "adjustment",
    "hold_id": "hold",
    "liquidation_id": "liquidation",
    "to_account_id": "account",
    "from_account_id": "account",
}
"""What an event is about, by the field that names it; the first that it has."""
Balances = dict[tuple[str, str], Balance]
"""What an account has of each asset, by wallet and asset."""


class BooksDisagree(EventUnreadable):
    code, title = "books_disagree", "The lines of a statement do not lead from one balance to the other"


class AssetTold(NamedTuple):
    """What a wallet had of an asset at both ends."""

    asset: str
    opening: Balance
    closing: Balance


class WalletTold(NamedTuple):
    """A wallet with each asset that it had or moved, by symbol, and the number of its lines.

    No amount of it has more decimals, or more digits before the point, than are stated.
    """

    wallet: str
    assets: list[AssetTold]
    lines: int
    decimals: int
    whole_digits: int


class LineTold(NamedTuple):
    """A line of a book (a part of a wallet, in one asset), and the book's balance after it; debts are negative.

    `id` is POSITION.LINE and unique in the log. `reverses` and `reversed_by` are positions of events, as known at the
    end of the range. `subject` is TYPE:ID of what the event is about, `reason_code` that of an adjustment.
    The last four are those of FreeText.
    """

    id: str
    position: int
    recorded_at: datetime
    effective_at: datetime
    topic: str
    subject: str | None
    asset: str
    part: Part
    amount: Decimal
    balance: Decimal
    reverses: int | None
    reversed_by: int | None
    reason_code: str | None
    reference: str | None
    reason: str | None
    erased: list[str] | None
    unreadable: list[str] | None


class Statement(NamedTuple):
    """Its range, the wallets that had or moved something, and all their lines, which can be gone through once."""

    account_id: str
    wallet: str | None
    span: Span
    wallets: Sequence[WalletTold]
    lines: Iterator[LineTold]

    def told(self) -> Iterator[tuple[WalletTold, Iterator[LineTold]]]:
        """Each wallet with its lines, which must be taken before the next wallet is."""
        for wallet in self.wallets:
            yield wallet, islice(self.lines, wallet.lines)


@contextmanager
def open_statement(
    source: ConnectionPool[Connection] | Connection, asked: Asked, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[Statement]:
    """A statement to be read while the context lasts, from one snapshot, a thousand lines in memory at a time.

    Refusals: those of `open_snapshot` and `span_of`; UnknownAccount where nothing of the account is known at the end;
    BooksDisagree where its lines do not lead from the balances at its beginning to those at its end.
    """
    point = asked.snapshot_point
    with open_snapshot(source, names=PROJECTIONS, timeout_seconds=timeout_seconds, **point) as snapshot:
        _require_account(snapshot, asked.account_id)
        span = span_of(snapshot, asked)
        sums = part_sums(snapshot.connection, asked.account_id, span.lines, asked.wallet)
        wallets = _wallets(*_balances(snapshot, asked, span, sums), sums)
        yield Statement(asked.account_id, asked.wallet, span, wallets, _lines(snapshot, asked, span))


def _require_account(snapshot: Snapshot, account_id: str) -> None:
    known = known_of_account(snapshot, account_id)
    opened = account(snapshot.connection, snapshot.position, account_id) is not None
    if not opened or (known.through == 0 and not known.beyond):
        raise UnknownAccount(
            f"account {account_id} was not opened by the end of the range (of what is recorded up to position "
            f"{snapshot.position}); ask about a later one, or, if it never was, open it with open_account"
        )


def _balances(snapshot: Snapshot, asked: Asked, span: Span, sums: Sequence[PartSum]) -> tuple[Balances, Balances]:
    """What the account had at both ends. Of a recorded range the lines must lead from the one to the other."""
    told = span.lines
    if not isinstance(told, Recorded):
        opening = _moved({}, sums, "opening")
        return opening, _moved(opening, sums, "moved")
    opening, closing = (_held(snapshot, asked, position) for position in told)
    moved = _moved(opening, sums, "moved")
    for key in sorted(moved.keys() | closing.keys()):
        if moved.get(key, NOTHING) != closing.get(key, NOTHING):
            raise BooksDisagree(
                f"of {key[1]} in {key[0]} the lines of account {asked.account_id} after position {told.after} lead to "
                f"{_written(moved.get(key, NOTHING))}, its balance at position {told.until} is "
                f"{_written(closing.get(key, NOTHING))}; `ledger verify` tells which differs from the log"
            )
    return opening, closing


def _held(snapshot: Snapshot, asked: Asked, position: int) -> Balances:
    rows = balances(snapshot.connection, position, asked.account_id)
    return {
        (row["wallet"], row["asset"]): Balance(row["free"], row["locked"], row["borrowed"], row["interest"])
        for row in rows
        if asked.wallet in (None, row["wallet"])
    }


def _moved(before: Mapping[tuple[str, str], Balance], sums: Sequence[PartSum], column: str) -> Balances:
    after = dict(before)
    for one in sums:
        key = (one.wallet, one.asset)
        after[key] = after.get(key, NOTHING).posted(one.part, getattr(one, column))
    return after


def _written(balance: Balance) -> str:
    return ", ".join(f"{amount:f} {name}" for name, amount in balance._asdict().items())


def _wallets(opening: Balances, closing: Balances, sums: Sequence[PartSum]) -> list[WalletTold]:
    """The wallets and assets that had something at either end, or have a line."""
    moved = {(one.wallet, one.asset) for one in sums if one.lines}
    assets: dict[str, list[AssetTold]] = {}
    for wallet, asset in sorted(opening.keys() | closing.keys(), key=_order):
        told = AssetTold(asset, opening.get((wallet, asset), NOTHING), closing.get((wallet, asset), NOTHING))
        if any(told.opening) or any(told.closing) or (wallet, asset) in moved:
            assets.setdefault(wallet, []).append(told)
    return [_wallet(name, told, [one for one in sums if one.wallet == name]) for name, told in assets.items()]


def _wallet(name: str, assets: list[AssetTold], sums: Sequence[PartSum]) -> WalletTold:
    opening = [amount for told in assets for amount in told.opening]
    decimals = max(decimals_of(amount) for amount in opening)
    # However lines are ordered, a balance is at most what there was and all that moved.
    most = max(map(abs, opening)) + sum((one.turnover for one in sums), ZERO)
    return WalletTold(
        name,
        assets,
        sum(one.lines for one in sums),
        max([decimals, *(one.decimals for one in sums)]),
        len(f"{most:f}".partition(".")[0]),
    )


def _order(key: tuple[str, str]) -> tuple[int, str, str]:
    """Spot, cross, then buckets by name: the order in which lines come."""
    wallet, asset = key
    return (SPOT, CROSS, wallet).index(wallet), wallet, asset


def _lines(snapshot: Snapshot, asked: Asked, span: Span) -> Iterator[LineTold]:
    # What was told later of an event is not known at the end of the range: the snapshot is as of that.
    for lines in posted_lines(snapshot.connection, asked.account_id, span.lines, asked.wallet):
        positions = sorted({line.position for line in lines})
        reversals = told_of_reversals(snapshot, positions)
        posted = {row["position"]: row for row in adjustments_posted_at(snapshot.connection, positions)}
        proposed = {position: row["proposed_position"] for position, row in posted.items()}
        read = read_positions(snapshot.connection, sorted({*positions, *proposed.values()}))
        events = {one.position: one.event for one in read}
        written = [(events[position], events.get(proposed.get(position, 0))) for position in positions]
        texts = dict(zip(positions, free_texts(snapshot.connection, written), strict=True))
        for line in lines:
            place = line.position
            yield _line(line, events[place], reversals.get(place, {}), posted.get(place, {}), texts[place])


def _line(
    line: PostedLine, event: AnyEvent, reversal: dict[str, Any], adjustment: dict[str, Any], text: FreeText
) -> LineTold:
    return LineTold(
        id=f"{line.position}.{line.line}",
        position=line.position,
        recorded_at=line.recorded_at,
        effective_at=line.effective_at,
        topic=line.topic,
        subject=_subject(event),
        asset=line.asset,
        part=line.part,
        amount=line.amount,
        balance=line.balance,
        reverses=(reversal.get("reverses") or {}).get("position"),
        reversed_by=(reversal.get("reversed_by") or {}).get("position"),
        reason_code=adjustment.get("reason_code"),
        **text._asdict(),
    )


@cache
def _naming(kind: type[AnyEvent]) -> list[tuple[str, str]]:
    """The fields that name what such an event is about: to ask for one that it lacks costs more than all the rest."""
    return [(field, subject) for field, subject in SUBJECTS.items() if field in kind.model_fields]


def _subject(event: AnyEvent) -> str | None:
    for field, kind in _naming(type(event)):
        named = getattr(event, field)
        if named is not None:
            return f"{kind}:{named}"
    return None
