"""What the console says of events, postings and steps: sums, names and times by their fields, and what is left out."""

from typing import Any

import pytest

from api.console.causes import causes_card, causes_of
from api.console.charts import level_chart, price_steps, told_steps
from api.console.fields import shown, stated_fields
from api.console.pages.event import balance
from api.console.pages.liquidation import steps_told
from api.console.saying import said
from api.console.story import path_table
from tests.api.console_asking import asking, events_of
from tests.api.house import House


def accrued(**hours: list[int]) -> dict[str, Any]:
    lines = [{"asset": asset, "amount": "0.5", "hours": each} for asset, some in hours.items() for each in some]
    return {"topic": "interest.accrued", "wallet": "cross", "lines": lines}


def test_hours_of_interest_are_those_of_each_asset() -> None:
    """Three hours in each of two assets are not six; two rates of one asset, an hour each, are two."""
    told = said(accrued(BTC=[3], USDT=[3]))
    assert told.count("3 hours") == 2
    assert "6 hours" not in told
    assert "1 hour" in said(accrued(BTC=[1]))
    two_rates = said(accrued(BTC=[1, 1]))
    assert "2 hours" in two_rates
    assert 'title="1 BTC"' in two_rates


def test_postings_are_added_up_and_what_is_not_zero_is_said() -> None:
    lines = [{"asset": "USDT", "amount": "5"}, {"asset": "USDT", "amount": "-5"}, {"asset": "BTC", "amount": "0.1"}]
    assert balance(lines[:2]) == "2 lines, zero in every asset"
    off = balance(lines)
    assert "bad" in off
    assert 'title="0.1 BTC"' in off
    assert "zero in every asset" not in off
    assert balance([]) == ""


def test_a_value_is_told_by_its_field_and_not_by_its_looks() -> None:
    """An account, a source and an id may be of digits, and a text may look like a time."""
    event = {"to_account_id": "0012345", "source": "0012345", "trade_id": "12345", "scope": "2024-01-02T00:00:00Z"}
    told = stated_fields(event)
    assert "12,345" not in told
    assert 'href="/console/accounts/0012345"' in told
    assert "<time" not in told
    assert "12,345" in stated_fields({"amount": "12345"})
    times = stated_fields({"opened_at": "2024-01-02T00:00:00Z", "execute_by": "2024-01-02T00:00:00.5Z"})
    assert times.count("<time") == 2
    assert "figures" not in shown([{"source": "1"}, {"source": "2"}])


@pytest.fixture
def long_way() -> dict[str, Any]:
    """The last two of 3,600 steps of an hour at whose start the price was 50."""
    sums = {"total_assets": "1", "total_debt": "1", "band": "normal"}
    start: dict[str, Any] = {
        "effective_at": "2026-01-01T00:00:00Z",
        "level": "2",
        "prices": {},
        "position": 1,
        "topic": None,
        **sums,
    }
    steps = [
        {"effective_at": at, "level": level, "prices": {"B/USDT": moved}, "position": 2, **sums}
        for at, level, moved in (
            ("2026-01-01T00:58:00Z", "1.2", {"from": "44", "to": "43"}),
            ("2026-01-01T00:59:00Z", "1.1", {"from": "43", "to": "42"}),
        )
    ]
    path = {"start": start, "steps": steps, "count": 3600, "left_out": 3598}
    lines = {"margin_call": "1.3", "liquidation": "1.1"}
    valuing = {"B/USDT": {"values_the_wallet": True}}
    return {"path": path, "crossing": None, "prices": valuing, "before": {"lines": lines}}


def test_a_chart_whose_first_steps_are_left_out_begins_where_the_others_do(long_way: dict[str, Any]) -> None:
    kept = long_way["path"]["steps"]
    assert price_steps(long_way, "B/USDT") == [(one["effective_at"], one["prices"]["B/USDT"]["to"]) for one in kept]
    level, _ = level_chart(long_way)["series"]
    assert level["data"] == [[one["effective_at"], one["level"]] for one in kept]
    assert path_table(long_way).count("<tr") == 3
    assert steps_told(long_way["path"]) == "The last 2 of 3,600 steps"


def test_a_chart_of_all_steps_begins_with_the_state_before_them(long_way: dict[str, Any]) -> None:
    path = {**long_way["path"], "left_out": 0, "count": 2}
    assert told_steps(path)[0] == path["start"]
    assert price_steps({**long_way, "path": path}, "B/USDT")[0] == ("2026-01-01T00:00:00Z", "44")
    assert steps_told(path) == "All 2 steps"


def test_the_vector_of_an_examination_is_found_however_many_follow_and_believed_of_the_ledger_alone(
    told: House,
) -> None:
    first, *_ = events_of(told, "prices.marked")
    vectors = [{"BTC/USDT": f"{60_000 + number}"} for number in range(30)]
    told.send(*({"type": "mark_prices", "prices": vector, "source": "index"} for vector in vectors))
    event = {**events_of(told, "prices.marked")[-1], "topic": "margin.called", "account_id": "alice"}
    by_the_ledger = {**event, "correlation_id": f"examination:{first['version']}", "actor": "ledger:examination"}
    found = asking(told, lambda ask: causes_of(ask, by_the_ledger))
    assert [one["position"] for one in found.began] == [first["position"]]
    by_another = asking(told, lambda ask: causes_of(ask, {**by_the_ledger, "actor": "service:exchange"}))
    assert by_another.began == []


def test_what_was_looked_for_in_vain_is_said_with_the_way_to_look_on(
    told: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.causes.LOOKED_AT", 1)
    asked = events_of(told, "withdrawal.requested")[-1]
    ended = {**asked, "topic": "withdrawal.settled", "withdrawal_id": "another", "position": asked["position"] + 1}
    causes = asking(told, lambda ask: causes_of(ask, ended))
    assert causes.not_found == ["withdrawal.requested"]
    assert "topic=withdrawal.requested" in causes_card(ended, {}, causes)


def test_events_after_a_version_are_those_of_a_stream_that_is_named(told: House) -> None:
    second = told.get("/v1/events", params={"account_id": "@prices", "after_version": 1, "limit": 1}).json()["events"]
    assert [one["version"] for one in second] == [2]
    refused = told.get("/v1/events", params={"after_version": 1})
    assert (refused.status_code, "without account_id" in refused.json()["detail"]) == (400, True)


def test_the_read_of_one_event_is_logged_with_the_position_it_was_asked_as_of(told: House) -> None:
    told.get("/v1/events/3", who="auditor", params={"position": 9})
    (read,) = [
        one for one in told.get("/v1/reads", who="auditor").json()["reads"] if one["parameters"].get("event_position")
    ]
    assert read["position"] == 9
