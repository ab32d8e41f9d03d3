"""What a store keeps where the plan delivers is replaced by that; nobody waits for it. All else keeps its answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.exclusion import exclusions
from rotator.flow.exposure import Certainty
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.ports.store import Place
from tests.flow.scopes import PLAYBOOKS, planned, stolen

PLACE = Place("aws_secrets_manager", "aws", "payments/vault")


def token(**custody):
    return stolen("vault_token", "hvs-1", owner="payments", at="vault", **{"deliver": (PLACE,), **custody})


def kept(kind="aws_secret", name="payments/vault", at="aws", certainty=Certainty.INFERRED, version="v1"):
    found = stolen(kind, version, owner=name, at=at, deliver=(), consumers=(), reads=None)
    return replace(found, exposures=tuple(replace(each, certainty=certainty) for each in found.exposures))


def test_what_is_kept_where_the_plan_delivers_is_answered_by_that_and_holds_nothing_back():
    alone, both = planned(token()), planned(token(), kept())
    assert both.runs == alone.runs
    [said] = both.warnings
    assert said == f"{PLACE} needs no answer of its own: its value is replaced by what replaces hvs-1"
    assert both.digest != alone.digest


def test_of_several_versions_it_is_said_that_the_others_are_not_known():
    plan = planned(token(), kept(), kept(version="v0"))
    assert [run.kind for run in plan.runs] == ["vault_token"]
    assert plan.warnings[0].endswith("; nobody here knows what its 1 other versions open")


@pytest.mark.parametrize(
    "other",
    [
        kept(certainty=Certainty.SEEN),
        kept(name="payments/vault-old"),
        kept(at="aws-dr"),
        kept(kind="aws_ssm_parameter"),
    ],
)
def test_what_a_report_names_or_lies_elsewhere_keeps_its_run(other):
    assert other.ref in {run.ref for run in planned(token(), other).runs}


def test_where_nothing_is_delivered_there_it_keeps_its_run():
    assert len(planned(token(), kept(), wanted=Strategy.REVOKE_ONLY).runs) == 2
    out = make([token(), kept()], (), PLAYBOOKS, {}, exclusions=exclusions(["id:hvs-1"], ["ours"], "ann"))
    assert [run.kind for run in out.runs] == ["aws_secret"]


@given(
    st.lists(st.sampled_from(["payments/vault", "payments/db", "ci"]), max_size=3, unique=True),
    st.lists(st.sampled_from(["payments/vault", "payments/db", "web"]), max_size=3, unique=True),
)
def test_a_stored_secret_has_a_run_exactly_where_no_run_delivers_to_it(delivered, stored):
    makers = [
        stolen("vault_token", name, owner=name, at="vault", deliver=(replace(PLACE, name=name),)) for name in delivered
    ]
    plan = planned(*makers, *(kept(name=name) for name in stored))
    assert {run.ref.owner for run in plan.runs if run.kind == "aws_secret"} == set(stored) - set(delivered)
    assert sum("no answer of its own" in each for each in plan.warnings) == len(set(stored) & set(delivered))
