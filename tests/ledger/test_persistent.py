"""A persistent map answers like a dict, leaves the map it came from as it is, and shares all but a small part of it."""

import pickle
import random
from typing import Any

from ledger.persistent import PersistentMap


def shards_of(entries: PersistentMap[Any]) -> list[int]:
    """The identities of a map's shards."""
    return [id(shard) for shard in entries._shards]


def test_any_changes_answer_as_a_dict_does_in_the_same_order() -> None:
    chance, expected, there = random.Random(1), dict[str, int](), PersistentMap[int]()
    for value in range(6000):
        key = f"H{chance.randint(1, 4000)}"
        if chance.random() < 0.3:
            expected.pop(key, None)
            there = there.without(key)
        else:
            expected[key] = value
            there = there.set(key, value)
        assert (there.get(key), key in there, len(there)) == (expected.get(key), key in expected, len(expected))
    assert list(there.items()) == list(expected.items())
    assert there == expected
    assert all(there[key] == value for key, value in expected.items())


def test_a_change_leaves_the_map_it_came_from_as_it_is() -> None:
    before = PersistentMap({f"H{number}": number for number in range(500)})
    told = dict(before)
    changed = before.set("H7", 0).set("new", 1).without("H9")
    assert dict(before) == told
    assert dict(changed) == {**{key: value for key, value in told.items() if key != "H9"}, "H7": 0, "new": 1}


def test_a_changed_map_shares_all_shards_but_one() -> None:
    before = PersistentMap({f"H{number}": number for number in range(10_000)})
    for after in (before.set("H7", 0), before.set("new", 1), before.without("H9")):
        assert sum(one != other for one, other in zip(shards_of(before), shards_of(after), strict=True)) == 1


def test_what_one_change_copies_grows_with_the_root_of_what_there_is() -> None:
    grown = PersistentMap[int]()
    for number in range(40_000):
        grown = grown.set(f"W{number}", number)
    for entries in (grown, PersistentMap({f"W{number}": number for number in range(40_000)})):
        assert len(entries._shards) <= 1024
        assert max(map(len, entries._shards)) <= 256


def test_a_map_that_is_emptied_is_as_small_as_a_new_one() -> None:
    there = PersistentMap({f"H{number}": number for number in range(1000)})
    for number in range(1000):
        there = there.without(f"H{number}")
    assert (len(there), len(there._shards), list(there)) == (0, 1, [])


def test_what_is_not_there_is_not_found_and_not_taken_away() -> None:
    there = PersistentMap({"a": 1})
    assert (there.get("b"), there.get("b", 7), "b" in there, there.without("b") is there) == (None, 7, False, True)


def test_a_map_comes_back_from_its_pickle() -> None:
    there = PersistentMap({"a": 1, "b": 2})
    assert pickle.loads(pickle.dumps(there)) == there
    assert repr(there) == "PersistentMap({'a': 1, 'b': 2})"
