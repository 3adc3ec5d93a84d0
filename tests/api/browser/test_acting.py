"""What is done by hand, in the browser: shown before it is recorded, decided by two, refused in the ledger's words."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.api.browser.conftest import OpenClerk
from tests.api.house import House

SCRIPT = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
SHOW = "Show what this would record"


def last_event(house: House, account_id: str) -> dict[str, Any]:
    event: dict[str, Any] = house.get(f"/v1/accounts/{account_id}/events?order=desc&limit=1").json()["events"][0]
    return event


def opened(page: Page, operation: str, **stated: str) -> None:
    """The form of an operation, filled in and sent: what is shown then is a preview or a refusal."""
    page.get_by_role("link", name=operation, exact=True).click()
    for name, value in stated.items():
        field = page.locator(f"form.asked [name={name}]")
        if field.evaluate("(field) => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name=SHOW).click()


def test_a_freeze_with_chosen_blocks_is_shown_and_then_recorded_as_it_was_shown(house: House, clerk: OpenClerk) -> None:
    page, end = clerk("operator").go("/operations"), house.log_end()
    page.get_by_role("link", name="Freeze an account", exact=True).click()
    page.fill("form.asked [name=account_id]", "olga")
    page.fill("form.asked [name=reason]", SCRIPT)
    for block in ("deposit", "withdraw", "transfer", "borrow"):
        page.get_by_label(block, exact=True).uncheck()
    page.get_by_role("button", name=SHOW).click()
    expect(page.get_by_text("Exactly this will be recorded")).to_be_visible()
    assert house.log_end() == end
    page.get_by_role("button", name="Freeze the account").click()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    frozen = last_event(house, "olga")
    assert (frozen["topic"], frozen["blocks"], frozen["reason"]) == ("account.frozen", ["trade"], SCRIPT)
    page.reload()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    assert house.log_end() == frozen["position"]


def test_a_reason_that_is_a_script_is_shown_as_text_wherever_it_stands(house: House, clerk: OpenClerk) -> None:
    """Whoever opens the page of the account, of the event or of the trail reads it, and nothing runs."""
    petra = {"account_id": "petra", "reason": SCRIPT}
    frozen = house.ask(
        "POST",
        "/v1/commands",
        json={"type": "freeze_account", **petra, "blocks": ["trade"], "idempotency_key": "script"},
    ).json()["results"][0]
    reader = clerk("auditor")
    for path in ("/accounts/petra", f"/events/{frozen['position']}", "/events?account_id=petra", "/operations"):
        page = reader.go(path)
        assert page.evaluate("window.ran") is None
        assert page.locator(".page script, .page img").count() == 0
    page = reader.go(f"/events/{frozen['position']}")
    expect(page.locator(".page")).to_contain_text("<script>window.ran = 1</script>")
    house.send({"type": "unfreeze_account", "account_id": "petra", "idempotency_key": "script-over"})


def test_an_adjustment_is_proposed_by_one_and_approved_by_another(house: House, clerk: OpenClerk) -> None:
    page = clerk("operator").go("/operations")
    terms = {"account_id": "petra", "adjustment_id": "fix-1", "wallet": "spot", "asset": "USDT", "amount": "-12.5"}
    opened(page, "Propose an adjustment", **terms, reason_code="fee_correction", reason="ticket 1")
    page.get_by_role("button", name="Propose the adjustment").click()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    before = house.get("/v1/accounts/petra").json()["spot"]["USDT"]["free"]

    page.goto(page.url.split("/console")[0] + "/console/operations?account_id=petra")
    expect(page.locator("tr", has_text="yours: another person decides")).to_have_count(1)
    page.get_by_role("link", name="why", exact=True).click()
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("was proposed by operator:operator")
    expect(page.get_by_role("button", name="Approve and post it")).to_have_count(0)

    other = clerk("admin").go("/operations?account_id=petra")
    other.get_by_role("link", name="Approve", exact=True).click()
    other.fill("form.asked [name=reason]", "seen")
    other.get_by_role("button", name=SHOW).click()
    expect(other.get_by_text("Exactly this will be recorded")).to_be_visible()
    assert house.get("/v1/accounts/petra").json()["spot"]["USDT"]["free"] == before == "100"
    other.get_by_role("button", name="Approve and post it").click()
    expect(other.get_by_role("heading", name="Recorded")).to_be_visible()
    assert house.get("/v1/accounts/petra").json()["spot"]["USDT"]["free"] == "87.5"
    posted = last_event(house, "petra")
    assert (posted["topic"], posted["actor"]) == ("adjustment.posted", "admin:admin")


def test_a_deposit_is_reversed_after_its_dry_run_and_only_once(house: House, clerk: OpenClerk) -> None:
    page, end = clerk("operator").go("/operations"), house.log_end()
    opened(page, "Reverse an event", account_id="rita", version="2", reason="booked twice")
    changes = page.locator("section.card", has_text="What this changes")
    expect(changes).to_contain_text("−100")
    assert house.log_end() == end
    page.get_by_role("button", name="Reverse the event").click()
    expect(page.get_by_role("heading", name="Recorded")).to_be_visible()
    assert house.get("/v1/accounts/rita").json()["spot"]["USDT"]["free"] == "0"
    page.get_by_role("link", name="The same operation again").click()
    page.fill("form.asked [name=account_id]", "rita")
    page.fill("form.asked [name=version]", "2")
    page.fill("form.asked [name=reason]", "once more")
    page.get_by_role("button", name=SHOW).click()
    expect(page.get_by_role("alert")).to_contain_text("reversed")
    expect(page.get_by_role("button", name="Reverse the event")).to_have_count(0)


def test_a_refusal_is_told_in_the_words_that_the_api_has_for_it(house: House, clerk: OpenClerk) -> None:
    page, end = clerk("operator").go("/operations"), house.log_end()
    opened(page, "Unfreeze an account", account_id="paul", reason="none")
    sent = {"type": "unfreeze_account", "account_id": "paul", "reason": "none", "idempotency_key": "asked"}
    detail = house.post(sent, who="operator").json()["detail"]
    expect(page.get_by_role("alert")).to_contain_text(detail)
    expect(page.get_by_text("Nothing was recorded")).to_be_visible()
    assert house.log_end() == end


def test_what_is_misspelled_is_said_on_the_form(house: House, clerk: OpenClerk) -> None:
    page = clerk("operator").go("/operations")
    terms = {"account_id": "petra", "adjustment_id": "fix-2", "wallet": "cellar", "asset": "USDT"}
    opened(page, "Propose an adjustment", **terms, amount="1e3", reason_code="fee_correction", reason="ticket 1")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("wallet"))
    expect(page.locator("form.asked [name=wallet]")).to_have_value("cellar")
