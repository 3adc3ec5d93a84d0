"""Reasons and references are told as they were stated to who may see them, by HTTP or command line, until erased."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import Ledger
from tests.api.command_line import CommandLine
from tests.api.event_stream import Reader, until
from tests.api.house import House, deposit, open_account, open_house, opened_market
from tests.databases import fresh_database
from tests.ledger.submitting import ask, code
from tests.ledger.texts import everything_in, raw_log, shown_log

NAME = "Zacharias Quendt"
WHY = {"reason": f"asked by {NAME}"}
BUCKET = {"account_id": "zac", "pair": "ETH/USDT"}
FILL = {"type": "book_fill", "trade_id": "s", "side": "sell", "quantity": "0.2", "price": "2000"}
ADJUSTMENT = {"adjustment_id": "a", "wallet": "spot", "asset": "USDT", "amount": "1", "reason_code": "other"}
KEY = {"idempotency_key": "s1"}
ERASE = {"json": {"reason_code": "customer_request"}, "headers": {"Idempotency-Key": "e"}}
ACCOUNT = "/v1/accounts/zac"
STAFF_ALONE = ("/v1/events", "/v1/adjustments")
TELLING = {
    "/v1/events?account_id=zac": 14,
    f"{ACCOUNT}/events": 14,
    f"{ACCOUNT}/events?order=desc": 14,
    f"{ACCOUNT}/diff": 10,
    f"{ACCOUNT}/statement/document?format=json": 4,
    "/v1/withdrawals?account_id=zac": 1,
    "/v1/adjustments": 1,
    "/v1/liquidations": 1,
    "/v1/liquidations/{liquidation}": 2,
    "/v1/liquidations/{liquidation}/explanation": 1,
}
"""Where texts of the account are told, and at least how many of them."""
SILENT = [
    *(ACCOUNT, f"{ACCOUNT}/statement", f"{ACCOUNT}/statement?format=csv", "/v1/accounts"),
    *("/v1/margin-calls", "/v1/loans", "/v1/holds", "/v1/reports/trial-balance", "/v1/reports/insurance"),
    *(f"{ACCOUNT}/isolated", f"{ACCOUNT}/cross"),
]
"""Where no text is told, sealed or not."""


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_house(database) as house:
        opened_market(house)
        house.send(open_account("zac"), open_account("ben"))
        house.send(
            {**deposit("zac", "1000", "d1"), "reference": f"from {NAME}", **WHY},
            {"type": "request_withdrawal", "account_id": "zac", "withdrawal_id": "w", "asset": "USDT", "amount": "1"},
            {"type": "settle_withdrawal", "account_id": "zac", "withdrawal_id": "w", "reference": f"to {NAME}", **WHY},
            {**BUCKET, "type": "set_margin_mode", "mode": "isolated", "idempotency_key": "m1", **WHY},
            {**BUCKET, "type": "add_margin", "asset": "USDT", "amount": "100", "idempotency_key": "a1", **WHY},
            {**BUCKET, **FILL, "fee": "0", "fee_asset": "USDT", "auto_borrow": True, **WHY},
            {"type": "send", "account_id": "zac", "to_account_id": "ben", "asset": "USDT", "amount": "1", **WHY, **KEY},
            {"type": "propose_adjustment", "account_id": "zac", **ADJUSTMENT, **WHY},
        )
        house.send({"type": "mark_prices", "prices": {"ETH/USDT": "2400"}, "source": "test"})
        house.send({"type": "examine", "account_id": "zac", "wallet": "isolated:ETH/USDT", **WHY})
        yield house


def erase(house: House) -> None:
    answer = house.ask("POST", f"{ACCOUNT}/erasures", who="operator", **ERASE)
    assert answer.status_code == 200, answer.text


def told(house: House, path: str, who: str = "auditor") -> str:
    """An answer, which never has a sealed text."""
    liquidations = house.get("/v1/liquidations", who=who).json()["liquidations"]
    answer = house.get(path.format(liquidation=liquidations[0]["liquidation_id"]), who=who)
    assert answer.status_code == 200, answer.text
    assert "\\u0001" not in answer.text
    return answer.text


@pytest.mark.parametrize("who", ["auditor", "zac"])
def test_texts_are_told_wherever_events_are_until_they_are_erased(house: House, who: str) -> None:
    paths = {path: least for path, least in TELLING.items() if who == "auditor" or not path.startswith(STAFF_ALONE)}
    for path, least in paths.items():
        assert told(house, path, who).count(NAME) >= least, path
    erase(house)
    for path in paths:
        text = told(house, path, who)
        assert NAME not in text, path
        assert '"erased":["reason"' in text or '"erased":["reference"' in text, path
    assert house.get("/v1/events?account_id=ben").text.count(NAME) == 1, (
        "the other side of a sending has a key of its own"
    )
    assert told(house, "/v1/liquidations/{liquidation}/explanation").count('"agrees":false') == 0


@pytest.mark.parametrize(("form", "as_erased"), [("csv", "reference reason,"), ("html", "reference and reason erased")])
def test_a_statement_says_in_every_form_which_texts_were_erased(house: House, form: str, as_erased: str) -> None:
    path = f"{ACCOUNT}/statement/document?format={form}"
    before = told(house, path)
    assert (NAME in before, as_erased in before) == (True, False)
    erase(house)
    after = told(house, path)
    assert (NAME in after, as_erased in after) == (False, True)


def test_answers_that_have_no_texts_have_no_sealed_ones_either(house: House) -> None:
    for path in SILENT:
        answer = house.get(path)
        assert answer.status_code == 200, path
        assert NAME not in answer.text
        assert "\\u0001" not in answer.text
        assert "\x01" not in answer.text


def test_a_stream_tells_texts_as_they_can_be_told_when_it_tells_them(house: House) -> None:
    address = str(house.http.base_url).rstrip("/")
    end = house.log_end()
    path = f"{ACCOUNT}/events/stream?after=0"
    with Reader(path, house.key("auditor")).connected(address) as events:
        before = [one for one in until(events, end) if one.name != "position"]
        assert sum(json.dumps(one.content).count(NAME) for one in before) >= 14
        erase(house)
        house.send({**deposit("zac", "1", "d9"), "reference": "later"})
        after = until(events, end + 2)
        assert [one.content.get("reference") for one in after if one.name == "funds.deposited"] == ["later"]
        with Reader(path, house.key("auditor")).connected(address) as again:
            repeated = until(again, end + 2)
    assert NAME not in json.dumps([one.content for one in repeated])


def test_a_preview_tells_the_reason_that_it_was_asked_with(house: House) -> None:
    (deposited,) = house.send(deposit("zac", "7", "d9"))
    body = {"json": {"reason": "as agreed"}, "headers": {"Idempotency-Key": "x"}}
    answer = house.ask("POST", f"{ACCOUNT}/events/{deposited['version']}/reverse/preview", who="operator", **body)
    assert [event["reason"] for event in answer.json()["events"]] == ["as agreed"]
    assert "as agreed" not in everything_in(house.url)


def test_the_command_line_tells_and_erases_them(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = CommandLine(monkeypatch, capsys)
    ledger.use(house.url)
    liquidation = house.get("/v1/liquidations").json()["liquidations"][0]["liquidation_id"]
    asked = [
        *(["replay", "zac"], ["replay", "zac", "--json"], ["diff", "zac", "--json"]),
        *(["explain", liquidation, "--json"], ["explain", liquidation]),
    ]
    for one in asked:
        ended = ledger(*one)
        assert (ended.code, "\x01" in ended.out, "\\u0001" in ended.out) == (0, False, False), one
        assert NAME in ended.out or one[-1] == liquidation
    erased = ledger("erase", "zac", "--reason-code", "legal_order")
    assert (erased.code, "are erased" in erased.out) == (0, True)
    for one in asked:
        assert NAME not in ledger(*one).out
    assert ledger("verify").code == 0
    assert "no text" not in ledger("privacy", "rotate").err
    assert ledger("erase", "nobody", "--reason-code", "legal_order").code == 1
    assert ledger("erase", "zac", "--reason-code", "boredom").code == 2


def test_only_operators_erase(house: House) -> None:
    for who in ("zac", "service", "auditor"):
        assert house.ask("POST", f"{ACCOUNT}/erasures", who=who, **ERASE).status_code == 403
    with_reason = {**ERASE, "json": {"reason_code": "legal_order", "reason": NAME}}
    assert house.ask("POST", f"{ACCOUNT}/erasures", who="operator", **with_reason).status_code == 400


def test_an_archive_has_no_text_and_a_ledger_restored_from_it_goes_on_without_them(
    house: House,
    server_url: str,
    template_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger = CommandLine(monkeypatch, capsys)
    ledger.use(house.url)
    erase(house)
    house.send({**deposit("ben", "2", "d1"), "reference": NAME})
    assert ledger("export", "parquet", "--to", tmp_path, "--all").code == 0
    before = raw_log(house.url)
    with fresh_database(server_url, template_database) as restored:
        ledger.use(restored)
        assert ledger("import-log", tmp_path).code == 0
        assert raw_log(restored) == before
        assert NAME not in everything_in(restored)
        hidden = [text for one in shown_log(restored).values() for text in one.get("unreadable", [])]
        assert len(hidden) >= 15
        with Ledger(restored) as other:
            again = {**deposit("ben", "2", "d1"), "reference": NAME}
            assert [code(one) for one in ask(other, again, {**again, "deposit_id": "d2"})] == ["replayed", "recorded"]
        assert ledger("verify").code == 0
        assert list(shown_log(restored).values())[-1] == {"reference": NAME}
