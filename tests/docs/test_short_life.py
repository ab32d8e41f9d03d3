"""The page of segmentation says of every kind what shorter-lived takes its place, or why nothing does."""

from __future__ import annotations

import re

from rotator.playbook_file import load_all
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "segmentation.md"
KINDS = load_all()


def rows(head):
    """Return the rows of the table with this head."""
    table = PAGE.read_text().partition(f"{head}\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]


def kinds(cell):
    return re.findall(r"`(\w+)`", cell)


def test_every_kind_is_told_once_with_who_prepares_its_short_lived_way_or_why_there_is_none():
    ways = [(kind, by) for cell, _, by in rows("| kind | what takes its place | made by |") for kind in kinds(cell)]
    prepared = {True: "machine", False: "person"}
    known = {name: each.short_lived for name, each in KINDS.items()}
    assert sorted(ways) == sorted((name, prepared[way.is_prepared]) for name, way in known.items() if way)
    others = [kind for _, cell in rows("| why | kinds |") for kind in kinds(cell)]
    assert sorted(others) == sorted(name for name, way in known.items() if not way)


def test_what_a_machine_prepares_has_who_does_it_and_nothing_else_has():
    there = {path.stem for path in (ROOT / "rotator" / "conversions").glob("*.py")} - {"__init__"}
    assert there == {each.provider for each in KINDS.values() if each.short_lived and each.short_lived.is_prepared}
