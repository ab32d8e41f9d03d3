"""A gate is open for what is so, and for nothing else: no paper opens one, no override opens another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, DEFAULT, Asks, Gate
from rotator.flow.gate_facts import Brought, Checked, Cut, Did, Document, Facts, Given, New, Since, Software
from rotator.flow.gates_given import attestation_key
from rotator.flow.letting_in import standing
from rotator.flow.narrowing import Reach
from rotator.flow.vendor import Attestation

PAUSED = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
TODAY = date(2026, 11, 24)
GATES = (CUT, *DEFAULT)
PAPER = Attestation("soc2", "Auditors", "all", date(2026, 11, 21), date(2027, 11, 20), "ab" * 32)
REPORT = Document("report.pdf", "cd" * 32, 4096, "Forensics Ltd", date(2026, 11, 22))
OPEN = Facts(
    vendor="acme",
    today=TODAY,
    paused_at=PAUSED,
    pausers=frozenset({"jana"}),
    exposed=Since(PAUSED - 10, "when GHSA-5mg7-485q-xm76 was published"),
    given=(
        Given("forensics", 1, Did.GIVEN, PAUSED + 10, "omar", "they are out", document=REPORT),
        Given("attestations", 2, Did.YES, PAUSED + 20, "omar", "asked them", of=frozenset({attestation_key(PAPER)})),
        Given("approval", 3, Did.YES, PAUSED + 30, "lena", "let them in"),
    ),
    cut=(Cut("key-1", PAUSED + 5, "proven dead"), Cut("role-1", PAUSED + 6, "stated dead")),
    attestations=(PAPER,),
    software=Software({"sbom": PAUSED + 9}, (), ("GHSA-5mg7-485q-xm76",)),
    datasets=(Checked("people", "people-2026", PAUSED - 99, PAUSED + 8, is_as_recorded=True),),
    before=(Reach(reads=("kv:pay",), datasets=("people",)),),
    new=(New("key-2", True, PAUSED + 7, Reach(reads=("kv:pay/one",))),),
)


ALIVE = Cut("task", None, "waits for a person", "do it")


ANYHOW = settings(suppress_health_check=[HealthCheck.too_slow])  # a machine that is busy draws slowly


def dated(day):
    return replace(OPEN.given[0], document=replace(REPORT, dated=date(2026, 11, day)))


def shut(facts, gates=GATES):
    return {each.gate.name: [one.key for one in each.left] for each in standing(gates, facts) if not each.is_open}


def changed(**what):
    return replace(OPEN, **what)


def test_every_gate_is_open_with_its_evidence_where_all_is_as_it_is_asked():
    found = standing(GATES, OPEN)
    assert [each.gate.name for each in found if each.is_open] == [each.name for each in GATES]
    assert all(each.evidence and not each.todo for each in found)


def test_a_dataset_that_differed_before_all_was_cut_is_told_so_and_checked_again_for_the_incident():
    early = Checked("people", "people-2026", PAUSED - 99, PAUSED + 4, is_as_recorded=False)
    [gate] = [each for each in standing(GATES, changed(datasets=(early,), incident="inc-1")) if not each.is_open]
    assert gate.left[0].says.startswith("people DIFFERS from what was recorded")
    assert gate.left[0].todo == "put back what was altered, then rotator manifest verify people-2026 --incident inc-1"


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        (changed(cut=(*OPEN.cut, ALIVE)), {"cut": ["task"], "datasets": ["unchecked people"]}),
        (changed(given=OPEN.given[1:]), {"forensics": ["none"]}),
        (changed(given=(dated(19), *OPEN.given[1:])), {"forensics": ["none"]}),
        (changed(given=(dated(25), *OPEN.given[1:])), {"forensics": ["none"]}),
        (changed(attestations=()), {"attestations": ["none "]}),
        (changed(today=date(2027, 11, 21)), {"attestations": ["none "]}),
        (changed(attestations=(replace(PAPER, issuer="Others"),)), {"attestations": ["word "]}),
        (changed(software=Software({}, (), ("GHSA-1",))), {"software": ["old"]}),
        (changed(software=Software({"sbom": PAUSED}, (), ("GHSA-1",))), {"software": ["old"]}),
        (changed(software=Software({"sbom": PAUSED + 1}, (), ())), {"software": ["advisory"]}),
        (
            changed(software=Software({"build": PAUSED + 1}, (), ("GHSA-1",), of_pipelines=frozenset({"build"}))),
            {"software": ["old"]},
        ),
        (
            changed(software=Software({"sbom": PAUSED + 1}, ("sbom lists litellm 1.82.7",), ("GHSA-1",))),
            {"software": ["bad sbom lists litellm 1.82.7"]},
        ),
        (changed(datasets=(Checked("sales"),)), {"datasets": ["none sales"]}),
        (changed(datasets=(Checked("sales", "no-such"),)), {"datasets": ["none sales"]}),
        (changed(datasets=(Checked("sales", "s", PAUSED + 1, PAUSED + 9, True),)), {"datasets": ["late sales"]}),
        (changed(datasets=(Checked("sales", "s", PAUSED - 10, PAUSED + 9, True),)), {"datasets": ["late sales"]}),
        (changed(datasets=(Checked("sales", "s", PAUSED - 11, PAUSED + 5, True),)), {"datasets": ["unchecked sales"]}),
        (changed(datasets=(Checked("sales", "s", PAUSED - 11, PAUSED + 9, False),)), {"datasets": ["altered sales"]}),
        (changed(unsaid=("key-1",)), {"datasets": ["unsaid key-1"]}),
        (changed(new=(New("acme", False, None, Reach()),)), {"credentials": ["which acme"]}),
        (changed(new=(New("key-2", True, None, Reach()),)), {"credentials": ["age key-2"]}),
        (changed(new=(New("key-2", True, PAUSED, Reach()),)), {"credentials": ["old key-2"]}),
        (changed(new=(New("key-2", True, PAUSED + 1, None),)), {"credentials": ["reach key-2"]}),
        (changed(new=(New("key-2", True, PAUSED + 1, OPEN.before[0]),)), {"credentials": ["same"]}),
        (changed(new=(New("key-2", True, PAUSED + 1, Reach(reads=("kv:*",))),)), {"credentials": ["wider kv:*"]}),
        (changed(new=(New("key-2", True, PAUSED + 1, Reach(), "OIDC"),)), {"credentials": ["long key-2"]}),
        (changed(before=None), {"credentials": ["before key-2 kv:pay/one"]}),
        (changed(pausers=frozenset({"lena"})), {"approval": ["yes after 2"]}),
        (changed(given=OPEN.given[:2]), {"approval": ["yes after 2"]}),
        (changed(given=(*OPEN.given[:2], replace(OPEN.given[2], by="omar"))), {"approval": ["yes after 2"]}),
        (changed(given=(*OPEN.given, replace(OPEN.given[0], number=4))), {"approval": ["yes after 4"]}),
        (changed(roles={"lena": Role.RESPONDER}), {"approval": ["yes after 2"]}),
        (changed(roles={}), {"approval": ["yes after 2"]}),
        (changed(given=(*OPEN.given[:2], replace(OPEN.given[2], by="token bot"))), {"approval": ["yes after 2"]}),
    ],
)  # fmt: skip
def test_each_lack_shuts_its_own_gate(facts, kept):
    assert shut(facts) == kept
    assert all(each.todo for each in standing(GATES, facts) if not each.is_open)


def test_a_word_that_no_package_was_the_cause_stands_for_an_advisory_and_for_no_list():
    word = Given("software", 0, Did.YES, PAUSED + 1, "omar", "somebody phished them")
    none = Software({"sbom": PAUSED + 1}, (), ())
    assert shut(changed(software=none, given=(word, *OPEN.given))) == {}
    assert shut(changed(software=Software({}, (), ()), given=(word, *OPEN.given))) == {"software": ["old"]}


def test_kinds_are_each_asked_for_and_fresh_ones_are_of_after_the_pause():
    gate = Gate("attestations", Asks.ATTESTATIONS, kinds=("soc2", "iso27001"), fresh=True)
    assert shut(OPEN, [gate]) == {"attestations": ["none iso27001"]}
    old = replace(PAPER, valid_from=date(2026, 11, 19))
    word = replace(OPEN.given[1], of=frozenset({attestation_key(old)}))
    assert shut(changed(attestations=(old,), given=(word,)), [replace(gate, kinds=())]) == {"attestations": ["none "]}


def test_what_was_dead_before_the_pause_lets_no_check_before_it_count():
    early = Checked("people", "people-2026", PAUSED - 99, PAUSED - 1, is_as_recorded=True)
    before = (Cut("key-1", PAUSED - 50, "proven dead"),)
    assert shut(changed(cut=before, datasets=(early,))) == {"datasets": ["unchecked people"]}
    assert shut(changed(cut=before, datasets=(replace(early, checked_at=PAUSED),))) == {}


def test_who_is_behind_the_program_that_gave_the_last_evidence_gave_it():
    record = Given("software", 3, Did.GIVEN, PAUSED + 30, "token ci", "their advisory")
    facts = changed(given=(*OPEN.given[:2], record, replace(OPEN.given[2], number=4)))
    assert shut(facts) == {}
    assert shut(replace(facts, behind={"token ci": frozenset({"lena"})})) == {"approval": ["yes after 3"]}


def test_who_brought_the_last_evidence_of_whatever_sort_is_named_and_says_no_yes():
    check = Brought(PAUSED + 25, "omar", "the check of people")
    assert shut(changed(brought=(check,))) == {}
    told = standing(GATES, changed(brought=(check,)))[-1].evidence[-1]
    assert told == "the last evidence was given by omar (the check of people, at 2026-11-20T12:00:25Z)"
    late = replace(check, at=PAUSED + 31, by="lena")
    [gate] = [each for each in standing(GATES, changed(brought=(check, late))) if not each.is_open]
    assert "1 yes since lena gave the last evidence (the check of people, at 2026-11-20T12:00:31Z)" in gate.left[0].says
    again = (*OPEN.given, *(Given("approval", 4, Did.YES, PAUSED + 32, who, "read") for who in ("lena", "token ci")))
    assert shut(changed(brought=(late,), given=again)) == {"approval": [gate.left[0].key]}
    piet = Given("approval", 5, Did.YES, PAUSED + 33, "piet", "read")
    assert shut(changed(brought=(late,), given=(*again, piet))) == {}
    read_elsewhere = replace(late, by="piet")  # who read it, and who gave what that told
    assert "approval" in shut(changed(brought=(late, read_elsewhere), given=(*again, piet)))
    by_program = replace(late, by="token ci")
    facts = changed(brought=(by_program,), given=(*again, piet))
    assert shut(facts) == {}
    assert "approval" in shut(replace(facts, behind={"token ci": frozenset({"lena", "piet"})}))


ACTS = st.lists(st.tuples(st.sampled_from(["gave", "brought", "yes"]), st.sampled_from(["jana", "omar", "lena"])))


@ANYHOW
@given(ACTS)
def test_a_yes_counts_that_came_after_all_evidence_of_whatever_sort_and_of_another_than_gave_the_last(acts):
    told = list(enumerate(acts, start=1))
    given_ = [
        Given("forensics", at, Did.GIVEN, PAUSED + at, who, "why", document=REPORT)
        if sort == "gave"
        else Given("approval", at, Did.YES, PAUSED + at, who, "why")
        for at, (sort, who) in told
        if sort != "brought"
    ]
    brought = [Brought(PAUSED + at, who, "a check") for at, (sort, who) in told if sort == "brought"]
    last, giver = max(((at, who) for at, (sort, who) in told if sort != "yes"), default=(0, ""))
    is_open = any(sort == "yes" and at > last and who not in {giver, "jana"} for at, (sort, who) in told)
    facts = changed(given=tuple(given_), brought=tuple(brought))
    assert ("approval" not in shut(facts)) == is_open


MOMENTS = st.permutations(["recorded", "exposed", "paused", "dead", "checked"])


@ANYHOW
@given(MOMENTS, st.booleans(), st.sampled_from(["", "people-2"]))
def test_a_dataset_is_sound_by_what_was_recorded_before_the_exposure_and_checked_after_the_end_alone(
    order, is_as_recorded, instead_of
):
    at = {name: PAUSED + place for place, name in enumerate(order)}
    one = Checked("people", "p", at["recorded"], at["checked"], is_as_recorded, "", "omar", instead_of)
    facts = changed(
        paused_at=at["paused"],
        exposed=Since(at["exposed"], "as was said"),
        cut=(Cut("key-1", at["dead"], "dead"),),
        datasets=(one,),
    )
    is_sound = at["recorded"] < at["exposed"] and at["checked"] > max(at["paused"], at["dead"]) and is_as_recorded
    [found] = standing([DEFAULT[3]], facts)
    assert found.is_open == is_sound
    if at["recorded"] > at["exposed"]:
        assert "the manifest p of people is too young" in found.left[0].says
        assert "(as was said)" in found.left[0].says
        assert "then rotator vendor override acme datasets" in found.todo


def test_two_yes_are_of_two_people():
    gate = Gate("approval", Asks.APPROVAL, count=2)
    again = replace(OPEN.given[2], number=4)
    assert shut(changed(given=(*OPEN.given, again)), [gate]) == {"approval": ["yes after 2"]}
    assert shut(changed(given=(*OPEN.given, replace(again, by="piet"))), [gate]) == {}


def test_what_was_overridden_is_told_though_nothing_is_wrong_any_more():
    override = Given("datasets", 2, Did.OVERRIDDEN, PAUSED, "lena", "restored", of=frozenset({"altered people"}))
    [found] = standing([GATES[4]], changed(given=(override,)))
    assert found.overrides == (override,)
    assert (found.is_open, found.is_overridden) == (True, False)


def test_an_override_is_for_what_was_wrong_then_and_not_for_what_is_found_later():
    override = Given("datasets", 0, Did.OVERRIDDEN, PAUSED, "lena", "it is new", of=frozenset({"none sales"}))
    facts = changed(datasets=(Checked("sales"),), given=(override, *OPEN.given))
    assert shut(facts) == {}
    assert shut(replace(facts, datasets=(*facts.datasets, ALTERED))) == {"datasets": ["altered people"]}


@pytest.mark.parametrize(
    ("gate", "known", "later"),
    [
        (CUT, {"cut": (ALIVE,)}, {"cut": (replace(ALIVE, again="again by inc-1.r1.s9"),)}),
        *(
            (
                DEFAULT[3],
                {"datasets": (Checked("people", "p", PAUSED - 99, at, False, "ab 1 changed"),)},
                {"datasets": (Checked("people", "p", PAUSED - 99, at, False, "cd 2 changed"),)},
            )
            for at in (PAUSED + 1, PAUSED + 9)
        ),
        (
            DEFAULT[3],
            {"datasets": (Checked("people", "p", PAUSED - 99),)},
            {"datasets": (Checked("people", "p", PAUSED - 99, PAUSED + 1, False, "ab 1 changed"),)},
        ),
        (DEFAULT[5], {"given": OPEN.given[:1]}, {"given": OPEN.given[:2]}),
    ],
)  # fmt: skip
def test_no_override_is_for_what_the_same_one_became_since(gate, known, later):
    [left] = standing([gate], changed(**known))[0].left
    override = Given(gate.name, 1, Did.OVERRIDDEN, PAUSED, "lena", "it is known", of=frozenset({left.key}))

    def stands(what):
        facts = changed(**what)
        [found] = standing([gate], replace(facts, given=(*facts.given, override)))
        return found.is_open

    assert (stands(known), stands(later)) == (True, False)


ALTERED = Checked("people", "people-2026", PAUSED - 99, PAUSED + 99, is_as_recorded=False)
KEYS = [
    "none",
    "word ",
    "old",
    "advisory",
    "none people",
    "altered people",
    "unchecked people",
    "same",
    "yes after 0",
    "key-1",
]
PAPERS = st.builds(
    Attestation,
    st.sampled_from(["soc2", "iso27001"]),
    st.sampled_from(["Auditors", "Others"]),
    st.just("all"),
    st.dates(date(2026, 11, 18), date(2026, 11, 25)),
    st.dates(date(2026, 11, 20), date(2026, 11, 26)),
)
TIMES = st.sampled_from([PAUSED - 1, PAUSED, PAUSED + 1, PAUSED + 9])
MAYBE = st.none() | TIMES


@st.composite
def facts_of_any_sort(draw):
    papers = tuple(draw(st.lists(PAPERS, max_size=3, unique=True)))
    spoken_of = frozenset(map(attestation_key, papers)) | frozenset(draw(st.lists(st.sampled_from(KEYS), max_size=3)))
    numbers = st.integers(1, 9)
    acts = st.builds(
        Given,
        st.sampled_from([each.name for each in GATES]),
        numbers,
        st.sampled_from(Did),
        TIMES,
        st.sampled_from(["jana", "omar", "lena"]),
        st.just("why"),
        st.none() | st.just(REPORT),
        st.sets(st.sampled_from(sorted(spoken_of)), max_size=4).map(frozenset) if spoken_of else st.just(frozenset()),
    )
    reach = st.none() | st.builds(Reach, st.lists(st.sampled_from(["kv:a", "kv:*"]), max_size=2).map(tuple))
    return Facts(
        "acme",
        TODAY,
        PAUSED,
        frozenset({"jana"}),
        Since(draw(TIMES), "when it was published"),
        tuple(draw(st.lists(acts, max_size=5))),
        tuple(draw(st.lists(st.builds(Cut, st.sampled_from(["key-1", "key-2"]), MAYBE, st.just("so")), max_size=2))),
        papers,
        Software(draw(st.dictionaries(st.just("sbom"), TIMES)), (), draw(st.sampled_from([(), ("GHSA-1",)]))),
        tuple(
            draw(st.lists(st.builds(Checked, st.just("people"), st.just("p"), MAYBE, MAYBE, st.booleans()), max_size=2))
        ),
        (),
        (Reach(reads=("kv:*",)),),
        tuple(draw(st.lists(st.builds(New, st.just("key-3"), st.booleans(), MAYBE, reach), max_size=2))),
        draw(st.none() | st.just({"lena": Role.APPROVER})),
    )


def opened_by(before, after):
    return {each for each in shut(before) if each not in shut(after)}


@ANYHOW
@given(facts_of_any_sort(), st.data())
def test_nothing_bad_that_comes_to_be_known_opens_a_gate(facts, data):
    worse = data.draw(
        st.sampled_from(
            [
                {"datasets": (*facts.datasets, ALTERED)},
                {"datasets": (*facts.datasets, Checked("unheard"))},
                {"unsaid": (*facts.unsaid, "key-9")},
                {"cut": (*facts.cut, ALIVE)},
                {"new": (*facts.new, New("key-9", True, PAUSED + 1, Reach(reads=("kv:*",))))},
                {"software": replace(facts.software, bad=("it lists litellm 1.82.7",))},
            ]
        )
    )
    assert opened_by(facts, replace(facts, **worse)) == set()


@ANYHOW
@given(facts_of_any_sort(), st.lists(PAPERS, min_size=1, max_size=3))
def test_no_attestation_opens_a_gate(facts, papers):
    new = [each for each in papers if attestation_key(each) not in {key for one in facts.given for key in one.of}]
    assert opened_by(facts, replace(facts, attestations=(*facts.attestations, *new))) == set()
    silent = tuple(each for each in facts.given if each.did not in {Did.YES, Did.OVERRIDDEN})
    assert "attestations" in shut(replace(facts, given=silent))


@ANYHOW
@given(facts_of_any_sort(), st.sampled_from([each.name for each in GATES]))
def test_an_override_opens_its_own_gate_alone_and_is_told_for_good(facts, name):
    [of] = [each for each in standing(GATES, facts) if each.gate.name == name]
    keys = frozenset(each.key for each in of.shut)
    override = Given(name, 99, Did.OVERRIDDEN, PAUSED + 99, "lena", "it is mine to answer for", of=keys)
    after = replace(facts, given=(*facts.given, override))
    assert opened_by(facts, after) <= {name}
    [now] = [each for each in standing(GATES, after) if each.gate.name == name]
    assert now.is_open
    assert now.overrides[-1] == override
