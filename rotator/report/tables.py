"""How tables look everywhere: no boxes, one line under the head; no name is broken, so that each can be copied whole.

Where a line has no room for the longest words of its columns, each row becomes a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rotator.report.plain import plain

_AROUND = 3
"""Letters that a column takes beside its own: the space on both sides, and what parts it from the next."""
_INDENT = "  "
_NOTHING = ("", "-")
_BELOW = " " * 6


class PlainTable(Table):
    """A table that breaks no word: it is blocks where a line has no room for whole ones."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Share the width out, and go on as any table."""
        room = options.max_width - _AROUND * len(self.columns) - 1
        sizes = [
            [Measurement.get(console, options, cell) for cell in (column.header, *column.cells)]
            for column in self.columns
        ]
        words = [max(each.minimum for each in cells) for cells in sizes]
        lines = [max(each.maximum for each in cells) for cells in sizes]
        if sum(words) > room:
            yield from self._blocks(options.max_width)
            return
        widths = _shared(room, words, lines) if sum(lines) > room else [None] * len(lines)
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _blocks(self, width: int) -> Iterator[RenderableType]:
        """Yield each row as a block: its first column, and below it what the others say, each behind its name."""
        if self.title is not None:
            yield Text(str(self.title), style="bold")
        names = [str(each.header) for each in self.columns[1:]]
        for first, *rest in zip(*(list(each.cells) for each in self.columns), strict=True):
            yield from _lines(Text.assemble(_text(first), style="bold"), "", width)
            said = [
                Text.assemble((f"{name}: ", "dim"), text)
                for name, each in zip(names, rest, strict=True)
                if (text := _text(each)).plain not in _NOTHING
            ]
            yield from _lines(Text(" · ").join(said), _INDENT, width)
        yield Text()


def _text(cell: RenderableType) -> Text:
    """Return a cell as one line."""
    text = cell if isinstance(cell, Text) else Text.from_markup(str(cell))
    return Text(" ").join(text.split("\n"))


def _lines(text: Text, margin: str, width: int) -> Iterator[Text]:
    """Yield a text's lines; a word longer than a line goes on beyond it."""
    breaks, used = [], 0
    for word in re.finditer(r"\S+\s*", text.plain):
        if used and used + cell_len(word[0].rstrip()) > width - len(margin):
            breaks.append(word.start())
            used = 0
        used += cell_len(word[0])
    yield from (_whole(Text.assemble(margin, line)) for line in text.divide(breaks) if line.plain)


def _shared(room: int, words: Sequence[int], lines: Sequence[int]) -> list[int]:
    """Return the width of each column: its longest word's, and of what is left a part of what its lines want."""
    left = room - sum(words)
    wanted = [line - word for line, word in zip(lines, words, strict=True)]
    return [word + left * more // max(sum(wanted), 1) for word, more in zip(words, wanted, strict=True)]


def plain_table(title: str | None, *columns: str) -> Table:
    """Return an empty table of the house's look."""
    table = PlainTable(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def words(*lines: str) -> str:
    """Return text of others as a cell may hold it: it neither commands the terminal nor is taken for markup."""
    return "\n".join(escape(plain(line)) for line in lines)


class Hanging:
    """Words that stand behind others, from a margin on that all their lines keep; none is broken in itself.

    Where the margin leaves less than half a line, and they are longer, they stand below.
    """

    def __init__(self, begins: Text, margin: int, text: Text) -> None:
        self._begins, self._margin, self._text = begins, margin, text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        width, head, margin = options.max_width, self._begins.copy(), self._margin
        if self._text.cell_len > width - margin and 2 * margin > width:
            yield _whole(head)
            head, margin = Text(_BELOW), len(_BELOW)
        head.append(" " * (margin - head.cell_len))
        for line in list(_lines(self._text, "", width - margin)) or [Text()]:
            yield _whole(Text.assemble(head, line))
            head = Text(" " * margin)


def _whole(line: Text) -> Text:
    """Return a line that nothing breaks."""
    line.rstrip()
    return Text.assemble(line, no_wrap=True, overflow="ignore")


def wrapped(text: str, style: str = "") -> Hanging:
    """Return a sentence that is broken between words where the terminal ends, its next lines under its first word."""
    told = text.lstrip()
    return Hanging(Text(), len(text) - len(told), Text(plain(told), style=style))


class Sentence:
    """What is told in one line where no terminal is, and folded between words on one that is narrower.

    The command in it then stands on a line of its own, which nothing breaks: it is copied whole.
    """

    def __init__(self, text: str, command: str = "", after: str = "", *, style: str = "") -> None:
        self.plain, self.command, self.after, self.style = plain(text), plain(command), plain(after), style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        line = Text(self.plain + self.command + self.after, style=self.style)
        if not console.is_terminal or line.cell_len <= options.max_width:
            yield _whole(line)
            return
        indent = " " * (len(self.plain) - len(self.plain.lstrip()))
        if self.plain.strip():
            yield wrapped(self.plain, self.style)
            indent += _INDENT
        if self.command:
            yield _whole(Text(indent + self.command, style=self.style))
        if after := self.after.lstrip(" ;,.("):
            yield wrapped(f"{indent}{_INDENT}{after}", self.style)
