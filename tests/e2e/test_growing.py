"""A replacement that leaks again is added to the incident that made it, as a person does it, on the practice range."""

from __future__ import annotations

from tests.e2e.company import AWS


def test_a_replacement_that_leaks_again_is_added_approved_and_replaced_and_says_where_it_came_from(found_company):
    found = found_company(AWS)
    [victim] = found.victims
    first = found.rotator("respond", found.leak(), "--yes", "-q", "-o", "json").ended(0).report
    [before] = first["credentials"]
    leaked = found.write("ci.csv", f"provider,id\naws_iam_access_key,{before['replacement']}\n")
    said = found.rotator("incident", "add", "last", leaked).ended(0).out
    digest = said.split("--digest ")[1].split()[0]
    plan = found.rotator("plan", "last").ended(0).out
    assert before["run"] in plan
    assert "REVISION 2 NOT APPROVED: 1 credential is left alone till then" in plan
    found.rotator("approve", "last", "--digest", digest).ended(0)
    report = found.rotator("incident", "watch", "last", "-q", "-o", "json").report
    again = next(each for each in report["credentials"] if each["id"] == before["replacement"])
    assert (again["predecessor"], again["revision"], again["strategy"]) == (before["run"], 2, before["strategy"])
    assert again["evidence"] in {"proven", "stated"}
    keys = found.servers.aws.iam.list_access_keys(UserName=victim.use.owner)["AccessKeyMetadata"]
    living = {each["AccessKeyId"] for each in keys if each["Status"] == "Active"}
    assert living == {again["replacement"]}
    assert [each["approved_by"] != "" for each in report["incident"]["revisions"]] == [True, True]
    nothing = found.rotator("incident", "add", "last", leaked).ended(0).out
    assert "was dead: it is looked at" in nothing
