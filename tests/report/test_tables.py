"""A table at any width: every name is whole, since somebody copies it; where a line has no room, rows are blocks."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from rotator.report.tables import Hanging, Sentence, plain_table

NAMES = ("aws_service_specific_credential", "gcp_service_account_key")
ENOUGH = 72
"""Columns that the longest words below take, side by side."""


def printed(width: int) -> list[str]:
    table = plain_table(None, "kind", "death is seen by", "connections")
    table.add_row(NAMES[0], "a knock, and no more than that is seen", "aws-production")
    table.add_row(NAMES[1], "stated", "gcp, and the other one")
    out = io.StringIO()
    Console(width=width, file=out, soft_wrap=True).print(table)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [ENOUGH, 80, 100, 140])
def test_a_name_is_whole_where_there_is_room_for_words(width):
    lines = printed(width)
    assert max(map(len, lines)) <= width
    for name in (*NAMES, "aws-production"):
        assert [line for line in lines if name in line]


@pytest.mark.parametrize("width", [20, 40, 60])
def test_where_a_line_has_no_room_for_them_rows_are_blocks_and_no_name_is_broken_or_left_out(width):
    lines = printed(width)
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
    for name in (*NAMES, "aws-production"):
        assert [line for line in lines if name in line.split()]
    said = " ".join(" ".join(lines).split())
    assert "death is seen by: a knock, and no more than that is seen · connections: aws-production" in said


@pytest.mark.parametrize("width", [30, 80])
def test_what_hangs_behind_a_margin_is_broken_between_words_and_stands_below_a_long_one(width):
    out = io.StringIO()
    told = Hanging(Text("  converged  verify consumers"), 31, Text(f"{NAMES[0]} holds another"))
    Console(width=width, file=out, soft_wrap=True).print(told)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if NAMES[0] in line.split()]
    assert lines[0].startswith("  converged  verify consumers")
    assert (len(lines) > 1) == (width < len(NAMES[0]) + 31)


WORDS = st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=30).map(" ".join)


@given(WORDS, st.sampled_from(["", f"rotator approve {'i' * 60} --digest {'d' * 16}"]), st.sampled_from(["", "; x y"]))
def test_a_sentence_is_folded_on_a_terminal_alone_and_its_command_is_whole(text, command, after):
    told = Sentence(f"  {text}: ", command, after if command else "")
    pipe, terminal = (io.StringIO() for _ in range(2))
    Console(width=80, file=pipe, soft_wrap=True).print(told)
    Console(width=80, file=terminal, soft_wrap=True, force_terminal=True, no_color=True).print(told)
    assert pipe.getvalue() == f"  {text}: {command}{after if command else ''}".rstrip() + "\n"
    lines = terminal.getvalue().splitlines()
    assert all(len(line) <= 80 or line.strip() == command for line in lines)
    assert not command or any(command in line for line in lines)
    assert set(text.split()) <= {word.rstrip(":") for line in lines for word in line.split()}
