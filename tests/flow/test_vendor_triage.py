"""Triage of vendors: what speaks for each, what that comes to, and that nothing ranks lower for being worse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.flow.vendor import Dataset, Level, Said, Software, Vendor
from rotator.flow.vendor_notice import (
    AFFECTED,
    ALLOWED,
    EACH_STEP,
    NOT_LISTED,
    UNKNOWN,
    Ground,
    Listed,
    Notice,
    grounds,
)
from rotator.flow.vendor_terms import DECIDING_H, DIGITS, LOOK_H, NUMBERS, TASK_H, Holds, Judged, Name
from rotator.flow.vendor_triage import PAUSE_FROM, Advice, advised, assess, ranked

PUBLISHED = 1_774_310_400.0
NOTICE = Notice("PYSEC-2026-2", "litellm 1.82.7 is bad", at=PUBLISHED, packages=("PyPI:litellm",))
BREACH = Notice("breached:mailer", "mailer was breached", breached=("mailer",))
BAD = Software("PyPI", "litellm", "1.82.7", "sbom.json")


def vendor(name, *subs, level=Level.HIGH, **known):
    return Vendor(name, name.title(), level, sub_processors=subs, **known)


def listed(is_bad):
    return [Listed(BAD, is_bad, "sbom.json lists litellm 1.82.7")]


def likeliest(found):
    return {name: (some[0].likelihood, some[0].why) for name, some in found.items()}


def test_a_list_with_a_bad_version_speaks_louder_than_one_that_may_have_it_and_both_than_none():
    vendors = [vendor("a"), vendor("b"), vendor("c")]
    found = grounds(vendors, NOTICE, {"a": listed(True), "b": listed(None)}, {})
    assert {name: each[0] for name, each in likeliest(found).items()} == {"a": AFFECTED, "b": ALLOWED, "c": UNKNOWN}
    assert "unknown is not clean" in likeliest(found)["c"][1]
    assert found["b"][0].ask
    assert found["c"][0].ask


@pytest.mark.parametrize(
    ("made_at", "value", "said"),
    [
        ({"sbom": PUBLISHED - 86400}, UNKNOWN, "older than the advisory"),
        ({"sbom": PUBLISHED - 86400, "newer": PUBLISHED + 1}, UNKNOWN, "sbom does not have it"),
        ({"sbom": PUBLISHED + 1}, NOT_LISTED, "made since the advisory"),
    ],
)
def test_a_list_without_it_clears_nobody_unless_all_are_newer(made_at, value, said):
    [ground] = grounds([vendor("a")], NOTICE, {}, {"a": made_at})["a"]
    assert ground.likelihood == value
    assert said in ground.why
    undated = grounds([vendor("a")], Notice("x", "x", packages=("p",)), {}, {"a": made_at})["a"][0]
    assert undated.likelihood == UNKNOWN


def test_a_breach_touches_who_stands_on_it_less_with_each_step_and_nobody_else():
    vendors = [vendor("shop", "crm"), vendor("crm", "mailer"), vendor("mailer"), vendor("other")]
    found = likeliest(grounds(vendors, BREACH, {}, {}))
    assert {name: each[0] for name, each in found.items()} == {"mailer": 1.0, "crm": EACH_STEP, "shop": 0.36}
    assert "mailer, which serves crm" in found["shop"][1]
    unregistered = grounds(vendors[:2], BREACH, {}, {})
    assert {name: each[0].likelihood for name, each in unregistered.items()} == {"crm": EACH_STEP, "shop": 0.36}


def test_bad_software_of_a_sub_processor_counts_for_who_it_serves():
    found = grounds([vendor("crm", "mailer"), vendor("mailer")], NOTICE, {"mailer": listed(True)}, {})
    assert [each.likelihood for each in found["crm"]] == [round(AFFECTED * EACH_STEP, 3), UNKNOWN]


levels = st.sampled_from(Level)
shares = st.floats(0, 1).map(lambda value: round(value, 3))
counts = st.integers(0, 50_000)
holdings = st.builds(
    Holds,
    credentials=counts,
    grants=counts,
    further=counts,
    blind=st.integers(0, 2),
    in_production=st.integers(0, 2),
    consumers=st.integers(0, 2),
    criticality=st.dictionaries(st.sampled_from(["", *Level]), st.integers(1, 9)),
    datasets=st.lists(levels, max_size=4).map(
        lambda found: tuple(Dataset(f"d{number}", each) for number, each in enumerate(found))
    ),
).flatmap(lambda holds: st.integers(0, holds.held).map(lambda tasks: _with(holds, tasks=tasks)))


def _with(holds, **changed):
    return Holds(**{name: getattr(holds, name) for name in Holds.__slots__} | changed)


vendors = st.builds(
    vendor,
    st.just("acme"),
    level=levels,
    user_impact=st.none() | st.builds(Said, levels, st.just("said")),
    cost_of_change=st.none() | st.builds(Said, levels, st.just("said")),
)
ORDER = list(Advice)[::-1]


def ground(value):
    return [Ground(value, "why", "source")]


@given(vendors, st.lists(shares, min_size=2, max_size=2).map(sorted), holdings, levels, counts)
@settings(max_examples=60, deadline=None)
def test_more_likely_or_more_sensitive_never_ranks_lower_nor_is_advised_less(of, likelihoods, holds, level, count):
    less, more = likelihoods
    before = assess(of, ground(less), holds)
    found = [assess(of, ground(more), holds)]
    if holds.criticality or holds.datasets:  # else it stood for what nobody knew, and to know may say less
        worse = _with(holds, further=holds.further + count, datasets=(*holds.datasets, Dataset("new", level)))
        found.append(assess(of, ground(less), worse))
    for after in found:
        assert after.priority >= before.priority
        assert ORDER.index(after.advice) >= ORDER.index(before.advice)
        assert ranked([before, after])[0].priority == after.priority


@given(vendors, shares, holdings)
@settings(max_examples=60, deadline=None)
def test_what_is_shown_comes_to_what_is_shown(of, likelihood, holds):
    found = assess(of, ground(likelihood), holds)
    value = {each.name: each.value for each in found.terms}
    assert found.priority == round(value["likelihood"] * value["sensitivity"], DIGITS)
    assert value["sensitivity"] == round(value["worst"] + (1 - value["worst"]) * value["breadth"], DIGITS)
    by_machine = value["credentials"] + value["grants"] - value["tasks"]
    assert value["effort_h"] == round(DECIDING_H + value["tasks"] * TASK_H + by_machine * LOOK_H, DIGITS)
    assert all(0 <= value[each] <= 1 for each in ("likelihood", "worst", "breadth", "sensitivity"))
    assert all(each.why and each.source for each in found.terms)
    assert all(each.ask for each in found.terms if each.value is None and each.name != "least_s")


judged = st.builds(
    Judged,
    st.sampled_from(Name),
    st.sampled_from([0.0, 1.0]),
    by=st.just("ana"),
    at=st.floats(0, 9),
    reason=st.just("they told us"),
    notice=st.sampled_from(["", "PYSEC-2026-2"]),
)


@given(vendors, shares, holdings, st.lists(judged, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_term_that_a_person_set_always_says_who_and_why_and_what_stood_there(of, likelihood, holds, said):
    bare, found = assess(of, ground(likelihood), holds), assess(of, ground(likelihood), holds, said)
    for name in Name:
        own = sorted((each for each in said if each.name is name), key=lambda each: (bool(each.notice), each.at))
        term, before = found.term(name), bare.term(name)
        if not own:
            assert term == before or name is Name.SENSITIVITY
            continue
        last = own[-1]
        assert (term.value, term.by, term.why, term.at) == (last.value, "ana", "they told us", last.at)
        assert term.instead_of == before.value
        assert (last.notice or "every notice") in term.source
    assert found.priority == round((found.term("likelihood").value or 0) * found.term("sensitivity").value, DIGITS)


@pytest.mark.parametrize(
    ("holds", "worst", "breadth", "sensitivity"),
    [
        (Holds(credentials=4, grants=2, further=2, datasets=(Dataset("a", Level.HIGH),)), 0.6, 0.125, 0.65),
        (Holds(credentials=99, criticality={"low": 99}), 0.1, 0.25, 0.325),
        (Holds(credentials=9_999, criticality={"critical": 1}), 0.9, 0.5, 0.95),
        (Holds(credentials=50_000, criticality={"": 50_000}), 0.3, 0.5, 0.65),
        (Holds(credentials=98, undescribed=("a",)), 0.3, 0.25, 0.475),
    ],
)
def test_the_formula_is_as_it_is_written_down(holds, worst, breadth, sensitivity):
    found = assess(vendor("acme", level=Level.LOW), ground(1.0), holds)
    assert [found.term(each).value for each in ("worst", "breadth", "sensitivity")] == [worst, breadth, sensitivity]
    assert found.priority == sensitivity


def test_what_nobody_knows_the_reach_of_counts_as_the_vendor_does():
    holds = Holds(credentials=9, blind=1, datasets=(Dataset("a", Level.LOW),))
    term = assess(vendor("acme", level=Level.CRITICAL), ground(1.0), holds).term("worst")
    assert (term.value, "what 1 of its credentials read" in term.why) == (0.9, True)


@pytest.mark.parametrize(
    ("priority", "advice"),
    [(0.199, Advice.WATCH), (0.2, Advice.PREPARE), (0.499, Advice.PREPARE), (0.5, Advice.PAUSE)],
)
def test_each_threshold_belongs_to_the_graver_advice(priority, advice):
    assert advised(priority, 1.0, [])[0] is advice


def test_what_people_depend_on_most_is_prepared_for_unless_it_is_sure():
    said = Said(Level.CRITICAL, "checkout stops")
    of = vendor("acme", level=Level.CRITICAL, user_impact=said)
    assert assess(of, ground(0.6), Holds()).advice is Advice.PREPARE
    assert "user_impact is critical" in assess(of, ground(0.6), Holds()).because
    sure = assess(of, ground(0.95), Holds())
    assert sure.advice is Advice.PAUSE
    assert sure.priority >= PAUSE_FROM
    assert assess(of, ground(0.05), Holds()).advice is Advice.WATCH


def test_what_nobody_said_is_unknown_and_says_how_to_find_out():
    found = assess(vendor("acme"), [Ground(UNKNOWN, "nobody knows", "no list", "ask")], Holds())
    assert {each.name for each in found.unknown} == {
        "likelihood", "sensitivity", "calls", "user_impact", "cost_of_change",
    }  # fmt: skip
    assert found.term("user_impact").value is None
    assert found.term("worst").value == 0.6
    known = assess(vendor("acme"), ground(0.3), Holds(in_production=1, consumers=1, credentials=1))
    assert known.term("user_impact").value == NUMBERS[Level.HIGH]
