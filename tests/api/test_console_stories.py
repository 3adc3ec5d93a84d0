"""The console's stories of liquidations: charts, sums and checks; and whether an event is sealed."""

from decimal import Decimal
from typing import Any

from api.console.charts import flow_chart, flow_of, level_chart, price_steps, priced_pair
from api.console.seal import faults, seal_of
from api.console.story import checks_card, insurance_card, path_table, verdict
from api.examples_of_proofs import CHECKPOINT_KEYS, INCLUSION, LEAF_HASH
from tests.api.console_asking import asking, events_of
from tests.api.house import House


def explained(house: House) -> dict[str, Any]:
    answer = house.get(f"/v1/liquidations/{events_of(house, 'liquidation.started')[0]['liquidation_id']}/explanation")
    found: dict[str, Any] = answer.json()
    return found


def test_an_event_that_no_checkpoint_has_yet_is_said_to_wait_for_one(told: House) -> None:
    found = told.get("/v1/events/1").json()
    words = asking(told, lambda ask: seal_of(ask, 1, found["leaf_hash"]))
    assert "Not sealed yet" in words
    assert found["leaf_hash"] in words


def test_a_proof_is_checked_and_one_of_another_event_or_note_does_not_hold() -> None:
    keys = CHECKPOINT_KEYS["keys"]
    assert faults(INCLUSION, keys, LEAF_HASH) == []
    assert faults(INCLUSION, keys, "other")
    assert faults({**INCLUSION, "path": []}, keys, LEAF_HASH)
    assert faults({**INCLUSION, "note": "no note"}, keys, LEAF_HASH)
    assert faults(INCLUSION, [], LEAF_HASH)


def test_the_chart_goes_to_the_line_that_was_crossed(told: House) -> None:
    found = explained(told)
    chart = level_chart(found)
    level, price = chart["series"]
    assert level["data"][-1] == [found["crossing"]["effective_at"], found["crossing"]["level"]]
    assert [line["yAxis"] for line in level["markLine"]["data"]] == list(found["before"]["lines"].values())
    assert priced_pair(found) == "ETH/USDT"
    assert price["data"] == [list(step) for step in price_steps(found, "ETH/USDT")]
    assert price["data"][-1][1] == found["prices"]["ETH/USDT"]["price"]


def test_what_became_of_assets_and_debt_adds_up_to_what_there_was(told: House) -> None:
    found = explained(told)
    assets, debt = flow_of(found)
    for bars, whole in ((assets, found["before"]["total_assets"]), (debt, found["before"]["total_debt"])):
        (_, low, high, _), *parts, (_, nothing, rest, _) = bars
        assert low == nothing == Decimal()
        assert abs(high - Decimal(whole)) <= Decimal("0.01")
        assert sum((top - bottom for _, bottom, top, _ in parts), Decimal()) + rest == high
        assert parts[0][2] == high
        heights = flow_chart(bars)["series"][1]["data"]
        assert all("E" not in one["value"] for one in heights)


def test_what_an_external_execution_bought_back_is_told_apart_from_what_it_sold() -> None:
    """6,000 USDT were held; 0.1 BTC were bought back for 5,700 at a price that came to 5,600, with a fee of 3."""
    value = {"amount": "1", "value": "5600"}
    outcome = {
        "sold": {"USDT": {"amount": "5700", "value": "5700"}},
        "bought": {"BTC": value},
        "repaid": {"BTC": value},
        "charged": {"interest": {}, "fee": {}, "trade_fees": {"USDT": {"amount": "3", "value": "3"}}},
        "covered": {},
        "left": {"USDT": {"amount": "297", "value": "297"}, "DOGE": {"amount": "1", "value": None}},
        "owed": {},
        "lost_to_rounding": "0",
    }
    assets, debt = flow_of({"outcome": outcome, "steps": []})
    told = [(name, str(low), str(high)) for name, low, high, _ in assets]
    assert told == [
        ("Held", "0", "6000"),
        ("Sold", "300", "6000"),
        ("Bought", "300", "5900"),
        ("Paid back", "300", "5900"),
        ("Fees", "297", "300"),
        ("Left", "0", "297"),
    ]
    assert [(name, str(high)) for name, _, high, _ in debt][:2] == [("Owed", "5600"), ("Repaid", "5600")]


def test_a_story_tells_of_every_number_that_does_not_agree(told: House) -> None:
    found = explained(told)
    assert "all agree" in verdict(found)
    wrong = {**found["checks"][0], "stated": "1", "recomputed": "2", "agrees": False}
    broken = {**found, "agrees": False, "disagreements": 1, "checks": [wrong, *found["checks"][1:]]}
    assert "1 does not agree" in verdict(broken)
    shown_checks = checks_card(broken)
    assert shown_checks.index(wrong["name"]) < shown_checks.index("<details")
    assert "crossed the line" in path_table(found)


def test_the_funds_balance_is_left_open_to_who_may_not_know_it() -> None:
    step = {"position": 5, "assets": {"USDT": {"change": "-1"}}}
    assert 'class="none"' in insurance_card({"uncovered": "1", "steps": [step]})
    assert "1 uncovered" in insurance_card({"uncovered": "1", "steps": [step]})
