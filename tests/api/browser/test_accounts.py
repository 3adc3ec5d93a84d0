"""An account is found, and every number of its page is that of the API at whatever moment one goes to."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.api.browser.accounts import require_as_answered, signed
from tests.api.browser.conftest import OpenClerk
from tests.api.browser.shown import cards
from tests.api.browser.story import LIQUIDATED, TRADER
from tests.api.house import House


def events_of(house: House, account_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.get(f"/v1/accounts/{account_id}/events?limit=1000").json()["events"]
    return found


def account_then(house: House, account_id: str, position: int) -> Any:
    return house.get(f"/v1/accounts/{account_id}", params={"position": position}).json()


def account_now(house: House, account_id: str) -> Any:
    return house.get(f"/v1/accounts/{account_id}").json()


def stands_at(page: Page, version: int) -> None:
    expect(page.locator(".where b")).to_have_text(f"{version}")
    expect(page.get_by_role("heading", name=f"What event {version} changed")).to_be_visible()


def test_an_account_is_found_by_the_search_that_a_slash_leads_to(clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("ali")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/accounts/alice$"))
    expect(page.locator("h1")).to_have_text(f"Account {TRADER}")


def test_a_search_for_a_script_runs_none_and_says_what_can_be_searched(clerk: OpenClerk) -> None:
    page = clerk("auditor").go("/")
    page.fill("#search", "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_contain_text("Nothing is called <script>")
    expect(page.locator(".card")).to_contain_text("its position in the log")
    assert page.evaluate("window.ran") is None


def test_every_moment_of_an_account_shows_the_numbers_that_the_api_has_of_it(house: House, clerk: OpenClerk) -> None:
    """The left arrow goes back event by event, from now to the opening."""
    page, events = clerk("auditor").go(f"/accounts/{TRADER}"), events_of(house, TRADER)
    stands_at(page, len(events))
    compared = require_as_answered(cards(page), account_now(house, TRADER))
    for event in reversed(events[:-1]):
        page.locator("body").press("ArrowLeft")
        stands_at(page, event["version"])
        compared += require_as_answered(cards(page), account_then(house, TRADER, event["position"]))
    assert compared > 300
    expect(page).to_have_url(re.compile(r"\?version=1\b"))


def test_the_slider_and_the_right_arrow_lead_to_the_same_moments(house: House, clerk: OpenClerk) -> None:
    page, events = clerk("auditor").go(f"/accounts/{LIQUIDATED}"), events_of(house, LIQUIDATED)
    stands_at(page, len(events))
    place = page.locator(".q-slider__track-container").bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + place["width"] * 0.5, place["y"] + place["height"] / 2)
    expect(page.locator(".where b")).not_to_have_text(f"{len(events)}")
    version = int(page.locator(".where b").inner_text())
    assert 1 < version < len(events)
    for event in events[version - 1 :]:
        stands_at(page, event["version"])
        require_as_answered(cards(page), account_then(house, LIQUIDATED, event["position"]))
        page.get_by_title("Next event (right arrow)").click()


def test_a_moment_that_is_stated_is_the_same_for_whoever_is_sent_its_address(house: House, clerk: OpenClerk) -> None:
    borrowed = next(one for one in events_of(house, TRADER) if one["topic"] == "loan.borrowed")
    page = clerk("auditor").go(f"/accounts/{TRADER}?version={borrowed['version']}")
    stands_at(page, borrowed["version"])
    (change,) = [card for title, card in cards(page).items() if title.startswith("What event")]
    rows = {row["What"]: (row["Before"], row["After"], row["Change"]) for row in change.tables[0]}
    assert rows["USDT borrowed"] == ("0", "2000.5", "+2000.5")
    assert rows["USDT free"] == ("4000", "6000.5", "+2000.5")
    assert rows["margin level"][0] == "–"
    position = borrowed["position"] - 1
    page.fill("[name=at]", str(position))
    page.keyboard.press("Enter")
    expect(page.locator(".where")).to_contain_text(f"as of position {position:,}")
    require_as_answered(cards(page), account_then(house, TRADER, position))


def test_what_changed_between_two_points_is_what_the_api_explains(house: House, clerk: OpenClerk) -> None:
    events = events_of(house, TRADER)
    first, last = events[3]["position"], events[-1]["position"]
    found = house.get(
        f"/v1/accounts/{TRADER}/diff", params={"from_position": first, "to_position": last, "limit": 50}
    ).json()
    page = clerk("auditor").go(f"/accounts/{TRADER}")
    page.fill("[name=from]", f"{first:,}")
    page.fill("[name=to]", str(last))
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("h1")).to_have_text(f"Account {TRADER}: what changed")
    shown = cards(page)
    assert shown["The two points"].figures["Events between"] == str(found["counts"]["events"])
    for wallet in ("cross", "isolated:BTC/USDT"):
        told = found["wallets"][wallet]
        (total,) = [row for row in shown[wallet.removeprefix("isolated:")].tables[0] if row["Came from"] == "Change"]
        assert total["Equity, in USDT"] == signed(told["equity"]["change"])
        assert total["Margin level"] == signed(told["margin_level"]["change"] or "0")
    assert [int(row["Position"]) for row in shown["Events"].tables[0]] == [one["position"] for one in found["events"]]
