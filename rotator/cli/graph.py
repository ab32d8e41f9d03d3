"""Draw why each credential of a plan is included, as a page to look at or as Mermaid's text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.errors import BadInput

if TYPE_CHECKING:
    from rotator.response import Prepared

GraphFile = Annotated[
    str | None,
    typer.Option("--graph", metavar="FILE", help="Draw why each credential is included: FILE.html, or FILE.mmd."),
]


def write_graph(name: str | None, prepared: Prepared) -> None:
    """Write the graph of a plan's scope, if a file is named. Raises BadInput where it cannot be written."""
    if name is None:
        return
    from rotator.report.graph import Exposed, graph, mermaid  # noqa: PLC0415 - only whoever draws pays for it
    from rotator.report.graph_page import html  # noqa: PLC0415

    path = Path(name)
    if path.suffix not in {".html", ".mmd"}:
        raise BadInput("a graph is written as .html or .mmd", name, "give its file such a name")
    named = [Exposed(each.kind, each.ref.owner, each.ref.id, each.exposures) for each in prepared.scoped]
    left = [Exposed(each.kind or "", "", each.key, each.exposures) for each in prepared.plan.manual]
    drawn = graph([*named, *left])
    text = html(drawn, "Why each credential is included") if path.suffix == ".html" else mermaid(drawn)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror})", name, "give another --graph FILE") from None
    typer.echo(f"why each is included: {path}", err=True)
