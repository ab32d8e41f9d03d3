"""Tokens at the command line: shown once and on standard output alone, listed without themselves, ended by name."""

from __future__ import annotations

import pytest

from rotator import api_token


def test_a_token_is_printed_once_and_never_again(rotator):
    rotator.is_ready = True
    made = rotator("token", "create", "ci", "--role", "responder", "--person", "ana", "--expires", "12h").ended(0)
    secret = made.out.strip()
    assert api_token.read(secret) is not None
    assert "ci: responder, acts as ana, until " in made.one_line
    [listed] = rotator("token", "list", "-o", "json").ended(0).report
    assert (listed["name"], listed["role"], listed["person"], listed["state"]) == ("ci", "responder", "ana", "active")
    assert secret.startswith(listed["begins"])
    assert "ci is revoked" in rotator("token", "revoke", "ci", "--reason", "done").ended(0).out
    assert "ci was revoked already" in rotator("token", "revoke", "ci", "--reason", "again").ended(0).out
    table = rotator("token", "list").ended(0).out
    assert "revoked" in table
    assert secret not in table + "".join(rotator.said[1:])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a b", "--role", "viewer"), "no token can be called so"),
        (("ci", "--role", "viewer", "--expires", "never"), "no time a token lasts"),
        (("ci", "--role", "viewer", "--expires", "367d"), "no time a token lasts"),
        (("ci", "--role", "king"), "king"),
    ],
)
def test_what_is_no_token_is_one_clear_line(rotator, words, says):
    rotator.is_ready = True
    assert says in rotator("token", "create", *words).ended(2).one_line


def test_under_a_rule_nobody_makes_a_token_of_somebody_else(rotator):
    rotator.is_ready = True
    (rotator.folder / "rotator.toml").write_text(
        'data_dir = "data"\n[approval]\n[[people]]\nname = "bo"\nroles = ["approver"]\n'
    )
    said = rotator("token", "create", "ci", "--role", "approver", "--person", "bo").ended(4).one_line
    assert "bo alone makes tokens of bo" in said


def test_who_is_signed_in_is_listed_and_ended(rotator):
    rotator.is_ready = True
    assert "nobody is signed in" in rotator("session", "list").ended(0).one_line
    assert "no session is called so" in rotator("session", "revoke", "ab12cd34", "--reason", "why").ended(2).one_line
