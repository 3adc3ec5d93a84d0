"""What would happen at other prices: who would be called or liquidated, and what the insurance fund would pay."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.errors import Malformed
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, plain
from ledger.words import Band, pair_of
from projections.liquidations.queries import insurance
from projections.margin_levels.queries import OwingWallet, wallets_that_owe
from projections.market.queries import market_at
from projections.questions.known import known_of_accounts
from projections.questions.levels import dated_wallets_that_owe
from projections.questions.margin_wallet import UNPRICED
from projections.questions.shocks import Shock, Sweep, read_shocks, shocked_market
from projections.questions.what_if_examination import Amounts, CloseOut
from projections.questions.what_if_tally import (
    Outcome,
    Place,
    Tally,
    Weighed,
    fund_after,
    tally_of,
    weigh,
)
from projections.snapshot import Snapshot


class Listed(NamedTuple):
    """Which of the wallets acted on are listed: at most `limit`, after a place."""

    after: Place | None = None
    limit: int = 100


def what_if_answer(
    snapshot: Snapshot, stated: Mapping[str, Any], sweep: Sweep | None = None, listed: Listed | None = None
) -> dict[str, Any]:
    """What POST /v1/risk/what-if answers: nothing is recorded.

    Every wallet that owes is examined in memory by the rules that would examine it, with the interest due by the newest
    prices; liquidations come the worst first, then by account and wallet. A price is as fresh as it is now. Each change
    of a sweep comes beside the shocks that are stated.
    """
    if not stated and sweep is None:
        raise Malformed('no shock is stated; state at least one, such as {"BTC/USDT": "-20%"}')
    market = market_at(snapshot.connection, snapshot.position, snapshot.effective_at)
    shocks = read_shocks(market, stated)
    swept = [] if sweep is None else [_with(market, stated, sweep, change) for change in sweep.changes]
    tallies = [tally_of(market, shocked_market(market, one)) for one in (shocks, *swept)]
    weighed = weigh(_wallets(snapshot), market, tallies)
    fund = insurance(snapshot.connection, known_of_accounts(snapshot))
    found = {
        "position": snapshot.position,
        "prices_effective_at": market.newest_prices_at,
        "shocks": {pair: _shock(shock) for pair, shock in sorted(shocks.items())},
        **_standing(weighed),
        **_sums(weighed.tallies[0], fund),
        **_page(weighed.tallies[0].outcomes, listed or Listed()),
    }
    if sweep is None:
        return found
    steps = zip(sweep.changes, weighed.tallies[1:], strict=True)
    return {**found, "sweep": {"of": sweep.name, "steps": [_step(change, tally, fund) for change, tally in steps]}}


def _with(market: Market, stated: Mapping[str, Any], sweep: Sweep, change: str) -> dict[str, Shock]:
    if sweep.name in stated:
        raise Malformed(f"{sweep.name} is both shocked and swept; leave it out of the shocks")
    return read_shocks(market, {**stated, sweep.name: change})


def _wallets(snapshot: Snapshot) -> Iterator[OwingWallet]:
    connection, position, effective_at = snapshot.connection, snapshot.position, snapshot.effective_at
    if effective_at is None:
        return wallets_that_owe(connection, position)
    return dated_wallets_that_owe(connection, position, effective_at)


def _shock(shock: Shock) -> dict[str, str]:
    return {"stated": shock.stated, "price": plain(shock.price), "shocked": plain(shock.shocked)}


def _standing(weighed: Weighed) -> dict[str, Any]:
    """How many wallets stood and would stand in each band, and those that nothing is said of."""
    after = weighed.tallies[0].bands
    lacking = [
        {"account_id": account_id, "wallet": wallet, "lacking_prices": assets}
        for account_id, wallet, assets in weighed.unpriced
    ]
    return {
        "bands": {band: {"before": weighed.bands[band], "after": after[band]} for band in map(str, Band)},
        "unpriced": {"count": weighed.bands[UNPRICED], "wallets": lacking},
        "being_liquidated": weighed.running,
        "backdated": weighed.backdated,
    }


def _sums(tally: Tally, fund: Amounts) -> dict[str, Any]:
    """The whole, by pair (and for cross), by asset, and the insurance fund before and after."""
    outcomes = sorted(tally.outcomes, key=lambda one: one.place)
    after, whole = fund_after(fund, outcomes), _closed(outcomes)
    assets = sorted({*whole.sold, *whole.repaid, *whole.fee, *whole.covered})
    return {
        **_figures(outcomes, tally),
        "uncovered_deficit": plain(after.uncovered),
        "fund": {"before": _plain(fund), "after": _plain(after.assets)},
        "by_pair": {name: _figures(of_name, tally) for name, of_name in _by_pair(outcomes)},
        "by_asset": {asset: _of_asset(whole, asset) for asset in assets},
    }


def _figures(outcomes: Sequence[Outcome], tally: Tally) -> dict[str, Any]:
    """Counts, and values in the valuation asset at the shocked prices."""
    closed = _closed(outcomes)
    liquidated = sum(one.close_out is not None for one in outcomes)
    return {
        "called": len(outcomes) - liquidated,
        "liquidated": liquidated,
        "repaid_value": plain(closed.repaid_value),
        "fee_value": plain(tally.value_of(closed.fee)),
        "deficit": plain(closed.deficit),
    }


def _closed(outcomes: Iterable[Outcome]) -> CloseOut:
    whole = CloseOut()
    for one in outcomes:
        if one.close_out is not None:
            whole.add(one.close_out)
    return whole


def _by_pair(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """The outcomes of each pair's buckets, in order of pair, and last those of cross pools."""
    counts = Counter(one.wallet for one in outcomes)
    for wallet in sorted(counts, key=lambda name: (pair_of(name) is None, name)):
        yield pair_of(wallet) or wallet, [one for one in outcomes if one.wallet == wallet]


def _of_asset(whole: CloseOut, asset: str) -> dict[str, str]:
    parts = {"sold": whole.sold, "repaid": whole.repaid, "fee": whole.fee, "covered": whole.covered}
    amounts = {name: plain(amounts.get(asset, ZERO)) for name, amounts in parts.items()}
    return {**amounts, "deficit": plain(whole.deficits.get(asset, ZERO))}


def _page(outcomes: Iterable[Outcome], listed: Listed) -> dict[str, Any]:
    """The wallets acted on, the worst first, and where to read on."""
    rows = sorted(
        (one for one in outcomes if listed.after is None or one.place > listed.after), key=lambda one: one.place
    )
    shown = rows[: listed.limit]
    more = f"{shown[-1].after.level},{shown[-1].account_id},{shown[-1].wallet}" if len(rows) > len(shown) > 0 else None
    return {"wallets": [_row(one) for one in shown], "next": more}


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "wallet": one.wallet,
        "outcome": "called" if one.close_out is None else "liquidated",
        "band": {"before": one.before.band, "after": one.after.band},
        "margin_level": {"before": one.before.level, "after": one.after.level},
        "equity": {"before": plain(one.before.equity), "after": plain(one.after.equity)},
        "close_out": None if one.close_out is None else _close_out(one.close_out),
    }


def _close_out(found: CloseOut) -> dict[str, Any]:
    parts = {"sold": found.sold, "repaid": found.repaid, "fee": found.fee, "covered": found.covered}
    amounts = {name: _plain(amounts) for name, amounts in parts.items()}
    return {**amounts, "repaid_value": plain(found.repaid_value), "deficit": plain(found.deficit)}


def _plain(amounts: Amounts) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in sorted(amounts.items())}


def _step(change: str, tally: Tally, fund: Amounts) -> dict[str, Any]:
    """One change of a sweep; the fund is what it holds of the valuation asset, which pays deficits."""
    outcomes = sorted(tally.outcomes, key=lambda one: one.place)
    after = fund_after(fund, outcomes)
    figures = _figures(outcomes, tally)
    held = plain(after.assets.get(VALUATION_ASSET, ZERO))
    return {"change": change, **figures, "uncovered_deficit": plain(after.uncovered), "fund_after": held}
