"""What /health says of projections that nobody runs, that are beyond the log, and of wallets without a price."""

import time
from collections.abc import Iterator

import pytest

from projections.runner import catch_up
from tests.api.house import House, open_account, open_house, opened_market
from tests.ledger.happenings import asset_listed, borrowed, deposited, opened, pair_listed, transferred
from tests.projections.stories import exchange_opens
from tests.projections.story import Story
from tests.projections.test_verify import tamper


@pytest.fixture
def alone(database: str) -> Iterator[House]:
    """A house with a market, all of it projected, whose projections nobody runs from then on."""
    with open_house(database, projecting=False, wait_seconds=0.3) as house:
        opened_market(house)
        catch_up(database)
        yield house


def test_projections_that_nobody_leads_are_well_while_nothing_is_to_be_projected(alone: House) -> None:
    answer = alone.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["projections"]["balances"] == {
        "position": alone.log_end(),
        "lag": 0,
        "led": False,
        "error": None,
        "error_position": None,
        "failed_at": None,
    }


def test_a_question_that_waits_in_vain_for_the_projections_says_so(alone: House) -> None:
    alone.send(open_account("alice"))
    before = time.monotonic()
    answer = alone.get("/v1/market")
    assert time.monotonic() - before < 5
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "projections_behind")
    assert problem["title"] == "The projections have not yet got there"
    assert int(answer.headers["retry-after"]) >= 1


def test_projections_that_lag_while_nobody_leads_them_are_stalled(alone: House) -> None:
    alone.send(open_account("alice"))
    answer = alone.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "stalled")
    shown = answer.json()["projections"]["balances"]
    assert (shown["lag"], shown["led"], shown["error"]) == (1, False, None)


def test_a_projection_beyond_the_end_of_the_log_is_failing(alone: House) -> None:
    end = alone.log_end()
    tamper(alone.url, f"delete from events where notification_id = {end}")
    answer = alone.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    shown = answer.json()["projections"]["balances"]
    assert shown["lag"] == -1
    assert f"stands at {end}, beyond the log's end at {end - 1}" in shown["error"]


def test_running_projections_are_told_to_be_led(house: House) -> None:
    health = house.http.get("/health").json()
    assert {one["led"] for one in health["projections"].values()} == {True}


def test_wallets_that_lack_a_price_are_counted_and_listed(database: str) -> None:
    story = Story(database)
    exchange_opens(story)
    story.on_exchange(asset_listed("XRP"), pair_listed("XRP/USDT", "3"))
    for account_id, asset in (("alice", "XRP"), ("bob", "BTC")):
        story.of(account_id, opened(), deposited("100", asset), transferred("100", asset), borrowed("10", "USDT"))
    story.write()
    catch_up(database)
    with open_house(database) as house:
        health = house.http.get("/health").json()
    assert health["status"] == "ok"
    assert health["unpriced_wallets"] == 1
    assert health["unpriced"] == [{"account_id": "alice", "wallet": "cross"}]


def test_health_is_503_while_projections_were_never_started(unprojected_database: str) -> None:
    with open_house(unprojected_database, projecting=False) as house:
        answer = house.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "ledger project or ledger serve starts it" in answer.json()["projections"]["balances"]["error"]
    assert (answer.json()["unpriced_wallets"], answer.json()["unpriced"]) == (None, None)
