"""A vendor's package was poisoned: triage names it, it is paused, every door is tried, and it comes back on evidence.

Told once from the advisory to the evidence pack, on real servers, as the people do it who have to.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rotator.practice import vendor, vendor_log
from rotator.practice.doors import Answer
from tests.e2e.commands import runtime_of, until
from tests.e2e.company import ACME, AWS

GRANT = "aws_role_trust"
SHUT = ("cut", "forensics", "attestations", "software", "datasets", "approval")


@pytest.fixture
def lumen(found_company):
    """Stand up a company whose vendor holds a key, a token, a role and something for a person."""
    found = found_company(AWS, ACME)
    key, token = (found.victim(kind).use for kind in (AWS, ACME))
    told = vendor.plant(found.folder / "lumen", found.servers.aws, key.owner, token.owner, f"lumen-{time.time_ns()}")
    for words in (
        ("inventory", "import", told.inventory),
        ("vendor", "import", told.registry),
        ("vendor", "sbom", vendor.NAME, told.sbom),
        ("inventory", "discover", "aws", "--kind", AWS, "--save"),
        ("inventory", "discover", "aws", "--kind", GRANT, "--save"),
        ("inventory", "discover", "acme", "--save"),
        ("manifest", "record", vendor.DATASET, told.dataset),
        ("manifest", "record", vendor.INVOICES, told.invoices),
    ):
        found.rotator(*map(str, words)).ended(0)
    return found, told


def trusted(found, told):
    """Tell whether the vendor may assume its role, as AWS says."""
    policy = found.servers.aws.iam.get_role(RoleName=told.role)["Role"]["AssumeRolePolicyDocument"]
    allowed = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    return vendor.THEIR_ACCOUNT in json.dumps(allowed)


def gates(found):
    rows = found.rotator("vendor", "gates", vendor.NAME, "-o", "json").report["gates"]
    return {each["gate"]: each for each in rows}


def test_the_whole_story(lumen):
    found, told = lumen
    triaged(found, told)
    paused(found, told)
    altered(found, told)
    gates_met(found, told)
    restored(found, told)
    told_to_an_auditor(found)


def triaged(found, told):
    rotator = found.rotator
    # An advisory arrives, and triage names the vendor, and who stands behind it.
    touched = rotator("vendor", "triage", str(told.advisory), "-o", "json").ended(0).report["vendors"]
    assert [each["vendor"] for each in touched][:2] == [vendor.NAME, "quill"]
    likelihood = next(each for each in touched[0]["terms"] if each["name"] == "likelihood")
    assert likelihood["value"] > 0.9
    assert told.sbom.name in likelihood["source"]
    # Somebody else uses its key: a log tells it, and the memo since.
    odd = rotator("vendor", "uses", vendor.NAME, str(told.folder / vendor_log.NAME), "-o", "json").ended(3).report
    [used] = odd["uses"]["credentials"]
    assert {each["sign"] for each in used["signs"]} == {"new network", "new call", "new region"}
    memo = rotator("vendor", "memo", vendor.NAME, str(told.advisory), "-o", "md").ended(0).out
    assert "Unusual use" in memo
    assert "PYSEC-2026-2" in memo
    assert "Lumen Data" in memo


def paused(found, told):
    rotator = found.rotator
    # It is paused: all that it holds is cut, and whoever has no machine for it has a task.
    done = rotator(
        *("vendor", "pause", vendor.NAME, "--reason", "PYSEC-2026-2: it ran the package", "--yes", "-o", "json"),
        *("--exposed-at", datetime.now(UTC).isoformat()),
    )
    report = done.ended(3).report
    states = {(each["provider"], each["evidence"]): each["state"] for each in report["credentials"]}
    assert states[AWS, "proven"] == states[ACME, "proven"] == "proven_dead"
    assert states[GRANT, "stated"] == "stated_dead"
    assert report["totals"]["manual"] == 1
    assert [each.answers for each in found.victims] == [{Answer.REFUSED}] * 2
    assert report["replaced"] == 0
    assert not trusted(found, told)


def altered(found, told):
    rotator = found.rotator
    # Meanwhile somebody had altered what it could reach.
    told.alter()
    rotator("manifest", "verify", vendor.DATASET, "--incident", "last").ended(1)

    # Nobody lets it in before the last gate is met.
    shut = rotator("vendor", "restore", vendor.NAME, "--reason", "they say it is over", "--yes").ended(4)
    assert {name for name, each in gates(found).items() if not each["is_open"]} == {*SHUT}
    assert all(f"{name}: " in shut.err for name in SHUT)


def gates_met(found, told):
    rotator = found.rotator
    listed = rotator("report", "last", "-o", "json").report["credentials"]
    [task] = [each for each in listed if each["state"] == "manual"]
    rotator("exposure", "dismiss", "last", task["run"], "--as", "already_dead", "--reason", "its page says so").ended(0)
    rotator("manifest", "verify", vendor.DATASET, "--incident", "last").ended(1)
    assert "differs" in str(gates(found)["datasets"])
    told.put_back()
    for name in (vendor.DATASET, vendor.INVOICES):
        rotator("manifest", "verify", name, "--incident", "last").ended(0)
    day = str(datetime.now(UTC).date())
    rotator(
        *("vendor", "meet", vendor.NAME, "forensics", "--document", str(told.forensics), "--from", "Forensics Ltd"),
        *("--dated", day, "--reason", "they are out since Tuesday"),
    ).ended(0)
    rotator("vendor", "meet", vendor.NAME, "attestations", "--reason", "read with the forensic report").ended(0)
    told.update()
    rotator("vendor", "sbom", vendor.NAME, str(told.new_sbom)).ended(0)
    rotator(*("vendor", "meet", vendor.NAME, "software", "--document", str(told.advisory)), "--reason", "what it was")
    found.servers.aws.plant(vendor.new_owner(found.victim(AWS).use.owner))
    rotator("inventory", "import", str(told.new_inventory)).ended(0)
    rotator("inventory", "discover", "aws", "--kind", AWS, "--save").ended(0)


def restored(found, told):
    rotator = found.rotator
    bo = replace(rotator, environment={"LOGNAME": "bo"})
    restore = ("vendor", "restore", vendor.NAME, "--reason", "clean by every gate", "--resume-grants", "--yes")
    assert all(f"{name}: " in rotator(*restore).ended(4).err for name in ("approval", "credentials"))
    why = "their collector knows no OIDC before March"  # the new key lives long, and need not
    override = ("vendor", "override", vendor.NAME, "credentials", "--reason", why)
    typed = re.search(rf"override credentials of {vendor.NAME} [0-9a-f]{{6}}", rotator(*override).ended(4).err)[0]
    rotator(*override, "--confirm", typed).ended(0)
    bo("vendor", "meet", vendor.NAME, "approval", "--reason", "I read all of it").ended(0)
    rotator(*restore).ended(0)
    if runtime_of(found.data_dir) is None:
        rotator("up", "--until-idle").ended(0)
    until(lambda: trusted(found, told))
    assert [each.answers for each in found.victims] == [{Answer.REFUSED}] * 2


def told_to_an_auditor(found):
    rotator = found.rotator
    # All of it is told without anyone explaining: in the report, the memo and the evidence.
    pack = found.folder / "pack.zip"
    rotator("evidence", "export", "last", "--to", str(pack)).ended(0)
    rotator("evidence", "verify", str(pack)).ended(0)
    with zipfile.ZipFile(pack) as packed:
        records = b"".join(packed.read(name) for name in packed.namelist()).decode(errors="replace")
    for act in ("vendor_paused", "vendor_restored", "dataset_checked"):
        assert act in records
    said = rotator("report", "last").out + rotator("vendor", "memo", vendor.NAME, "-o", "md").out
    for words in ("OVERRIDDEN", "knows no OIDC", "PAUSED: lumen", "clean by every gate", "1 altered", "Let in again"):
        assert words in said
