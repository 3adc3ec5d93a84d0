"""The console's trail and events: what pages are made of, asked of a running house without a browser."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.console.asking import Refused
from api.console.causes import causes_card, causes_of
from api.console.fields import shown, stated_fields
from api.console.forms import in_utc
from api.console.pages.event import told_event
from api.console.pages.liquidations import CALLS, LIQUIDATIONS
from api.console.pages.trail import TRAIL
from api.console.saying import said, topics
from ledger.events import EVENTS
from tests.api.console_asking import asking, events_of
from tests.api.house import House, deposit, open_account

FACTS = Path(__file__).parents[1] / "ledger" / "facts"
SAMPLES = sorted(FACTS.glob("*.json"))


def event_of(sample: Path) -> dict[str, Any]:
    topic = ".".join(sample.name.split(".")[:2])
    return {"position": 5, "topic": topic, "recorded_at": "2026-01-15T12:34:57Z", **json.loads(sample.read_text())}


def test_something_is_said_of_every_topic() -> None:
    assert topics() == sorted(EVENTS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_what_is_said_of_an_event_leaves_no_gap(sample: Path) -> None:
    event = event_of(sample)
    words = said(event)
    assert words
    assert "{" not in words
    assert 'class="none"' not in words
    assert all(one in stated_fields(event) for one in _leaves(event) if one in ("BTC/USDT", "reduce_only", "index"))


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [one for part in value.values() for one in _leaves(part)]
    return [one for part in value for one in _leaves(part)] if isinstance(value, list) else [str(value)]


def test_what_an_event_states_is_escaped_wherever_it_is_shown() -> None:
    event = {**event_of(FACTS / "trade.booked.json"), "order_id": "<script>", "extra": {"<b>": ["<i>"]}}
    assert "<script>" not in stated_fields(event)
    assert "&lt;script&gt;" in stated_fields(event)
    assert "<b>" not in stated_fields(event)
    assert "<i>" not in stated_fields(event)
    sent = {**event_of(FACTS / "transfer.sent.json"), "to_account_id": '"><script>'}
    assert "<script>" not in said(sent)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("0.00000001", "0.00000001"),
        ("-12.5", "−12.5"),
        ("1234567.10", "1,234,567.10"),
        ("2026-01-15T12:34:50Z", "2026"),
    ],
)
def test_figures_and_times_are_written_out(value: str, written: str) -> None:
    plain = shown(value).replace('</span><span class="decimals">', "")
    assert written in plain


def test_the_trail_is_read_on_without_a_gap_both_ways(told: House) -> None:
    end = told.log_end()
    for before in range(2, end + 2):
        part = asking(told, partial(TRAIL.part, only={}, before=before))
        assert f'href="/console/events/{before - 1}"' in part
        assert f'href="/console/events/{before}"' not in part
    newer = asking(told, lambda ask: TRAIL.part(ask, {}, after=1))
    assert newer.index(f'/console/events/{min(end, 51)}"') < newer.index('/console/events/2"')


def test_a_part_says_where_the_list_goes_on_and_the_first_that_nothing_is_newer(told: House) -> None:
    for number in range(60):
        told.send(deposit("lucy", "1", f"many-{number}"))
    first = asking(told, lambda ask: TRAIL.part(ask, {"topic": "funds.deposited"}))
    assert first.count("<tr") == 50
    assert 'data-newer=""' in first
    oldest = events_of(told, "funds.deposited")[-50]["position"]
    assert f'data-older="/console/events/rows?topic=funds.deposited&amp;before={oldest}"' in first
    rest = asking(told, lambda ask: TRAIL.part(ask, {"topic": "funds.deposited"}, before=oldest))
    assert 'data-older=""' in rest
    back = asking(told, lambda ask: TRAIL.part(ask, {"topic": "funds.deposited"}, after=oldest))
    assert back.count("<tr") == 49


def test_a_list_without_a_row_says_what_can_be_done(told: House) -> None:
    found = asking(told, lambda ask: LIQUIDATIONS.table(ask, {"overdue": "true"}, "Leave a filter out."))
    assert "Leave a filter out." in found
    assert "<table" not in found


def test_liquidations_and_margin_calls_are_listed_with_their_stories(told: House) -> None:
    listed = asking(told, lambda ask: LIQUIDATIONS.table(ask, {}, ""))
    (started,) = events_of(told, "liquidation.started")
    assert f'href="/console/liquidations/{started["liquidation_id"]}"' in listed
    called(told)
    (call,) = events_of(told, "margin.called")
    assert f'href="/console/margin-calls/carl/{call["position"]}"' in asking(told, lambda ask: CALLS.table(ask, {}, ""))


def called(house: House) -> None:
    """An account that is called once; asked for again it is left as it is."""
    if house.get("/v1/accounts/carl").status_code == 200:
        return
    keyed = {"account_id": "carl", "asset": "USDT"}
    house.send(open_account("carl"), deposit("carl", "1000", "d1"))
    house.send(
        {**keyed, "type": "transfer", "from": "spot", "to": "cross", "amount": "1000", "idempotency_key": "t"},
        {**keyed, "type": "borrow", "wallet": "cross", "amount": "1900", "idempotency_key": "b"},
    )
    trade = {"type": "book_fill", "account_id": "carl", "pair": "BTC/USDT", "side": "buy", "fee": "0"}
    house.send({**trade, "trade_id": "c1", "quantity": "0.05", "price": "50000", "fee_asset": "USDT"})
    house.send({"type": "mark_prices", "prices": {"BTC/USDT": "39000"}, "source": "test"})
    house.send({"type": "examine", "account_id": "carl", "wallet": "cross"})


@pytest.mark.parametrize(
    ("put_in", "asked"),
    [
        ("2026-01-31 12:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("yesterday", "yesterday"),
        (" ", ""),
    ],
)
def test_times_without_a_zone_are_in_utc_and_what_is_none_is_left_to_be_refused(put_in: str, asked: str) -> None:
    assert in_utc(put_in) == asked


def test_the_page_of_every_event_can_be_made(told: House) -> None:
    for position in range(1, told.log_end() + 1, 3):
        page = asking(told, partial(told_event, position=str(position)))
        assert "laid out for reading" in page
        assert f"#{position:,}" in page


@pytest.mark.parametrize(
    ("place", "status"), [("999999", 404), ("0", 400), ("x", 400), ("stream", 400), ("1?a=b", 400), ("²", 400)]
)
def test_the_page_of_no_event_is_refused_in_the_words_of_the_api(told: House, place: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        asking(told, lambda ask: told_event(ask, place))
    assert refused.value.status == status
    assert refused.value.detail


def test_a_settled_withdrawal_leads_back_to_its_request_and_the_request_on_to_it(told: House) -> None:
    (cancelled,) = events_of(told, "withdrawal.cancelled")
    requested = next(
        one for one in events_of(told, "withdrawal.requested") if one["withdrawal_id"] == cancelled["withdrawal_id"]
    )
    back = asking(told, lambda ask: causes_of(ask, cancelled))
    assert [one["position"] for one in back.began] == [requested["position"]]
    on = asking(told, lambda ask: causes_of(ask, requested))
    assert [one["position"] for one in on.led_to] == [cancelled["position"]]


def test_events_of_one_request_lead_to_each_other_and_a_liquidation_to_its_story(told: House) -> None:
    (started,) = events_of(told, "liquidation.started")
    causes = asking(told, lambda ask: causes_of(ask, started))
    assert [one["topic"] for one in causes.after][-1] == "liquidation.completed"
    card = causes_card(started, {"ETH/USDT": {"version": 2, "position": 9}}, causes)
    assert f'href="/console/liquidations/{started["liquidation_id"]}"' in card
    assert "Decided on the price of ETH/USDT" in card
