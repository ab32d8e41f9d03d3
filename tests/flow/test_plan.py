"""One incident's plan: everything is in it once, in the same order whoever asks, and approved as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.plan import make
from rotator.flow.planned import Lane, Plan
from rotator.flow.playbook_words import MINTING, Strategy, Subject, Verb
from rotator.flow.scope import ConsumerAddress, Custody, Scoped, Unresolved
from rotator.playbook_file import load_all
from rotator.ports.store import Place

PLAYBOOKS = load_all()
PATHS = [(kind, strategy) for kind, playbook in PLAYBOOKS.items() for strategy in playbook.strategies]
REPLACES = {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
PLACE = Place("vault_kv", "vault", "ci")
CONSUMER = ConsumerAddress("webhook", "http://127.0.0.1:9")
DOORS = ("web-1", "web-2")


def stolen(kind: str, name: str = "1", owner: str = "ci", **custody) -> Scoped:
    ref = CredentialRef(kind, "prod", owner, name)
    given_ = {"deliver": (PLACE,), "consumers": (CONSUMER,), **custody}
    leaked = Leaked(id=name, secret=Secret("canary"))
    return Scoped(ref, kind, leaked, (Exposure("list", kind, leaked),), Custody({"id": name}, **given_), "seen")


def doors(*found: Scoped) -> dict:
    at_doors = {kind for kind, playbook in PLAYBOOKS.items() if any(line.each for line in playbook.steps)}
    return {each.ref: DOORS for each in found if each.kind in at_doors}


def planned(*found: Scoped, wanted: Strategy | None = None, manual=(), answered=None) -> Plan:
    return make(found, manual, PLAYBOOKS, doors(*found), wanted=wanted, answered=answered)


places = st.lists(st.sampled_from([PLACE, Place("vault_kv", "vault", "web")]), max_size=2, unique=True).map(tuple)
scopes = st.lists(
    st.builds(
        stolen,
        kind=st.sampled_from(sorted(PLAYBOOKS)),
        name=st.integers(min_value=0, max_value=30).map(str),
        owner=st.sampled_from(["ci", "web"]),
        deliver=places,
        criticality=st.sampled_from(["low", "medium", "high", "critical"]),
        reads=st.none() | st.lists(st.sampled_from(["vault:a", "aws:b", "prod:c"]), max_size=3).map(tuple),
    ),
    max_size=8,
    unique_by=lambda each: each.ref,
)
manuals = st.lists(
    st.builds(
        Unresolved,
        kind=st.none() | st.sampled_from(sorted(PLAYBOOKS)),
        key=st.uuids().map(str),
        exposures=st.just(()),
        reason=st.just("no connection"),
        mend=st.just("add one"),
    ),
    max_size=3,
)
wishes = st.none() | st.sampled_from(Strategy)


@given(scopes, manuals, wishes)
def test_every_credential_is_in_the_plan_once(found, manual, wanted):
    plan = planned(*found, wanted=wanted, manual=manual)
    assert Counter(run.ref for run in plan.runs) == Counter(each.ref for each in found)
    assert Counter(entry.key for entry in plan.manual) == Counter(entry.key for entry in manual)


@given(scopes, manuals, wishes, st.randoms())
def test_the_same_credentials_make_the_same_plan_in_whatever_order_they_came(found, manual, wanted, random):
    shuffled = planned(*random.sample(found, len(found)), wanted=wanted, manual=random.sample(manual, len(manual)))
    assert shuffled == planned(*found, wanted=wanted, manual=manual)
    assert shuffled.digest == planned(*found, wanted=wanted, manual=manual).digest


@given(scopes, wishes)
def test_the_riskiest_goes_first(found, wanted):
    priorities = [run.priority for run in planned(*found, wanted=wanted).runs]
    assert priorities == sorted(priorities, reverse=True)


@given(scopes, wishes)
def test_an_owner_gets_one_replacement_for_its_places_and_every_replacement_has_a_place(found, wanted):
    runs = planned(*found, wanted=wanted).runs
    minting = [run for run in runs if run.strategy in REPLACES]
    assert all(run.deliver for run in minting)
    made = Counter((run.kind, run.ref.owner, place) for run in minting for place in run.deliver)
    assert max(made.values(), default=1) == 1
    if wanted in {None, *REPLACES}:
        replaceable = [each for each in found if REPLACES & set(PLAYBOOKS[each.kind].strategies)]
        assert set(made) == {
            (each.kind, each.ref.owner, place) for each in replaceable for place in each.custody.deliver
        }


@given(scopes, wishes)
def test_whatever_is_asked_for_each_path_is_one_that_the_playbook_has(found, wanted):
    for run in planned(*found, wanted=wanted).runs:
        assert run.strategy in PLAYBOOKS[run.kind].strategies
        assert run.strategy is wanted or run.why != "asked for"


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_a_runs_steps_are_the_playbooks_in_its_order(kind, strategy):
    [run] = planned(stolen(kind), wanted=strategy).runs
    lines = PLAYBOOKS[kind].path(strategy)
    told = [
        (step.name, step.verb, step.subject, step.expect, step.retry_for_s, step.hold_for_s)
        for segment in run.segments
        for step in segment.steps
        if step.verb is not Verb.COMPARE
    ]
    assert told == [
        (line.id, line.do.verb, line.do.subject, line.expect, line.retry_for, line.hold.for_ if line.hold else None)
        for line in lines
    ]
    stretches = [DOORS if each else ("",) for each, _ in groupby(lines, key=lambda line: line.each)]
    assert [segment.targets for segment in run.segments][: len(stretches)] == stretches
    assert run.strategy is strategy
    assert run.destroys == any(line.do.verb is Verb.REVOKE for line in lines)


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_what_makes_a_replacement_is_compared_with_the_ledger_before_it_first_waits_and_at_the_end(kind, strategy):
    steps = [step for segment in planned(stolen(kind), wanted=strategy).runs[0].segments for step in segment.steps]
    replaces = any(line.do.verb in MINTING for line in PLAYBOOKS[kind].path(strategy))
    compared = [place for place, step in enumerate(steps) if step.verb is Verb.COMPARE]
    waits = [place for place, step in enumerate(steps) if step.hold_for_s is not None]
    assert compared == ([*(place - 1 for place in waits[:1]), len(steps) - 1] if replaces else [])


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_containment_never_waits_in_the_queue_of_replacements(kind, strategy):
    [run] = planned(stolen(kind), wanted=strategy).runs
    for segment in run.segments:
        for step in segment.steps:
            assert (step.lane is Lane.CONTAIN) == (step.subject is Subject.EXPOSED)


@pytest.mark.parametrize("kind", sorted(PLAYBOOKS))
def test_without_consumers_nobody_is_told_and_without_a_place_nothing_is_made(kind):
    [told] = planned(stolen(kind, consumers=())).runs
    assert Subject.CONSUMERS not in {step.subject for segment in told.segments for step in segment.steps}
    [lone] = planned(stolen(kind, deliver=()), wanted=Strategy.CONTAIN_FIRST).runs
    assert lone.strategy not in REPLACES
    assert not MINTING & {step.verb for segment in lone.segments for step in segment.steps}


def test_what_an_earlier_run_replaces_is_only_proven_dead_again():
    found = stolen("vault_token")
    [run] = planned(found, answered={found.ref: "inc-0.r1"}).runs
    assert run.strategy is Strategy.REVOKE_ONLY
    assert "inc-0.r1" in run.why


def test_who_is_known_to_read_its_own_replacement_is_contained_first_whatever_was_asked_for():
    [run] = planned(stolen("vault_token", reads=("vault:ci/*",)), wanted=Strategy.REPLACE_FIRST).runs
    assert run.strategy is Strategy.CONTAIN_FIRST
    assert run.why == "replace_first would show a thief new secrets on vault"
    [kept] = planned(stolen("vault_token", reads=()), wanted=Strategy.REPLACE_FIRST).runs
    assert (kept.strategy, kept.why) == (Strategy.REPLACE_FIRST, "asked for")


def test_two_that_read_each_others_places_are_not_both_left_alive():
    one = stolen("vault_token", "1", "ci", reads=("web:a",))
    other = stolen("vault_token", "2", "web", reads=("vault:b",), deliver=(Place("vault_kv", "web", "a"),))
    strategies = [run.strategy for run in planned(one, other, wanted=Strategy.REPLACE_FIRST).runs]
    assert Strategy.CONTAIN_FIRST in strategies


def test_where_nobody_knows_what_one_reads_that_is_to_live_on_the_plan_warns():
    found = stolen("vault_token")
    plan = planned(found, wanted=Strategy.REPLACE_FIRST)
    assert plan.runs[0].strategy is Strategy.REPLACE_FIRST
    assert any("new secrets pass prod while 1 live and may read there" in warning for warning in plan.warnings)
    assert planned(found, wanted=Strategy.CONTAIN_FIRST).warnings == ()


@dataclass(frozen=True)
class Change:
    what: str
    to: Scoped


ONE = stolen("aws_iam_access_key", reads=("vault:a",))
CHANGES = [
    Change("another credential", replace(ONE, ref=ONE.ref.with_id("2"))),
    Change("another owner", replace(ONE, ref=replace(ONE.ref, owner="web"))),
    Change("another account", replace(ONE, ref=replace(ONE.ref, connection="test"))),
    Change("another generation", replace(ONE, ref=replace(ONE.ref, generation=1))),
    Change("seen once more", replace(ONE, exposures=ONE.exposures * 2)),
    Change("reads more", replace(ONE, custody=replace(ONE.custody, reads=("vault:a", "aws:b")))),
    Change("more critical", replace(ONE, custody=replace(ONE.custody, criticality="critical"))),
    Change("another place", replace(ONE, custody=replace(ONE.custody, deliver=(replace(PLACE, name="web"),)))),
    Change("another consumer", replace(ONE, custody=replace(ONE.custody, consumers=()))),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_whatever_would_be_done_otherwise_changes_the_digest(change):
    assert planned(change.to).digest != planned(ONE).digest


def test_every_field_of_a_run_a_segment_and_a_step_is_in_the_digest():
    plan = planned(ONE)
    [run] = plan.runs
    segment, step = run.segments[0], run.segments[0].steps[0]
    nested = {"ref", "segments", "deliver", "consumers", "awaits"}
    changed = [replace(run, **{each.name: "changed"}) for each in fields(run) if each.name not in nested]
    inner = [replace(segment, **{name: ("changed",)}) for name in ("targets", "quorum")]
    inner += [replace(segment, steps=(replace(step, **{each.name: "changed"}),)) for each in fields(step)]
    changed += [replace(run, segments=(each, *run.segments[1:])) for each in inner]
    digests = {Plan((each,), ()).digest for each in changed}
    assert len(digests | {plan.digest}) == len(changed) + 1


def test_what_is_left_to_a_person_is_approved_too():
    entry = Unresolved(None, "fp:1", (), "no playbook", "write one")
    digests = {
        planned(ONE, manual=manual).digest
        for manual in ((), (entry,), (replace(entry, key="fp:2"),), (replace(entry, reason="no connection"),))
    }
    assert len(digests) == 4


def test_the_warnings_are_approved_too():
    [run] = planned(ONE).runs
    assert Plan((run,), (), ("beware",)).digest != Plan((run,), ()).digest


def test_what_stands_on_no_known_door_is_left_to_a_person_and_said():
    plan = make([stolen("ssh_authorized_key")], (), PLAYBOOKS, {})
    assert plan.runs == ()
    assert plan.manual[0].reason.startswith("no target of prod is known to accept it")


def test_no_material_is_in_a_plan():
    assert "canary" not in repr(planned(ONE))
