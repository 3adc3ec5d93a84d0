"""Rows of the log and of keys as Parquet files; bounded in memory, and the same rows give the same bytes."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.stored import StoredEvent, StoredKey

ROWS_AT_ONCE = 10_000
EVENTS = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("recorded_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("state", pa.binary(), nullable=False),
    ]
)
KEYS = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("content", pa.string()),
        pa.field("first_position", pa.int64(), nullable=False),
        pa.field("last_position", pa.int64(), nullable=False),
    ]
)


def write_parquet(path: Path, schema: Any, rows: Iterable[tuple[Any, ...]]) -> int:
    """Writes rows whose fields are the schema's, in order, and waits for the disk; returns how many there were."""
    written = 0
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd", version="2.6") as writer:
            remaining = iter(rows)
            while some := list(islice(remaining, ROWS_AT_ONCE)):
                columns = zip(*some, strict=True)
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                written += len(some)
        file.flush()
        os.fsync(file.fileno())
    return written


def read_events(path: Path) -> Iterator[StoredEvent]:
    """The rows of a file of events, in order."""
    for position, recorded_at, *rest in _rows(path, EVENTS):
        yield StoredEvent(position, recorded_at.astimezone(UTC), *rest)


def read_keys(path: Path) -> Iterator[StoredKey]:
    """The rows of a file of keys, in order."""
    return (StoredKey(*row) for row in _rows(path, KEYS))


def _rows(path: Path, schema: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a file; ValueError where its columns are others, or it is no Parquet file."""
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema):
            raise ValueError(f"it has the columns {', '.join(file.schema_arrow.names)}, not {', '.join(schema.names)}")
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
