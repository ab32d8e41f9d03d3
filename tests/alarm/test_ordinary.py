"""An ordinary vulnerability is told as one, and touches vendors by a person's word alone; unknown is a compromise."""

from __future__ import annotations

import json

import pytest

from rotator.alarm import arriving
from rotator.alarm.vendor_notice import Given, told
from rotator.api.declaring import declare
from rotator.errors import BadInput
from rotator.ledger.vendor_chains import altered
from rotator.operations import vendor_triage
from rotator.triggers.github_advisory import read
from rotator.vendors_risk import risks
from tests.alarm.test_arriving import house, records  # noqa: F401 - a fixture
from tests.alarm.test_arriving import told as notices
from tests.ledger.test_vendors import chain
from tests.shown.vendors import RECORD
from tests.triggers.test_advisories import DEPENDABOT

AT = 1_780_000_000.0
NAME = "GHSA-aaaa-bbbb-cccc"
SILENT = {**json.loads(RECORD), "id": NAME, "aliases": ["CVE-2026-1"]}
WEAK = {**SILENT, "database_specific": {"cwe_ids": ["CWE-79"]}}
MALWARE = {**SILENT, "database_specific": {"cwe_ids": ["CWE-79", "CWE-506"]}}
WHY = "it is exploited, and keys were read by it"


def take(house, record):  # noqa: F811 - it is the fixture
    [found] = arriving.take(house, [json.dumps(record)], "siem", AT)
    return found


def likelihood(house):  # noqa: F811 - it is the fixture
    [acme] = [each for each in risks(house).rows.now() if each["vendor"] == "acme"]
    return acme["terms"][0]["value"]


def test_it_touches_nobody_and_says_why(house):  # noqa: F811 - it is the fixture
    before = likelihood(house)
    found = take(house, WEAK)
    assert (found.touched, found.unknown, found.is_ordinary) == ((), 0, True)
    said = f"{NAME} (an ordinary vulnerability by its cwe_ids: CWE-79) touches nobody before a person says so: "
    assert arriving.said([found]) == f"{said}rotator vendor escalate {NAME} --reason …"
    assert notices(house) == []
    assert records(house, "vendor.acme") == []
    assert likelihood(house) == before
    [record] = records(house, "advisories")
    assert (record["what"], record["touches"]) == ("an ordinary vulnerability by its cwe_ids: CWE-79", [])


@pytest.mark.parametrize(("record", "what"), [(MALWARE, "a compromise by its cwe_ids"), (SILENT, "taken for a")])
def test_a_compromise_and_what_nobody_knows_touch_vendors(house, record, what):  # noqa: F811 - it is the fixture
    found = take(house, record)
    assert found.touched[0].vendor == "acme"
    assert f"{NAME} ({what}" in arriving.said([found])
    assert likelihood(house) == 0.95


def test_a_dependabot_alert_of_an_ordinary_vulnerability_is_told_so_in_the_list(house):  # noqa: F811
    alert = json.loads(json.dumps(DEPENDABOT))
    alert["alert"]["security_advisory"]["cwes"] = [{"cwe_id": "CWE-1333", "name": "Inefficient Regular Expression"}]
    house.triggers.keep("github", read("dependabot_alert", alert, "1"), b"1")
    declare(house, house.triggers.take())
    [row] = house.triggers.listed()
    assert (row.state, row.incident) == ("triaged", None)
    assert "an ordinary vulnerability by its cwe_ids: CWE-1333" in row.reason
    assert notices(house) == []


def test_by_a_persons_word_it_touches_vendors_and_stays_so(house):  # noqa: F811 - it is the fixture
    take(house, WEAK)
    answer = vendor_triage.escalate(house, "ana", "CVE-2026-1", WHY)
    assert (answer["advisory"], answer["what"]) == (NAME, f"a compromise, says ana: {WHY}")
    assert answer["touched"][0]["vendor"] == "acme"
    assert len(notices(house)) == 1
    last = chain(house.database, "advisories")[-1]
    assert (last["act"], last["by"], last["reason"]) == ("advisory_escalated", "ana", WHY)
    assert likelihood(house) == 0.95
    again = take(house, WEAK)
    assert (again.escalated_by, again.touched[0].vendor) == ("ana", "acme")
    assert len(notices(house)) == 1
    assert altered(house.database) == []
    assert f"taken for a compromise by ana: {WHY}" in told(house, Given([NAME]))[0].notes[-1]


def test_one_that_did_not_arrive_is_taken_from_what_is_kept(house):  # noqa: F811 - it is the fixture
    notice, _ = told(house, Given(records={"a.json": json.dumps(WEAK)}))
    assert f"rotator vendor escalate {NAME}" in notice.notes[-1]
    assert vendor_triage.escalate(house, "ana", NAME, WHY)["touched"]
    [arrived] = house.advisories.since(0.0)
    assert arrived.sender == "ana"


def test_who_comes_to_be_a_compromise_is_told_then(house):  # noqa: F811 - it is the fixture
    take(house, WEAK)
    assert take(house, MALWARE).touched
    assert len(notices(house)) == 1


def test_what_was_triaged_before_somebody_said_so_takes_nothing_back(house):  # noqa: F811 - it is the fixture
    late = take(house, WEAK)
    vendor_triage.escalate(house, "ana", NAME, WHY)
    assert house.advisories.settle(late).touched


@pytest.mark.parametrize(
    ("record", "name", "why", "said"),
    [
        (MALWARE, NAME, WHY, "taken for one already: a compromise by its cwe_ids"),
        (SILENT, NAME, WHY, "nothing in its record says what it is"),
        ({**WEAK, "withdrawn": "2026-04-01T00:00:00Z"}, NAME, WHY, "it was withdrawn"),
        (WEAK, "GHSA-dddd-eeee-ffff", WHY, "no server is named"),
        (WEAK, "litellm", WHY, "no advisory's id"),
        (WEAK, NAME, " ", "a reason is needed"),
        (WEAK, NAME, "ghp_" + "a1B2" * 9, "a secret seems to stand in it"),
    ],
)
def test_what_cannot_be_escalated_is_one_clear_line(house, record, name, why, said):  # noqa: F811 - it is the fixture
    take(house, record)
    with pytest.raises(BadInput, match=said) as refused:
        vendor_triage.escalate(house, "ana", name, why)
    assert "a1B2" not in str(refused.value)
    assert all(each.escalated_by == "" for each in house.advisories.since(0.0))
