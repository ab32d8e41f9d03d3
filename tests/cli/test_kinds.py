"""Every kind that a playbook answers says which connections serve it: else no command that lists them works."""

from __future__ import annotations

import json

import pytest

from rotator.bootstrap import Outside
from rotator.playbook_file import load_all
from rotator.settings import Settings

PLAYBOOKS = load_all()


@pytest.mark.parametrize("kind", sorted(PLAYBOOKS))
def test_a_kind_says_which_connections_serve_it(kind):
    assert Outside(Settings(), PLAYBOOKS).family(kind)


def test_all_kinds_are_listed_with_who_serves_them(rotator):
    entries = json.loads(rotator("provider", "list", "-o", "json").ended(0).out)
    assert {each["kind"] for each in entries} == set(PLAYBOOKS)
