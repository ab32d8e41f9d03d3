"""Segmentation at the command line: tables that people read, and what is lacking told in one line."""

from __future__ import annotations

import json

import pytest

from rotator import converting

ENTRIES = """\
[[credentials]]
match = {provider = "npm_token", owner = "web", id = "n1"}
reachable_from = [%s]
datasets = ["packages"]
[[credentials]]
match = {provider = "npm_token", owner = "docs", id = "n2"}
"""


@pytest.fixture
def placed(filled, tmp_path):
    sites = ", ".join(f'"job:acme/web/release-{number}"' for number in range(25))
    with (tmp_path / "rotator.toml").open("a") as file:
        file.write(ENTRIES % sites)
    return filled


def test_places_are_a_table_of_the_widest_and_what_no_figure_has_is_said(placed):
    shown = placed("segmentation", "show")
    assert (shown.code, shown.err) == (0, "")
    assert "job:acme/web/release-0 " in shown.out
    assert "… and 5 more places: -o json has all" in shown.out
    assert "25 places, " in shown.out
    assert " at no place that anybody named: say it in `reachable_from`" in shown.out
    assert len(json.loads(placed("segmentation", "show", "-o", "json").out)) == 25


def test_the_cuts_and_what_could_live_shortly_are_told(placed):
    assert "job:acme/web/release-0 reaches npm_token web n1" in placed("segmentation", "edges").out
    assert "npm_token web n1 opens packages" in placed("segmentation", "edges").out
    shown = placed("segmentation", "short-lived").out
    assert "job:acme/web/release-0 and 24 more" in shown
    rows = json.loads(placed("segmentation", "short-lived", "-o", "json").out)
    assert all(f"`rotator playbook show {row['provider']}`: {row['by'][:20]}" in shown for row in rows[:10])
    [row] = [each for each in rows if each["id"] == "n1"]
    assert (row["prepared_by"], row["moves"][-1], row["age_days"]) == ("person", "3. machine: retire", None)


def test_what_one_place_reaches_is_told_with_its_way(placed):
    told = placed("segmentation", "show", "job:acme/web/release-3").out
    assert told == (
        "npm_token web n1 (medium, opens packages)\n  npm_token web is within reach at job:acme/web/release-3\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "host:nobody"), "host:nobody: no place is called so"),
        (("convert", "npm_token", "n1", "--connection", "a"), "its moves are a person's"),
        (("convert", "npm_tokn", "n1", "--connection", "a"), "did you mean `npm_token`?"),
        (("convert", "npm_token", "n1", "--connection", "a", "--with", "x"), "--with: `x` says no value"),
        (("convert", "postgres_role", "n1", "--connection", "a", "--undo"), "no conversion of it was begun"),
        (("convert", "postgres_role", "n1", "--connection", "a", "--undo", "--with", "x=y"), "leave it away"),
    ],
)
def test_what_will_not_do_is_one_line(placed, words, said):
    ended = placed("segmentation", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_what_came_of_an_attempt_that_never_ended_is_said_first(placed, monkeypatch):
    earlier = [{"what": "role a", "left": ""}, {"what": "role b", "left": "it may come"}]
    made = {"facts": {"made": "role c"}, "moves": [], "retire": "rotator respond", "earlier": earlier}
    monkeypatch.setattr(converting, "prepare", lambda *_: made)
    ended = placed("segmentation", "convert", "postgres_role", "n1", "--connection", "a", "--with", "x=y")
    assert ended.out.startswith("role a: is not there any more\nrole b: it may come\nmade: role c\n")
