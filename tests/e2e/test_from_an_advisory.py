"""From an advisory, a folder of lock files and logs, and an inventory, one command yields the plan, each line with why.

The answers are planted: who was within reach of the bad package, and what can be had from there.
"""

from __future__ import annotations

import gzip
import json

import pytest

from rotator.practice.doors import Answer
from tests.access.logs import log, record
from tests.e2e.company import ACME, AWS, VAULT

ADVISORY = {
    "id": "GHSA-0000-test-0001",
    "aliases": ["PYSEC-2026-1", "CVE-2026-0001"],
    "published": "2026-03-24T12:00:00Z",
    "modified": "2026-03-25T12:00:00Z",
    "affected": [
        {"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.7", "1.82.8"]},
    ],
}
LOG = """2026-03-24T10:51:40.1000000Z ##[group]Run pip install -r requirements.txt
2026-03-24T10:51:42.2000000Z Collecting litellm==1.82.7
2026-03-24T10:51:43.3000000Z   Downloading litellm-1.82.7-py3-none-any.whl (9.8 MB)
2026-03-24T10:51:50.4000000Z Successfully installed litellm-1.82.7 openai-1.99.0
"""
CLEAN = "litellm==1.81.0\nopenai==1.99.0\n"


@pytest.fixture
def stolen(found_company):
    """Stand up a company whose build job had the bad package, and nobody else."""
    found = found_company(AWS, VAULT, ACME)
    evidence = found.folder / "evidence"
    for name, text in {
        "job/shop/app/build/1.log": LOG,
        "repository/shop/web/requirements.txt": CLEAN,
        "host/clean/freeze.txt": CLEAN,
        "host/clean/notes.bin": "\0\1\2",
    }.items():
        path = evidence / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    uses = {each.use.provider: each.use for each in found.victims}
    tag = uses[ACME].name.partition("/")[0]
    other, _, _ = found.servers.aws.plant(f"untouched-{tag}")
    more = {
        AWS: {"reachable_from": ["job:shop/app/build"], "reads": [f"aws:vault/{tag}"]},
        VAULT: {"reads": [f"vault:secret/data/{tag}/*"]},
        ACME: {"reads": []},
    }
    entries = [
        {
            "match": {"provider": kind, "owner": use.owner},
            "criticality": use.criticality,
            "deliver": [
                {"store": use.store, "connection": "vault" if use.store == "vault_kv" else "aws", "name": use.name}
            ],
            **more[kind],
        }
        for kind, use in uses.items()
    ]
    entries.append({"match": {"provider": AWS, "owner": other}, "reachable_from": ["host:clean"], "reads": []})
    found.configure(lambda settings: settings.pop("credentials"))
    found.rotator("inventory", "import", found.write("inventory.json", json.dumps({"credentials": entries}))).ended(0)
    return found, found.write("advisory.json", json.dumps(ADVISORY)), str(evidence)


@pytest.fixture
def backdoor(stolen):
    """Let the thief make a key of another user with the stolen one; return its id, and the log that says so."""
    found, *_ = stolen
    owner, made, _ = found.servers.aws.plant(f"backdoor-{found.victim(ACME).use.name.partition('/')[0]}")
    key = {"accessKey": {"userName": owner, "accessKeyId": made, "status": "Active"}}
    at = {"recipientAccountId": found.servers.aws.account, "userIdentity": {"accountId": found.servers.aws.account}}
    act = record(1, "CreateAccessKey", found.victim(AWS).id, responseElements=key, **at)
    return made, found.write("trail.json.gz", gzip.compress(log(act, {**act, "eventTime": "10000-01-01T00:00:00Z"})))


def test_one_command_yields_a_plan_that_misses_nothing_and_explains_every_line(stolen, backdoor):
    found, advisory, evidence = stolen
    made, trail = backdoor
    graph = found.folder / "why.html"
    given = ["--advisory", advisory, "--evidence", evidence, "--access", trail, "--graph", str(graph)]
    done = found.rotator("incident", "declare", *given, "--title", "Poisoned package").ended(0)
    assert "not read: evidence/host/clean/notes.bin" in done.err
    plan = found.rotator("plan", "last", "-o", "json").report["planned"]
    planned = {each["id"]: each for each in plan["credentials"]}
    assert set(planned) == {each.id for each in found.victims} | {made}
    assert f"{found.victim(AWS).id} made the call CreateAccessKey" in planned[made]["included"][0]
    # Other tests' tokens and keys stand on these servers too, and nobody has said where they are used.
    unplaced = {f"unplaced {kind}" for kind in (AWS, VAULT, ACME)}
    assert {each["id"] for each in plan["manual"]} <= unplaced | {"a token on vault"}
    assert not any(name in each["reason"] for each in plan["manual"] for name in planned)
    assert all(each["included"] and each["why"] for each in planned.values())
    key, token, behind = (planned[found.victim(kind).id] for kind in (AWS, VAULT, ACME))
    assert (key["certainty"], token["certainty"], behind["certainty"]) == ("reachable", "inferred", "inferred")
    assert any("trail.json.gz, record 2: `eventTime` is no time" in each for each in plan["warnings"])
    [way] = behind["included"]
    assert all(each in graph.read_text() for each in planned)
    for link in ("litellm 1.82.7 was installed at job:shop/app/build", "it reads aws:vault/", "it reads vault:secret/"):
        assert link in way
    assert [each.answers for each in found.victims] == [{Answer.OPENED}] * 3  # nothing was done yet


def test_a_package_that_a_person_names_is_enough_and_what_is_clean_makes_no_incident(stolen):
    found, _, evidence = stolen
    shown = found.rotator("intake", "--package", "litellm==1.82.7,1.82.8", "--evidence", evidence, "-o", "json")
    rows = shown.ended(0).report
    assert [each["site"] for each in rows["evidence"]["hits"]] == ["job:shop/app/build"]
    assert [each["kind"] for each in rows["credentials"]] == [AWS]
    clean = found.rotator(
        "incident", "declare", "--package", "litellm==1.80.0", "--evidence", evidence, "--title", "Nothing"
    ).ended(2)
    assert "nothing to do" in clean.err.splitlines()[-1]
