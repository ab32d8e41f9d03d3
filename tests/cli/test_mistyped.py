"""A slip of the hand is met with what was meant, in one line; a name that is only alike leads nobody elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.ledger import names
from tests.cli.conftest import FIRST, SECOND


@pytest.mark.parametrize(
    ("words", "of", "said", "meant"),
    [
        (("respnd", "x"), "", "no such command 'respnd'", "respond"),
        (("incident", "wach"), "incident", "no such command 'wach'", "watch"),
        (("dismiss", "x"), "", "no such command 'dismiss'", "rotator exposure dismiss"),
        (("--quite", "plan"), "", "no such option: --quite", "--quiet"),
        (("respond", "x", "--sevrity", "high"), "respond", "no such option: --sevrity", "--severity"),
        (
            ("respond", "x", "--severity", "hihg"),
            "respond",
            "invalid value for '--severity': 'hihg' is not one of low, medium, high, critical",
            "high",
        ),
        (
            ("playbook", "list", "-o", "jsn"),
            "playbook list",
            "invalid value for '--output' / '-o': 'jsn' is not one of table, json, jsonl",
            "json",
        ),
    ],
)
def test_a_mistyped_word_of_the_command_line_is_told_in_one_line(called, words, of, said, meant):
    done = called(*words).ended(2)
    told = f"{of}: {said}" if of else said
    line = f"rotator: {told} (did you mean `{meant}`? see `{f'rotator {of}'.strip()} --help`)"
    assert (done.out, done.one_line) == ("", line)


def test_a_word_that_is_like_none_is_said_to_be_none(called):
    assert called("zzzzz").ended(2).one_line == "rotator: no such command 'zzzzz' (see `rotator --help`)"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("plan", "inc-20261123-a1b2c4"), FIRST),
        (("report", "a1b2c3"), FIRST),
        (("incident", "watch", "inc-20261123-f0od42"), SECOND),
        (("gate", "list", "lst"), "last"),
        (("run", "retry", "inc-20261123-a1b2d3.r2", "issue", "--reason", "x"), f"{FIRST}.r2"),
        (("run", "undo", "inc-20261132-a1b2c3.r1", "issue", "--reason", "x"), f"{FIRST}.r1"),
        (("hold", "release", "nc-20261123-a1b2c3.r1", "issue", "--reason", "x"), f"{FIRST}.r1"),
        (("stop", "inc-20261123-f00d4", "--reason", "x"), SECOND),
        (("stop", "aws-prd", "--reason", "x"), "aws-prod"),
        (("continue", "aws_prod", "--reason", "x"), "aws-prod"),
        (("provider", "check", "aws-prd"), "aws-prod"),
        (("provider", "check", "--kind", "aws_iam_acces_key"), "aws_iam_access_key"),
        (("inventory", "discover", "aws-pord"), "aws-prod"),
        (("playbook", "show", "vault_tokn"), "vault_token"),
        (("worker", "--lane", "contian"), "contain"),
        (("exposure", "dismiss", "last", "x", "--as", "canray", "--reason", "x"), "canary"),
        (
            ("exposure", "dismiss", FIRST, "AKIAQ4R7T2W9Z3K5MBN1", "--as", "canary", "--reason", "x"),
            "AKIAQ4R7T2W9Z3K5M8N1",
        ),
        (("approve", "last", "--digest", "x", "--scope", "containmnt"), "containment"),
    ],
)
def test_a_mistyped_name_is_met_with_the_one_that_was_meant(filled, words, meant):
    done = filled(*words).ended(2)
    assert done.out == ""
    assert f"did you mean `{meant}`?" in done.one_line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "inc-20261123-c0ffee"), "rotator incident list shows them"),
        (("stop", "inc-20261123-c0ffee", "--reason", "x"), "connections: aws-prod"),
        (("run", "skip", f"{FIRST}.r7", "issue", "--reason", "x"), f"of {FIRST} there are 2"),
        (("run", "done", "inc-20261123-c0ffee.r1", "issue", "--reason", "x"), "the report shows them"),
    ],
)
def test_a_name_that_is_only_alike_leads_to_no_other_incident(filled, words, said):
    line = filled(*words).ended(2).one_line
    assert said in line
    assert "did you mean" not in line


HEX = st.text("0123456789abcdef", min_size=6, max_size=6)


@given(HEX, st.sets(HEX, min_size=1, max_size=8))
def test_no_incident_is_offered_that_differs_in_more_than_two_letters(word, others):
    name, known = f"inc-20261123-{word}", [f"inc-20261123-{each}" for each in sorted(others)]
    found = names.near(name, known)
    assert found is None or sum(a != b for a, b in zip(found, name, strict=True)) <= 4
    assert names.near(f"{known[0]}x", known) is not None
