"""The survival curve says what was so, as a picture, in words and as a table."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from rotator.report.curve import COLOURS, Line, gathered, line, rows, svg, told

TIMES = st.floats(0, 2e9, allow_nan=False)
LIVES = st.lists(st.tuples(TIMES, st.none() | TIMES), min_size=1, max_size=40)


@given(LIVES, TIMES)
def test_a_line_counts_who_was_detected_and_not_proven_dead(lives, when):
    living = sum(began <= when and (ended is None or max(ended, began) > when) for began, ended in lives)
    assert line("all", lives).at(when) == living


@given(LIVES, TIMES)
def test_the_picture_is_xml_without_style_or_script(lives, until):
    drawn = svg([line("all", lives), line('<script>"&', lives[:1])], until)
    tree = ET.fromstring(drawn)
    assert {each.tag for each in tree.iter()} <= {"svg", "path", "text", "title"}
    assert not [each for one in tree.iter() for each in one.attrib if each == "style" or each.startswith("on")]
    assert len(tree.findall("path[title]")) == 2


def test_a_curve_of_nothing_is_said_to_be_that():
    assert told([line("all", [])], 5.0) == "No credential is known yet."
    assert ET.fromstring(svg([line("all", [])], 5.0)).get("role") == "img"


def test_many_steps_are_drawn_as_no_more_than_can_be_seen():
    whole = line("all", [(0.0, float(number)) for number in range(1, 50_001)])
    drawn = svg([whole], 50_000.0)
    assert len(drawn) < 20_000
    ends = re.search(r'curve-0" d="[^"]*V([\d.]+)H\d+"', drawn)
    assert ends is not None
    assert float(ends[1]) == 246.0


def test_the_words_and_the_table_say_how_it_ends():
    found = [line("all", [(0.0, 10.0), (0.0, None)])]
    assert told(found, 20.0) == (
        "Exposed credentials not proven dead: at most 2 since 1970-01-01T00:00:00Z, 1 at 1970-01-01T00:00:20Z."
    )
    assert [counts for _, counts in rows(found, 20.0)] == [[2], [1], [1]]
    assert len(rows([line("all", [(0.0, float(each)) for each in range(99)])], 99.0)) == 12


def test_lines_that_nobody_could_tell_apart_are_one():
    lines = [Line(f"kind{number}", ((0.0, number + 1), (float(number + 1), 0))) for number in range(COLOURS + 3)]
    found = gathered(lines)
    assert len(found) == COLOURS
    assert found[-1].name == "4 other kinds"
    assert [found[-1].at(each) for each in (0.0, 1.0, 4.0)] == [10, 9, 0]
