"""The shape of a playbook: what each step may say, and how mistakes are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rotator.flow.playbook import Playbook, json_schema
from rotator.flow.playbook_line import Line
from rotator.flow.playbook_words import ALLOWED, UNDO, Strategy, Subject, Verb


def line(**changes):
    return Line.model_validate({"id": "one", "do": "suspend exposed", **changes})


def told(**changes):
    with pytest.raises(ValidationError) as caught:
        line(**changes)
    [error] = caught.value.errors()
    return error["ctx"]["what"], error["ctx"]["mend"]


def book(**changes):
    return Playbook.model_validate(
        {"playbook": "a", "provider": "a", "summary": "s", "steps": [{"id": "one", "do": "suspend exposed"}], **changes}
    )


def test_a_step_reads_as_it_is_written():
    assert str(line().do) == "suspend exposed"
    assert line().model_dump(mode="json", exclude_defaults=True) == {"id": "one", "do": "suspend exposed"}


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("5m", 300), ("12h", 43_200), ("7d", 604_800), ("0s", 0)]
)
def test_a_duration_is_seconds(written, seconds):
    assert line(do="verify exposed", retry_for=written).retry_for == seconds


@given(st.integers(0, 999_999), st.sampled_from("smhd"))
def test_a_duration_is_written_so_that_it_is_read_again(count, unit):
    told = line(do="verify exposed", retry_for=f"{count}{unit}")
    assert Line.model_validate(told.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == told


@pytest.mark.parametrize("written", ["5", "5 m", "m", "-5m", "1.5h", "5M", "5m ", "\u0665m", 300, True, "9999999d"])
def test_anything_else_is_no_duration(written):
    mend = "a whole number and a unit: 30s, 5m, 12h or 7d"
    assert told(do="verify exposed", retry_for=written) == (f"`{written}` is no duration", mend)


@pytest.mark.parametrize(
    ("written", "what", "mend"),
    [
        ("suspnd exposed", "unknown verb `suspnd`", "did you mean `suspend`?"),
        ("suspend exposde", "unknown subject `exposde`", "did you mean `exposed`?"),
        ("suspend consumers", "`suspend` does not act on `consumers`", "it acts on exposed"),
        ("suspend", "`suspend` is not a verb and a subject", "like `suspend exposed`"),
        ("suspend the exposed", "`suspend the exposed` is not a verb and a subject", "like `suspend exposed`"),
        (7, "`7` is not a verb and a subject", "like `suspend exposed`"),
    ],
)
def test_a_wrong_action_is_told_in_words(written, what, mend):
    assert told(do=written) == (what, mend)


def test_an_unlike_verb_gets_the_whole_list():
    assert told(do="xyzzy exposed")[1].startswith("one of preserve, suspend,")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"expect": "rejected"}, "`expect` says nothing to `suspend`"),
        ({"do": "revoke exposed", "each": "target"}, "`revoke` is done once, not at each target"),
        ({"do": "uninstall exposed"}, "`uninstall` works at targets"),
        ({"do": "issue replacement", "by_hand": "Make another one."}, "`issue replacement` is not left to a person"),
        (
            {"by_hand": "Switch it off there.", "undo": "resume"},
            "what a person does is neither undone nor retried by a machine",
        ),
        ({"do": "verify exposed", "by_hand": "Sign in with it."}, "a person is asked to see it refused"),
        ({"do": "verify exposed", "quorum": 50}, "`quorum` works at targets"),
        ({"do": "verify consumers", "expect": "accepted"}, "consumers are asked as they are"),
        ({"undo": "revoke"}, "`revoke` does not take `suspend exposed` back"),
        ({"do": "revoke exposed", "undo": "issue"}, "`issue` does not take `revoke exposed` back"),
        ({"do": "verify exposed", "hold": {}}, "a hold without a reason to wait"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(changes, what):
    assert told(**changes)[0] == what


def test_every_undo_acts_on_something():
    assert all(ALLOWED[back] & ALLOWED[verb] for verb, back in UNDO.items())
    assert set(Verb) - set(ALLOWED) == {Verb.COMPARE, Verb.WATCH}


def test_a_path_keeps_the_order_and_leaves_out_other_strategies():
    steps = [
        {"id": "one", "do": "preserve exposed"},
        {"id": "two", "do": "suspend exposed", "only_if": {"strategy": ["contain_first"]}},
        {"id": "three", "do": "verify exposed"},
    ]
    playbook = book(steps=steps)
    assert [each.id for each in playbook.path(Strategy.CONTAIN_FIRST)] == ["one", "two", "three"]
    assert [each.id for each in playbook.path(Strategy.CUT_ONLY)] == ["one", "three"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"provider": "http"}, "`provider: http` has no `http:` section"),
        (
            {"steps": [{"id": "one", "do": "suspend exposed"}, {"id": "one", "do": "revoke exposed"}]},
            "two steps are called `one`",
        ),
    ],
)
def test_a_playbook_that_makes_no_sense_is_refused(changes, what):
    with pytest.raises(ValidationError) as caught:
        book(**changes)
    assert [error["ctx"]["what"] for error in caught.value.errors()] == [what]


def test_the_schema_names_every_action_an_editor_may_offer():
    action = json_schema()["$defs"]["Line"]["properties"]["do"]
    assert set(action["enum"]) == {f"{verb} {subject}" for verb in ALLOWED for subject in ALLOWED[verb]}
    assert "verify consumers" in action["enum"]
    assert f"suspend {Subject.CONSUMERS}" not in action["enum"]


def test_a_hold_that_nobody_would_keep_is_refused():
    assert told(hold={"until": "converged"}) == (
        "only `verify consumers` waits until converged",
        "put that step before this one",
    )
    assert line(do="verify consumers", hold={"until": "converged"}).hold.until == "converged"
    with pytest.raises(ValidationError):
        line(do="revoke exposed", hold={"for": "7d", "until": "approved"})


PERSON = {"person": "Take it out of the job."}


@pytest.mark.parametrize(
    ("moves", "what"),
    [
        ([PERSON, {"machine": "retire", **PERSON}], "a move is a machine's or a person's"),
        ([PERSON, {}], "a move is a machine's or a person's"),
        ([{"machine": "retire"}, PERSON], "the old one is retired last"),
        ([{"machine": "prepare"}, {"machine": "prepare"}], "`prepare` comes once, and before `retire`"),
        ([{"machine": "retire"}, {"machine": "prepare"}], "`prepare` comes once, and before `retire`"),
    ],
)
def test_a_conversion_is_a_list_of_moves_that_ends_the_old_one_last(moves, what):
    with pytest.raises(ValidationError) as caught:
        book(short_lived={"by": "a token for an hour", "moves": moves})
    [error] = caught.value.errors()
    assert error["ctx"]["what"] == what


def test_a_machine_retires_only_what_it_can_revoke():
    short = {"by": "a token for an hour", "moves": [PERSON, {"machine": "retire"}]}
    with pytest.raises(ValidationError, match="`retire` needs revoke_only"):
        book(short_lived=short, strategies=["cut_only"])
    assert not book(short_lived=short).short_lived.is_prepared


def test_how_a_kind_is_converted_is_no_part_of_its_answer():
    short = {"by": "a token for an hour", "moves": [PERSON, PERSON]}
    assert book(short_lived=short).digest == book().digest != book(summary="another").digest
