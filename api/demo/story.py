"""The story of the two traders, told from answers as of the positions at which something happened to one of them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from api.demo.liquidated import told_apart
from api.demo.play import DemoFailed, Played
from api.demo.scenario import Scenario
from api.demo.two_traders import CAROL, IVAN, step_of_trade, trade_of
from ledger.money import ZERO, plain
from projections.liquidations.queries import liquidations, margin_calls
from projections.market.queries import prices_at
from projections.projector import Connection
from projections.questions.account import account_answer
from projections.snapshot import Snapshot

Answer = dict[str, Any]


class Moment(NamedTuple):
    """Something that happened, the log's position right after it, and both accounts as of then."""

    title: str
    position: int
    price: str
    carol: Answer
    ivan: Answer


class Loss(NamedTuple):
    """What a margin wallet was worth when its margin was put up, what it is worth at the end, and the difference."""

    before: Decimal
    after: Decimal

    @property
    def lost(self) -> Decimal:
        return self.before - self.after


class Story(NamedTuple):
    moments: list[Moment]
    bucket: Loss
    pool: Loss
    carol_liquidations: list[Answer]
    ivan_liquidations: list[Answer]


def story_of(snapshot: Snapshot, scenario: Scenario, played: Played) -> Story:
    """The story up to a snapshot; raises DemoFailed where isolated margin did not keep what it promises."""
    connection, pair = snapshot.connection, scenario.first.pair
    told = {position: title for title, position in _positions(snapshot, scenario, played)}
    moments = [_moment(connection, pair, told[position], position) for position in sorted(told)]
    put_up, last = _moment(connection, pair, "", played.margin_put_up), moments[-1]
    require_the_rest_untouched(put_up.ivan, last.ivan)
    bucket = Loss(_worth(put_up.ivan["isolated"][pair]), _worth(last.ivan["isolated"][pair]))
    if bucket.after < 0:
        raise DemoFailed(f"the bucket of {IVAN} is worth {plain(bucket.after)}, below zero at the end")
    return Story(
        moments,
        bucket,
        Loss(_worth(put_up.carol["cross"]), _worth(last.carol["cross"])),
        *(_liquidations_of(snapshot, account_id) for account_id in (CAROL, IVAN)),
    )


def _liquidations_of(snapshot: Snapshot, account_id: str) -> list[Answer]:
    found = liquidations(snapshot.connection, snapshot.position, account_id=account_id)
    return [told_apart(snapshot, one) for one in found]


def _positions(snapshot: Snapshot, scenario: Scenario, played: Played) -> Iterator[tuple[str, int]]:
    """What happened and where in the log; of two at the same position the later one here is told."""
    yield "margin is put up", played.margin_put_up
    yield "both make the trade", played.traded
    lowest = played.positions[scenario.lowest_step(step_of_trade(scenario))]
    if lowest > played.traded:
        yield "the lowest price", lowest
    yield "the end", snapshot.position
    for account_id, name in ((CAROL, "Carol"), (IVAN, "Ivan")):
        calls = margin_calls(snapshot.connection, snapshot.position, account_id=account_id)
        yield from ((f"{name} is called", call["position"]) for call in calls[:2])
        for one in liquidations(snapshot.connection, snapshot.position, account_id=account_id)[:2]:
            yield f"{name}'s liquidation starts", one["started_position"] - 1
            if one["completed_position"] is not None:
                yield f"{name} is liquidated", one["completed_position"]


def _moment(connection: Connection, pair: str, title: str, position: int) -> Moment:
    carol, ivan = (account_answer(connection, position, account_id) for account_id in (CAROL, IVAN))
    if carol is None or ivan is None:
        raise DemoFailed(f"{CAROL} and {IVAN} are not there at position {position}")
    return Moment(title, position, plain(prices_at(connection, position)[pair].price), carol, ivan)


def _worth(wallet: Answer) -> Decimal:
    return Decimal(wallet["equity"] or ZERO)


def require_the_rest_untouched(before: Answer, after: Answer) -> None:
    """What Ivan has in spot and in his own cross pool is the same, to the digit."""
    for name, was, now in (
        ("spot", before["spot"], after["spot"]),
        ("cross", before["cross"]["assets"], after["cross"]["assets"]),
    ):
        if was != now:
            raise DemoFailed(f"{name} of {IVAN} was {was} and is {now}: an isolated trade must not touch it")


def pool_rows(moments: Iterable[Moment]) -> Iterator[tuple[str, ...]]:
    """One line for each moment: its price, then assets, debt, level and band of Carol's pool, and what is in it."""
    for moment in moments:
        yield _row(moment, moment.carol["cross"])


def bucket_rows(moments: Iterable[Moment], pair: str) -> Iterator[tuple[str, ...]]:
    """The same of Ivan's bucket."""
    for moment in moments:
        yield _row(moment, moment.ivan["isolated"][pair])


def _row(moment: Moment, wallet: Answer) -> tuple[str, ...]:
    figures = (str(wallet[name] or "") for name in ("total_assets", "total_debt", "margin_level", "band"))
    return moment.title, str(moment.position), moment.price, *figures, held(wallet["assets"], "\n")


def held(assets: dict[str, dict[str, str]], between: str = ", ") -> str:
    """What a wallet holds, in words."""
    amounts = {asset: Decimal(one["free"]) + Decimal(one["locked"]) for asset, one in assets.items()}
    return between.join(f"{plain(amount)} {asset}" for asset, amount in amounts.items() if amount) or "nothing"


def opening_words(scenario: Scenario) -> str:
    """What both do, in one sentence."""
    trade = trade_of(scenario)
    value = plain(trade.quantity * trade.price)
    base, quote = scenario.first.base, scenario.first.quote
    return f"Both buy {plain(trade.quantity)} {base} at {plain(trade.price)} for {value} {quote}."
