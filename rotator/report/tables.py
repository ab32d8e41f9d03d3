"""How tables look everywhere: no boxes, one line under the head; names stay whole where they fit, nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from rotator.report.plain import plain

_AROUND = 3
"""Letters that a column takes beside its own: the space on both sides, and what parts it from the next."""


class PlainTable(Table):
    """A table that breaks no word while there is room for whole ones."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Share the width out, and go on as any table."""
        room = options.max_width - _AROUND * len(self.columns) - 1
        sizes = [
            [Measurement.get(console, options, cell) for cell in (column.header, *column.cells)]
            for column in self.columns
        ]
        words = [max(each.minimum for each in cells) for cells in sizes]
        lines = [max(each.maximum for each in cells) for cells in sizes]
        widths = _shared(room, words, lines) if sum(lines) > room else [None] * len(lines)
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)


def _shared(room: int, words: Sequence[int], lines: Sequence[int]) -> list[int]:
    """Return the width of each column: its longest word's, and of what is left a part of what its lines want.

    Where not even the words have room, the longest are folded.
    """
    most = max(words)
    while most > 1 and sum(min(each, most) for each in words) > room:
        most -= 1
    least = [min(each, most) for each in words]
    left = max(room - sum(least), 0)
    wanted = [line - word for line, word in zip(lines, least, strict=True)]
    return [word + left * more // max(sum(wanted), 1) for word, more in zip(least, wanted, strict=True)]


def plain_table(title: str | None, *columns: str) -> Table:
    """Return an empty table of the house's look."""
    table = PlainTable(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def words(*lines: str) -> str:
    """Return text of others as a cell may hold it: it neither commands the terminal nor is taken for markup."""
    return "\n".join(escape(plain(line)) for line in lines)


def wrapped(text: str, style: str = "") -> Table:
    """Return a sentence that is broken between words where the terminal ends, its next lines under its first word."""
    told = words(text.lstrip())
    grid = Table.grid()
    indent = len(text) - len(text.lstrip())
    if indent:
        grid.add_column(width=indent)
    grid.add_column(overflow="fold", style=style)
    grid.add_row(*([""] if indent else []), told)
    return grid
