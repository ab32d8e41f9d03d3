"""What the pages say is there: commands and their options, links, make targets, examples."""

from __future__ import annotations

import functools
import os
import re
import shlex
import tomllib

import pytest
import typer
from typer.testing import CliRunner

from rotator.cli.main import app
from rotator.flow.standing import CredentialState
from rotator.settings.file import load
from tests.docs.pages import PAGES, ROOT, blocks, code_lines, name_of, prose

README = ROOT / "README.md"
COMMAND = typer.main.get_command(app)
pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


def commands_in(page):
    """Return every `rotator …` that the page writes as code."""
    found = []
    for line in code_lines(page):
        written = line.removeprefix("$ ").removeprefix(".venv/bin/").split("  #")[0].strip()
        if re.match(r"rotator( |$)", written):
            found.append(written)
    return found


def resolved(written):
    """Return the command that the words lead to, its words, and the options given."""
    words = shlex.split(written)[1:]
    command, path = COMMAND, []
    for word in words:
        inner = getattr(command, "commands", {}).get(word)
        if inner is None:
            break
        command, path = inner, [*path, word]
    return command, path, words[len(path) :]


@functools.cache
def help_of(*path):
    """Return the help that a command prints: pages name the same few again and again."""
    shown = CliRunner().invoke(app, [*path, "--help"], terminal_width=200)
    assert shown.exit_code == 0, path
    return shown.output


@pages
def test_every_command_of_a_page_exists_with_its_options(page):
    for written in commands_in(page):
        command, path, rest = resolved(written)
        first = [word for word in rest if not word.startswith("-")][:1]
        assert not (first and getattr(command, "commands", None)), f"`{written}`: no such command"
        shown = help_of(*path) + help_of()
        for option in [word.split("=")[0] for word in rest if word.startswith("-") and word != "-"]:
            assert option in shown, f"`{written}`: no option {option}"


def test_the_readme_shows_commands_at_all():
    assert {"rotator doctor", "rotator beat"} <= set(commands_in(README))
    assert any(each.startswith("rotator respond ") for each in commands_in(README))


def test_a_command_that_is_not_there_would_be_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Say `rotator run everything`.\n")
    with pytest.raises(AssertionError, match="no such command"):
        test_every_command_of_a_page_exists_with_its_options(page)
    page.write_text("```sh\nrotator respond --cheerfully r.json\n```\n")
    with pytest.raises(AssertionError, match="no option --cheerfully"):
        test_every_command_of_a_page_exists_with_its_options(page)


@pages
def test_every_link_leads_to_something_in_the_repository(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        assert "://" not in target, f"{target} leads out of the repository"
        path, _, anchor = target.partition("#")
        led_to = (page.parent / path).resolve() if path else page
        assert led_to.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", led_to.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in slugs, target


@pages
def test_every_make_target_of_a_page_exists(page):
    targets = re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in code_lines(page):
        for command in re.findall(r"(?:^|&& )make ((?:[a-z-]+ ?)+)", line):
            assert set(command.split()) <= set(targets), line


@pages
def test_every_file_that_a_page_names_in_a_folder_of_ours_is_there(page):
    for line in code_lines(page):
        if re.fullmatch(r"(?:rotator|workers|playbooks|tests|docs|lock)/[\w./-]+", line) and not re.search(
            r"NAME|VENDOR|NNNN", line
        ):
            assert (ROOT / line).exists(), line


@pages
def test_every_configuration_that_a_page_shows_can_be_loaded(page, tmp_path, monkeypatch):
    for name in [each for each in os.environ if each.startswith("ROTATOR_")]:
        monkeypatch.delenv(name)
    for number, text in enumerate(blocks(page, "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        loaded = load(path)
        for key in tomllib.loads(text):
            assert getattr(loaded, key)


def test_the_readme_tells_every_state_of_a_credential():
    told = re.findall(r"^\| ([a-z ]+) \|", README.read_text(), re.MULTILINE)
    assert {state.value.replace("_", " ") for state in CredentialState} <= set(told)
