"""Every command explains itself, meets a typing error, and writes for whoever reads: a person, a pipe, a program."""

from __future__ import annotations

import json

import pytest
import typer

from rotator.cli.main import app


def commands(command=None, words=()):
    """Yield the words of every command and of every group."""
    command = command or typer.main.get_command(app)
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_every_command_explains_itself(called, words):
    done = called(*words, "--help").ended(0)
    assert done.out.startswith(f"Usage: rotator {' '.join(words)}".rstrip())
    assert done.err == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("respnd", "x"), "respond"),
        (("incident", "wach", "last"), "watch"),
        (("playbook", "lst"), "list"),
        (("respond", "x", "--sevrity", "high"), "--severity"),
        (("approve", "last", "--digets", "x"), "--digest"),
    ],
)
def test_a_typing_error_is_met_with_what_was_meant(called, words, meant):
    done = called(*words).ended(2)
    assert done.out == ""
    assert done.one_line.startswith("rotator: ")
    assert meant in done.one_line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("intake",), "rotator: FILE: nothing was given (give a report, or --package and --evidence)"),
        (("--bogus",), "rotator: no such option: --bogus (see `rotator --help`)"),
        (("incident", "foo"), "rotator: incident: no such command 'foo' (see `rotator incident --help`)"),
        (("approve", "last"), "rotator: approve: missing option '--digest' (see `rotator approve --help`)"),
    ],
)
def test_a_mistake_of_usage_is_one_line_that_says_what_where_and_how_to_mend_it(called, words, line):
    done = called(*words).ended(2)
    assert (done.out, done.one_line) == ("", line)


def test_a_value_of_the_wrong_kind_is_one_line_too(called):
    for words in (("serve", "--port", "x"), ("serve", "--port", "0"), ("intake", "r", "-o", "xml")):
        assert "invalid value for" in called(*words).ended(2).one_line
    assert "Usage: rotator run" in called("run").ended(2).err


LISTINGS = [("incident", "list"), ("playbook", "list"), ("provider", "list")]
DOCUMENTS = [("plan", "last"), ("report", "last"), ("incident", "show", "last"), ("playbook", "show", "vault_token")]


@pytest.mark.usefixtures("ready", "data_dir")
@pytest.mark.parametrize("words", [*LISTINGS, ("intake", "list.csv")], ids=" ".join)
def test_a_listing_is_one_document_or_a_line_for_each_entry(rotator, words):
    entries = json.loads(rotator(*words, "-o", "json").ended(0).out)
    lines = rotator(*words, "-o", "jsonl").ended(0).out.splitlines()
    assert entries
    assert [json.loads(line) for line in lines] == entries
    assert rotator(*words).ended(0).out.strip()


@pytest.mark.usefixtures("ready", "data_dir")
@pytest.mark.parametrize("words", DOCUMENTS, ids=" ".join)
def test_a_document_is_the_same_in_one_line_and_in_many(rotator, words):
    done = rotator(*words, "-o", "json")
    [line] = rotator(*words, "-o", "jsonl").ended(done.code).out.splitlines()
    each = [json.loads(text) for text in (line, done.out)]
    for document in each:  # of the moment at which it was asked
        document.pop("as_of", None)
    assert each[0] == each[1]


@pytest.mark.usefixtures("data_dir")
def test_colours_are_for_terminals_and_for_those_who_want_them(rotator):
    colour = "\x1b["
    assert colour in rotator.at_terminal("report", "last").ended(3).out
    assert colour not in rotator("report", "last").ended(3).out
    assert not coloured(rotator.at_terminal("--no-color", "report", "last").ended(3).out)
    assert not coloured(rotator.at_terminal("report", "last", "--no-color").ended(3).out)
    rotator.environment = {"NO_COLOR": "1"}
    assert not coloured(rotator.at_terminal("report", "last").ended(3).out)


def coloured(text):
    """Tell whether a colour is set anywhere; bold and underlined are no colours."""
    codes = {code for part in text.split("\x1b[")[1:] for code in part.partition("m")[0].split(";")}
    return bool(codes - {"0", "1", "2", "3", "4", ""})


@pytest.mark.usefixtures("ready", "data_dir")
def test_a_title_neither_commands_the_terminal_nor_breaks_the_listing(rotator):
    title = "a\x1b[2J[/bold]\rz"
    rotator("incident", "declare", "list.csv", "--title", title).ended(0)
    for words in (("incident", "list"), ("report", "last"), ("plan", "last")):
        assert "\x1b" not in rotator(*words).out
    assert "[/bold]" in rotator("incident", "list").ended(0).out
    assert rotator("report", "last", "-o", "json").report["incident"]["title"] == title


@pytest.mark.usefixtures("ready")
def test_a_report_of_thousands_is_shown_in_part_and_given_whole(rotator):
    rows = "".join(f"aws_iam_access_key,AKIAQ4R7T2W9Z3K5{number:04d}\n" for number in range(2000))
    (rotator.folder / "list.csv").write_text("provider,id\n" + rows)
    rotator("incident", "declare", "list.csv", "--title", "Many").ended(0)
    shown = rotator("report", "last").ended(3).out
    assert "1,800 more (-o json has them all)" in shown
    assert len(shown.splitlines()) < 1000
    assert len(rotator("report", "last", "-o", "json").report["credentials"]) == 2000


@pytest.mark.usefixtures("ready")
def test_options_of_all_commands_may_stand_before_or_after_the_command(rotator):
    (rotator.folder / "other.toml").write_text("data_dir = 'elsewhere'")
    for words in (("--config", "other.toml", "incident", "list"), ("incident", "list", "--config", "other.toml")):
        rotator(*words).ended(0)
    assert (rotator.folder / "elsewhere" / "ledger.db").is_file()
    assert not (rotator.folder / ".local").exists()
