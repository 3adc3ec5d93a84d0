"""Who comes into the console and what they see there, in a real browser."""

import re
from http import HTTPStatus

import pytest
from playwright.sync_api import expect

from api.console.sessions import COOKIE
from api.keys import create_key, revoke_key
from tests.api.browser.conftest import OpenClerk
from tests.api.house import House, wait_until


def test_who_is_not_signed_in_is_led_to_sign_in_and_then_to_what_was_asked_for(house: House, guest: OpenClerk) -> None:
    clerk = guest()
    clerk.page.goto(f"{clerk.address}/console/accounts/alice?version=5")
    expect(clerk.page).to_have_url(re.compile("/console/sign-in"))
    clerk.fill_in_key(house.key("auditor"))
    expect(clerk.page).to_have_url(re.compile(r"/console/accounts/alice\?version=5$"))
    expect(clerk.page.locator("h1")).to_have_text("Account alice")
    expect(clerk.page.locator(".top .actor")).to_have_text("auditor:auditor")


def test_the_cookie_says_nothing_and_no_script_reads_it(house: House, clerk: OpenClerk) -> None:
    reader = clerk("auditor")
    reader.go("/accounts")
    (cookie,) = [one for one in reader.cookies() if one["name"] == COOKIE]
    assert house.key("auditor") not in cookie["value"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] in ("Lax", "Strict")
    assert cookie["expires"] > 0
    assert COOKIE not in reader.page.evaluate("document.cookie")


def test_a_wrong_key_a_revoked_one_and_a_customers_do_not_come_in(house: House, guest: OpenClerk) -> None:
    with house.pool.connection() as connection:
        revoked = create_key(connection, "gone", "operator")
        revoke_key(connection, "gone")
    clerk = guest()
    clerk.page.goto(f"{clerk.address}/console/sign-in")
    for key, said in (
        ("mlk_wrong", "not a key of this ledger"),
        (revoked, "key gone was revoked"),
        (house.key("alice"), "the console is for the staff"),
    ):
        clerk.fill_in_key(key)
        expect(clerk.page.get_by_role("alert")).to_contain_text(re.compile(said))
        assert [one for one in clerk.cookies() if one["name"] == COOKIE] == []
        # What is said of the next key must be of that one.
        clerk.page.goto(f"{clerk.address}/console/sign-in")
    # A refusal has a status of its own, which the browser complains of.
    clerk.complaints.clear()


def test_signing_out_ends_the_session_here_and_for_who_kept_the_cookie(house: House, guest: OpenClerk) -> None:
    signed_in = guest().sign_in(house.key("auditor"))
    kept = signed_in.cookies()
    signed_in.page.get_by_role("button", name="Sign out").click()
    expect(signed_in.page.locator("[name=key]")).to_be_visible()
    other = guest()
    other.page.context.add_cookies(kept)
    other.page.goto(f"{other.address}/console/accounts")
    expect(other.page.locator("[name=key]")).to_be_visible()


def test_a_key_that_is_revoked_is_refused_on_the_next_page(house: House, guest: OpenClerk) -> None:
    with house.pool.connection() as connection:
        key = create_key(connection, "leaving", "auditor")
    clerk = guest().sign_in(key)
    # The overview would go away by itself meanwhile.
    clerk.page.goto("about:blank")
    with house.pool.connection() as connection:
        revoke_key(connection, "leaving")
    # A key is believed for a second after it was looked up.
    wait_until(lambda: clerk.get("/accounts").status == HTTPStatus.SEE_OTHER)
    clerk.page.goto(f"{clerk.address}/console/accounts")
    expect(clerk.page.locator("[name=key]")).to_be_visible()
    expect(clerk.page.locator("body")).not_to_contain_text("alice")


@pytest.mark.parametrize("who", ["auditor", "service"])
def test_who_may_not_act_sees_nothing_to_act_with_and_is_refused_by_hand(
    house: House, clerk: OpenClerk, who: str
) -> None:
    reader, end = clerk(who), house.log_end()
    page = reader.go("/operations")
    for forbidden in ("Freeze an account", "Propose an adjustment", "Reverse an event"):
        expect(page.get_by_text(forbidden, exact=True)).to_have_count(0)
    page = reader.go("/operations/freeze_account?account_id=olga")
    said = f"a key of role {who} may not send freeze_account; operator, admin may"
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator(".page form")).to_have_count(0)
    reader.post("/operations/freeze_account", account_id="olga", blocks="trade", reason="by hand", key="k", shown="x")
    assert house.log_end() == end
