"""A mapping that is never changed, only followed by one that shares almost all of it with the one before."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, get_args, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

V = TypeVar("V")
D = TypeVar("D")
Shard = dict[str, tuple[int, V]]

SMALLEST_SHARD = 32
"""So many entries are always kept in one shard, however few shards there are."""


class PersistentMap(Mapping[str, V], Generic[V]):
    """Values by key, in the order in which the keys came in, as in a dict.

    The entries lie in shards by the hash of their key. A changed map has one shard of its own and all others in common
    with the map it came from, so that a change of n entries costs about the root of n, and sharing a map nothing.
    """

    __slots__ = ("_came", "_shards", "_size")

    def __init__(self, entries: Mapping[str, V] | None = None) -> None:
        self._shards: tuple[Shard[V], ...] = ({},)
        self._size = self._came = 0
        if entries:
            self._spread({key: (place, value) for place, (key, value) in enumerate(entries.items())})
            self._size = self._came = len(entries)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Written and read like a dict."""
        (value,) = get_args(source)
        entries = handler.generate_schema(dict[str, value])  # type: ignore[valid-type]
        written = core_schema.plain_serializer_function_ser_schema(dict, return_schema=entries)
        return core_schema.no_info_after_validator_function(cls, entries, serialization=written)

    def set(self, key: str, value: V) -> "PersistentMap[V]":
        """This map with that value; a key that is there keeps its place in the order."""
        number = hash(key) & (len(self._shards) - 1)
        old = self._shards[number]
        known = old.get(key)
        if known is not None:
            return self._followed({**old, key: (known[0], value)}, number)
        after = self._followed({**old, key: (self._came, value)}, number)
        after._came, after._size = self._came + 1, self._size + 1
        if after._size > len(self._shards) * max(SMALLEST_SHARD, len(self._shards) // 4):
            after._spread(dict(after._in_order()))
        return after

    def without(self, key: str) -> "PersistentMap[V]":
        """This map without that key; the map itself if the key is not there."""
        number = hash(key) & (len(self._shards) - 1)
        if key not in self._shards[number]:
            return self
        if self._size == 1:
            return PersistentMap()
        shard = self._shards[number].copy()
        del shard[key]
        after = self._followed(shard, number)
        after._size = self._size - 1
        return after

    def _followed(self, shard: Shard[V], number: int) -> "PersistentMap[V]":
        """A map that differs from this one in one shard."""
        after = PersistentMap.__new__(PersistentMap)
        shards = list(self._shards)
        shards[number] = shard
        after._shards, after._came, after._size = tuple(shards), self._came, self._size
        return after

    def _spread(self, entries: Shard[V]) -> None:
        """Lay entries, given in their order, out over as many shards as there are entries in each, about."""
        count = 1
        while len(entries) * 2 > count * max(SMALLEST_SHARD, count // 4):
            count *= 2
        shards: list[Shard[V]] = [{} for _ in range(count)]
        for key, entry in entries.items():
            shards[hash(key) & (count - 1)][key] = entry
        self._shards = tuple(shards)

    def _in_order(self) -> list[tuple[str, tuple[int, V]]]:
        entries = [entry for shard in self._shards for entry in shard.items()]
        if len(self._shards) > 1:
            entries.sort(key=lambda entry: entry[1][0])
        return entries

    def __getitem__(self, key: str) -> V:
        return self._shards[hash(key) & (len(self._shards) - 1)][key][1]

    @overload
    def get(self, key: str) -> V | None: ...
    @overload
    def get(self, key: str, default: V | D) -> V | D: ...
    def get(self, key: str, default: V | D | None = None) -> V | D | None:
        entry = self._shards[hash(key) & (len(self._shards) - 1)].get(key)
        return default if entry is None else entry[1]

    def __contains__(self, key: object) -> bool:
        return key in self._shards[hash(key) & (len(self._shards) - 1)]

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in self._in_order()])

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # Not as it lies in memory: another process hashes its keys otherwise.
        return PersistentMap, (dict(self),)

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self)!r})"
