"""One entry for each match, whoever says what of it; and nothing that an issuer lists goes unsaid."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef
from rotator.flow.inventory import Act, Entry, Said, changes, coverage, disused, is_meant, key, named
from rotator.flow.scope import Custody
from rotator.ports.listing import Discovered

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
CI = {"provider": KEY, "owner": "ci"}


def said(match, **keys):
    return Said(match, keys, "f.csv, line 2")


def test_what_is_new_what_is_other_and_what_is_said_already_are_told_apart():
    there = {key(CI): {"criticality": "low", "contact": "ann"}}
    rows = [said(CI, criticality="high"), said({"owner": "app"}, vendor="acme"), said({"owner": "none"})]
    changed, added, bare = changes(there, rows)
    assert (changed.act, changed.after, changed.keys) == (
        Act.CHANGED,
        {"criticality": "high", "contact": "ann"},
        ("criticality",),
    )
    assert (added.act, added.before, added.after) == (Act.ADDED, None, {"vendor": "acme"})
    assert bare.act is Act.ADDED
    after = {key(each.match): each.after for each in (changed, added, bare)}
    assert {each.act for each in changes(after, rows)} == {Act.SAME}


def test_keys_that_are_not_named_stay_and_a_null_takes_one_back():
    there = {key(CI): {"criticality": "low", "contact": "ann"}}
    [change] = changes(there, [said(CI, contact=None)])
    assert (change.act, change.after) == (Act.CHANGED, {"criticality": "low"})


def test_two_files_that_speak_of_one_match_make_one_entry():
    [change] = changes({}, [said(CI, criticality="low"), said(CI, contact="ann")])
    assert (change.act, change.after) == (Act.ADDED, {"criticality": "low", "contact": "ann"})


@pytest.mark.parametrize(
    "text", ["provider=aws_iam_access_key,owner=a,b", "owner=a,b,provider=aws_iam_access_key", "a,b"]
)
def test_an_entry_is_meant_by_its_match_or_one_word_of_it(text):
    match = {"provider": KEY, "owner": "a,b"}
    assert is_meant(text, match)
    assert named(match) == "provider=aws_iam_access_key,owner=a,b"
    assert not is_meant("provider=aws_iam_access_key", match)


def listed(kind, owner, name, **facts):
    return Discovered(CredentialRef(kind, "aws", owner, name), facts)


def entry(**match):
    return Entry(Custody(match), "f.csv")


def test_what_issuers_list_and_nobody_speaks_of_is_uncovered_and_the_other_way_round():
    found = [listed(KEY, "ci", "A1"), listed(KEY, "ghost", "A2", last_used_at="never"), listed(KEY, "app", "A3")]
    entries = [
        entry(provider=KEY, owner="ci"),
        entry(id="A3"),
        entry(id="gone"),
        entry(),
        entry(provider=TOKEN, owner="x"),
    ]
    seen = coverage(found, entries, {(KEY, "aws"): True, (TOKEN, "aws"): False}, everywhere=True)
    assert [each.ref.owner for each in seen.uncovered] == ["ghost"]
    # What may be of a kind that nobody can list may exist all the same; an empty match speaks of nothing in particular.
    assert seen.gone == ()
    seen = coverage(found, entries, {(KEY, "aws"): True}, everywhere=True)
    assert [each.custody.match for each in seen.gone] == [{"id": "gone"}]
    assert coverage(found, entries, {(KEY, "aws"): True}, everywhere=False).gone == ()


def test_an_entry_for_a_whole_kind_covers_and_is_counted_apart():
    found = [listed(KEY, "ci", "A1"), listed(KEY, "app", "A2")]
    seen = coverage(found, [entry(provider=KEY), entry(owner="ci")], {(KEY, "aws"): True}, everywhere=True)
    assert (seen.uncovered, seen.broadly) == ((), 1)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, ""),
        ({"last_used_at": "never"}, "no use told"),
        ({"last_used_at": "never", "created_at": "2024-01-02"}, "no use told since it was made, 2024-01-02"),
        ({"last_used_at": "2025-03-02"}, "unused since 2025-03-02"),
    ],
)
def test_since_when_it_is_unused_is_said_as_far_as_its_issuer_tells(facts, told):
    assert disused(facts) == told
