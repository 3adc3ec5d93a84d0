"""What the console's pages of accounts work out and ask, without a browser: on the doors of a real house."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from api.app import create_app
from api.console.asking import Asker, Refused
from api.console.pages.account_change import change_shown, changes
from api.console.pages.account_explained import explanation
from api.console.pages.account_levels import chart_options
from api.console.pages.account_moment import Moment, moment_of
from api.console.pages.account_place import drawn_tabs, where
from api.console.pages.account_points import number
from api.console.pages.account_wallets import locked_shown, positions_shown, wallets_shown
from api.console.pages.search import Found, everything_meant
from api.console.sessions import Session
from api.roles import Caller, Role
from tests.api.house import House, open_account

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
