"""A risk shows its terms, and without access evidence orders as criticality times reach always has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.credential import CredentialRef, Leaked
from rotator.flow.access import Seen, Sign, Uses
from rotator.flow.exposure import Certainty, Exposure
from rotator.flow.order import FIRST_OF_ALL, priority
from rotator.flow.plan import make
from rotator.flow.risk import risk_of
from rotator.flow.scope import Custody, Lifeline, Scoped
from rotator.playbook_file import load_all

ALL = dict(zip(["low", "medium", "high", "critical", "nonsense"], [1, 3, 9, 27, 3], strict=True))


def exposed(criticality="high", reads=("vault:a", "aws:b"), certainty=(Certainty.SEEN,), lifeline=None) -> Scoped:
    found = tuple(Exposure("list", "k", Leaked(id="1"), certainty=each) for each in certainty)
    custody = Custody({"id": "1"}, criticality=criticality, reads=reads)
    return Scoped(CredentialRef("k", "c", "o", "1"), "k", Leaked(id="1"), found, custody, "seen", lifeline)


def used(*signs) -> Uses:
    return Uses("1", 9, 1.0, 2.0, signs=tuple(Seen(each, "…", 1.0, "log") for each in signs))


@pytest.mark.parametrize("criticality", ALL)
@pytest.mark.parametrize("reads", [None, (), ("vault:a",), ("vault:a", "vault:b", "aws:c")])
@pytest.mark.parametrize("calls", [0, 1, 7])
def test_without_evidence_the_priority_is_criticality_times_reach_over_calls(criticality, reads, calls):
    each = exposed(criticality, reads)
    assert priority(each, calls) == round(ALL[criticality] * (1 + len(each.reaches)) / max(calls, 1), 6)
    assert priority(each, calls, used()) == priority(each, calls)


def test_the_terms_are_told_in_one_line():
    assert str(risk_of(exposed())) == "9 high x 3 reaches = 27"
    evidence = used(Sign.NEW_NETWORK, Sign.NEW_NETWORK)
    assert str(risk_of(exposed(), evidence)) == "9 high x 3 reaches x 2 used after exposure from a new network = 54"
    assert str(risk_of(exposed("low", (), [Certainty.INFERRED]))) == "1 low x 1 reach x 0.5 inferred = 0.5"


def test_the_surest_exposure_counts_and_signs_count_each_sort_once_up_to_three():
    assert risk_of(exposed(certainty=list(Certainty))).score == risk_of(exposed()).score
    assert risk_of(exposed(certainty=[Certainty.INFERRED])).score == risk_of(exposed()).score / 2
    scores = [risk_of(exposed(), used(*list(Sign)[:count])).score / 27 for count in range(len(Sign) + 1)]
    assert scores == [1, 2, 3, 4, 4, 4]


def test_the_rotators_own_goes_first_of_all():
    assert priority(exposed("low", (), lifeline=Lifeline("c", ("c",))), 9) > FIRST_OF_ALL


def test_a_plan_lets_who_was_used_otherwise_since_go_first():
    playbooks = load_all()
    pair = [
        replace(exposed(), kind="aws_iam_access_key", ref=CredentialRef("k", "c", "o", name)) for name in ("1", "2")
    ]
    plans = [make(pair, [], playbooks, {}, uses={"2": used(*signs)}) for signs in ([], [Sign.NEW_NETWORK])]
    assert [[run.ref.id for run in plan.runs] for plan in plans] == [["1", "2"], ["2", "1"]]
    assert plans[0].digest == make(pair, [], playbooks, {}).digest
    assert plans[1].digest != plans[0].digest
