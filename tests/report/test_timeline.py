"""What the plan of an incident kept is told of each credential: what logs showed then, what was made, who was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.flow.playbook_words import Verb
from rotator.report.incident import build
from rotator.report.timeline import NO_LOGS, NOBODY_ASKED, timelines

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"


@pytest.fixture
def told(house):
    """Give what tells the timelines with these words in the plan; the first credential is the key."""
    company, deployment = house
    deployment.start([company.stolen(KEY, "ci")[0], company.stolen(TOKEN, "web")[0]])
    record = deployment.record()
    report = build(record)
    report["incident"]["exposed_at"] = "2026-03-24T10:00:00.000Z"
    ids = {each["provider"]: each["id"] for each in report["credentials"]}

    def tell(**plan):
        found = timelines(report, record, [plan])
        return [next(each for each in found if each["id"] == ids[kind]) for kind in (KEY, TOKEN)]

    tell.key, tell.token = ids[KEY], ids[TOKEN]
    return tell


def test_what_logs_showed_when_it_was_planned_is_told_of_whose_it_was(told):
    sign = "used after exposure from a new network: 203.0.113.0/24"
    outages = [{"id": told.key, "last_used_at": "2026-03-24T09:00:00.000Z"}, {"id": told.token, "last_used_at": ""}]
    key, token = told(credentials=[{"id": told.key, "signs": [sign]}], outages=outages)
    assert key["last_use"]["at"] == "2026-03-24T09:00:00.000Z"
    assert key["suspected"]["says"] == [f"its plan says: {sign}"]
    assert token["last_use"]["at"] == ""
    assert token["suspected"]["says"] == [NO_LOGS]


def test_a_use_after_the_exposure_is_not_the_last_before_it(told):
    key, _ = told(outages=[{"id": told.key, "last_used_at": "2026-03-24T11:00:00.000Z"}])
    assert key["last_use"]["at"] == ""
    assert key["last_use"]["says"].startswith("not known")


def test_a_use_on_the_day_of_the_exposure_may_be_the_thiefs(house):
    company, deployment = house
    deployment.start([company.stolen(KEY, "ci")[0]])
    deployment.rest()
    record = deployment.record()
    report = build(record)
    report["incident"]["exposed_at"] = "2026-03-24T10:00:00.000Z"

    def used(at):
        [run] = record.runs
        steps = [
            replace(each, facts={"last_used_at": at}) if each.verb is Verb.PRESERVE else each for each in run.steps
        ]
        [found] = timelines(report, replace(record, runs=[replace(run, steps=steps)]), [])
        return found["last_use"], found["suspected"]["says"]

    for day, words in (("2026-03-24", "which may be before or after"), ("2026-03-25", "which is after")):
        last, [suspected] = used(day)
        assert last["at"] == ""
        assert f"{day}, {words} its exposure" in last["says"]
        assert f"{day}, {words} its exposure; it does not tell by whom" in suspected
    assert used("2026-03-23")[0]["at"] == "2026-03-23"


def test_what_was_made_is_told_of_who_made_it_alone(told):
    by_key = f"{told.key} made the call CreateAccessKey for backup at 2026-03-24T11:00:00Z (trail.json, record 3)"
    by_owner = "acme shows token t-9, made by or for web at 2026-03-24T11:00:00Z"
    found = [{"id": "AKIA2", "included": [f"laptop was stolen → {by_key}"]}]
    key, token = told(credentials=found, manual=[{"id": "t-9", "included": [by_owner]}])
    assert (key["minted"]["made"], token["minted"]["made"]) == ([by_key], [by_owner])


def test_whether_anybody_was_asked_is_told(told):
    asked = "aws (CloudTrail in us-east-1) tells of 0 made with 1 aws_iam_access_key since then; that is all"
    mute = f"nobody was asked what was made with 1 {TOKEN}: their issuers keep no record of it that rotator reads"
    key, token = told(asked=[asked, mute])
    assert (key["minted"]["says"], token["minted"]["says"]) == ([asked], [mute])
    assert [each["minted"]["says"] for each in told()] == [[NOBODY_ASKED], [NOBODY_ASKED]]
