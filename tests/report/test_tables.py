"""A table at any width: within it, with every letter, and with whole words as long as those have room."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rotator.report.tables import plain_table

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


@pytest.mark.parametrize("width", [40, 50, 60, ENOUGH])
def test_what_has_no_room_is_folded_and_never_cut(width):
    lines = printed(width)
    assert max(map(len, lines)) <= width
    letters = "".join("".join(lines).split())
    for letter in "abcdefghijklmnopqrstuvwxyz_,":
        assert letters.count(letter) == "".join(printed(200)).count(letter)
