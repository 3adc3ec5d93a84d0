"""Pairs by time: the nearest first, each thing once, the same whatever order they come in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.questions.nearest import Timed, nearest_pairs

START = datetime(2026, 3, 2, tzinfo=UTC)


def timed(side: int, *minutes: int) -> list[Timed]:
    return [Timed(START + timedelta(minutes=at), side, number) for number, at in enumerate(minutes)]


@pytest.mark.parametrize(
    ("lines", "postings", "pairs"),
    [
        ([0], [5], {(0, 0)}),
        ([0], [11], set()),
        ([0, 10], [9, 18], {(1, 0)}),
        ([10, 20, 30], [21, 31], {(1, 0), (2, 1)}),
        ([5, 5, 5], [5, 5], {(0, 0), (1, 1)}),
        ([], [1, 2], set()),
        ([10], [5, 15], {(0, 0)}),
    ],
)
def test_the_nearest_two_are_a_pair_within_the_bound(
    lines: list[int], postings: list[int], pairs: set[tuple[int, int]]
) -> None:
    assert set(nearest_pairs([*timed(0, *lines), *timed(1, *postings)], timedelta(minutes=10))) == pairs


times = st.lists(st.integers(0, 60), max_size=12)


@given(times, times, st.randoms())
def test_each_pair_is_the_nearest_of_what_was_left(lines: list[int], postings: list[int], chance: object) -> None:
    things, most = [*timed(0, *lines), *timed(1, *postings)], 10
    pairs = nearest_pairs(things, timedelta(minutes=most))
    left_lines, left_postings = dict(enumerate(lines)), dict(enumerate(postings))
    for line, posting in pairs:
        least = min(abs(one - other) for one in left_lines.values() for other in left_postings.values())
        assert abs(left_lines.pop(line) - left_postings.pop(posting)) == least <= most
    assert all(abs(one - other) > most for one in left_lines.values() for other in left_postings.values())
    chance.shuffle(things)  # type: ignore[attr-defined]
    assert nearest_pairs(things, timedelta(minutes=most)) == pairs
