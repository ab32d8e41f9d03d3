"""What a person chooses: a strategy for some, and what is left out; each choice is followed, told or refused."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.flow.exclusion import exclusions
from rotator.flow.order import Elsewhere, Left
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.flow.selector import attributes, selector
from rotator.flow.wish import wishes
from rotator.ports.store import Place
from tests.flow.scopes import KEY, PLACE, ours, planned, stolen

FIRST, CONTAIN, REVOKE = Strategy.REPLACE_FIRST, Strategy.CONTAIN_FIRST, Strategy.REVOKE_ONLY
DN = "uid=ci,ou=people"


def strategies(*found, wanted):
    return {run.ref.id: (run.strategy, run.why) for run in planned(*found, wanted=wishes(wanted)).runs}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("id:1", True),
        ("id:2", False),
        (f"provider:{KEY}", True),
        ("provider:aws_*,owner:c?", True),
        ("owner:ci,environment:production", False),
        ("environment:staging,connection:prod", True),
    ],
)
def test_a_selector_fits_what_has_all_that_it_names(text, fits):
    assert selector(text, "").fits(attributes(stolen(environment="staging"))) is fits


def test_a_name_may_have_commas_colons_and_brackets_in_it():
    assert selector(f"id:{DN},owner:ci", "").fits(attributes(stolen(name=DN)))
    assert selector("id:SHA256:a[b]", "").fits(attributes(stolen(name="SHA256:a[b]")))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("replace", "did you mean `replace_first`?"),
        ("owner=replace_first", "`owner` is no selector"),
        ("ownr:ci=replace_first", "did you mean `owner:ci`?"),
        ("owner:ci,owner:web=replace_first", "names owner twice"),
        ("owner:ic=replace_first", "no credential here has the owner `ic` (one of ci, web)"),
        ("environment:production=revoke_only", "none of them has any environment"),
        ("owner:ci,id:2=revoke_only", "each part fits some, none fits them all"),
        ("id:2=revoke_only id:2=cut_only", "two strategies"),
        ("revoke_only cut_only", "both revoke_only and cut_only are asked for all"),
        ("owner:c*=revoke_only owner:*i=cut_only", "fit 1 (add id:1=STRATEGY)"),
        ("owner:web=cut_only", "vault_token has no cut_only (it has contain_first, replace_first, revoke_only"),
    ],
)
def test_a_wish_that_cannot_be_followed_is_one_line_that_says_what_would_fit(wanted, said):
    with pytest.raises(BadInput) as refused:
        strategies(stolen(), stolen("vault_token", "2", "web"), wanted=wanted.split())
    assert said in str(refused.value).replace("--strategy: ", "")
    assert "\n" not in str(refused.value)


def test_the_closest_selector_holds_and_says_so():
    other = stolen(name="2", owner="web", deliver=(Place("vault_kv", "vault", "web"),))
    asked = [f"provider:{KEY}=revoke_only", "owner:c*=cut_only", "owner:ci=replace_first", "contain_first"]
    token = stolen("vault_token", "3", "billing", deliver=(Place("vault_kv", "vault", "billing"),))
    assert strategies(stolen(), other, token, wanted=asked) == {
        "1": (FIRST, "asked for by `owner:ci`"),
        "2": (REVOKE, f"asked for by `provider:{KEY}`"),
        "3": (CONTAIN, "asked for"),
    }


def test_what_a_wish_cannot_change_says_why():
    found = strategies(stolen(deliver=()), ours(), wanted=["id:1=replace_first", "id:own=revoke_only"])
    assert found["1"][0] is REVOKE
    assert "so not replace_first as `id:1` asks" in found["1"][1]
    assert found["own"][0] is CONTAIN
    assert "revoke_only would not replace it: `id:own`" in found["own"][1]
    [reader] = strategies(stolen(reads=("vault:ci",)), wanted=["id:1=replace_first"]).values()
    assert reader == (CONTAIN, "replace_first would show a thief new secrets on vault, though `id:1` asks for it")


def left_out(*found, exclude, manual=()):
    return planned(*found, manual=manual, exclusions=exclusions(exclude, ["a canary"], "ann"))


def test_what_is_excluded_stays_in_the_plan_as_that_and_in_its_digest():
    task = Unresolved(None, "fp:1", (), "nobody knows it", "revoke it")
    plan = left_out(stolen(), stolen(name="2", owner="web"), manual=(task,), exclude=["id:1", "id:fp:*"])
    assert [run.ref.id for run in plan.runs] == ["2"]
    assert [(each.key, each.reason, each.by) for each in plan.excluded] == [
        ("fp:1", "a canary", "ann"),
        ("1", "a canary", "ann"),
    ]
    assert plan.manual == ()
    digests = {planned(stolen(), exclusions=exclusions(["id:1"], [why], by)).digest for why in "ab" for by in "cd"}
    assert len(digests) == 4


def test_an_excluded_credential_lives_on_and_where_a_new_secret_passes_that_is_warned_of():
    reader = stolen("vault_token", "2", "web", reads=("vault:kv",), deliver=())
    assert left_out(stolen(), reader, exclude=["id:2"]).warnings == (
        "new secrets pass vault, where 2 may read: excluded, so nobody stops it",
    )
    unknown = stolen(name="3", owner="web", reads=None, deliver=())
    assert "new secrets pass prod, where 3 may read" in left_out(stolen(), unknown, exclude=["id:3"]).warnings[0]


def test_what_another_incident_left_alive_is_warned_of_and_is_in_the_digest_unless_this_one_speaks_of_it():
    reads = {"kind": "vault_token", "reaches": frozenset({"vault"})}
    out = Left(incident="inc-1", connection="prod", key="2", excluded=True, **reads)
    task = Left(incident="inc-2", connection="", key="3", excluded=False, **reads)
    plan = planned(stolen(), elsewhere=Elsewhere(left=(out, task)))
    assert plan.warnings == (
        "new secrets pass vault, where 2 may read: excluded in inc-1, so nobody stops it",
        "new secrets pass vault, where 3 may read: inc-2 leaves that to a person",
    )
    assert plan.digest != planned(stolen()).digest
    both = [stolen("vault_token", name, "web", reads=("vault:kv",), deliver=()) for name in "23"]
    assert planned(stolen(), *both, elsewhere=Elsewhere(left=(out, task))).warnings == ()
    namesake = stolen("vault_token", "2", "web", at="other", deliver=())
    assert len(planned(stolen(), namesake, elsewhere=Elsewhere(left=(out, task))).warnings) == 2
    assert planned(stolen(deliver=()), elsewhere=Elsewhere(left=(out, task))).warnings == ()


def test_to_exclude_what_others_depend_on_is_warned_of():
    plan = left_out(ours(), stolen(), exclude=["id:own"])
    assert "own is excluded, and the rotator itself uses it on prod: a thief can act as it does" in plan.warnings
    assert plan.runs[0].awaits == ()
    shared = left_out(stolen(), stolen(name="2"), exclude=["id:2"])
    assert f"{PLACE} gets what replaces 1; 2, kept there too, is excluded and lives on" in shared.warnings


@pytest.mark.parametrize(
    ("exclude", "reasons", "said"),
    [
        (["id:1"], [], "an exclusion needs a reason"),
        (["id:1"], [" "], "an exclusion needs a reason"),
        ([], ["why"], "a reason without an exclusion"),
        (["id:1", "id:2", "id:3"], ["a", "b"], "3 exclusions have 2 reasons"),
        (["id:9"], ["a"], "no credential here has the id `9`"),
        (["9"], ["a"], "`9` is no selector"),
    ],
)
def test_an_exclusion_needs_a_reason_and_something_to_exclude(exclude, reasons, said):
    with pytest.raises(BadInput, match=said):
        planned(stolen(), exclusions=exclusions(exclude, reasons, "ann"))


def test_each_exclusion_may_have_a_reason_of_its_own():
    asked = exclusions(["id:1", "id:2"], ["a", "b"], "ann")
    plan = planned(stolen(), stolen(name="2"), exclusions=asked)
    assert [each.reason for each in plan.excluded] == ["a", "b"]
