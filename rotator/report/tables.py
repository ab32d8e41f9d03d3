"""How tables look everywhere: no boxes, one line under the head, long ids folded and never cut."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from rotator.report.plain import plain


def plain_table(title: str | None, *columns: str) -> Table:
    """Return an empty table of the house's look."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def words(*lines: str) -> str:
    """Return text of others as a cell may hold it: it neither commands the terminal nor is taken for markup."""
    return "\n".join(escape(plain(line)) for line in lines)
