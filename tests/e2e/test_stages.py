"""One stage at a time, and a person's hand: declare, plan, approve or not, retry, skip, and what exit codes mean."""

from __future__ import annotations

import pytest

from rotator.practice.doors import Answer
from tests.e2e.commands import runtime_of
from tests.e2e.company import ACME, AWS

OPEN, SHUT = {Answer.OPENED}, {Answer.REFUSED}


def test_nothing_starts_before_the_plan_that_was_shown_is_approved(found_company):
    found = found_company(ACME)
    [victim] = found.victims
    declared = found.rotator("incident", "declare", found.leak(), "--title", "Stolen", "--severity", "low").ended(0)
    assert victim.id in declared.err
    [incident] = found.rotator("incident", "list", "-o", "json").report
    assert (incident["title"], incident["severity"]) == ("Stolen", "low")
    plan = found.rotator("plan", incident["id"], "-o", "json").ended(0).report
    digest = plan["incident"]["plan"]
    assert f" approve {incident['id']} --digest {digest}" in declared.out
    assert {step["state"] for step in plan["credentials"][0]["steps"]} == {"pending"}

    assert digest in found.rotator("approve", "last", "--digest", digest[:-1] + "x").ended(2).one_line
    assert found.rotator("report", "last", "-o", "json").ended(3).report["totals"]["pending"] == 1
    assert (victim.answers, runtime_of(found.data_dir)) == (OPEN, None)

    found.rotator("approve", "last", "--digest", digest).ended(0)
    found.rotator("approve", "last", "--digest", digest).ended(0)  # twice is once
    watched = found.rotator("incident", "watch", incident["id"], "-o", "json").ended(0).report
    assert (watched["totals"]["proven_dead"], victim.answers) == (1, SHUT)


def test_a_plan_that_another_has_overtaken_is_refused_and_mints_no_orphan(found_company):
    found = found_company(AWS)
    [victim] = found.victims
    plans = []
    for title in ("first", "second"):
        found.rotator("incident", "declare", found.leak(), "--title", title).ended(0)
        report = found.rotator("plan", "last", "-o", "json").report
        plans.append((report["incident"]["id"], "--digest", report["incident"]["plan"]))
    found.rotator("approve", *plans[0]).ended(0)
    assert "the plan is stale" in found.rotator("approve", *plans[1]).ended(2).one_line
    first = found.rotator("incident", "watch", plans[0][0], "-o", "json").ended(0).report
    assert "the plan is stale" in found.rotator("approve", *plans[1]).ended(2).one_line
    listed = found.servers.aws.iam.list_access_keys(UserName=victim.use.owner)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {victim.id, first["credentials"][0]["replacement"]}
    # Declared again, it is only proven dead once more.
    again = found.rotator("respond", found.leak(), "--yes", "-o", "json").ended(3).report
    assert (again["credentials"][0]["strategy"], again["credentials"][0]["state"]) == ("revoke_only", "stated_dead")


def test_a_plan_that_nobody_approves_changes_nothing(found_company):
    found = found_company(ACME)
    [victim], leak = found.victims, found.leak()
    assert "--yes" in found.rotator("respond", leak).ended(4).err.splitlines()[-1]
    for answer in ("no", "", "revoke", "revoke 2", "y"):
        shown = found.rotator.at_terminal("respond", leak, answers={"Type `revoke 1`": answer}).ended(4).out
        assert "nothing was changed" in shown
    assert found.rotator("incident", "list", "-o", "json").report == []
    assert (victim.answers, runtime_of(found.data_dir)) == (OPEN, None)


def test_at_a_terminal_the_plan_is_shown_typed_for_and_followed_to_its_end(found_company):
    found = found_company(ACME)
    [victim] = found.victims
    shown = found.rotator.at_terminal("respond", found.leak(), answers={"Type `revoke 1`": "revoke 1"}).ended(0).out
    assert shown.index("Plan") < shown.index("Type `revoke 1`") < shown.index("1 dead · 0 settling")
    assert victim.answers == SHUT


@pytest.fixture
def failed(found_company):
    """Respond where the consumer's command fails as long as a file is missing; return the company, file and run."""
    found = found_company(ACME)
    flag = found.folder / "reachable"

    def by_command(settings):
        settings["credentials"][0]["consumers"] = [{"command": ["test", "-e", str(flag)]}]

    found.configure(by_command)
    done = found.rotator("respond", found.leak(), "--yes", "--quiet", "-o", "json").ended(1)
    assert done.err == ""
    [entry] = done.report["credentials"]
    # What failed is not the death: that is proven, and said so.
    assert (entry["state"], found.victim(ACME).answers) == ("proven_dead", SHUT)
    assert "reload: failed (consumer_refused" in entry["open"][0]
    return found, flag, entry["run"]


def test_a_failed_step_can_be_done_again_once_its_cause_is_mended(failed):
    found, flag, run = failed
    flag.touch()
    assert "1 step(s)" in found.rotator("run", "retry", run, "reload", "--reason", "reachable again").ended(0).out
    report = found.rotator("incident", "watch", "last", "-o", "json").ended(0).report
    [entry] = report["credentials"]
    assert {step["state"] for step in entry["steps"] if step["id"] in {"reload", "converged"}} == {"done"}
    # The command does not say what its program holds, so nobody may say that it has converged.
    assert (report["replaced"], report["converged"], entry["open"]) == (1, 0, [])


def test_a_failed_step_can_be_left_out_with_a_reason_that_becomes_evidence(failed):
    found, _, run = failed
    for step in ("reload", "converged"):
        found.rotator("run", "skip", run, step, "--reason", f"nobody needs {step}").ended(0)
        report = found.rotator("incident", "watch", "last", "-o", "json").report
        [skipped] = [each for each in report["credentials"][0]["steps"] if each["id"] == step]
        assert skipped["state"] == "skipped"
        assert f"nobody needs {step}" in skipped["reason"]
    assert (report["converged"], report["totals"]["proven_dead"]) == (0, 1)
    assert found.rotator("report", "last").code == 0


def test_what_is_done_and_what_is_open_are_told_by_the_exit_code_whoever_asks(found_company):
    found = found_company(AWS)
    rows = f"provider,id\naws_iam_access_key,{found.victim(AWS).id}\nnobody_knows_this,x\n"
    found.rotator("respond", found.write("ids.csv", rows), "--yes", "-q").ended(3)
    for words in (("report", "last"), ("incident", "show", "last"), ("incident", "watch", "last")):
        shown = found.rotator(*words).ended(3).out
        assert "1 stated dead" in shown
        assert "1 unidentified" in shown
