"""Every question has what `min_position` asks for, or says that it is not there."""

from collections.abc import Iterator

import pytest

from tests.api.house import House, deposit, open_account, open_house, opened_market

QUESTIONS = [
    "/v1/accounts",
    "/v1/accounts/alice",
    "/v1/accounts/alice/limits?wallet=cross&asset=USDT",
    "/v1/accounts/alice/cross",
    "/v1/accounts/alice/diff",
    "/v1/accounts/alice/isolated",
    "/v1/accounts/alice/level-path?wallet=cross",
    "/v1/accounts/alice/levels",
    "/v1/accounts/alice/events",
    "/v1/accounts/alice/statement",
    "/v1/events",
    "/v1/withdrawals",
    "/v1/adjustments",
    "/v1/holds",
    "/v1/loans",
    "/v1/liquidations",
    "/v1/margin-calls",
    "/v1/market",
    "/v1/market/prices?pair=BTC/USDT",
    "/v1/market/settings?scope=cross",
    "/v1/reports/trial-balance",
    "/v1/reports/margin-levels",
    "/v1/reports/exposure",
    "/v1/reports/insurance",
    "/v1/reports/book?book=fees&asset=USDT",
]


@pytest.fixture(scope="module")
def lagging(module_database: str) -> Iterator[House]:
    """A house whose questions wait for half a second."""
    with open_house(module_database, wait_seconds=0.5) as house:
        opened_market(house)
        house.send(open_account("alice"))
        yield house


def test_every_question_about_state_takes_min_position(lagging: House) -> None:
    paths = lagging.http.get("/openapi.json").json()["paths"]
    taking = {
        path
        for path, operations in paths.items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["name"] == "min_position"
    }
    others = {path for path, operations in paths.items() if "get" in operations} - taking
    # Explanations wait for no projection: they read the log, in which everything is at once.
    explained = {
        "/v1/liquidations/{liquidation_id}/explanation",
        "/v1/accounts/{account_id}/margin-calls/{call_position}/explanation",
    }
    # A document is of a range that has ended.
    explained |= {"/v1/accounts/{account_id}/statement/document"}
    # Checkpoints and proofs wait for no projection either: they speak of what is sealed by now.
    sealed = {path for path in paths if path.startswith("/v1/checkpoints") or path.endswith("/proof")}
    # So do publications of liabilities; who looked is told from a table of its own.
    apart = {path for path in paths if "/liabilit" in path or path.endswith("/reads")}
    # One event stands where it was recorded; whether it was reversed is told once all that is recorded is projected.
    apart |= {"/v1/events/{event_position}"}
    answered = {"/health", "/metrics", "/problems", "/problems/{code}", "/v1/keys"}
    assert others == answered | explained | sealed | apart
    asked_here = {path.partition("?")[0].replace("alice", "{account_id}") for path in QUESTIONS}
    streams = {path for path in taking if path.endswith("/stream")}
    assert taking - streams == asked_here | {"/v1/liquidations/{liquidation_id}"}


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_has_the_position_that_a_command_was_answered_with(lagging: House, path: str) -> None:
    asking = f"{path}{'&' if '?' in path else '?'}min_position="
    (recorded,) = lagging.send(deposit("alice", "1", path.translate({ord(one): "-" for one in "/?&="})))
    answer = lagging.get(f"{asking}{recorded['position']}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] >= recorded["position"]
    beyond = lagging.get(f"{asking}{recorded['position'] + 1}")
    assert (beyond.status_code, beyond.json()["code"]) == (503, "projections_behind")
    assert f"the question needs {recorded['position'] + 1}" in beyond.json()["detail"]
