"""The doctor finds a rule of approval that nobody can fulfil; a mistake in it, or beside it, is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.bootstrap import Rotator
from rotator.cli.approval import confirmed
from rotator.errors import BadInput, NotAllowed
from rotator.examining.agreed import looked_at
from rotator.settings.file import load

PERSON = '[[people]]\nname = "{}"\nroles = ["{}"]\n'
ORDER = '[[standing_orders]]\nname = "o"\ntriggers = {}\nenvironments = ["ci"]\napproved_by = "ann"\nexpires = {}\n'


@pytest.fixture
def settings(tmp_path):
    def read(text):
        (tmp_path / "rotator.toml").write_text(f'data_dir = "data"\n{text}')
        return load(tmp_path / "rotator.toml")

    return read


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[approval]\n", "nobody in [[people]] is an approver"),
        ("[approval]\n" + PERSON.format("ann", "approver"), "nobody is left for a plan that one of them made"),
        ("[approval]\napprovals = 2\n" + PERSON.format("ann", "approver"), "2 are wanted"),
        (ORDER.format('["cli"]', "2020-01-01"), "standing order o: it has expired"),
        (ORDER.format('["siem"]', "2099-01-01"), "standing order o: no trigger is called siem"),
        (ORDER.format("[]", "2099-01-01"), "standing order o: it names no trigger"),
    ],
)
def test_the_doctor_finds_what_nobody_can_fulfil(settings, text, what):
    found = [told for well, told, _ in looked_at(Rotator(settings(text))) if not well]
    assert [what in told for told in found] == [True]


def test_the_doctor_calls_well_a_rule_that_two_can_follow(settings):
    text = "[approval]\n" + PERSON.format("ann", "approver") + PERSON.format("bob", "admin")
    found = list(looked_at(Rotator(settings(text + ORDER.format('["cli"]', "2099-01-01")))))
    assert [well for well, _, _ in found] == [True, True]


def test_the_doctor_calls_well_the_rule_that_the_page_shows(settings):
    page = (Path(__file__).parents[2] / "docs" / "approval.md").read_text()
    shown = page.partition("```toml\n")[2].partition("```")[0]
    found = list(looked_at(Rotator(settings(shown))))
    assert [well for well, _, _ in found] == [True]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[approval]\nconfirm = ["production"]\n', "confirm"),
        (PERSON.format("ann", "boss"), "must be one of"),
        (PERSON.format("ann", "viewer") * 2, "two people are called ann"),
        (ORDER.format('["cli"]', '"soon"'), "expires"),
        (ORDER.format('["cli", "pagerduty"]', "2099-01-01"), "no order covers `pagerduty`"),
    ],
)
def test_a_mistake_in_the_rule_is_one_line(settings, text, what):
    with pytest.raises(BadInput, match=what) as refused:
        settings(text)
    assert "\n" not in str(refused.value)


def test_the_rule_may_stand_in_the_environment(settings, monkeypatch):
    monkeypatch.setenv("ROTATOR_APPROVAL", '{"approvals": 2}')
    assert settings("").policy.approvals == 2


def test_other_words_than_those_asked_for_confirm_nothing():
    confirmed("", None)
    confirmed("revoke 1 production", "revoke 1 production")
    with pytest.raises(NotAllowed, match="is not `revoke 2 production`"):
        confirmed("revoke 2 production", "revoke 1 production")


@pytest.mark.usefixtures("ready")
def test_where_no_machine_does_anything_there_is_nothing_that_others_approve(rotator):
    people = PERSON.format("ann", "approver") + PERSON.format("bob", "approver")
    rotator.folder.joinpath("rotator.toml").write_text(f'data_dir = "data"\n[approval]\n{people}')
    rotator.folder.joinpath("list.csv").write_text("provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n")
    rotator("respond", "list.csv", "--yes", "-q").ended(3)
