"""IAM's quota of two keys, on moto, which enforces it; and an inactive key that still opens moto's door."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rotator.practice.doors import Answer
from rotator.practice.honesty import lies
from tests.e2e.commands import until
from tests.e2e.company import AWS, company
from tests.servers.moto import moto_server

OPEN, SHUT = {Answer.OPENED}, {Answer.REFUSED}

BY_DELETION = """\
playbook: aws_key_by_deletion
provider: aws_iam_access_key
summary: Replace an access key where an inactive one still opens the door, so that only its deletion stops it.
strategies: [contain_first, revoke_only]
recognises: {kingfisher: [custom.aws-key]}
steps:
  - {id: keep,      do: preserve exposed}
  - {id: paired,    do: verify exposed}
  - {id: contain,   do: revoke exposed}
  - {id: cut,       do: end_sessions exposed}
  - {id: refused,   do: verify exposed, expect: rejected, retry_for: 1m}
  - {id: issue,     do: issue replacement, undo: revoke, only_if: {strategy: [contain_first]}}
  - {id: works,     do: verify replacement, expect: accepted, retry_for: 1m, only_if: {strategy: [contain_first]}}
  - {id: deliver,   do: promote replacement, undo: demote, only_if: {strategy: [contain_first]}}
  - {id: reload,    do: reload consumers, only_if: {strategy: [contain_first]}}
  - {id: converged, do: verify consumers, hold: {until: converged}, only_if: {strategy: [contain_first]}}
"""


@pytest.fixture
def full(servers, tmp_path):
    """Stand up a company whose user has two keys: the stolen one, and another that something else uses."""
    with (
        moto_server(tmp_path / "moto") as moto,
        company(tmp_path / "company", dataclasses.replace(servers, aws=moto), AWS) as found,
    ):
        _, other, _ = moto.plant(found.victim(AWS).use.owner)
        yield found, other


def kingfishers(victim):
    """Return what Kingfisher would say of the stolen key, by a rule of one's own."""
    secret = victim.finding["RawV2"].partition(":")[2]
    found = {"snippet": victim.id, "dependent_captures": {"AWS_SECRET_ACCESS_KEY": secret}, "path": ".env", "line": 1}
    return {"rule": {"id": "custom.aws-key"}, "finding": found}


def keys(found):
    listed = found.servers.aws.iam.list_access_keys(UserName=found.victim(AWS).use.owner)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def test_where_the_stolen_key_is_deleted_first_there_is_room_for_the_new_one(full):
    found, other = full
    [victim] = found.victims
    (found.folder / "books").mkdir()
    (found.folder / "books" / "aws_key_by_deletion.yaml").write_text(BY_DELETION)

    def ours(settings):
        settings["playbooks"] = ["books"]
        settings["credentials"][0]["match"]["provider"] = "aws_key_by_deletion"

    found.configure(ours)
    leak = found.write("leak.json", json.dumps({"findings": [kingfishers(victim)]}))
    report = found.rotator("respond", leak, "--yes", "-o", "json").ended(0).report
    [entry] = report["credentials"]
    assert (entry["state"], victim.answers) == ("proven_dead", SHUT)
    assert keys(found) == {other: "Active", entry["replacement"]: "Active"}
    assert victim.consumer.using == entry["replacement"]
    assert {knock.answer for knock in victim.consumer.log_in()} == OPEN


def test_where_the_stolen_key_fills_the_quota_it_goes_first_once_it_is_dead_and_no_other_key_is_touched(full):
    found, other = full
    [victim] = found.victims
    ids = found.write("ids.csv", f"provider,id\n{AWS},{victim.id}\n")
    report = found.rotator("respond", ids, "--yes", "-o", "json").ended(3).report
    [entry] = report["credentials"]
    # Without the secret, dead by its issuer's word alone.
    assert (entry["state"], entry["evidence"], victim.answers) == ("stated_dead", "stated", SHUT)
    assert keys(found) == {other: "Active", entry["replacement"]: "Active"}
    steps = {step["id"]: step["state"] for step in entry["steps"]}
    assert (steps["make_room"], steps["issue"], steps["converged"]) == ("done", "done", "done")
    assert victim.consumer.using == entry["replacement"]


def test_where_the_stolen_key_must_live_on_a_full_quota_a_person_is_asked_and_nothing_is_lost(full):
    found, other = full
    [victim] = found.victims
    done = found.rotator("respond", found.leak(), "--yes", "--strategy", "replace_first", "-o", "json").ended(3)
    [entry] = done.report["credentials"]
    assert (entry["state"], entry["evidence"]) == ("held", "none")
    assert "quota" in entry["open"][0]
    assert keys(found) == {other: "Active", victim.id: "Active"}
    assert (victim.answers, victim.consumer.using) == (OPEN, victim.id)


def test_an_inactive_key_that_still_opens_the_door_is_never_called_dead(full):
    found, _ = full
    [victim] = found.victims
    respond = found.rotator.start("respond", found.leak(), "--yes")
    respond.until_said("1 pending")
    until(lambda: keys(found)[victim.id] == "Inactive")
    respond.interrupt().end().ended(130)
    report = found.rotator("report", "last", "-o", "json").ended(3).report
    [entry] = report["credentials"]
    assert (entry["state"], entry["evidence"], entry["proven_dead_at"], victim.answers) == ("pending", "none", "", OPEN)
    assert lies(report, [victim.tried], [victim.in_use]) == []
