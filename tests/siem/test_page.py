"""The page says as what each act and step is told."""

from __future__ import annotations

import re

from rotator.siem.classes import ACTS, STEPS, VERSION
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "siem.md").read_text()
ROW = re.compile(r"^\| (step )?(`[^|]+) \| ([^|:]+: [^|,]+) \|$", re.MULTILINE)


def told():
    """Yield each word of the table, whether it is a step, and as what it is told."""
    for step, words, sort in ROW.findall(PAGE):
        if ":" not in words:
            yield from ((bool(step), word, sort) for word in re.findall(r"`([^`]+)`", words))


def test_the_table_is_the_mapping():
    acts = {(False, word, str(sort)) for word, sort in ACTS.items()}
    steps = {(True, verb.value, str(sort)) for verb, sort in STEPS.items()}
    assert set(told()) == acts | steps


def test_the_page_names_the_version_of_the_schema():
    assert set(re.findall(r"OCSF (\d[\d.]*\d)", PAGE)) == {VERSION}
