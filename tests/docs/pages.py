"""The project's own pages, and what stands in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [text for found, text in _FENCE.findall(page.read_text()) if found == language]


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def code_lines(page: Path) -> list[str]:
    """Return every line of code: fenced, indented or between backticks."""
    fenced = [line for _, text in _FENCE.findall(page.read_text()) for line in text.splitlines()]
    indented = re.findall(r"^ {4}(\S.*)$", prose(page), re.MULTILINE)
    return [*fenced, *indented, *re.findall(r"`([^`\n]+)`", prose(page))]
