"""Ways to close out by HTTP: what the exchange has set, an execution that is overdue, a wallet that goes on."""

from datetime import UTC, datetime, timedelta

from tests.api.house import House, deposit, open_account
from tests.api.test_metrics import measured


def mark(house: House, eth: str, later: timedelta = timedelta(0)) -> None:
    dated = (datetime.now(UTC) + later).isoformat()
    prices = {"ETH/USDT": eth, "BTC/USDT": "50000"}
    house.send({"type": "mark_prices", "prices": prices, "source": "test", "effective_at": dated})


def test_an_execution_is_overdue_once_prices_pass_its_limit_and_ends_at_the_target(house: House) -> None:
    """At 1,040 for an ether 21,840 and a bit of interest stand against 20,000: 1.092 of it, below the line of 1.1."""
    limits = {"liquidation_target": "1.2", "liquidation_execution": "external", "execution_time_limit_seconds": 1}
    house.send({"type": "set_risk_limits", "scope": "cross", **limits, "idempotency_key": "limits"})
    cross = house.get("/v1/market").json()["cross"]
    assert {name: cross[name] for name in limits} == limits
    house.send(open_account("eve"), deposit("eve", "22000", "d1"))
    moved = {"from": "spot", "to": "cross", "asset": "USDT", "amount": "22000", "idempotency_key": "t1"}
    terms = {"side": "buy", "quantity": "21", "price": "2000", "fee": "0", "fee_asset": "USDT", "auto_borrow": True}
    house.send(
        {"type": "transfer", "account_id": "eve", **moved},
        {"type": "book_fill", "account_id": "eve", "trade_id": "long-1", "pair": "ETH/USDT", **terms},
    )
    mark(house, "1040")
    (started,) = house.send({"type": "examine", "account_id": "eve", "wallet": "cross"})
    name = f"eve.{started['version']}"
    (running,) = house.get("/v1/liquidations", params={"status": "running"}).json()["liquidations"]
    assert (running["liquidation_id"], running["overdue"]) == (name, False)
    assert house.get("/v1/liquidations", params={"overdue": True}).json()["liquidations"] == []
    mark(house, "1040", timedelta(seconds=4))
    (late,) = house.get("/v1/liquidations", params={"overdue": True}).json()["liquidations"]
    assert (late["liquidation_id"], late["overdue"], late["execute_by"]) == (name, True, running["execute_by"])
    assert house.get(f"/v1/liquidations/{name}").json()["overdue"]
    assert measured(house)["ledger_overdue_liquidations", ""] == 1
    assert house.http.get("/health").json()["overdue_liquidations"] == 1
    house.send({"type": "complete_liquidation", "account_id": "eve", "liquidation_id": name, "idempotency_key": "c1"})
    ended = house.get(f"/v1/liquidations/{name}").json()
    assert (ended["status"], ended["overdue"], ended["completed"]["covered"]) == ("completed", False, {})
    assert ended["completed"]["level"] >= "1.2"
    assert house.get("/v1/accounts/eve").json()["cross"]["margin_level"] == ended["completed"]["level"]
    assert measured(house)["ledger_overdue_liquidations", ""] == 0


def test_the_insurance_report_sums_up_what_was_left_uncovered(house: House) -> None:
    report = house.get("/v1/reports/insurance").json()
    assert (report["uncovered_total"], report["uncovered_deficits"]) == ("0", [])
