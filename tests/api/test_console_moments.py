"""Moments of an account in the console: positions and times of either kind, the chart around them, and old prices."""

import json
from typing import Any

import pytest

from api.console.pages import account_explained
from api.console.pages.account_change import change_shown
from api.console.pages.account_explained import before_the_last_events, explanation
from api.console.pages.account_levels import chart_options, moment_line
from api.console.pages.account_levels import told as said_of
from api.console.pages.account_moment import Moment, last_version_of, moment_of
from api.console.pages.account_place import drawn_tabs, explain_form, no_level, under_chart, where
from api.console.pages.account_points import moment_asked, point_asked
from api.console.pages.account_wallets import locked_shown, positions_shown, wallets_shown
from tests.api.console_asking import asking
from tests.api.house import House, deposit, open_account


def moment(told: House, version: int | None = None, of: str = "alice", **asked: Any) -> Moment:
    return asking(told, lambda ask: moment_of(ask, of, version, **asked))


def test_a_chart_says_each_point_once_however_many_prices_it_has() -> None:
    """300 points of 20 pairs were a message of 4 MB while each price said the whole of its point again."""
    pairs = [f"A{number:02d}/USDT" for number in range(20)]
    lines = dict.fromkeys(("liquidation", "margin_call", "initial", "transfer_out"), "1.10000000")
    point = {"topic": "prices.marked", "version": None, "level": "1.55000000", "band": "normal", "lines": lines}
    prices = dict.fromkeys(pairs, "123.45678901")
    points = [
        {**point, "position": n, "effective_at": f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "prices": prices}
        for n in range(300)
    ]
    written = json.dumps(chart_options({"points": points, "pairs": pairs}, 300))
    assert written.count("prices.marked") == 300
    assert len(written) < 600_000


def test_the_line_of_the_moment_is_always_in_the_chart(told: House) -> None:
    """Also where the moment is long before the prices that are drawn, or nothing before it has a time."""
    path = told.get("/v1/accounts/lucy/level-path?wallet=isolated:ETH/USDT").json()
    first = next(one["effective_at"] for one in path["points"] if one["effective_at"])
    assert moment_line(path, 1)["data"] == [{"xAxis": first}]
    around = {"wallet": "isolated:ETH/USDT", "around_position": path["points"][3]["position"], "span_seconds": 60}
    path = told.get("/v1/accounts/lucy/level-path", params=around).json()
    assert path["from_position"] <= around["around_position"] <= path["to_position"]
    assert moment_line(path, int(str(around["around_position"])))["data"]


def test_a_wallet_that_lacks_a_price_is_not_said_to_owe_nothing() -> None:
    point: dict[str, Any] = {
        "effective_at": None,
        "topic": None,
        "version": None,
        "position": 5,
        "level": None,
        "prices": {},
    }
    assert "a price is lacking" in said_of({**point, "band": "unpriced"})
    assert "nothing is owed" in said_of({**point, "band": "normal"})
    path = {"wallet": "cross", "points": [{**point, "band": "normal"}]}
    assert "owed nothing" in no_level(path)
    assert "lacked a price" in no_level({**path, "points": [*path["points"], {**point, "band": "unpriced"}]})


def test_a_moment_is_a_position_or_a_time_of_either_kind() -> None:
    """A time as pages show it has no zone and is in UTC."""
    assert moment_asked("9,395") == {"position": "9395"}
    assert moment_asked("2024-03-05 01:00:00") == {"recorded_at": "2024-03-05T01:00:00Z"}
    assert moment_asked("2024-03-05 01:00:00 UTC", "effective") == {"effective_at": "2024-03-05T01:00:00Z"}
    assert moment_asked("2024-03-05T01:00:00.5+01:00") == {"recorded_at": "2024-03-05T00:00:00.500000Z"}
    assert moment_asked(" ") == {}
    assert moment_asked("yesterday") == {"recorded_at": "yesterday"}
    assert point_asked("from", "2024-03-05 01:00:00", "effective") == {"from_effective_at": "2024-03-05T01:00:00Z"}
    assert point_asked("to", "12") == {"to_position": "12"}


def test_an_account_is_shown_as_of_a_recorded_time_and_of_what_counts_at_one(told: House) -> None:
    event = told.get("/v1/accounts/alice/events").json()["events"][4]
    recorded = moment(told, recorded_at=event["recorded_at"])
    dated = moment(told, effective_at=event["effective_at"])
    for shown, name in ((recorded, "recorded_at"), (dated, "effective_at")):
        asked = {name: event[name]}
        assert shown.account == told.get("/v1/accounts/alice", params=asked).json()
        assert (shown.stated, shown.is_now, shown.is_dated) == (asked, False, name == "effective_at")
        assert f"{name}={event[name].replace(':', '%3A')}" in drawn_tabs(shown, "cross")
    assert "as recorded by" in where(recorded, "cross")
    assert "as of what counts at" in where(dated, "cross")
    assert "go to the event" in change_shown(dated)
    assert event["effective_at"] in explain_form(dated)


def test_a_form_takes_times_as_pages_show_them_unless_a_position_or_a_recorded_time_stands_in_it(told: House) -> None:
    chosen = '<option value="{}" selected="">'
    event = told.get("/v1/accounts/alice/events").json()["events"][4]
    now, recorded = moment(told), moment(told, recorded_at=event["recorded_at"])
    assert chosen.format("effective") in where(now, "cross")
    assert chosen.format("effective") in explain_form(now)
    assert chosen.format("recorded") in where(recorded, "cross")
    assert chosen.format("recorded") in explain_form(moment(told, 5))


def test_between_two_business_times_a_change_is_explained(told: House) -> None:
    events = told.get("/v1/accounts/alice/events").json()["events"]
    asked = {
        **point_asked("from", events[1]["effective_at"], "effective"),
        **point_asked("to", events[-1]["effective_at"], "effective"),
    }
    found = asking(told, lambda ask: ask.get("/v1/accounts/alice/diff", **asked))
    shown = explanation(found, "", "", "effective")
    assert "effective_at=" in shown
    assert "Not explained" not in shown


def test_of_a_long_history_the_last_events_are_explained_where_no_point_is_stated(
    told: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asking(told, lambda ask: before_the_last_events(ask, "alice")) == ""
    monkeypatch.setattr(account_explained, "LAST_EVENTS", 3)
    first = asking(told, lambda ask: before_the_last_events(ask, "alice"))
    between = told.get("/v1/accounts/alice/diff", params=point_asked("from", first)).json()["counts"]
    assert between["events"] == 3
    told.send(open_account("brief"))
    assert asking(told, lambda ask: before_the_last_events(ask, "brief")) == ""


def test_the_leverage_of_a_bucket_that_nothing_was_done_with_is_seen_to_change(told: House) -> None:
    of_the_bucket = {"account_id": "geared", "wallet": "isolated:ETH/USDT", "idempotency_key": "l3"}
    told.send(open_account("geared"), {"type": "set_leverage", **of_the_bucket, "leverage": "3"})
    change = change_shown(moment(told, 2, of="geared"))
    assert "ETH/USDT" in change
    assert "3x" in change
    assert "No balance" not in change


def test_a_price_that_is_old_is_shown_with_its_time_and_what_that_means(told: House) -> None:
    shown = moment(told)
    wallets = wallets_shown(shown.account)
    assert shown.account["cross"]["lacking_prices"] == []
    assert "No fresh price" not in wallets
    old = {**shown.account, "cross": {**shown.account["cross"], "lacking_prices": ["USDC"]}}
    assert "No fresh price of USDC" in wallets_shown(old)
    assert "band unpriced" in wallets_shown(old)
    started = told.get("/v1/liquidations").json()["liquidations"][0]["started_position"]
    account = moment(told, position=started - 1, of="lucy").account
    at = account["prices"]["ETH/USDT"]["effective_at"]
    assert wallets_shown(account).count(f'datetime="{at}"') == 1
    assert positions_shown(account).count(f'datetime="{at}"') == 1


def test_all_that_is_locked_is_listed_or_it_is_said_that_there_is_more(told: House) -> None:
    """The API tells 100 at a time where nothing is asked."""
    hold = {"type": "place_hold", "account_id": "holder", "wallet": "spot", "asset": "USDT", "amount": "0.01"}
    told.send(open_account("holder"), deposit("holder", "10", "d1"))
    told.send(*({**hold, "hold_id": f"many-{place}"} for place in range(101)))
    shown = locked_shown(*moment(told, of="holder").locked)
    assert shown.count("many-") == 101
    assert "the first" not in shown
    assert "the first 1" in locked_shown([{**hold, "hold_id": "h"}], [], False)


def test_a_gauge_is_drawn_where_nothing_is_owed_but_not_where_a_price_is_lacking(told: House) -> None:
    account = moment(told).account
    assert 'aria-label="level 2.9' in wallets_shown(account)
    nothing = {**account["cross"], "margin_level": None, "collateral_margin_level": None}
    assert 'aria-label="nothing is owed"' in wallets_shown({**account, "cross": nothing})
    unpriced = {**nothing, "band": "unpriced"}
    assert "gauge" not in wallets_shown({**account, "cross": unpriced})


def test_a_step_beyond_what_was_the_last_event_is_to_a_newer_one(told: House) -> None:
    told.send(open_account("newer"))
    assert asking(told, lambda ask: last_version_of(ask, "newer")) == 1
    told.send(deposit("newer", "10", "d1"))
    assert asking(told, lambda ask: last_version_of(ask, "newer")) == 2


def test_what_is_under_a_chart_says_what_it_is_of(told: House) -> None:
    path = told.get("/v1/accounts/alice/level-path?wallet=cross").json()
    assert "price vectors from position" in under_chart(path)
    assert "lowest and highest" in under_chart({**path, "vectors": "extremes"})
    assert "evenly taken" in under_chart({**path, "vectors": "samples", "is_cut": True})


def test_between_two_events_is_a_position_or_a_recorded_time_but_neither_now_nor_a_business_time(told: House) -> None:
    event = told.get("/v1/accounts/alice/events").json()["events"][-1]
    assert moment(told, position=told.log_end()).is_between
    assert not moment(told).is_between
    assert not moment(told, event["version"]).is_between
    assert not moment(told, position=event["position"]).is_between
    assert not moment(told, effective_at=event["effective_at"]).is_between


def test_an_account_that_is_called_by_dots_is_asked_for_by_its_name(told: House) -> None:
    told.send(open_account(".."))
    assert moment(told, of="..").account["account_id"] == ".."
