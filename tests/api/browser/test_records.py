"""What was recorded, as the browser shows it: the trail, an event, a liquidation, reports as files, live figures."""

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.api.browser.conftest import OpenClerk
from tests.api.browser.shown import cards, written
from tests.api.browser.story import LIQUIDATED, LONG_TRAIL_EVENTS
from tests.api.house import House, open_account

POSITIONS = """() => [...document.querySelectorAll('table.endless tbody[data-part] tr')]
  .map((row) => Number(row.cells[0].innerText.replaceAll(',', '')))"""
TO_THE_END = "() => window.scrollTo(0, document.documentElement.scrollHeight)"
TO_THE_BEGINNING = "() => window.scrollTo(0, 0)"
MOST_ROWS = 300
FLOW = """() => [...document.querySelectorAll('.chart.low')]
  .map((chart) => [...chart.querySelectorAll('text')].map((text) => text.textContent))"""


def rows_now(page: Page) -> list[int]:
    """The positions in the list, which are in order, without a gap and without a repetition."""
    positions: list[int] = page.evaluate(POSITIONS)
    assert positions == list(range(positions[0], positions[-1] - 1, -1))
    assert len(positions) <= MOST_ROWS
    return positions


def wait_for_other_rows(page: Page, before: list[int], end: int) -> None:
    """Until the first or the last row is another; `end` says which."""
    script = f"(was) => {{ const rows = ({POSITIONS})(); return rows.at({end}) !== was; }}"
    page.wait_for_function(script, arg=before[end])


def test_the_trail_goes_on_while_one_scrolls_and_back_without_a_gap(house: House, clerk: OpenClerk) -> None:
    page, end = clerk("auditor").go("/events"), house.log_end()
    rows = rows_now(page)
    assert rows[0] == end
    seen = set(rows)
    while rows[-1] > 1:
        page.evaluate(TO_THE_END)
        wait_for_other_rows(page, rows, -1)
        rows = rows_now(page)
        seen |= set(rows)
    assert seen == set(range(1, end + 1))
    assert end > LONG_TRAIL_EVENTS
    while rows[0] < end:
        page.evaluate(TO_THE_BEGINNING)
        wait_for_other_rows(page, rows, 0)
        rows = rows_now(page)


def test_the_trail_is_narrowed_and_an_event_opens_with_what_was_recorded(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/events")
    page.fill("[name=account_id]", LIQUIDATED)
    page.select_option("[name=topic]", "trade.booked")
    page.get_by_role("button", name="Show", exact=True).click()
    (event,) = house.get(f"/v1/accounts/{LIQUIDATED}/events?topic=trade.booked").json()["events"]
    expect(page.locator("table.endless tbody tr")).to_have_count(1)
    page.get_by_role("link", name=str(event["position"]), exact=True).click()
    expect(page).to_have_url(re.compile(f"/console/events/{event['position']}$"))
    shown, answer = cards(page), house.get(f"/v1/events/{event['position']}").json()
    stated = json.loads(page.locator("section.card pre").last.inner_text())
    assert stated == json.loads(answer["recorded"])
    posted = [(row["Book"], row["Amount"]) for row in shown["Postings"].tables[0]]
    assert posted == [(one["book"], f"{one['amount']}{one['asset']}") for one in answer["postings"]]


def test_the_arrows_lead_from_event_to_event(house: House, clerk: OpenClerk) -> None:
    (event,) = house.get(f"/v1/accounts/{LIQUIDATED}/events?topic=trade.booked").json()["events"]
    page = clerk("auditor").go(f"/events/{event['position']}")
    page.locator("body").press("ArrowLeft")
    expect(page).not_to_have_url(re.compile(f"/events/{event['position']}$"))
    page.locator("[data-step=on]").wait_for()
    page.locator("body").press("ArrowRight")
    expect(page).to_have_url(re.compile(f"/events/{event['position']}$"))


def test_a_liquidation_is_told_with_the_numbers_of_its_explanation(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/liquidations")
    page.get_by_role("link", name=re.compile(rf"^{LIQUIDATED}\.")).click()
    expect(page.locator("h1")).to_have_text("Liquidation")
    liquidation_id = page.locator(".lead strong").inner_text()
    found = house.get(f"/v1/liquidations/{liquidation_id}/explanation?limit=1000").json()
    expect(page.locator(".sentence")).to_have_text(found["sentence"])
    shown = cards(page)
    assert "all agree" in shown["Every number worked out again"].text
    amounts = {(row["What"], row["Amount"]): row["Value, USDT"] for row in shown["In amounts"].tables[0]}
    expected = {
        (title, f"{one['amount']}{asset}"): one["value"] or "–"
        for title, told in amounts_of(found["outcome"]).items()
        for asset, one in told.items()
    }
    assert {what: value for what, value in amounts.items() if what[0] != "Lost to rounding"} == expected
    assert any(title == "Covered by the fund" for title, _ in expected)


def amounts_of(outcome: dict[str, Any]) -> dict[str, Any]:
    """The amounts of an outcome by what the page calls them."""
    charged = outcome["charged"]
    return {
        "Sold": outcome["sold"],
        "Bought": outcome["bought"],
        "Repaid": outcome["repaid"],
        "of it interest": outcome["repaid_interest"],
        "Interest charged": charged["interest"],
        "Fee": charged["fee"],
        "Trading fees": charged["trade_fees"],
        "Covered by the fund": outcome["covered"],
        "Left": outcome["left"],
        "Still owed": outcome["owed"],
    }


def test_the_waterfall_shows_what_the_explanation_says_became_of_it(house: House, clerk: OpenClerk) -> None:
    (listed,) = house.get(f"/v1/liquidations?account_id={LIQUIDATED}").json()["liquidations"]
    outcome = house.get(f"/v1/liquidations/{listed['liquidation_id']}/explanation").json()["outcome"]

    def worth(*parts: dict[str, Any]) -> Decimal:
        return sum((Decimal(one["value"]) for part in parts for one in part.values()), Decimal())

    fees = worth(outcome["charged"]["fee"], outcome["charged"]["trade_fees"])
    sold, left = worth(outcome["sold"]), worth(outcome["left"])
    repaid, covered, owed = (worth(outcome[name]) for name in ("repaid", "covered", "owed"))
    assets = {"Held": sold + fees + left, "Sold": sold, "Fees": fees, "Left": left}
    debt = {"Owed": repaid + covered + owed, "Repaid": repaid, "Covered": covered, "Still owed": owed}
    page = clerk("auditor").go(f"/liquidations/{listed['liquidation_id']}")
    page.wait_for_function("() => document.querySelectorAll('.chart.low svg text').length > 8")
    for texts, bars in zip(page.evaluate(FLOW), (assets, debt), strict=True):
        assert [one for one in texts if one in bars] == list(bars)
        for value in bars.values():
            assert f"{value:,.2f}".rstrip("0").rstrip(".") in texts


def test_a_margin_call_is_told_as_it_is_explained(house: House, clerk: OpenClerk) -> None:
    (call,) = house.get("/v1/margin-calls").json()["margin_calls"]
    page = clerk("auditor").go("/margin-calls")
    page.get_by_role("link", name=f"{call['position']:,}", exact=True).click()
    path = f"/v1/accounts/{call['account_id']}/margin-calls/{call['position']}/explanation"
    expect(page.locator(".sentence")).to_have_text(house.get(path).json()["sentence"])


def test_the_overview_follows_the_log_without_being_loaded_again(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/")
    page.evaluate("window.notLoadedAgain = true")
    position = page.locator(".figure", has_text="Position").locator(".value")
    expect(position).to_have_text(f"{house.log_end():,}")
    house.send(
        {"type": "fund_insurance", "asset": "USDT", "amount": "0.00000001", "idempotency_key": "live"},
        open_account("latecomer"),
    )
    expect(position).to_have_text(f"{house.log_end():,}")
    held = house.get("/v1/reports/insurance").json()["assets"]["USDT"]
    fund = page.locator("section.card", has=page.get_by_role("heading", name="Insurance fund"))
    expect(fund.locator("td", has_text=f".{held.partition('.')[2]}")).to_have_count(1)
    assert written(fund.locator("td.figures").first.inner_text()) == held
    assert page.evaluate("window.notLoadedAgain")
    expect(page.get_by_text("balanced", exact=True)).to_be_visible()


def file_of(page: Page, name: str) -> str:
    with page.expect_download() as begun:
        page.get_by_role("link", name=name, exact=True).click()
    return Path(begun.value.path()).read_text()


def test_the_trial_balance_as_a_file_is_the_apis(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/reports/trial-balance")
    answer = json.loads(file_of(page, "trial balance JSON"))
    assert answer == house.get(f"/v1/reports/trial-balance?position={answer['position']}").json()
    lines = list(csv.DictReader(io.StringIO(file_of(page, "trial balance CSV"))))
    totals = {one["asset"]: one["amount"] for one in lines if one["book"] == "total"}
    assert totals == dict.fromkeys(answer["assets"], "0")
    held = {(one["asset"], one["book"]): one["amount"] for one in lines if one["book"] != "total"}
    assert held == {
        (asset, book): sum_ for asset, one in answer["assets"].items() for book, sum_ in one["books"].items()
    }


def test_a_statement_as_a_file_has_every_line_beyond_those_of_the_page(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/reports/statement?account_id=paul")
    lines = list(csv.DictReader(io.StringIO(file_of(page, "statement CSV"))))
    answered = house.get("/v1/accounts/paul/statement?limit=1000").json()["lines"]
    assert len(lines) == LONG_TRAIL_EVENTS
    assert [(one["position"], one["amount"], one["balance"]) for one in lines] == [
        (str(one["position"]), one["amount"], one["balance"]) for one in answered
    ]
    assert page.locator("section.card tbody tr").count() < len(lines)


def test_what_other_prices_would_do_is_the_apis_answer(house: House, clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/reports/what-if")
    page.fill("[name='shock.BTC/USDT']", "-40%")
    page.get_by_role("button", name="Show", exact=True).click()
    answer = house.ask("POST", "/v1/risk/what-if", json={"shocks": {"BTC/USDT": "-40%"}}).json()
    assert answer["wallets"]
    for one in answer["wallets"]:
        expect(page.locator("tr", has_text=one["account_id"]).first).to_be_visible()
