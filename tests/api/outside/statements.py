"""Outside statements as tests write them, and a small ledger to hold them against."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.outside.cells import AmountForm, TimeForm
from api.outside.statement import Layout
from ledger.postgres import connect
from projections.runner import catch_up
from tests.api.command_line import LISTINGS, CommandLine, opened, write_lines

MARCH = datetime(2026, 3, 2, 10, tzinfo=UTC)
HEADER = "time,account,asset,amount,reference"


def layout(point: str = ".", thousands: str = "", written: str | None = None, zone: str = "UTC", **more: Any) -> Layout:
    """A layout as the command line makes one."""
    columns, constants = more.pop("columns", {}), more.pop("constants", {})
    return Layout(columns, constants, TimeForm(written, ZoneInfo(zone)), AmountForm(point, thousands), **more)


def row(
    amount: str, reference: str = "", *, hours: float = 0, account: str = "alice", asset: str = "USDT"
) -> tuple[str, ...]:
    """A line, so many hours after ten o'clock on the second of March."""
    at = MARCH + timedelta(hours=hours)
    return at.isoformat().replace("+00:00", "Z"), account, asset, amount, reference


def write_statement(file: Path, rows: Iterable[tuple[str, ...]], header: str = HEADER) -> Path:
    """A CSV file of rows, none of which needs a quotation mark."""
    file.write_text("".join(f"{line}\n" for line in [header, *(",".join(cells) for cells in rows)]))
    return file


def open_accounts(ledger: CommandLine, folder: Path, *more: dict[str, Any]) -> None:
    """Lists assets, opens alice and bob, and records what else there is."""
    ended = ledger("import", write_lines(folder / "start.ndjson", [*LISTINGS, opened("alice"), opened("bob"), *more]))
    assert ended.code == 0, ended.err


def projected(database: str) -> None:
    """Brings the journal to the log's end."""
    catch_up(database, ["journal"])


def count_of_events(database: str, topic: str = "%") -> int:
    """How many events there are under topics like this."""
    with connect(database) as connection:
        found = connection.execute("select count(*) from events where topic like %s", [topic]).fetchone()
        return 0 if found is None else int(found[0])
