"""The decision memo as a file: one page of HTML, the same as PDF, Markdown for a ticket, or data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from rotator import __version__
from rotator.report import pdf
from rotator.report.html_form import template
from rotator.report.plain import plain
from rotator.report.vendor_memo import LISTED, many

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")

_LINKS = re.compile(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
"""Trackers make a link of a bare address too, and the words of a notice are an attacker's."""

_MENTIONS = re.compile(r"(?<!\w)@(?=[\w-])")
"""Trackers tell whoever is named so, whatever mark stands before it; what has no width keeps them from reading it."""

_Writes = Callable[[Mapping[str, Any]], str]

JUDGED = "What is a judgement says so; a person decides."


class MemoForm(StrEnum):
    """In which form."""

    HTML = "html"
    PDF = "pdf"
    MARKDOWN = "md"
    JSON = "json"


MEDIA_TYPES: Mapping[MemoForm, str] = {
    MemoForm.HTML: "text/html; charset=utf-8",
    MemoForm.PDF: "application/pdf",
    MemoForm.MARKDOWN: "text/markdown; charset=utf-8",
    MemoForm.JSON: "application/json",
}


def written(memo: Mapping[str, Any], form: MemoForm) -> Iterator[bytes]:
    """Return a memo as a file. Raises BadInput where PDF cannot be made here."""
    return in_form(memo, form, html, markdown)


def in_form(memo: Mapping[str, Any], form: MemoForm, html: _Writes, markdown: _Writes) -> Iterator[bytes]:
    """Return a memo, of one vendor or of all, as a file. Raises BadInput where PDF cannot be made here."""
    if form is MemoForm.PDF:
        return iter([pdf.made(html(memo))])
    if form is MemoForm.JSON:
        return iter([f"{json.dumps(memo, indent=2)}\n".encode()])
    return iter([(html(memo) if form is MemoForm.HTML else markdown(memo)).encode()])


def html(memo: Mapping[str, Any]) -> str:
    """Return it as one HTML file, with no script and nothing from elsewhere."""
    page = template("vendor_memo.html")
    return page.render(memo=memo, version=__version__, listed=LISTED, many=many, further=_further, style="")


def markdown(memo: Mapping[str, Any]) -> str:
    """Return it as Markdown in which no word of others is a mark."""
    vendor, holds = memo["vendor"], memo["holds"]
    made = f"Made {clock(memo['made_at'])} by {safe(memo['made_by'])} with rotator {__version__}. {JUDGED}"
    kinds = "; ".join([*holds["kinds"][:LISTED], *_more(len(holds["kinds"]), "kinds")])
    datasets = [f"{each['name']} ({each['sensitivity'] or 'nobody said how sensitive'})" for each in holds["datasets"]]
    named = ", ".join([*datasets[:LISTED], *_more(len(datasets), "datasets")]) or "none that is known"
    until = f" Until {clock(memo['until'])}." if memo["until"] else ""
    lines = [
        f"# {safe(vendor['title'])}: {memo['question']}",
        f"{safe(vendor['name'])}, criticality {vendor['criticality']}. {made}",
        *map(safe, memo["standing"]),
        f"**{memo['lead']}: {memo['advice']}**, since {safe(memo['because'])}. Priority {safe(memo['formula'])}.",
        f"{safe(memo['asked'])}{until} Who decides: {safe('; '.join(memo['deciders']))}.",
        "## What happened",
        safe(". ".join(memo["happened"])),
        "## What is known",
        listed(memo["known"]),
        "## What is not known, and how to find out",
        listed(memo["unknown"]) or "Every term below is known.",
        "## What it holds of ours, and what that reaches",
        f"{many(holds['credentials'], 'credential')} and {many(holds['grants'], 'grant')}: {safe(kinds) or 'none'}.",
        *map(safe, holds["ended"]),
        f"{_further(holds['further'])} Datasets: {safe(named)}.",
        "## Terms",
        table(("Term", "Value", "Source", "Why"), memo["terms"], ("name", "value", "source", "why")),
        "## Options",
        table(("Option", "Does", "Consequences"), memo["options"], ("name", "does", "costs")),
    ]
    return "\n\n".join(lines) + "\n"


def _further(count: int) -> str:
    return f"{many(count, 'more credential')} {'follows' if count == 1 else 'follow'} from them."


def clock(iso: str) -> str:
    """Return a moment to the minute."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def _more(count: int, what: str) -> list[str]:
    return [f"and {count - LISTED:,} more {what}"] if count > LISTED else []


def listed(found: list[str]) -> str:
    """Return a list of texts."""
    return "\n".join(f"- {safe(each)}" for each in found)


def table(heads: tuple[str, ...], rows: Sequence[Mapping[str, str]], names: tuple[str, ...]) -> str:
    """Return a table, of each row the cells that these names have."""
    cells = [[safe(row[name]) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in [heads, ["---"] * len(heads), *cells])


def safe(text: str) -> str:
    """Return a text of others in which nothing is a mark, a link or a mention."""
    return _MENTIONS.sub("@&#8203;", _LINKS.sub(r"\\\g<0>", _MARKS.sub(r"\\\1", plain(text))))
