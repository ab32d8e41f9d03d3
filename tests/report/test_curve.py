"""The survival curve says what was so, as a picture, in words and as a table."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from rotator.report.curve import rows, svg, told
from rotator.report.lives import COLOURS, Lives, lines

TIMES = st.floats(0, 2e9, allow_nan=False)


def line(name, lives, most=None):
    return Lives.of(lives).line(name, most)


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
    ends = re.search(r'curve-0"[^>]* d="[^"]*V([\d.]+)H\d+"', drawn)
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
    kinds = {
        f"kind{number}": Lives.of([(0.0, float(number + 1)) for _ in range(number + 1)])
        for number in range(COLOURS + 3)
    }
    whole, *found = lines("all", kinds)
    assert (whole.name, whole.at(0.0), len(found)) == ("all", 45, COLOURS)
    assert [each.name for each in found[:2]] == ["kind8", "kind7"]
    assert found[-1].name == "4 other kinds"
    assert [found[-1].at(each) for each in (0.0, 1.0, 4.0)] == [10, 9, 0]
    assert len(lines("all", {"kind8": kinds["kind8"]})) == 1


@given(LIVES, st.integers(4, 40))
def test_a_line_of_fewer_points_is_right_at_each_and_ends_as_it_ended(lives, most):
    whole, thin = line("all", lives), line("all", lives, most)
    assert len(thin.points) <= most
    assert set(thin.points) <= set(whole.points)
    assert thin.points[-1] == whole.points[-1]


@given(LIVES, LIVES, st.randoms())
def test_lives_that_come_and_go_are_counted_as_if_they_had_never_been_otherwise(stay, go, chance):
    found = Lives.of(go)
    moves = [(True, each) for each in stay] + [(False, each) for each in go]
    chance.shuffle(moves)
    for comes, each in moves:
        (found.add if comes else found.discard)(*each)
    assert found == Lives.of(stay)
