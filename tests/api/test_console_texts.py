"""Sealed texts in the console: told as the trail tells them, and why not where they cannot be told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.console.pages.account_change import change_shown
from api.console.pages.account_moment import moment_of
from api.console.pages.event import told_event
from tests.api.console_asking import asking, events_of
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.ledger.texts import sealed_everywhere

NAME = "Zacharias Quendt"
NUMBERS = "20260115"
DEPOSIT = {**deposit("zac", "1000", "d1"), "reference": NUMBERS, "reason": f"asked by {NAME}"}


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_house(database) as house:
        opened_market(house)
        house.send(open_account("zac"), DEPOSIT)
        assert sealed_everywhere(house.url)
        yield house


def told_everywhere(house: House) -> tuple[dict[str, Any], str, str]:
    """The deposit as the API tells it, its page, and what the page of its account says of it."""
    (event,) = events_of(house, "funds.deposited")
    path = f"/v1/events/{event['position']}"
    answer = house.get(path)
    assert "\\u0001" not in answer.text
    assert answer.json()["event"] == event
    page = asking(house, lambda ask: told_event(ask, str(event["position"])))
    shown = asking(house, lambda ask: moment_of(ask, "zac", event["version"]))
    return answer.json(), page, change_shown(shown)


def erase(house: House) -> None:
    asked = {"json": {"reason_code": "customer_request"}, "headers": {"Idempotency-Key": "e"}}
    assert house.ask("POST", "/v1/accounts/zac/erasures", who="operator", **asked).status_code == 200


def test_texts_are_told_with_their_event_and_in_its_json(house: House) -> None:
    answer, page, account = told_everywhere(house)
    assert json.loads(answer["recorded"])["reason"] == DEPOSIT["reason"]
    assert page.count(NAME) == 2
    assert f"<dd>{NUMBERS}</dd>" in page, "digits that somebody wrote are no amount"
    assert NAME in account


def test_erased_texts_are_said_to_be_erased_wherever_they_stood(house: House) -> None:
    erase(house)
    answer, page, account = told_everywhere(house)
    stated = json.loads(answer["recorded"])
    assert (stated["reason"], stated["reference"], stated["erased"]) == (None, None, ["reason", "reference"])
    assert page.count(">erased</span></dd>") == 2
    assert ">erased</span>" in account
    assert all(text not in page + account for text in (NAME, NUMBERS))
    (erasure,) = events_of(house, "texts.erased")
    told = asking(house, lambda ask: told_event(ask, str(erasure["position"])))
    assert "texts made unreadable for ever, customer_request" in told


def test_texts_whose_key_is_elsewhere_are_said_to_be_unreadable(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_PRIVACY_KEY", str(tmp_path / "other"))
    answer, page, account = told_everywhere(house)
    assert json.loads(answer["recorded"])["unreadable"] == ["reason", "reference"]
    assert page.count(">unreadable</span></dd>") == 2
    assert ">unreadable</span>" in account
    assert NAME not in page + account
