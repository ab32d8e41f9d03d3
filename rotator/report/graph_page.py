"""The scope's graph as one HTML page to look at: an SVG and its style, no script and nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from textwrap import wrap

from rotator.report.graph import Graph, Node
from rotator.report.plain import plain

_WIDTH, _GAP, _ROW, _LINE, _EDGE = 300, 56, 12, 17, 20
"""Of a box, between columns, between rows, of a line of text, and around all, in pixels."""
_LETTERS, _BOLD, _LINES = 38, 30, 3

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #8a8f98; --box: #f3f4f6;
  --seen: #b42318; --reachable: #b54708; --inferred: #8a7000; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #16181c; --line: #777d87; --box: #23262c;
  --seen: #ff8a80; --reachable: #ffb870; --inferred: #e6d25a; } }
body { margin: 24px; background: var(--paper); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
h1 { font-size: 20px; margin: 0 0 4px; } p { margin: 0 0 16px; }
.key { display: inline-block; width: 12px; height: 12px; border: 2px solid; border-radius: 3px; margin: 0 4px 0 14px; }
.canvas { overflow: auto; }
svg text { fill: var(--ink); font: 13px/1 system-ui, sans-serif; } svg .what { font-weight: 600; }
rect { fill: var(--box); stroke: var(--line); } path { fill: none; stroke: var(--line); stroke-width: 1.5; }
.seen { border-color: var(--seen); } .reachable { border-color: var(--reachable); }
.inferred { border-color: var(--inferred); }
rect.seen { stroke: var(--seen); stroke-width: 2.5; } rect.reachable { stroke: var(--reachable); stroke-width: 2.5; }
rect.inferred { stroke: var(--inferred); stroke-width: 2.5; }
"""
MEANS = {
    "seen": "seen where it must not be",
    "reachable": "within a thief's reach",
    "inferred": "follows from what others read or administer",
}


@dataclass(slots=True)
class _Box:
    node: Node
    depth: int
    lines: list[str]
    told: list[str]
    span: float = 0.0
    """The height that it and all that hangs at it need; `top` is where that begins."""
    top: float = 0.0
    y: float = 0.0

    @property
    def x(self) -> int:
        return _EDGE + self.depth * (_WIDTH + _GAP)

    @property
    def height(self) -> int:
        return _LINE * (len(self.lines) + len(self.told)) + 14


def html(drawn: Graph, title: str) -> str:
    """Return the page."""
    keys = "".join(f'<span class="key {name}"></span>{means}' for name, means in MEANS.items())
    name = escape(plain(title))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{name}</title><style>{_STYLE}</style></head>\n<body><h1>{name}</h1>\n"
        f"<p>{drawn.credentials:,} credentials, each by the shortest way that leads to it.{keys}</p>\n"
        f'<div class="canvas">{drawing(drawn, title)}</div></body></html>\n'
    )


def drawing(drawn: Graph, title: str) -> str:
    """Return the drawing alone, with classes and no style."""
    boxes = [
        _Box(node, depth, _lines(node.lines[:1], _LETTERS), _lines(node.lines[1:], _BOLD))
        for depth, node in drawn.nodes()
    ]
    height = _place(boxes)
    width = max((box.x for box in boxes), default=0) + _WIDTH + _EDGE
    by_node = {id(box.node): box for box in boxes}
    edges = [_edge(box, by_node[id(child)]) for box in boxes for child in box.node.children]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(plain(title))}" '
        f'width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}">\n'
        + "\n".join(edges + [_drawn(box) for box in boxes])
        + "\n</svg>"
    )


def _place(boxes: list[_Box]) -> float:
    """Give each box its height on the page: what leads on stands at the middle of where it leads. Return the whole."""
    by_node = {id(box.node): box for box in boxes}
    for box in reversed(boxes):
        box.span = max(float(box.height), _together([by_node[id(child)] for child in box.node.children]))
    below = float(_EDGE)
    for box in boxes:
        if box.depth == 0:
            box.top, below = below, below + box.span + _ROW
        box.y = box.top + (box.span - box.height) / 2
        children = [by_node[id(child)] for child in box.node.children]
        at = box.top + (box.span - _together(children)) / 2
        for child in children:
            child.top, at = at, at + child.span + _ROW
    return below - _ROW + _EDGE


def _together(boxes: list[_Box]) -> float:
    return sum(box.span for box in boxes) + _ROW * max(len(boxes) - 1, 0)


def _lines(texts: list[str], letters: int) -> list[str]:
    """Break text into lines that a box has room for; the whole is its tooltip."""
    found = [line for text in texts for line in wrap(text, letters, break_long_words=True) or [""]]
    return found if len(found) <= _LINES else [*found[: _LINES - 1], f"{found[_LINES - 1][: letters - 1]}…"]


def _edge(one: _Box, other: _Box) -> str:
    x, y, to_x, to_y = one.x + _WIDTH, one.y + one.height / 2, other.x, other.y + other.height / 2
    middle = (x + to_x) / 2
    return f'<path d="M{x} {y:.1f} C{middle} {y:.1f} {middle} {to_y:.1f} {to_x} {to_y:.1f}"/>'


def _drawn(box: _Box) -> str:
    kind = f' class="{box.node.certainty}"' if box.node.certainty else ""
    rows = [(line, "") for line in box.lines] + [(line, ' class="what"') for line in box.told]
    texts = "".join(
        f'<text x="{box.x + 10}" y="{box.y + 20 + _LINE * number:.1f}"{style}>{escape(line)}</text>'
        for number, (line, style) in enumerate(rows)
    )
    whole = escape(plain("\n".join((box.node.text, *box.node.ids[:50])).replace("\n", " · ")))
    return (
        f'<g><title>{whole}</title><rect x="{box.x}" y="{box.y:.1f}" width="{_WIDTH}" height="{box.height}" rx="6"'
        f"{kind}/>{texts}</g>"
    )
