"""The level of a wallet along the log: numbers worked by hand, and what is left out where it is long."""

from datetime import timedelta
from typing import Any

import pytest

from ledger.errors import Malformed, UnknownAccount, UnknownPair
from ledger.postgres import Connection
from projections.market import spans
from projections.questions import level_path
from projections.questions.level_path import level_path_answer, level_path_around
from projections.snapshot import AsOf
from tests.ledger.given import NOON
from tests.ledger.happenings import BTC_BUCKET, marked, opened
from tests.projections.differences import BORROWED, END, TRADED, long_of_alice, snapshot_of
from tests.projections.stories import crash_with_deficit, exchange_opens
from tests.projections.story import Story

ALL = 400


@pytest.fixture
def story(database: str) -> Story:
    story = Story(database)
    exchange_opens(story)
    return story


def path_of(
    connection: Connection,
    account_id: str = "alice",
    first: int | None = None,
    last: int | None = None,
    *,
    wallet: str = "cross",
    points: int = ALL,
) -> dict[str, Any]:
    start, end = (None if at is None else AsOf("position", at) for at in (first, last))
    with snapshot_of(connection, position=last) as snapshot:
        return level_path_answer(snapshot, account_id, wallet, start, end, points)


def path_around(connection: Connection, around: int, span: timedelta | None, points: int = ALL) -> dict[str, Any]:
    with snapshot_of(connection) as snapshot:
        return level_path_around(snapshot, "alice", "cross", around, span, points)


def levels(path: dict[str, Any]) -> list[tuple[int, str | None]]:
    return [(one["position"], one["level"]) for one in path["points"]]


def test_a_level_is_told_after_every_vector_and_every_event(story: Story) -> None:
    """20,000 on a debt of 10,000; 0.2 BTC for 10,020 and a fee of 20; BTC at 52,000, 51,000, 40,000; 10 of interest.

    (9,960 + 0.2 x 52,000) / 10,000; (9,960 + 10,200) / 10,000, then / 10,010; 17,960 / 10,010; 12,960 / 5,010.
    """
    long_of_alice(story)
    with story.projected() as connection:
        path = path_of(connection, first=BORROWED)
    assert levels(path) == [
        (BORROWED, "2.00000000"),
        (TRADED, "1.99600000"),
        (15, "2.03600000"),
        (16, "2.01600000"),
        (17, "2.01398601"),
        (18, "1.79420579"),
        (19, "2.58682634"),
        (END, "2.58682634"),
    ]
    assert (path["counts"], path["pairs"]) == ({"prices": 3, "events": 3, "points": 8}, ["BTC/USDT"])
    assert [one["prices"]["BTC/USDT"] for one in path["points"][1:4]] == ["50000", "52000", "51000"]
    assert [one["version"] for one in path["points"]] == [None, 5, None, None, 6, None, 7, None]
    assert path["points"][0]["lines"]["margin_call"] == "1.30000000"


def test_the_path_ends_as_the_account_stood_and_begins_where_it_was_opened(story: Story) -> None:
    long_of_alice(story)
    with story.projected() as connection:
        path = path_of(connection, last=16)
    assert (path["from_position"], path["to_position"], path["is_cut"]) == (10, 16, False)
    assert levels(path)[0] == (10, None)
    assert levels(path)[-1] == (16, "2.01600000")


def test_of_a_long_path_events_bands_ends_and_extremes_stay(story: Story) -> None:
    """Of 60 vectors the one at 30,000, where the level is (9,960 + 6,000) / 10,000, and the one at 90,000 are told."""
    long_of_alice(story)
    quiet = [marked(BTC=str(50_000 + place)) for place in range(30)]
    story.on_exchange(*quiet, marked(BTC="30000"), *quiet, marked(BTC="90000"), *quiet)
    with story.projected() as connection:
        whole, short = path_of(connection), path_of(connection, points=20)
    assert (
        whole["counts"]["points"] == len(whole["points"]) == whole["counts"]["prices"] + whole["counts"]["events"] + 2
    )
    assert len(short["points"]) < len(whole["points"]) / 3
    assert {one["version"] for one in short["points"]} == {one["version"] for one in whole["points"]}
    found = [one["level"] for one in short["points"] if one["level"] is not None]
    everything = [one["level"] for one in whole["points"] if one["level"] is not None]
    assert (min(found), max(found)) == (min(everything), max(everything))
    assert [one for one in whole["points"] if one in short["points"]] == short["points"]
    assert {one["band"] for one in short["points"]} == {one["band"] for one in whole["points"]}


def test_of_many_vectors_those_are_walked_that_have_the_extremes(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 prices that rise and two that stand out, with two stretches of each: each point is as it was walked."""
    long_of_alice(story)
    quiet = [marked(BTC=str(50_000 + place)) for place in range(100)]
    story.on_exchange(*quiet, marked(BTC="30000"), marked(BTC="90000"), *quiet)
    monkeypatch.setattr(level_path, "MOST_PRICES", 8)
    with story.projected() as connection:
        few = path_of(connection)
        monkeypatch.undo()
        whole = path_of(connection, points=2000)
    assert (few["vectors"], whole["vectors"]) == ("extremes", "all")
    assert few["counts"]["prices"] < 15
    found, everything = ([one["level"] for one in path["points"] if one["level"]] for path in (few, whole))
    assert (min(found), max(found)) == (min(everything), max(everything))
    assert [one for one in whole["points"] if one in few["points"]] == few["points"]


def test_of_very_many_vectors_samples_are_walked_and_events_keep_their_prices(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_of_alice(story)
    story.on_exchange(*(marked(BTC=str(50_000 + place)) for place in range(200)))
    with story.projected() as connection:
        whole = path_of(connection)
        monkeypatch.setattr(spans, "MOST_COMPARED", 20)
        sampled = path_of(connection, points=10)
    assert (sampled["vectors"], sampled["is_cut"]) == ("samples", False)
    assert sampled["counts"]["prices"] < 25
    assert [one for one in whole["points"] if one["version"]] == [one for one in sampled["points"] if one["version"]]
    assert sampled["points"][-1] == whole["points"][-1]
    assert [one for one in whole["points"] if one in sampled["points"]] == sampled["points"]


def test_more_events_than_points_are_cut_at_the_beginning(story: Story) -> None:
    long_of_alice(story)
    with story.projected() as connection:
        whole, cut = path_of(connection), path_of(connection, points=2)
    assert (whole["is_cut"], cut["is_cut"], cut["from_position"]) == (False, True, TRADED)
    assert [one for one in whole["points"] if one in cut["points"]] == cut["points"][1:]


def test_a_level_that_trembles_about_a_line_is_thinned_like_any_other(story: Story) -> None:
    """(4,960 + 0.2 x 12,700) / 5,010 is 1.497, at 12,800 it is 1.501: below and above the initial line of 1.5."""
    long_of_alice(story)
    story.on_exchange(*(marked(BTC=price) for _ in range(150) for price in ("12700", "12800")))
    with story.projected() as connection:
        whole, short = path_of(connection), path_of(connection, points=40)
    assert len({one["band"] for one in whole["points"][-100:]}) == 2
    assert len(short["points"]) < 80
    assert {one["band"] for one in short["points"]} == {one["band"] for one in whole["points"]}


def test_a_path_lies_around_a_moment_however_long_the_log_is(story: Story) -> None:
    """Vectors are a minute apart: four minutes around one are two before it and two after it."""
    long_of_alice(story)
    story.on_exchange(*(marked(at=NOON + timedelta(minutes=place)) for place in range(1, 101)))
    end = story.position
    with story.projected() as connection:
        early = path_around(connection, end - 60, timedelta(minutes=4))
        late = path_around(connection, end, timedelta(minutes=4))
        whole = path_around(connection, end - 60, None)
    assert (early["from_position"], early["to_position"]) == (end - 62, end - 58)
    assert (late["from_position"], late["to_position"]) == (end - 4, end)
    assert (whole["from_position"], whole["to_position"]) == (10, end)
    assert [path["is_cut"] for path in (early, late, whole)] == [False, False, False]


def test_a_path_around_a_moment_has_the_events_nearest_to_it(story: Story) -> None:
    long_of_alice(story)
    with story.projected() as connection:
        path = path_around(connection, TRADED, None, points=2)
    assert path["is_cut"]
    assert path["from_position"] <= TRADED <= path["to_position"] < END
    assert path["counts"]["events"] <= 2


def test_a_path_around_a_moment_that_is_not_there_is_refused(story: Story) -> None:
    long_of_alice(story)
    with story.projected() as connection:
        with pytest.raises(UnknownAccount, match="was not opened by position 3 but at 10;"):
            path_around(connection, 3, None)
        with pytest.raises(Malformed, match=f"the log ends at {END}"):
            path_around(connection, END + 1, None)


def test_a_liquidation_is_a_part_of_the_path(story: Story) -> None:
    crash_with_deficit(story)
    with story.projected() as connection:
        path = path_of(connection, "dan")
    topics = [one["topic"] for one in path["points"]]
    assert topics[-2] == "liquidation.completed"
    assert "margin.called" in topics
    started = next(one for one in path["points"] if one["topic"] == "liquidation.started")
    assert (started["level"], started["band"]) == ("0.75000000", "liquidation")
    assert path["points"][-1]["level"] is None


def test_a_wallet_that_never_owed_has_a_path_without_levels(story: Story) -> None:
    story.of("eve", opened())
    with story.projected() as connection:
        path = path_of(connection, "eve", wallet=BTC_BUCKET)
    assert {level for _, level in levels(path)} == {None}


def test_a_path_of_what_is_not_there_is_refused(story: Story) -> None:
    story.of("eve", opened())
    with story.projected() as connection:
        with pytest.raises(UnknownAccount, match="account nobody was not opened"):
            path_of(connection, "nobody")
        with pytest.raises(UnknownPair, match="pair DOGE/USDT is not listed"):
            path_of(connection, "eve", wallet="isolated:DOGE/USDT")
