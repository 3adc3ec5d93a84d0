"""Questions: every answer says the position that it is true at, now and as of any moment."""

import csv
import io
from typing import Any

import pytest

from tests.api.house import House, deposit, open_account


def test_an_account_has_all_that_the_contract_names(told: House) -> None:
    answer = told.get("/v1/accounts/alice").json()
    assert set(answer) == {
        *("account_id", "version", "position", "as_of", "status", "blocks", "spot", "cross", "isolated"),
        *("margin_modes", "positions", "prices"),
    }
    assert (answer["account_id"], answer["version"], answer["as_of"]) == ("alice", 11, None)
    assert (answer["status"], answer["blocks"]) == ("frozen", ["withdraw"])
    assert answer["position"] == told.log_end()
    assert answer["spot"] == {"BTC": {"free": "5", "locked": "0"}, "USDT": {"free": "5850", "locked": "150"}}
    cross = answer["cross"]
    assert set(cross) == {
        *("assets", "total_assets", "total_debt", "equity", "margin_level", "collateral_margin_level", "debt_ratio"),
        *("band", "lines", "max_leverage", "liquidation_prices", "lacking_prices"),
    }
    assert cross["assets"] == {
        "USDT": {"free": "6000", "locked": "0", "borrowed": "2000", "interest": "0.02", "net": "3999.98"}
    }
    assert (cross["total_assets"], cross["total_debt"], cross["margin_level"]) == ("6000", "2000.02", "2.99997000")
    assert (cross["band"], cross["max_leverage"]) == ("normal", "3")


def test_an_account_can_be_asked_as_of_a_position(told: House) -> None:
    events = told.get("/v1/accounts/alice/events").json()["events"]
    for event in events:
        answer = told.get("/v1/accounts/alice", params={"position": event["position"]}).json()
        assert (answer["position"], answer["version"]) == (event["position"], event["version"])
        assert answer["as_of"] == {"position": event["position"]}
    first = told.get("/v1/accounts/alice", params={"position": events[0]["position"]}).json()
    assert (first["spot"], first["status"], first["blocks"]) == ({}, "open", [])


def test_an_account_can_be_asked_as_of_a_recorded_time(told: House) -> None:
    events = told.get("/v1/accounts/alice/events").json()["events"]
    asked = events[1]["recorded_at"]
    answer = told.get("/v1/accounts/alice", params={"recorded_at": asked}).json()
    assert answer["as_of"] == {"recorded_at": asked}
    assert answer["version"] >= 2
    assert told.get("/v1/accounts/alice", params={"recorded_at": "2020-01-01T00:00:00Z"}).status_code == 404


def test_an_account_can_be_asked_as_of_a_business_time(told: House) -> None:
    told.send(open_account("dated"), {**deposit("dated", "7", "d1"), "effective_at": "2026-01-05T12:00:00Z"})
    before = told.get("/v1/accounts/dated", params={"effective_at": "2026-01-05T11:59:59Z"})
    assert before.status_code == 404
    answer = told.get("/v1/accounts/dated", params={"effective_at": "2026-01-05T12:00:00Z"}).json()
    assert answer["spot"] == {"USDT": {"free": "7", "locked": "0"}}
    assert answer["as_of"] == {"effective_at": "2026-01-05T12:00:00Z"}
    assert answer["backdated"] is False


def test_an_answer_includes_what_was_recorded_before_the_question(told: House) -> None:
    told.send(open_account("fresh"))
    for number in range(10):
        (result,) = told.send(deposit("fresh", "1", f"d{number}"))
        answer = told.get("/v1/accounts/fresh").json()
        assert answer["version"] == result["version"]
        assert answer["position"] >= result["position"]


def test_a_question_can_ask_for_a_position_and_take_what_there_is(told: House) -> None:
    end = told.log_end()
    assert told.get("/v1/accounts/alice", params={"min_position": end}).json()["position"] >= end
    assert told.get("/v1/accounts/alice", params={"stale": "true"}).status_code == 200


def test_limits_say_what_a_decision_would_accept(told: House) -> None:
    answer = told.get("/v1/accounts/alice/limits", params={"wallet": "cross", "asset": "USDT"}).json()
    assert set(answer) == {
        *("account_id", "wallet", "asset", "position", "effective_at", "max_borrow", "max_transfer_out", "refused")
    }
    assert answer["max_transfer_out"] == "1999.96"
    transfer = {"type": "transfer", "account_id": "alice", "from": "cross", "to": "spot", "asset": "USDT"}
    over = told.post({**transfer, "amount": "1999.96000001", "idempotency_key": "over"})
    assert (over.status_code, over.json()["code"]) == (409, "transfer_blocked")


def test_accounts_are_listed_in_pages(told: House) -> None:
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in range(100):
        answer = told.get("/v1/accounts", params={"limit": 1, **after}).json()
        assert answer["position"] > 0
        found += [row["account_id"] for row in answer["accounts"]]
        if answer["next"] is None:
            break
        after = {"after": answer["next"]}
    assert found == sorted(found)
    assert {"alice", "lucy"} <= set(found)


def test_accounts_are_filtered(told: House) -> None:
    for query, expected in [
        ({"status": "frozen"}, ["alice"]),
        ({"blocked": "withdraw"}, ["alice"]),
        ({"status": "closed"}, []),
    ]:
        rows = told.get("/v1/accounts", params=query).json()["accounts"]
        assert [row["account_id"] for row in rows] == expected


def test_the_audit_trail_is_filtered_and_paged(told: House) -> None:
    topics = [event["topic"] for event in told.get("/v1/accounts/alice/events").json()["events"]]
    assert topics[:3] == ["account.opened", "funds.deposited", "funds.deposited"]
    page = told.get("/v1/accounts/alice/events", params={"limit": 2}).json()
    assert [event["version"] for event in page["events"]] == [1, 2]
    rest = told.get("/v1/accounts/alice/events", params={"after": page["next"]}).json()
    assert [event["version"] for event in rest["events"]] == list(range(3, 12))
    assert rest["next"] is None
    borrowed = told.get("/v1/events", params={"topic": "loan.borrowed", "account_id": "alice"}).json()["events"]
    assert [event["amount"] for event in borrowed] == ["2000"]
    assert told.get("/v1/events", params={"actor": "service:nobody"}).json()["events"] == []
    prices = told.get("/v1/events", params={"account_id": "@prices"}).json()["events"]
    assert {event["topic"] for event in prices} == {"prices.marked"}


def test_the_audit_trail_is_bounded_by_recorded_time(told: House) -> None:
    events = told.get("/v1/accounts/alice/events").json()["events"]
    bounds = {"from": events[2]["recorded_at"], "to": events[2]["recorded_at"]}
    found = told.get("/v1/accounts/alice/events", params=bounds).json()["events"]
    assert events[2] in found
    assert all(event["recorded_at"] == events[2]["recorded_at"] for event in found)


def test_a_statement_runs_its_balance(told: House) -> None:
    answer = told.get("/v1/accounts/alice/statement", params={"wallet": "spot", "asset": "USDT"}).json()
    free = [line for line in answer["lines"] if line["part"] == "free"]
    assert [line["amount"] for line in free] == ["10000", "-4000", "-100", "-50", "-60", "60"]
    assert [line["balance"] for line in free] == ["10000", "6000", "5900", "5850", "5790", "5850"]


def test_a_statement_is_paged_without_loss(told: House) -> None:
    whole = told.get("/v1/accounts/alice/statement").json()["lines"]
    found: list[dict[str, Any]] = []
    after = "0:0"
    while after:
        answer = told.get("/v1/accounts/alice/statement", params={"limit": 3, "after": after}).json()
        found += answer["lines"]
        after = answer["next"]
    assert found == whole


@pytest.mark.parametrize(("params", "headers"), [({"format": "csv"}, {}), ({}, {"Accept": "text/csv"})])
def test_a_statement_comes_as_csv(told: House, params: dict[str, str], headers: dict[str, str]) -> None:
    answer = told.get("/v1/accounts/alice/statement", params=params, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert int(answer.headers["x-log-position"]) == told.log_end()
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    lines = told.get("/v1/accounts/alice/statement").json()["lines"]
    assert [(row["amount"], row["balance"]) for row in rows] == [(line["amount"], line["balance"]) for line in lines]


def test_withdrawals_are_listed_by_status(told: House) -> None:
    found = {}
    for status in ("pending", "cancelled", "settled"):
        rows = told.get("/v1/withdrawals", params={"status": status, "account_id": "alice"}).json()["withdrawals"]
        found[status] = [(row["withdrawal_id"], row["amount"]) for row in rows]
    assert found == {"pending": [("w1", "50")], "cancelled": [("w2", "60")], "settled": []}


def test_holds_and_loans_are_listed(told: House) -> None:
    (hold,) = told.get("/v1/holds", params={"account_id": "alice"}).json()["holds"]
    assert (hold["hold_id"], hold["amount"]) == ("h1", "100")
    answer = told.get("/v1/loans", params={"account_id": "alice"}).json()
    (loan,) = answer["loans"]
    assert (loan["wallet"], loan["asset"], loan["principal"], loan["interest"]) == ("cross", "USDT", "2000", "0.02")
    assert "totals" not in answer
    assert told.get("/v1/loans").json()["totals"][0]["asset"] == "USDT"


def test_the_market_is_told(told: House) -> None:
    market = told.get("/v1/market").json()
    assert set(market["assets"]) == {"USDT", "BTC", "ETH"}
    assert market["pairs"]["BTC/USDT"]["max_leverage"] == "10"
    assert market["prices"]["BTC/USDT"]["price"] == "50000"
    assert market["position"] == told.log_end()


def test_a_liquidation_is_explained(told: House) -> None:
    answer = told.get("/v1/liquidations", params={"account_id": "lucy"}).json()
    (row,) = answer["liquidations"]
    explained = told.get(f"/v1/liquidations/{row['liquidation_id']}").json()
    assert explained["status"] == "completed"
    assert explained["wallet"] == "isolated:ETH/USDT"
    assert {step["topic"] for step in explained["steps"]} >= {"liquidation.filled"}
    assert explained["position"] == told.log_end()


def test_the_trial_balance_is_zero_at_every_position(told: House) -> None:
    for position in [*range(1, told.log_end(), 7), told.log_end()]:
        answer = told.get("/v1/reports/trial-balance", params={"position": position}).json()
        assert answer["position"] == position
        assert {asset["total"] for asset in answer["assets"].values()} <= {"0"}
    assert "external" in answer["assets"]["USDT"]["books"]


def test_margin_levels_are_reported_by_band(told: House) -> None:
    answer = told.get("/v1/reports/margin-levels").json()
    row = next(row for row in answer["wallets"] if row["account_id"] == "alice")
    assert (row["wallet"], row["band"], row["margin_level"]) == ("cross", "normal", "2.99997000")
    assert answer["bands"]["normal"] >= 1
    assert told.get("/v1/reports/margin-levels", params={"band": "liquidation"}).json()["wallets"] == []
    assert told.get("/v1/reports/margin-levels", params={"band": "unpriced"}).json()["wallets"] == []


def test_insurance_and_margin_calls_are_told(told: House) -> None:
    assert told.get("/v1/reports/insurance").json()["uncovered_deficits"] is not None
    assert told.get("/v1/margin-calls").json()["margin_calls"] is not None


def test_health_says_how_far_everything_is(told: House) -> None:
    answer = told.http.get("/health")
    health = answer.json()
    assert (answer.status_code, health["status"]) == (200, "ok")
    assert health["position"] == told.log_end()
    assert {"balances", "margin_levels", "journal"} <= set(health["projections"])
    assert health["unpriced_wallets"] == 0
