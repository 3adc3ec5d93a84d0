"""Rows as a screen of any width can show them: a table where there is room, else a block of names and values each."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

# Text may be broken between words once it is wider than this; numbers, ids and times are narrower and never are.
LONG_TEXT = 40
BLOCK_GAP = 3


class Size(NamedTuple):
    """How wide a column would be, and how narrow it may be."""

    widest: int
    narrowest: int


class Rows(NamedTuple):
    """Rows of text; `right` are the numbers of the columns set to the right."""

    title: str | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A table, then one with narrower gaps, then blocks: the first that breaks no number."""
        gaps = len(self.columns) - 1
        for is_roomy, taken in ((True, 3 * gaps + 4), (False, 2 * gaps)):
            widths = _widths(self._sizes(), options.max_width - taken)
            if widths is not None:
                if not is_roomy:
                    yield ""
                yield self._table(widths, is_roomy=is_roomy)
                return
        yield Text(f"{self.title}\n" if self.title else "", style="bold")
        yield self._blocks(options.max_width)

    def _table(self, widths: Sequence[int], *, is_roomy: bool) -> Table:
        table = Table(
            title=self.title,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=SIMPLE_HEAD,
            padding=(0, 1) if is_roomy else (0, 1, 0, 0),
            pad_edge=is_roomy,
            show_edge=is_roomy,
        )
        for number, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            table.add_column(Text(column), justify="right" if number in self.right else "left", width=width)
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _blocks(self, width: int) -> Table:
        """Each row as pairs of name and value, as many beside each other as there is room for."""
        names = max(map(cell_len, self.columns))
        values = max(size.widest for size in self._sizes())
        beside = max(1, (width + BLOCK_GAP) // (names + values + 2 * BLOCK_GAP))
        blocks = Table.grid(padding=(0, BLOCK_GAP, 0, 0))
        for _ in range(beside):
            blocks.add_column(style="bold", no_wrap=True)
            blocks.add_column(overflow="fold")
        for row in self.rows:
            pairs = [(Text(name), Text(value)) for name, value in zip(self.columns, row, strict=True) if value]
            for first in range(0, len(pairs), beside):
                blocks.add_row(*(cell for pair in pairs[first : first + beside] for cell in pair))
            blocks.add_row()
        return blocks

    def _sizes(self) -> list[Size]:
        return [_size([name, *(row[number] for row in self.rows)]) for number, name in enumerate(self.columns)]


def _size(cells: Sequence[str]) -> Size:
    widest = max((cell_len(line) for cell in cells for line in cell.splitlines()), default=0)
    if widest <= LONG_TEXT:
        return Size(widest, widest)
    return Size(widest, max(LONG_TEXT, *(cell_len(word) for cell in cells for word in cell.split())))


def _widths(sizes: Sequence[Size], room: int) -> list[int] | None:
    """Each column's width within a room, the first ones as wide as they would be; None where there is no room."""
    spare = room - sum(size.narrowest for size in sizes)
    if spare < 0:
        return None
    widths = []
    for size in sizes:
        added = min(spare, size.widest - size.narrowest)
        spare -= added
        widths.append(size.narrowest + added)
    return widths
