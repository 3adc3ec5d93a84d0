"""What is done by hand in the console: shown before, recorded once as it was shown, refused in the ledger's words."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.datastructures import ImmutableMultiDict

from api.console.operating import OPERATIONS, content_stated, missing_in, resource_of
from api.console.previewing import digest_of
from tests.api.command_line import served
from tests.api.console_visitor import Visitor, html_of
from tests.api.house import House, deposit, open_account


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    with served(house.url, "api") as address:
        yield address


def visitor(house: House, address: str, who: str = "operator") -> Visitor:
    return Visitor(address, house.key(who))


def shown_digest(operator: Visitor, command: str, **stated: Any) -> str:
    """What the button beneath a preview sends to say what was shown."""
    page = html_of(operator.http.get(f"/operations/{command}", params=stated).text)
    found = re.search(r'name="shown" value="([0-9a-f]{32})"', page)
    assert found is not None, page
    return found[1]


FREEZE = {"blocks": ["withdraw", "trade"], "reason": "ticket 4711", "key": "console:1"}


def test_a_freeze_is_shown_whole_and_nothing_is_recorded_until_its_button_is_pressed(
    house: House, address: str
) -> None:
    house.send(open_account("freda"))
    operator, end = visitor(house, address), house.log_end()
    page = operator.page("/operations/freeze_account", account_id="freda", **FREEZE)
    assert "account.frozen on freda , version 2" in page
    assert "Blocks withdraw, trade" in page
    assert "Reason ticket 4711" in page
    assert "Freeze the account" in page
    assert house.log_end() == end


def test_the_button_records_what_was_shown_and_a_second_press_nothing_more(house: House, address: str) -> None:
    house.send(open_account("frank"))
    operator, stated = visitor(house, address), {"account_id": "frank", **FREEZE}
    shown = shown_digest(operator, "freeze_account", **stated)
    led = operator.send("/operations/freeze_account", shown=shown, **stated)
    end = house.log_end()
    again = operator.send("/operations/freeze_account", shown=shown, **stated)
    assert (led.status_code, led.headers["location"]) == (303, again.headers["location"])
    assert house.log_end() == end
    frozen = house.get("/v1/accounts/frank/events", params={"topic": "account.frozen"}).json()["events"]
    assert [(one["blocks"], one["reason"], one["actor"]) for one in frozen] == [
        (["withdraw", "trade"], "ticket 4711", "operator:operator")
    ]
    outcome = operator.page(led.headers["location"].removeprefix("/console"))
    assert "Recorded done It is in the log" in outcome
    assert f"{end:,} account.frozen frank 2" in outcome


def test_what_would_be_something_else_by_now_is_shown_again_and_not_recorded(house: House, address: str) -> None:
    house.send(open_account("fiona"))
    operator, stated = visitor(house, address), {"account_id": "fiona", **FREEZE}
    shown = shown_digest(operator, "freeze_account", **stated)
    end = house.log_end()
    led = operator.send("/operations/freeze_account", shown=shown, **{**stated, "blocks": ["deposit"]})
    assert house.log_end() == end
    page = operator.page(led.headers["location"].removeprefix("/console"))
    assert "Nothing was recorded: since it was shown" in page
    assert "Blocks deposit" in page


def test_an_event_of_another_account_between_changes_nothing_of_what_was_shown() -> None:
    event = {"topic": "account.frozen", "blocks": ["trade"], "version": 3, "effective_at": "2020-01-01T00:00:00Z"}
    assert digest_of([event]) == digest_of([{**event, "version": 4, "effective_at": "2020-01-01T00:00:01Z"}])
    assert digest_of([event]) != digest_of([{**event, "blocks": ["deposit"]}])
    assert digest_of([event]) != digest_of([event, event])


def test_no_operation_goes_without_a_reason(house: House, address: str) -> None:
    house.send(open_account("rea"))
    operator, end = visitor(house, address), house.log_end()
    page = operator.page("/operations/unfreeze_account", account_id="rea", reason="  ", key="k")
    assert "Still to be stated: Reason." in page
    operator.send("/operations/freeze_account", account_id="rea", blocks=["trade"], key="k", shown="x")
    assert house.log_end() == end


@pytest.mark.parametrize("command", OPERATIONS)
def test_every_operation_asks_for_a_reason_and_has_a_preview(house: House, command: str) -> None:
    operation = OPERATIONS[command]
    stated = {field.name: "1" for field in operation.fields}
    content = content_stated(operation, ImmutableMultiDict(stated))
    assert missing_in(operation, content) == ["Reason"]
    path, body = resource_of(operation, {**content, "reason": "why", "idempotency_key": "k"})
    answer = house.ask("POST", f"{path}/preview", json=body, who="operator")
    assert answer.json()["code"] not in ("unknown_route", "method_not_allowed"), path
    assert house.ask("POST", f"{path}/preview", json=body, who="auditor").status_code in (400, 403)


def test_an_adjustment_takes_two_people_and_the_same_one_sees_why_not(house: House, address: str) -> None:
    house.send(open_account("adam"), deposit("adam", "100", "d1"))
    terms = {"wallet": "spot", "asset": "USDT", "amount": "-12.5", "reason_code": "fee_correction"}
    named = {"account_id": "adam", "adjustment_id": "a1", "reason": "ticket 1"}
    proposer, other = visitor(house, address), visitor(house, address, "admin")
    stated = {**named, **terms, "key": "p1"}
    shown = shown_digest(proposer, "propose_adjustment", **stated)
    proposer.send("/operations/propose_adjustment", shown=shown, **stated)
    assert "yours: another person decides" in proposer.page("/operations", account_id="adam")
    assert "Approve · Reject" in other.page("/operations", account_id="adam")
    refused = proposer.page("/operations/approve_adjustment", key="p2", **named)
    assert "was proposed by operator:operator, who asks to decide on it" in refused
    assert "Approve and post it" not in refused
    approved = {**named, "key": "p3"}
    page = other.page("/operations/approve_adjustment", **approved)
    assert "adam spot USDT free 100 87 .5 −12 .5" in page
    other.send(
        "/operations/approve_adjustment", shown=shown_digest(other, "approve_adjustment", **approved), **approved
    )
    assert house.get("/v1/accounts/adam").json()["spot"]["USDT"]["free"] == "87.5"


def test_a_reversal_is_refused_in_the_words_of_the_ledger_and_offers_no_button(house: House, address: str) -> None:
    house.send(open_account("rita"))
    operator = visitor(house, address)
    page = operator.page("/operations/reverse_event", account_id="rita", version="1", reason="t", key="k")
    problem = house.ask(
        "POST", "/v1/accounts/rita/events/1/reverse/preview", json={"reason": "t"}, who="operator"
    ).json()
    assert problem["detail"] in page
    assert "Reverse the event" not in page


def test_a_held_price_is_confirmed_by_hand(house: House, address: str) -> None:
    limits = {"type": "set_risk_limits", "scope": "ETH/USDT", "price_jump_limit": "0.2", "idempotency_key": "jump"}
    house.send(limits, {"type": "mark_prices", "prices": {"ETH/USDT": "9000"}, "source": "feed"})
    operator = visitor(house, address)
    assert "ETH/USDT 9,000" in operator.page("/operations")
    stated = {"pair": "ETH/USDT", "price": "9000", "reason": "two venues agree", "key": "c1"}
    shown = shown_digest(operator, "confirm_price", **stated)
    operator.send("/operations/confirm_price", shown=shown, **stated)
    assert house.get("/v1/market").json()["prices"]["ETH/USDT"]["price"] == "9000"
    assert "No price is held" in operator.page("/operations")


@pytest.mark.parametrize("who", ["auditor", "service"])
def test_who_may_not_act_sees_no_form_and_is_refused_what_is_sent_all_the_same(
    house: House, address: str, who: str
) -> None:
    if house.get("/v1/accounts/nora").status_code != 200:
        house.send(open_account("nora"))
    reader, end = visitor(house, address, who), house.log_end()
    assert "Freeze an account" not in reader.page("/operations")
    page = reader.page("/operations/freeze_account", account_id="nora", **FREEZE)
    assert f"a key of role {who} may not send freeze_account; operator, admin may" in page
    assert "Show what this would record" not in page
    reader.send("/operations/freeze_account", account_id="nora", shown="x", **FREEZE)
    assert house.log_end() == end


def test_without_a_session_nothing_is_shown_and_nothing_is_sent(house: House, address: str) -> None:
    guest = visitor(house, address)
    guest.http.cookies.clear()
    end = house.log_end()
    led = guest.send("/operations/freeze_account", account_id="alice", shown="x", **FREEZE)
    there = "/console/sign-in?next=%2Fconsole%2Foperations%2Ffreeze_account"
    assert (led.status_code, led.headers["location"], house.log_end()) == (303, there, end)
    page = guest.http.get("/operations/freeze_account", params={"account_id": "alice"})
    assert page.status_code == 303
    assert page.headers["location"].startswith("/console/sign-in?next=")


def test_what_is_stated_is_written_as_text_wherever_it_comes_back(house: House, address: str) -> None:
    operator, script = visitor(house, address), '"><script>alert(1)</script>'
    named = dict.fromkeys(("account_id", "reason", "key", "version"), script)
    page = html_of(operator.http.get("/operations/reverse_event", params=named).text)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_account_of_dots_is_no_step_up_the_path(house: House) -> None:
    house.send(open_account(".."))
    content = {"account_id": "..", "blocks": ["trade"], "reason": "t", "idempotency_key": "dots"}
    path, body = resource_of(OPERATIONS["freeze_account"], content)
    answer = house.ask("POST", f"{path}/preview", json=body)
    assert answer.json()["events"][0]["account_id"] == ".."


def test_adjustments_that_wait_begin_with_the_last_and_lead_on_to_those_before(house: House, address: str) -> None:
    house.send(open_account("anna"), deposit("anna", "100", "d1"))
    terms = {"account_id": "anna", "wallet": "spot", "asset": "USDT", "reason_code": "fee_correction"}
    for number in range(1, 22):
        named = {"adjustment_id": f"n{number}", "idempotency_key": f"n{number}", "amount": f"{number}"}
        house.send({"type": "propose_adjustment", **terms, **named})
    page = html_of(visitor(house, address).http.get("/operations", params={"account_id": "anna"}).text)
    offered = re.findall(r"approve_adjustment[?]account_id=anna&amp;adjustment_id=(n[0-9]+)", page)
    assert offered == [f"n{number}" for number in range(21, 1, -1)]
    (onwards,) = re.findall(r'href="/console(/operations[?][^"]*adjustments_before=[0-9]+)"', page)
    rest = html_of(visitor(house, address).http.get(onwards.replace("&amp;", "&")).text)
    assert re.findall(r"approve_adjustment[?]account_id=anna&amp;adjustment_id=(n[0-9]+)", rest) == ["n1"]
