"""What people know of credentials is imported once, kept with its history, and held against what issuers list."""

from __future__ import annotations

import json

import pytest

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.practice.token_server import token_server
from rotator.settings.file import load

pytestmark = pytest.mark.usefixtures("ready")

ENTRY = {"provider": "acme_api_token", "connection": "acme", "owner": "ci"}


@pytest.fixture
def acme(tmp_path):
    """Run an issuer and configure it; give it."""
    with token_server() as server:
        (tmp_path / "own.token").write_text(server.admin.reveal())
        (tmp_path / "rotator.toml").write_text(
            'data_dir = "data"\n[[connections]]\nname = "acme"\nfamily = "http"\nkinds = ["acme_api_token"]\n'
            f'endpoint_url = "{server.address}"\ncredential = "file:own.token"\n'
            '[[credentials]]\nmatch = {provider = "acme_api_token", owner = "app"}\ncriticality = "low"\n'
        )
        yield server


@pytest.mark.usefixtures("acme")
def test_an_inventory_is_imported_once_and_its_changes_are_told(rotator, tmp_path):
    (tmp_path / "own.csv").write_text("provider,connection,owner,criticality\nacme_api_token,acme,ci,high\n")
    (tmp_path / "bad.csv").write_text("provider,owner,criticality\nacme_api_tokn,ci,high\nacme_api_token,ci,hgh\n")
    assert "1 added, 0 changed" in rotator("inventory", "import", "own.csv").ended(0).out
    assert "nothing would change: all 1 entries" in rotator("inventory", "import", "own.csv", "--dry-run").ended(0).out
    first, second = rotator("inventory", "import", "own.csv", "bad.csv").ended(2).err.splitlines()
    assert "bad.csv, line 2: no provider is called acme_api_tokn" in first
    assert "bad.csv, line 3: criticality" in second
    nowhere = json.dumps([{"match": ENTRY, "deliver": [{"store": "vault_kv", "connection": "acme", "name": "x"}]}])
    told = rotator("inventory", "import", "-", given=nowhere).ended(2).one_line
    assert "standard input, line 1: deliver: vault_kv needs a connection of the family vault" in told
    changed = json.dumps([{"match": ENTRY, "criticality": "low", "reachable_from": ["host:ci-7"]}])
    told = rotator("inventory", "import", "-", given=changed).ended(0).out
    assert "criticality: high → low" in told
    before = [each["before"] for each in json.loads(rotator("inventory", "history", "ci", "-o", "json").ended(0).out)]
    assert before == [None, {"criticality": "high"}]


def test_what_is_listed_and_in_no_entry_is_uncovered_until_somebody_speaks_of_it(rotator, acme):
    for owner in ("ci", "app"):
        acme.plant(owner)
    rotator("inventory", "discover", "acme", "--save").ended(0)
    found = json.loads(rotator("inventory", "coverage", "-o", "json").ended(3).out)
    assert {"ci"} == {each["owner"] for each in found["uncovered"]} & {"ci", "app"}
    entry = json.dumps([{"match": ENTRY}, {"match": {**ENTRY, "id": "gone"}}])
    rotator("inventory", "import", "-", given=entry).ended(0)
    found = json.loads(rotator("inventory", "coverage", "acme", "-o", "json").out)
    assert not {"ci", "app"} & {each["owner"] for each in found["uncovered"]}
    assert [each["match"]["id"] for each in found["gone"]] == ["gone"]
    entries = json.loads(rotator("inventory", "list", "-o", "json").ended(0).out)
    assert {(each["match"]["owner"], each["source"]) for each in entries} >= {
        ("app", "configuration"),
        ("app", "discover"),
        ("ci", "discover"),
        ("ci", "import"),
    }
    assert acme.admin.reveal() not in "".join(rotator.said)


def test_what_the_configuration_leaves_unsaid_of_a_match_is_heard_from_an_import(rotator):
    match = "{provider: aws_iam_access_key, owner: ci}"
    (rotator.folder / "rotator.toml").write_text(
        'data_dir = "data"\n[[credentials]]\ncriticality = "high"\n'
        'match = {provider = "aws_iam_access_key", owner = "ci"}\n'
    )
    (rotator.folder / "more.yaml").write_text(
        f"credentials:\n- {{match: {match}, criticality: low, reachable_from: ['host:ci-7'], contact: ann}}\n"
    )
    rotator("inventory", "import", "more.yaml").ended(0)
    listed = rotator("inventory", "list", "-o", "json").ended(0).report
    assert [each["overruled"] for each in listed] == [[], ["criticality"]]
    found = Rotator(load(rotator.folder / "rotator.toml"))
    said = found.custodies.of(CredentialRef("aws_iam_access_key", "aws", "ci", "AKIA1"))
    found.database.close()
    assert (said.criticality, [str(each) for each in said.reachable_from], said.contact) == (
        "high",
        ["host:ci-7"],
        "ann",
    )
