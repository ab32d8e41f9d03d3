"""How tables look everywhere: no boxes, one line under the head, long ids folded and never cut."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table


def plain_table(title: str | None, *columns: str) -> Table:
    """Return an empty table of the house's look."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def words(text: str) -> str:
    """Return a person's text as a cell may hold it: it neither commands the terminal nor is taken for markup."""
    return escape("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))
