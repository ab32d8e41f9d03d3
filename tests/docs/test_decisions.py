"""Each decision is a page of one shape, and each dependency has its reason."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.docs.pages import ROOT, name_of

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
A_PAGE = 60
"""Lines."""


def test_the_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_is_a_page_that_says_why_what_follows_and_what_was_rejected(path):
    text = path.read_text()
    assert text.startswith(f"# {path.name[:4]} ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Rejected"]
    assert len(text.splitlines()) <= A_PAGE


def test_every_runtime_dependency_has_its_reason_and_no_other_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [each for name, group in project["optional-dependencies"].items() if name != "all" for each in group]
    wanted = {re.split(r"[>=<]", each)[0] for each in [*project["dependencies"], *extras]}
    told = re.findall(r"^\| `([^`]+)`[^|]*\|", (ROOT / "docs/decisions/0002-dependencies.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(wanted)


def test_the_map_shows_every_layer_of_the_house():
    rule = (ROOT / ".importlinter").read_text().partition("layers =")[2].partition("[")[0]
    layers = re.findall(r"\w+", rule)
    assert len(layers) > 20
    shown = (ROOT / "ARCHITECTURE.md").read_text().partition("## Who may import whom")[2].partition("## ")[0]
    assert re.findall(r"\w+", shown.partition("\n\n    ")[2].partition("\n\n")[0]) == layers
