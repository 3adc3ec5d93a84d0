"""The stream of margin levels: the state as it is, every wallet that comes into another band, and what was missed."""

import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from tests.api.event_stream import Reader, Told, until
from tests.api.house import House, deposit, open_account, open_house, opened_market

LEVELS = "/v1/margin-levels/stream"


@pytest.fixture(scope="module", autouse=True)
def short_heartbeats() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LEDGER_HEARTBEAT_SECONDS", "0.3")
        yield


@pytest.fixture
def market(database: str) -> Iterator[House]:
    """A house where Alice and Bob owe USDT against one ETH each, at 2,000: Alice 500, Bob 1,300."""
    with open_house(database) as house:
        opened_market(house)
        for account_id, amount in (("alice", "500"), ("bob", "1300")):
            into_cross = {"type": "transfer", "from": "spot", "to": "cross", "asset": "ETH", "amount": "1"}
            house.send(
                open_account(account_id),
                deposit(account_id, "1", "d1", "ETH"),
                {**into_cross, "account_id": account_id, "idempotency_key": f"into-{account_id}"},
            )
            _borrow(house, account_id, amount)
            _take_out(house, account_id, amount)
        yield house


def _borrow(house: House, account_id: str, amount: str) -> None:
    named = {"account_id": account_id, "wallet": "cross", "asset": "USDT", "amount": amount}
    house.send({"type": "borrow", **named, "idempotency_key": f"borrow-{account_id}"})


def _take_out(house: House, account_id: str, amount: str) -> None:
    """The loan leaves the pool by a trade at no value that matters: USDT is spent for ETH at the mark."""
    quantity = str(int(amount) / 2000)
    trade = {"trade_id": f"spend-{account_id}", "pair": "ETH/USDT", "side": "buy", "quantity": quantity}
    house.send(
        {"type": "book_fill", "account_id": account_id, **trade, "price": "2000", "fee": "0", "fee_asset": "USDT"}
    )


def prices(house: House, eth: str) -> int:
    """Marks the price of ETH; the position of the mark."""
    (marked,) = house.send({"type": "mark_prices", "prices": {"ETH/USDT": eth, "BTC/USDT": "50000"}, "source": "test"})
    return int(marked["position"])


def repay(house: House, account_id: str) -> None:
    house.send(
        deposit(account_id, "2000", "d-repay"),
        {
            "type": "transfer",
            "account_id": account_id,
            "from": "spot",
            "to": "cross",
            "asset": "USDT",
            "amount": "2000",
            "idempotency_key": f"back-{account_id}",
        },
        {
            "type": "repay",
            "account_id": account_id,
            "wallet": "cross",
            "asset": "USDT",
            "amount": "all",
            "idempotency_key": f"repay-{account_id}",
        },
    )


def reader(house: House, path: str = LEVELS, last_id: int | None = None) -> Reader:
    return Reader(path, house.key("auditor"), None if last_id is None else str(last_id))


def address(house: House) -> str:
    return str(house.http.base_url).rstrip("/")


def bands(told: list[Told]) -> list[tuple[str, str | None, str | None]]:
    """Who came from which band into which."""
    wallets = [wallet for one in told if one.name == "bands" for wallet in one.content["wallets"]]
    return [(wallet["account_id"], wallet["band_before"], wallet["band"]) for wallet in wallets]


def report(house: House, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = house.get("/v1/reports/margin-levels", params=asked).json()
    return answer


def test_the_stream_begins_with_the_state_that_the_report_has(market: House) -> None:
    expected, end = report(market), market.log_end()
    with reader(market).connected(address(market)) as events:
        found = list(islice(events, 4))
    names = [(one.name, one.id) for one in found]
    assert names == [("state", None), ("level", None), ("level", None), ("position", end)]
    assert found[0].content == {"position": end}
    assert [one.content for one in found[1:3]] == expected["wallets"]
    assert found[3].content["bands"] == {band: count for band, count in expected["bands"].items() if count}


def test_a_wallet_that_comes_into_another_band_is_told_once_with_its_level(market: House) -> None:
    with reader(market).connected(address(market)) as events:
        until(events, market.log_end())
        first = prices(market, "1000")
        found = until(events, first)
        wallets = {one["account_id"]: one for one in report(market)["wallets"]}
        second = prices(market, "999")
        third = prices(market, "2000")
        found += until(events, third)
    assert second < third
    changed = [one for one in found if one.name == "bands"]
    assert bands(found) == [("bob", "normal", wallets["bob"]["band"]), ("bob", wallets["bob"]["band"], "normal")]
    assert [one.id for one in changed] == [one.content["position"] for one in changed] == [first, third]
    levels = {name: wallets["bob"][name] for name in ("margin_level", "collateral_margin_level")}
    came = {"account_id": "bob", "wallet": "cross", "band_before": "normal", "band": wallets["bob"]["band"]}
    assert changed[0].content["wallets"] == [{**came, **levels}]


def test_who_owes_nothing_any_more_leaves_into_no_band_and_comes_from_none(market: House) -> None:
    with reader(market).connected(address(market)) as events:
        until(events, market.log_end())
        repay(market, "alice")
        found = until(events, market.log_end())
        named = {"account_id": "alice", "wallet": "cross", "asset": "USDT", "amount": "10"}
        market.send({"type": "borrow", **named, "idempotency_key": "again"})
        found += until(events, market.log_end())
    assert bands(found) == [("alice", "normal", None), ("alice", None, "normal")]


def test_the_filter_lets_pass_who_is_in_a_band_comes_into_it_or_leaves_it(market: House) -> None:
    low = prices(market, "1000")
    fallen = next(one["band"] for one in report(market)["wallets"] if one["account_id"] == "bob")
    with reader(market, f"{LEVELS}?band={fallen}").connected(address(market)) as events:
        begun = until(events, low)
        repay(market, "alice")
        market.send(deposit("alice", "1", "so-that-the-log-goes-on"))
        back = prices(market, "2000")
        found = until(events, back)
    assert [one.content["account_id"] for one in begun if one.name == "level"] == ["bob"]
    assert bands(found) == [("bob", fallen, "normal")]


def test_who_comes_again_is_told_what_differs_and_nothing_of_what_came_and_went(market: House) -> None:
    mine = reader(market)
    with mine.connected(address(market)) as events:
        left_at = until(events, market.log_end())[-1].id
    prices(market, "400")
    prices(market, "2000")
    repay(market, "alice")
    end = prices(market, "1000")
    fallen = next(one["band"] for one in report(market)["wallets"] if one["account_id"] == "bob")
    assert mine.last_id == str(left_at)
    with mine.connected(address(market)) as events:
        found = until(events, end)
        assert next(events).name == "position"
    assert bands(found) == [("alice", "normal", None), ("bob", "normal", fallen)]
    assert [one.id for one in found] == [end]
    assert f"the margin levels that differ between position {left_at} and position {end}" in mine.comments


def test_bands_told_to_a_reader_that_is_cut_off_at_random_add_up_to_the_report(market: House) -> None:
    """Whatever is cut: who puts what it is told together has the state of the position that it was told."""
    mine, known = reader(market), dict[str, str]()
    stop = threading.Event()

    def mark() -> None:
        while not stop.is_set():
            for price in ("1000", "2000", "1450", "700"):
                prices(market, price)
                time.sleep(0.05)

    marking = threading.Thread(target=mark)
    marking.start()
    try:
        for most in (3, 1, 4, 1, 5, 2):
            with mine.connected(address(market)) as events:
                take_in(known, islice(events, most))
    finally:
        stop.set()
        marking.join()
    end = prices(market, "1000")
    with mine.connected(address(market)) as events:
        take_in(known, until(events, end))
    assert known == {one["account_id"]: one["band"] for one in report(market)["wallets"]}


def take_in(known: dict[str, str], told: Any) -> None:
    for one in told:
        if one.name == "state":
            known.clear()
        elif one.name == "level":
            known[one.content["account_id"]] = one.content["band"]
        elif one.name == "bands":
            known |= {wallet["account_id"]: wallet["band"] for wallet in one.content["wallets"]}


def test_margin_levels_are_for_staff_and_wait_for_what_was_asked(market: House) -> None:
    market.send(open_account("carol"))
    assert market.get(LEVELS, who="carol").json()["code"] == "forbidden"
    bad = market.get(LEVELS, headers={"Last-Event-ID": "soon"}).json()
    assert bad["code"] == "malformed"
    with reader(market, f"{LEVELS}?min_position={market.log_end()}").connected(address(market)) as events:
        assert until(events, market.log_end())[-1].name == "position"


def test_without_projections_the_stream_is_refused_and_says_so(database: str) -> None:
    with open_house(database, projecting=False, wait_seconds=0.3) as house:
        opened_market(house)
        answer = house.get(LEVELS)
    assert (answer.status_code, answer.json()["code"]) == (503, "projections_behind")
    assert "margin levels as of position" in answer.json()["detail"]
