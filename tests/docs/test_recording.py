"""The recording of the demo: what the terminal showed at the end, and nothing of where it was made."""

from __future__ import annotations

import importlib.util
from xml.etree import ElementTree as ET

import pytest

from tests.docs.pages import ROOT

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = ROOT / "docs" / "demo.svg"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("record_demo", ROOT / "docs" / "record_demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(svg):
    return [(each.text or "").replace("\xa0", " ") for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_is_small_whole_and_fetches_nothing():
    svg = PICTURE.read_text()
    assert len(svg) < 300_000
    shown = "".join(texts(svg))
    assert "5 proven dead" in shown
    assert "lines are left out of this picture" in shown
    assert "True" in shown
    assert {"http://www.w3.org/2000/svg"} == {
        word for word in svg.split('"') if "://" in word and "127.0.0.1" not in word
    }
    assert "url(http" not in svg


def test_a_live_display_is_shown_as_it_ended(tool):
    shown = "begin\r\n1 pending\r\n---\r\x1b[2K\x1b[1A\x1b[2K2 dead\r\n===\r\nend\r\n"
    assert tool.screen_lines(shown) == ["begin", "2 dead", "===", "end", ""]


def test_only_the_step_lists_after_the_first_are_left_out_and_that_is_said(tool):
    steps = [f"\x1b[1minc-20261122-abcdef.r{n}  vault_token of a  x\x1b[0m" for n in (1, 2, 3)]
    lines = ["head", steps[0], "  keep", steps[1], "  keep", steps[2], "  keep", "3 credentials: 3 proven dead", "end"]
    kept = tool.abridged(lines)
    assert kept[:3] == lines[:3]
    assert "[4 lines are left out" in kept[3]
    assert kept[-2:] == lines[-2:]


def test_what_a_terminal_wraps_is_wrapped(tool):
    shown = texts(tool.picture(["x" * (tool.COLUMNS + 3), "\x1b[32mgreen\x1b[0m"]))
    assert "x" * tool.COLUMNS in shown
    assert "xxx" in {each.strip() for each in shown}
    assert "green" in shown


def test_a_command_has_a_terminal_of_its_own_and_its_end_is_known(tool):
    import sys  # noqa: PLC0415

    asked = "import os, sys; print(os.isatty(1), os.get_terminal_size().columns); sys.exit(7)"
    assert tool.on_a_terminal([sys.executable, "-c", asked]) == (f"True {tool.COLUMNS}\r\n", 7)
