"""The four strategies on the range's real systems: whatever the report says, clients that are not ours see the same."""

from __future__ import annotations

import subprocess

import pytest

from rotator.practice.doors import Answer
from rotator.practice.honesty import lies
from tests.e2e.commands import until
from tests.e2e.company import ACME, AWS, KINDS, SSH, VAULT

OPEN, SHUT = {Answer.OPENED}, {Answer.REFUSED}


def respond(found, strategy, code):
    """Respond to the whole leak with a strategy; return the report once the doors have said that it is true."""
    done = found.rotator("respond", found.leak(), "--yes", "--strategy", strategy, "-o", "json").ended(code)
    assert {each["strategy"] for each in done.report["credentials"]} == {strategy}
    assert lies(done.report, [each.tried for each in found.victims], [each.in_use for each in found.victims]) == []
    return done.report


def test_contain_first_stops_the_old_one_before_anyone_hears_of_the_new(found_company):
    found = found_company(*KINDS)
    report = respond(found, "contain_first", 0)
    assert report["totals"]["proven_dead"] == report["converged"] == 4
    for victim in found.victims:
        assert (victim.use.provider, victim.consumer.old_when_told) == (victim.use.provider, [SHUT])
        assert victim.consumer.new_when_told == [OPEN]
        assert (victim.answers, {knock.answer for knock in victim.consumer.log_in()}) == (SHUT, OPEN)


def test_replace_first_has_the_new_one_at_work_before_the_old_one_dies(found_company):
    found = found_company(*KINDS)
    report = respond(found, "replace_first", 0)
    assert report["totals"]["proven_dead"] == report["converged"] == 4
    for victim in found.victims:
        assert (victim.use.provider, victim.consumer.old_when_told) == (victim.use.provider, [OPEN])
        assert victim.consumer.new_when_told == [OPEN]
        assert (victim.answers, {knock.answer for knock in victim.consumer.log_in()}) == (SHUT, OPEN)


def test_revoke_only_replaces_nothing_and_tells_nobody(found_company):
    found = found_company(*KINDS)
    report = respond(found, "revoke_only", 0)
    assert (report["totals"]["proven_dead"], report["replaced"]) == (4, 0)
    for victim in found.victims:
        assert (victim.answers, victim.consumer.old_when_told, victim.consumer.using) == (SHUT, [], victim.id)


def test_cut_only_ends_the_thiefs_session_and_never_calls_the_key_dead(found_company, tmp_path):
    found = found_company(AWS, SSH)
    with session(found, tmp_path) as inside:
        report = respond(found, "cut_only", 3)
        assert inside.wait(30) != 0
    assert (report["totals"]["held"], report["totals"]["proven_dead"], report["time_to_revoke"]["still_open"]) == (
        2,
        0,
        2,
    )
    assert {(each["evidence"], each["proven_dead_at"]) for each in report["credentials"]} == {("none", "")}
    assert [victim.answers for victim in found.victims] == [OPEN, OPEN]


def session(found, folder):
    """Let the thief log in to a host with the stolen key, and stay."""
    key = folder / "stolen"
    key.touch(mode=0o600)
    key.write_text(found.victim(SSH).use.document["private_key"])
    name, address, port = found.servers.ssh.doors()[0]
    options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
    login = ["-i", str(key), "-p", str(port), "-l", found.servers.ssh.user, address]
    host = found.servers.ssh.folder / name
    assert host.is_dir()
    thief = subprocess.Popen(
        ["ssh", "-v", "-F", "/dev/null", *[word for each in options for word in ("-o", each)], *login],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "thief.log").open("wb"),
    )
    until(lambda: "Entering interactive session" in (folder / "thief.log").read_text())
    return thief


def test_a_strategy_that_a_kind_does_not_have_is_said_and_its_own_first_is_taken(found_company):
    found = found_company(ACME)
    done = found.rotator("respond", found.leak(), "--yes", "--strategy", "cut_only", "-o", "json").ended(0)
    [entry] = done.report["credentials"]
    assert (entry["strategy"], entry["why"]) == ("contain_first", "acme_api_token has no cut_only")


@pytest.mark.parametrize(
    ("strategy", "wrong"), [("contain_first", "cut off"), ("replace_first", "another's"), ("revoke_only", "another's")]
)
def test_a_key_with_a_secret_that_is_not_its_own_is_never_called_dead(found_company, servers, strategy, wrong):
    found = found_company(AWS)
    [victim] = found.victims
    _, _, other = servers.aws.plant()
    secret = victim.use.document["aws_secret_access_key"][:30] if wrong == "cut off" else other.reveal()
    leak = found.leak(RawV2=f"{victim.id}:{secret}")
    report = found.rotator("respond", leak, "--yes", "--strategy", strategy, "-o", "json").ended(3).report
    [entry] = report["credentials"]
    assert (entry["state"], entry["evidence"], entry["proven_dead_at"]) == ("held", "none", "")
    assert "never its secret" in entry["open"][0]
    # Nobody gets in any more all the same: what is known to be stolen is stopped.
    assert victim.answers == SHUT


def test_a_key_that_was_inactive_before_we_came_is_dead_by_its_issuers_word_alone(found_company, servers):
    found = found_company(AWS)
    [victim] = found.victims
    servers.aws.iam.update_access_key(UserName=victim.use.owner, AccessKeyId=victim.id, Status="Inactive")
    report = found.rotator("respond", found.leak(), "--yes", "-o", "json").ended(3).report
    [entry] = report["credentials"]
    assert (entry["state"], entry["evidence"], entry["proven_dead_at"]) == ("stated_dead", "stated", "")


@pytest.mark.parametrize("kind", [VAULT, ACME, SSH])
def test_material_that_was_cut_off_is_a_task_for_a_person_and_its_owner_lives_on(found_company, kind):
    found = found_company(kind)
    [victim] = found.victims
    leak = found.leak(Raw=victim.finding["Raw"][:-20])
    report = found.rotator("respond", leak, "--yes", "-o", "json").ended(3).report
    assert (report["totals"]["manual"], report["totals"]["credentials"]) == (1, 1)
    assert report["credentials"][0]["open"]
    assert (victim.answers, victim.consumer.using) == (OPEN, victim.id)


def test_of_ids_alone_death_is_stated_and_never_proven(found_company):
    found = found_company(*KINDS)
    rows = "".join(f"{each.use.provider},{each.id}\n" for each in found.victims)
    leak = found.write("ids.csv", f"provider,id\n{rows}aws_iam_access_key,AKIANOBODYKNOWSTHIS\n")
    report = found.rotator("respond", leak, "--yes", "-o", "json").ended(3).report
    totals = report["totals"]
    assert (totals["stated_dead"], totals["proven_dead"], totals["manual"]) == (4, 0, 1)
    assert (report["time_to_revoke"]["still_open"], report["time_to_revoke"]["mean_s"]) == (5, None)
    stated = [each for each in report["credentials"] if each["state"] == "stated_dead"]
    assert all(
        each["evidence"] == "stated" and each["stated_dead_at"] and not each["proven_dead_at"] for each in stated
    )
    assert [victim.answers for victim in found.victims] == [SHUT] * 4
    assert lies(report, [each.tried for each in found.victims], [each.in_use for each in found.victims]) == []
