"""Small candle files for tests of the demo."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

HEADER = "open_time,open,high,low,close,volume"
FOUR_HOURS = timedelta(hours=4)


def milliseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def write_candles(
    file: Path,
    closes: Sequence[str],
    *,
    start: datetime = datetime(2020, 3, 12, tzinfo=UTC),
    interval: timedelta = FOUR_HOURS,
    without: Sequence[int] = (),
) -> Path:
    """A file whose candles open where the one before closed, and have neither wicks nor the numbers in `without`."""
    lines = [HEADER]
    for number, close in enumerate(closes):
        if number in without:
            continue
        opening = closes[max(number - 1, 0)]
        high, low = (opening, close) if float(opening) > float(close) else (close, opening)
        lines.append(f"{milliseconds(start + number * interval)},{opening},{high},{low},{close},1.5")
    file.write_text("\n".join(lines) + "\n")
    return file
