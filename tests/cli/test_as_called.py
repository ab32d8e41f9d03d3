"""Whatever a command tells to type next is typed as it stands: with the configuration that was named."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import LIST
from tests.e2e.commands import ROTATOR

pytestmark = pytest.mark.usefixtures("ready")
NAMED = "rotator --config 'my range/rotator.toml'"


@pytest.fixture
def elsewhere(rotator):
    """Configure it in a folder that no command finds by itself."""
    folder = rotator.folder / "my range"
    folder.mkdir()
    (folder / "rotator.toml").write_text('data_dir = "data"\n')
    (rotator.folder / "list.csv").write_text(LIST)
    return lambda *words: rotator(*words, "--config", "my range/rotator.toml")


def commands_in(text):
    return re.findall(r"rotator (?:--config '[^']*' )?(?:approve|incident|report|run|gate|respond)\b[^\n]*", text)


def test_what_is_told_to_be_typed_names_the_configuration(elsewhere):
    said = elsewhere("incident", "list").ended(0).err
    said += elsewhere("incident", "declare", "list.csv", "--title", "One").ended(0).out
    for words in (("report", "last"), ("plan", "last")):
        said += elsewhere(*words).out
    said += elsewhere("report", "inc-none").ended(2).err
    assert len(commands_in(said)) >= 4
    assert [each for each in commands_in(said) if not each.startswith(NAMED)] == []


def test_without_one_nothing_is_added(rotator):
    (rotator.folder / "list.csv").write_text(LIST)
    said = rotator("incident", "declare", "list.csv", "--title", "One").ended(0).out
    assert "nothing in it can be done by machine" in said
    assert "(rotator incident list shows them)" in rotator("report", "inc-none").ended(2).err


@pytest.mark.parametrize(
    ("words", "helps"),
    [(("approve", "last", "--digest"), "rotator approve"), (("gate", "open", "last"), "rotator gate open")],
)
def test_a_mistake_of_usage_points_to_the_help_of_that_command(rotator, words, helps):
    assert rotator(*words).ended(2).one_line.endswith(f"(see `{helps} --help`)")


def test_who_calls_it_by_its_path_is_told_that_path(rotator):
    rotator.environment = {"PATH": "/usr/bin"}
    assert f"; {ROTATOR} respond FILE declares one" in rotator("incident", "list").ended(0).err
    assert f"({ROTATOR} incident list shows them)" in rotator("report", "inc-none").ended(2).err
