"""What other prices would do, asked over HTTP: it comes true digit by digit, and asking records nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.risk import Examiner
from api.routes import risk
from ledger.postgres import connect
from tests.api.house import House, deposit, open_account, open_house, opened_market, wait_until

START = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)
PATH = "/v1/risk/what-if"
LONGS = {"long-a": "3000", "long-b": "1000", "long-c": "700"}
SHORTS = {"short-a": "1100", "short-b": "2500"}
POOLS = {"pool-a": "60000", "pool-b": "90000", "pool-c": "30000"}


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def told_of(account_id: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "account_id": account_id, "idempotency_key": kind, "effective_at": stamp(START), **fields}


def bucket_of(account_id: str, margin: str, side: str, pair: str, quantity: str, price: str) -> list[dict[str, Any]]:
    """An account with a position in an isolated bucket, the rest of it borrowed, and 100 USDT kept in spot."""
    fill = {"trade_id": f"{account_id}-1", "quantity": quantity, "price": price, "fee": "0", "fee_asset": "USDT"}
    return [
        open_account(account_id),
        {**deposit(account_id, str(int(margin) + 100), "d1"), "effective_at": stamp(START)},
        told_of(account_id, "set_margin_mode", pair=pair, mode="isolated"),
        told_of(account_id, "add_margin", pair=pair, asset="USDT", amount=margin),
        told_of(account_id, "book_fill", pair=pair, side=side, auto_borrow=True, **fill),
    ]


def pool_of(account_id: str, debt: str) -> list[dict[str, Any]]:
    return [
        open_account(account_id),
        {**deposit(account_id, "2", "d1", "BTC"), "effective_at": stamp(START)},
        told_of(account_id, "transfer", asset="BTC", amount="2", **{"from": "spot", "to": "cross"}),
        told_of(account_id, "borrow", wallet="cross", asset="USDT", amount=debt),
        told_of(account_id, "book_fill", **sale(account_id, debt)),
    ]


def sale(account_id: str, debt: str) -> dict[str, Any]:
    """What was borrowed buys ether."""
    fields = {"trade_id": f"{account_id}-1", "pair": "ETH/USDT", "side": "buy", "price": "2000", "fee": "0"}
    return {**fields, "quantity": str(int(debt) // 2000), "fee_asset": "USDT"}


@pytest.fixture
def market(database: str) -> Iterator[House]:
    """Buckets long of BTC, buckets short of ETH, pools of BTC and ETH; 500 USDT in the fund; nobody examines them."""
    with open_house(database) as house:
        opened_market(house, effective_at=stamp(START))
        house.send({"type": "fund_insurance", "asset": "USDT", "amount": "500", "idempotency_key": "fund"})
        for name, margin in LONGS.items():
            house.send(*bucket_of(name, margin, "buy", "BTC/USDT", "0.1", "50000"))
        for name, margin in SHORTS.items():
            house.send(*bucket_of(name, margin, "sell", "ETH/USDT", "2", "2000"))
        for name, debt in POOLS.items():
            house.send(*pool_of(name, debt))
        yield house


def what_if(house: House, body: Any, who: str = "auditor", **parameters: Any) -> httpx.Response:
    return house.ask("POST", PATH, who=who, json=body, params=parameters)


def found_of(house: House, body: Any, **parameters: Any) -> dict[str, Any]:
    answer = what_if(house, body, **parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows_of(house: House, path: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.get(path).json()[name]
    return rows


@pytest.mark.parametrize(
    "prices", [{"BTC/USDT": "43000"}, {"BTC/USDT": "28000", "ETH/USDT": "900"}, {"ETH/USDT": "2950"}]
)
def test_what_is_told_is_what_happens_when_the_prices_are_marked_and_all_are_examined(
    market: House, prices: dict[str, str]
) -> None:
    end = market.log_end()
    found = found_of(market, {"shocks": prices})
    assert (market.log_end(), found["position"]) == (end, end)
    assert found["liquidated"] > 0
    mark = {"type": "mark_prices", "source": "test", "effective_at": stamp(START + timedelta(minutes=1))}
    market.send({**mark, "prices": prices})
    assert Examiner(market.ledger, market.pool).step() == found["called"] + found["liquidated"]
    happened = [one["completed"] for one in rows_of(market, "/v1/liquidations", "liquidations")]
    told = [one for one in found["wallets"] if one["outcome"] == "liquidated"]
    assert [(one["account_id"], one["wallet"]) for one in told] == [
        (one["account_id"], one["wallet"]) for one in happened
    ]
    for row, completed in zip(told, happened, strict=True):
        assert Decimal(row["close_out"]["deficit"]) == Decimal(completed["covered_value"])
        for part in ("sold", "repaid", "fee", "covered"):
            assert exact(row["close_out"][part]) == exact(completed[part])
    require_calls_and_fund(market, found)


def require_calls_and_fund(market: House, found: dict[str, Any]) -> None:
    calls = {(one["account_id"], one["level"]) for one in rows_of(market, "/v1/margin-calls", "margin_calls")}
    told = {(one["account_id"], one["margin_level"]["after"]) for one in found["wallets"] if one["outcome"] == "called"}
    assert calls == told
    fund = market.get("/v1/reports/insurance").json()
    assert fund["assets"] == found["fund"]["after"]
    assert sum(Decimal(one["uncovered"]) for one in fund["uncovered_deficits"]) == Decimal(found["uncovered_deficit"])


def exact(amounts: dict[str, str]) -> dict[str, Decimal]:
    """Amounts by asset; an event keeps the zeros at the end of an amount, an answer does not."""
    return {asset: Decimal(amount) for asset, amount in amounts.items()}


def test_a_what_if_as_of_an_earlier_position_is_the_same_after_all_that_came_later(market: House) -> None:
    body = {"shocks": {"all": "-40%"}}
    then = found_of(market, body)
    market.send(
        {"type": "mark_prices", "prices": {"BTC/USDT": "70000"}, "source": "test", "effective_at": stamp(START)}
    )
    assert found_of(market, body, position=then["position"]) == then
    assert found_of(market, body)["shocks"] != then["shocks"]


def test_pages_and_sweeps(market: House) -> None:
    body = {"shocks": {"ETH": "+60%"}, "sweep": {"of": "BTC", "from": "-50%", "to": "+0%", "step": "25%"}}
    whole = found_of(market, body)
    assert [step["change"] for step in whole["sweep"]["steps"]] == ["-50%", "-25%", "+0%"]
    last = whole["sweep"]["steps"][-1]
    assert (last["liquidated"], last["deficit"]) == (whole["liquidated"], whole["deficit"])
    first = found_of(market, body, limit=1)
    rest = found_of(market, body, limit=1000, after=first["next"])
    assert first["wallets"] + rest["wallets"] == whole["wallets"]
    assert (len(first["wallets"]), len(rest["wallets"]) > 0, rest["next"]) == (1, True, None)


def test_a_what_if_that_would_take_too_long_is_refused_and_names_the_way_out(
    market: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight wallets owe, and are valued at the prices of now and at the shocked ones."""
    monkeypatch.setattr(risk, "MOST_VALUATIONS", 16)
    body = {"shocks": {"BTC": "-5%"}}
    found_of(market, body)
    refused = what_if(market, {**body, "sweep": {"of": "ETH", "from": "-5%", "to": "+5%", "step": "10%"}})
    assert (refused.status_code, refused.json()["code"]) == (400, "too_much_asked")
    for said in ("8 wallets owe", "4 sets of prices", "32 valuations", "at most 16", "`ledger stress`"):
        assert said in refused.json()["detail"]


def test_one_what_if_is_worked_at_a_time_and_others_are_told_to_come_again(
    market: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits for projections that are being swapped; once it is done the next one has its turn."""
    monkeypatch.setattr(risk, "TURN_SECONDS", 0.2)
    body = {"shocks": {"BTC": "-5%"}}
    found_of(market, body)
    with ThreadPoolExecutor(1) as threads:
        with connect(market.url) as swapping:
            swapping.execute("lock table public.projection_swaps in access exclusive mode")
            first = threads.submit(what_if, market, body)
            wait_until(lambda: first.done() or is_waited_for(market))
            second = what_if(market, body)
        assert (second.status_code, second.json()["code"]) == (429, "too_many_requests")
        assert second.headers["Retry-After"] == "1"
        assert first.result().status_code == 200
    assert what_if(market, body).status_code == 200


def is_waited_for(market: House) -> bool:
    """Whether a question waits for the swap to end."""
    with market.pool.connection() as connection:
        row = connection.execute(
            "select exists (select from pg_locks where not granted and mode = 'AccessShareLock'"
            " and relation = 'public.projection_swaps'::regclass)"
        ).fetchone()
    return row is not None and bool(row[0])


def test_staff_asks_and_customers_do_not(house: House) -> None:
    body = {"shocks": {"BTC/USDT": "-5%"}}
    for who in ("service", "operator", "auditor", "admin"):
        assert what_if(house, body, who).status_code == 200, who
        assert house.get("/v1/reports/exposure", who=who).status_code == 200, who
    for refused in (what_if(house, body, "stranger"), house.ask("POST", PATH, who="stranger", content=b"no body")):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert house.get("/v1/reports/exposure", who="stranger").status_code == 403
    assert house.http.post(PATH, json=body).status_code == 401


SHOCKS = {"BTC/USDT": "-5%"}
SWEEP = {"of": "BTC/USDT", "from": "-5%", "to": "+5%", "step": "5%"}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ([], 400, "no JSON object"),
        ({}, 400, "no shock is stated"),
        ({"shocks": {}}, 400, "no shock is stated"),
        ({"shocks": ["BTC/USDT"]}, 400, "shocks is an object"),
        ({"shock": SHOCKS}, 400, "'shock' is not known"),
        ({"shocks": SHOCKS, "position": 5}, 400, "'position' is not known"),
        ({"shocks": {"BTC/USDT": 5}}, 400, "never a JSON number"),
        ({"shocks": {"BTC/USDT": "-100%"}}, 400, "no price above zero"),
        ({"shocks": {"DOGE/USDT": "-5%"}}, 404, "DOGE/USDT is not listed"),
        ({"shocks": {"DOGE": "-5%"}}, 404, "DOGE is not listed"),
        ({"shocks": {"x" * 5000: "-5%"}}, 404, "is not listed"),
        ({"shocks": {"BTC/USDT": "5.001"}}, 400, "keeps 2"),
        ({"shocks": SHOCKS, "sweep": SWEEP}, 400, "both shocked and swept"),
        ({"sweep": {**SWEEP, "step": 5}}, 400, "no percentage"),
        ({"sweep": {**SWEEP, "of": 5}}, 400, "all four of them"),
        ({"sweep": {"of": "BTC/USDT"}}, 400, "all four of them"),
        ({"sweep": "BTC/USDT"}, 400, "all four of them"),
    ],
)
def test_what_cannot_be_asked_is_refused_precisely(house: House, body: Any, status: int, said: str) -> None:
    answer = what_if(house, body)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


@pytest.mark.parametrize(
    "parameters",
    [
        {"after": "x"},
        {"after": "1.00000000,alice,cross"},
        {"after": "called,1.00000000,alice"},
        {"limit": "0"},
        {"shock": "5"},
        {"position": "99999"},
    ],
)
def test_a_parameter_that_cannot_be_is_refused(house: House, parameters: dict[str, str]) -> None:
    assert what_if(house, {"shocks": SHOCKS}, **parameters).status_code == 400


def test_exposure_is_asked_with_its_bound_and_as_of_when(told: House) -> None:
    found = told.get("/v1/reports/exposure", params={"within": "50", "limit": "1"}).json()
    assert found["near"]["within_percent"] == "50"
    assert [one["account_id"] for one in found["debtors"]] == ["alice"]
    assert told.get("/v1/reports/exposure", params={"position": "12"}).json()["debtors"] == []
    for wrong in ({"within": "101"}, {"within": "-1"}, {"within": "1e1"}, {"within_percent": "5"}):
        assert told.get("/v1/reports/exposure", params=wrong).status_code == 400
