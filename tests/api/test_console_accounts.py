"""What the console's pages of accounts work out and ask, without a browser: on the doors of a real house."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from api.app import create_app
from api.console.asking import Asker, Refused
from api.console.pages.account_change import change_shown, changes
from api.console.pages.account_explained import explanation
from api.console.pages.account_levels import chart_options, moment_line
from api.console.pages.account_levels import told as said_of
from api.console.pages.account_moment import Moment, last_version_of, moment_of
from api.console.pages.account_place import drawn_tabs, explain_form, no_level, under_chart, where
from api.console.pages.account_points import moment_asked, number, point_asked
from api.console.pages.account_wallets import locked_shown, positions_shown, wallets_shown
from api.console.pages.search import Found, everything_meant
from api.console.sessions import Session
from api.roles import Caller, Role
from tests.api.house import House, deposit, open_account

Answer = TypeVar("Answer")


@pytest.fixture
def as_auditor(told: House) -> Callable[[Callable[[Asker], Awaitable[Any]]], Any]:
    """Asks as a page does, with the key of an auditor."""

    def asked(question: Callable[[Asker], Awaitable[Answer]]) -> Answer:
        async def ask() -> Answer:
            caller, ends_at = Caller("auditor", Role.AUDITOR), time.monotonic() + 60
            session = Session(told.key("auditor"), caller, "", ends_at, ends_at)
            return await question(Asker(create_app(told.ledger, told.pool), session))

        return asyncio.run(ask())

    return asked


Asking = Callable[[Callable[[Asker], Awaitable[Any]]], Any]


def moment(as_auditor: Asking, version: int | None = None, of: str = "alice", **asked: Any) -> Moment:
    found: Moment = as_auditor(lambda ask: moment_of(ask, of, version, **asked))
    return found


def search(as_auditor: Asking, meant: str) -> list[tuple[str, str | None]]:
    found: list[Found] = as_auditor(lambda ask: everything_meant(ask, meant))
    return [(one.kind, one.path) for one in found]


def test_every_event_of_an_account_is_a_moment_of_its_own(told: House, as_auditor: Asking) -> None:
    for event in told.get("/v1/accounts/alice/events").json()["events"]:
        shown = moment(as_auditor, event["version"])
        account = told.get("/v1/accounts/alice", params={"position": event["position"]}).json()
        assert {**shown.account, "as_of": None} == {**account, "as_of": None}
        assert (shown.version, shown.event["topic"], shown.last_version) == (event["version"], event["topic"], 11)


def test_a_moment_between_two_events_shows_the_one_before(told: House, as_auditor: Asking) -> None:
    end = told.log_end()
    shown = moment(as_auditor, position=end)
    assert (shown.account["position"], shown.version, shown.is_now) == (end, 11, False)
    assert moment(as_auditor).is_now


@pytest.mark.parametrize("version", [0, 12, 10**17])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(as_auditor: Asking, version: int) -> None:
    with pytest.raises(Refused, match=f"event {version} of account alice is asked for, it has events 1 to 11"):
        moment(as_auditor, version)


def test_an_account_or_a_position_that_is_not_there_is_refused_as_the_ledger_words_it(as_auditor: Asking) -> None:
    with pytest.raises(Refused, match="account nobody was not opened"):
        moment(as_auditor, of="nobody")
    with pytest.raises(Refused, match="the log ends at"):
        moment(as_auditor, position=999_999)


def test_what_an_event_changed_stands_before_and_after(as_auditor: Asking) -> None:
    """Of 4,000 USDT in cross 2,000 more are borrowed: the level begins at 3."""
    events = [moment(as_auditor, version) for version in range(2, 12)]
    borrowed = next(one for one in events if one.event["topic"] == "loan.borrowed")
    assert borrowed.change is not None
    rows = [tuple(str(cell) for cell in row[:2]) for row in changes(borrowed.change)]
    assert rows == [("cross", "USDT free"), ("cross", "USDT borrowed"), ("cross", "margin level")]
    shown = change_shown(borrowed)
    assert "3.00000000" in shown
    frozen = change_shown(events[-1])
    assert "Freeze blocks" in frozen
    assert "withdraw" in frozen


def test_the_opening_changed_nothing_that_was_there_before(as_auditor: Asking) -> None:
    opening = moment(as_auditor, 1)
    assert opening.change is None
    assert "The account was opened" in change_shown(opening)


def test_wallets_stand_side_by_side_with_what_is_locked(told: House, as_auditor: Asking) -> None:
    shown = moment(as_auditor)
    wallets, locked = wallets_shown(shown.account), locked_shown(*shown.locked)
    assert wallets.count("<section") == 2
    assert 'aria-label="level 2.99997000"' in wallets
    assert "h1" in locked
    assert "w1" in locked
    assert "w2" not in locked
    before = moment(as_auditor, 2)
    assert locked_shown(*before.locked) == ""


def test_a_short_is_shown_with_its_liquidation_price_and_its_profit(told: House, as_auditor: Asking) -> None:
    """0.2 ETH sold at 2,000 of 100 put in: held 500, owed 0.2; at 2,400 it has lost 80, a fifth of 400."""
    started = told.get("/v1/liquidations").json()["liquidations"][0]["started_position"]
    shown = moment(as_auditor, position=started - 1, of="lucy")
    wallets, positions = wallets_shown(shown.account), positions_shown(shown.account)
    price = shown.account["isolated"]["ETH/USDT"]["liquidation_price"]
    assert f'title="{price}"' in wallets
    assert "short" in positions
    assert "−20.00 %" in positions
    assert 'title="-80"' in positions


def test_where_one_stands_is_told_with_links_that_keep_the_moment(told: House, as_auditor: Asking) -> None:
    at_event, now = moment(as_auditor, 5, of="lucy"), moment(as_auditor, of="lucy")
    assert "as it is now" in where(now, "cross")
    assert "as it is now" not in where(at_event, "cross")
    assert "version=5&amp;wallet=isolated%3AETH%2FUSDT&amp;span=1d" in drawn_tabs(at_event, "cross", "1d")
    assert "version=5&amp;wallet=cross&amp;span=30d" in drawn_tabs(at_event, "cross", "1d")
    assert "version" not in drawn_tabs(now, "cross")


def test_a_chart_has_every_event_as_a_mark_and_both_lines(told: House) -> None:
    path = told.get("/v1/accounts/lucy/level-path?wallet=isolated:ETH/USDT").json()
    options = chart_options(path, path["position"])
    series = {one["name"]: one for one in options["series"]}
    assert set(series) == {"Margin level", "Liquidation", "Margin call", "Events", "ETH/USDT"}
    marks = [one["version"] for one in series["Events"]["data"]]
    assert marks == [one["version"] for one in path["points"] if one["version"] is not None]
    assert all(one["value"][1] <= options["yAxis"][0]["max"] for one in series["Events"]["data"])
    assert series["Margin level"]["markLine"]["data"] == [{"xAxis": series["Margin level"]["data"][-1]["value"][0]}]


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


def test_an_account_is_shown_as_of_a_recorded_time_and_of_what_counts_at_one(told: House, as_auditor: Asking) -> None:
    event = told.get("/v1/accounts/alice/events").json()["events"][4]
    recorded = moment(as_auditor, recorded_at=event["recorded_at"])
    dated = moment(as_auditor, effective_at=event["effective_at"])
    for shown, name in ((recorded, "recorded_at"), (dated, "effective_at")):
        asked = {name: event[name]}
        assert shown.account == told.get("/v1/accounts/alice", params=asked).json()
        assert (shown.stated, shown.is_now, shown.is_dated) == (asked, False, name == "effective_at")
        assert f"{name}={event[name].replace(':', '%3A')}" in drawn_tabs(shown, "cross")
    assert "as recorded by" in where(recorded, "cross")
    assert "as of what counts at" in where(dated, "cross")
    assert "go to the event" in change_shown(dated)
    assert event["effective_at"] in explain_form(dated)


def test_between_two_business_times_a_change_is_explained(told: House, as_auditor: Asking) -> None:
    events = told.get("/v1/accounts/alice/events").json()["events"]
    asked = {
        **point_asked("from", events[1]["effective_at"], "effective"),
        **point_asked("to", events[-1]["effective_at"], "effective"),
    }
    found = as_auditor(lambda ask: ask.get("/v1/accounts/alice/diff", **asked))
    shown = explanation(found, "", "", "effective")
    assert "effective_at=" in shown
    assert "Not explained" not in shown


def test_the_leverage_of_a_bucket_that_nothing_was_done_with_is_seen_to_change(told: House, as_auditor: Asking) -> None:
    of_the_bucket = {"account_id": "geared", "wallet": "isolated:ETH/USDT", "idempotency_key": "l3"}
    told.send(open_account("geared"), {"type": "set_leverage", **of_the_bucket, "leverage": "3"})
    change = change_shown(moment(as_auditor, 2, of="geared"))
    assert "ETH/USDT" in change
    assert "3x" in change
    assert "No balance" not in change


def test_a_price_that_is_old_is_shown_with_its_time_and_what_that_means(told: House, as_auditor: Asking) -> None:
    shown = moment(as_auditor)
    wallets = wallets_shown(shown.account)
    assert shown.account["cross"]["lacking_prices"] == []
    assert "No fresh price" not in wallets
    old = {**shown.account, "cross": {**shown.account["cross"], "lacking_prices": ["USDC"]}}
    assert "No fresh price of USDC" in wallets_shown(old)
    assert "band unpriced" in wallets_shown(old)
    started = told.get("/v1/liquidations").json()["liquidations"][0]["started_position"]
    account = moment(as_auditor, position=started - 1, of="lucy").account
    at = account["prices"]["ETH/USDT"]["effective_at"]
    assert wallets_shown(account).count(f'datetime="{at}"') == 1
    assert positions_shown(account).count(f'datetime="{at}"') == 1


def test_all_that_is_locked_is_listed_or_it_is_said_that_there_is_more(told: House, as_auditor: Asking) -> None:
    """The API tells 100 at a time where nothing is asked."""
    hold = {"type": "place_hold", "account_id": "holder", "wallet": "spot", "asset": "USDT", "amount": "0.01"}
    told.send(open_account("holder"), deposit("holder", "10", "d1"))
    told.send(*({**hold, "hold_id": f"many-{place}"} for place in range(101)))
    shown = locked_shown(*moment(as_auditor, of="holder").locked)
    assert shown.count("many-") == 101
    assert "the first" not in shown
    assert "the first 1" in locked_shown([{**hold, "hold_id": "h"}], [], False)


def test_a_gauge_is_drawn_where_nothing_is_owed_but_not_where_a_price_is_lacking(as_auditor: Asking) -> None:
    account = moment(as_auditor).account
    assert 'aria-label="level 2.9' in wallets_shown(account)
    nothing = {**account["cross"], "margin_level": None, "collateral_margin_level": None}
    assert 'aria-label="nothing is owed"' in wallets_shown({**account, "cross": nothing})
    unpriced = {**nothing, "band": "unpriced"}
    assert "gauge" not in wallets_shown({**account, "cross": unpriced})


def test_a_step_beyond_what_was_the_last_event_is_to_a_newer_one(told: House, as_auditor: Asking) -> None:
    told.send(open_account("newer"))
    assert as_auditor(lambda ask: last_version_of(ask, "newer")) == 1
    told.send(deposit("newer", "10", "d1"))
    assert as_auditor(lambda ask: last_version_of(ask, "newer")) == 2


def test_what_is_under_a_chart_says_what_it_is_of(told: House) -> None:
    path = told.get("/v1/accounts/alice/level-path?wallet=cross").json()
    assert "price vectors from position" in under_chart(path)
    assert "lowest and highest" in under_chart({**path, "vectors": "extremes"})
    assert "evenly taken" in under_chart({**path, "vectors": "samples", "is_cut": True})


def test_an_explanation_names_the_causes_that_moved_equity(told: House) -> None:
    found = told.get("/v1/accounts/alice/diff").json()
    shown = explanation(found, "", "")
    assert "Interest" in shown
    assert "Funds in and out" in shown
    assert "Liquidation" not in shown
    assert "Not explained" not in shown
    broken = {
        **found,
        "unexplained": [{"wallet": "spot", "asset": "USDT", "part": "free", "by_events": "1", "to": "2"}],
    }
    assert "spot USDT free" in explanation(broken, "", "")


def test_what_a_level_began_and_ended_with_is_a_part_of_its_change(told: House) -> None:
    """The short began and was closed out, so causes, beginning and end of its level add up to nothing."""
    found = told.get("/v1/accounts/lucy/diff").json()
    level = found["wallets"]["isolated:ETH/USDT"]["margin_level"]
    shown = explanation(found, "", "")
    assert f'title="{level["from_none"]["levels"]}"' in shown
    assert f'title="{level["to_none"]["levels"]}"' in shown
    parts = [*level["by_cause"].values(), level["from_none"]["levels"], level["to_none"]["levels"]]
    assert sum(map(Decimal, parts)) == 0


def test_a_search_finds_the_one_thing_that_was_meant(told: House, as_auditor: Asking) -> None:
    liquidation_id = told.get("/v1/liquidations").json()["liquidations"][0]["liquidation_id"]
    request = told.get("/v1/events?limit=1").json()["events"][0]["correlation_id"]
    assert search(as_auditor, "alice") == [("account", "/accounts/alice")]
    assert search(as_auditor, liquidation_id) == [("liquidation", f"/liquidations/{liquidation_id}")]
    assert search(as_auditor, request) == [("events of the request", f"/events?correlation_id={request}")]
    assert search(as_auditor, "12") == [("event at position", "/events/12")]
    assert search(as_auditor, "1,2") == [("event at position", "/events/12")]
    assert search(as_auditor, "btc-usdt") == [("pair", None)]
    assert search(as_auditor, "ETH") == [("asset", None)]


def test_what_a_search_may_mean_twice_is_found_twice(told: House, as_auditor: Asking) -> None:
    told.send(open_account("7"))
    assert search(as_auditor, "7") == [("account", "/accounts/7"), ("event at position", "/events/7")]


def test_a_search_for_a_beginning_finds_the_accounts_that_begin_so(as_auditor: Asking) -> None:
    assert search(as_auditor, "ali") == [("account", "/accounts/alice")]
    assert search(as_auditor, "ce") == []


@pytest.mark.parametrize("meant", ["zzz", "alice.99999", "999,999", "<script>", "%00", "a b", "@exchange", "9" * 40])
def test_a_search_for_what_is_not_there_finds_nothing(as_auditor: Asking, meant: str) -> None:
    assert search(as_auditor, meant) == []


def test_a_number_is_read_as_people_write_it() -> None:
    assert (number("9,395", "position"), number(" 12 ", "position"), number("", "position")) == (9395, 12, None)


@pytest.mark.parametrize("written", ["x", "-1", "1.5", "1e3", "²", "9" * 19])
def test_what_is_no_number_is_refused_with_what_was_written(written: str) -> None:
    with pytest.raises(Refused, match="state a whole number"):
        number(written, "position")
