"""What would happen at other prices: who would be called or liquidated, and what the insurance fund would pay."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ledger.errors import Malformed
from ledger.market import Market
from ledger.money import VALUATION_ASSET, ZERO, plain
from ledger.words import Band, pair_of
from projections.liquidations.queries import insurance
from projections.market.queries import market_at
from projections.questions.known import known_of_accounts
from projections.questions.margin_wallet import UNPRICED
from projections.questions.shocks import Shock, Sweep, read_shocks, shocked_market
from projections.questions.what_if_bound import wallets_up_to
from projections.questions.what_if_examination import Amounts, CloseOut
from projections.questions.what_if_kept import Acted, Outcome, Place, Worst
from projections.questions.what_if_tally import Tally, Weighed, tally_of, weigh
from projections.snapshot import Snapshot


class Listed(NamedTuple):
    """Which of the wallets acted on are listed: at most `limit`, after a place."""

    after: Place | None = None
    limit: int = 100


LISTED = Listed()


def what_if_answer(
    snapshot: Snapshot,
    stated: Mapping[str, Any],
    sweep: Sweep | None = None,
    listed: Listed = LISTED,
    *,
    most_valuations: int | None = None,
) -> dict[str, Any]:
    """What POST /v1/risk/what-if answers: nothing is recorded.

    Every wallet that owes is examined in memory by the rules that would examine it, with the interest due by the newest
    prices; liquidations come first, then calls, each the worst first, then by account and wallet. A price is as fresh
    as it is now. Each change of a sweep comes beside the shocks that are stated. Refuses with TooMuchAsked where more
    valuations (of one wallet at the prices of one moment or supposition) would be made than `most_valuations`.
    """
    if not stated and sweep is None:
        raise Malformed('no shock is stated; state at least one, such as {"BTC/USDT": "-20%"}')
    market = market_at(snapshot.connection, snapshot.position, snapshot.effective_at)
    shocks = read_shocks(market, stated)
    swept = [] if sweep is None else [_with(market, stated, sweep, change) for change in sweep.changes]
    # One more than are listed, which tells whether there are more.
    worst = Worst(listed.after, listed.limit + 1)
    tallies = [
        tally_of(market, shocked_market(market, shocks), worst),
        *(tally_of(market, shocked_market(market, one)) for one in swept),
    ]
    weighed = weigh(wallets_up_to(snapshot, most_valuations, 1 + len(tallies)), market, tallies)
    fund = insurance(snapshot.connection, known_of_accounts(snapshot))
    found = {
        "position": snapshot.position,
        "prices_effective_at": market.newest_prices_at,
        "shocks": {pair: _shock(shock) for pair, shock in sorted(shocks.items())},
        **_standing(weighed),
        **_sums(weighed.tallies[0], fund),
        **_page(worst.first(), listed.limit),
    }
    if sweep is None:
        return found
    steps = zip(sweep.changes, weighed.tallies[1:], strict=True)
    return {**found, "sweep": {"of": sweep.name, "steps": [_step(change, tally, fund) for change, tally in steps]}}


def _with(market: Market, stated: Mapping[str, Any], sweep: Sweep, change: str) -> dict[str, Shock]:
    if sweep.name in stated:
        raise Malformed(f"{sweep.name} is both shocked and swept; leave it out of the shocks")
    return read_shocks(market, {**stated, sweep.name: change})


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
    after, whole = tally.fund_use.after(fund), tally.whole
    closed = whole.closed
    assets = sorted({*closed.sold, *closed.repaid, *closed.fee, *closed.covered})
    return {
        **_figures(whole, tally),
        "uncovered_deficit": plain(after.uncovered),
        "fund": {"before": _plain(fund), "after": _plain(after.assets)},
        "by_pair": {name: _figures(acted, tally) for name, acted in _by_pair(tally)},
        "by_asset": {asset: _of_asset(closed, asset) for asset in assets},
    }


def _figures(acted: Acted, tally: Tally) -> dict[str, Any]:
    """Counts, and values in the valuation asset at the shocked prices."""
    return {
        "called": acted.called,
        "liquidated": acted.liquidated,
        "repaid_value": plain(acted.closed.repaid_value),
        "fee_value": plain(tally.value_of(acted.closed.fee)),
        "deficit": plain(acted.closed.deficit),
    }


def _by_pair(tally: Tally) -> Iterator[tuple[str, Acted]]:
    """The sums of each pair's buckets, in order of pair, and last those of cross pools."""
    for wallet in sorted(tally.acted, key=lambda name: (pair_of(name) is None, name)):
        yield pair_of(wallet) or wallet, tally.acted[wallet]


def _of_asset(whole: CloseOut, asset: str) -> dict[str, str]:
    parts = {"sold": whole.sold, "repaid": whole.repaid, "fee": whole.fee, "covered": whole.covered}
    amounts = {name: plain(amounts.get(asset, ZERO)) for name, amounts in parts.items()}
    return {**amounts, "deficit": plain(whole.deficits.get(asset, ZERO))}


def _page(found: list[Outcome], limit: int) -> dict[str, Any]:
    """The wallets acted on, in order, and where to read on."""
    shown = found[:limit]
    return {
        "wallets": [_row(one) for one in shown],
        "next": _cursor(shown[-1]) if len(found) > len(shown) > 0 else None,
    }


def _cursor(one: Outcome) -> str:
    return f"{_kind(one)},{one.after.level},{one.account_id},{one.wallet}"


def _kind(one: Outcome) -> str:
    return "called" if one.close_out is None else "liquidated"


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "wallet": one.wallet,
        "outcome": _kind(one),
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
    after = tally.fund_use.after(fund)
    figures = _figures(tally.whole, tally)
    held = plain(after.assets.get(VALUATION_ASSET, ZERO))
    return {"change": change, **figures, "uncovered_deficit": plain(after.uncovered), "fund_after": held}
