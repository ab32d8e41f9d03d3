"""Help says in a line what each command does, and shows it in an example that is true; no line is too long."""

from __future__ import annotations

import shlex

import pytest
import typer

from rotator.cli.main import app

ROOT = typer.main.get_command(app)
WIDTH = 80


def commands(command=ROOT, words=()):
    """Yield the words of every command and group, and what it is."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


def called(each):
    """Name a command in the tests' list, by its words."""
    return " ".join(("rotator", *each)) if isinstance(each, tuple) else ""


def helped(words, command, capsys):
    """Return the help of a command as a terminal of 80 columns shows it."""
    with pytest.raises(typer.Exit):
        command.make_context(" ".join(("rotator", *words)), ["--help"], terminal_width=WIDTH, max_content_width=WIDTH)
    return capsys.readouterr().out


def command_of(words):
    """Return the command that words lead to, and what stands behind its name."""
    found, rest = ROOT, list(words)
    while below := getattr(found, "commands", None):
        found = below[rest.pop(0)]
    return found, rest


@pytest.mark.parametrize(("words", "command"), [*commands()], ids=called)
def test_help_fits_a_terminal_and_cuts_no_sentence_off(words, command, capsys):
    lines = helped(words, command, capsys).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [line for line in lines[1:] if line.endswith("...")] == []


LEAVES = [(words, each) for words, each in commands() if not hasattr(each, "commands")]


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=called)
def test_each_command_has_an_example_that_it_understands(words, command, capsys):
    text = " ".join(helped(words, command, capsys).partition("Arguments:")[0].partition("Options:")[0].split())
    example = text.partition("Example: ")[2]
    assert "rotator " in example
    found, given = command_of(shlex.split(example.removeprefix('eval "$(').removesuffix(')"'))[1:])
    assert found.callback is command.callback or found.callback.__name__ == command.callback.__name__
    found.make_context(example, given)


def test_the_first_help_says_what_the_exit_codes_mean(capsys):
    text = " ".join(helped((), ROOT, capsys).split())
    for code in ("0 all dead", "1 failed", "2 bad input", "3 something is open", "4 not allowed", "130 interrupted"):
        assert code in text
