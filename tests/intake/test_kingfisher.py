"""What the real scanner prints, all of it, read back."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from rotator.errors import BadInput
from tests.intake.planted import plant, scan

AWS, KEY, VAULT = "betterleaks.aws-access-token", "betterleaks.private-key", "betterleaks.vault-service-token"
CUSTOM = "custom.range-token"


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """Run the real scanner afresh; return what was planted, and its reports by format."""
    home = tmp_path_factory.mktemp("scan") / "home"
    planted = plant(home, seed=20261122)
    return planted, {
        "json": scan(home, "--no-dedup", "--format", "json"),
        "json, quiet": scan(home, "--no-dedup", "--quiet", "--format", "json"),
        "jsonl": scan(home, "--no-dedup", "--format", "jsonl"),
        "jsonl, quiet": scan(home, "--no-dedup", "--quiet", "--format", "jsonl"),
    }


@pytest.mark.parametrize("form", ["json", "json, quiet", "jsonl", "jsonl, quiet"])
def test_a_fresh_scan_is_read_whole(scanned, exposures, form):
    planted, reports = scanned
    found = exposures(reports[form])
    assert all(each.source == "kingfisher" for each in found)
    assert Counter(each.rule for each in found) == {
        AWS: 4, KEY: 3, VAULT: 2, CUSTOM: 2, "betterleaks.github-pat": 1,
    }  # fmt: skip
    material = {each.leaked.secret.reveal() for each in found if each.leaked.secret is not None}
    assert material == {planted.first[1], planted.second[1], planted.vault, planted.github, planted.custom, planted.ssh}


def test_an_ambiguous_pair_is_read_as_the_id_alone(scanned, exposures):
    planted, reports = scanned
    pairs = {
        each.where: (each.leaked.id, each.leaked.secret and each.leaked.secret.reveal())
        for each in exposures(reports["json"])
        if each.rule == AWS
    }
    assert pairs == {
        "home/.env:1": planted.first,
        "home/.aws/credentials:2": planted.first,
        "home/.aws/credentials:6": (planted.second[0], None),
        "home/app/settings.py:1": planted.second,
    }


def test_one_key_written_in_three_ways_is_one_material(scanned, exposures):
    planted, reports = scanned
    keys = [each for each in exposures(reports["jsonl"]) if each.rule == KEY]
    assert {each.path for each in keys} == {"home/.ssh/id_ed25519", "home/app/.env", "home/windows/id_ed25519"}
    assert {each.leaked.secret.reveal() for each in keys} == {planted.ssh}
    for each in keys:
        assert load_ssh_private_key(each.leaked.secret.reveal().encode(), None)


def test_nothing_is_validated_so_the_scanner_says_nothing(scanned, exposures):
    assert {each.scanner_says for each in exposures(scanned[1]["json"])} == {None}


def test_what_the_scanner_validated_is_passed_on(sample, exposures):
    found = exposures(sample("kingfisher_validated.jsonl"))
    assert [each.scanner_says for each in found] == ["active", "inactive", None]


def test_a_commit_is_named_with_its_repository(sample, exposures):
    (found,) = exposures(sample("kingfisher_git.jsonl"))
    assert (found.path, found.line, found.commit) == ("t/repo/x.env", 1, "eb7d38e33889e715013e3bbbdde38a4d760c2603")


def test_helper_findings_are_listed_too(sample, exposures):
    found = exposures(sample("kingfisher_hidden.jsonl"))
    helpers = [each.leaked for each in found if each.rule == "betterleaks.aws-secret-access-key"]
    assert len(helpers) == 4
    assert all(each.id is None and each.secret for each in helpers)


def test_a_session_tokens_finding_names_its_key_and_is_material_with_it(exposures):
    finding = {
        "rule": {"id": "betterleaks.aws-session-token"},
        "finding": {
            "dependent_captures": {"AKID": "ASIAUJZDEGXDNCF32EPF", "AWS_SECRET_ACCESS_KEY": "the-secret"},
            "snippet": "IQoJb3JpZ2luX2VjE",
            "path": "cred",
            "line": 4,
        },
    }
    (found,) = exposures(json.dumps({"findings": [finding]}).encode())
    assert found.leaked.id == "ASIAUJZDEGXDNCF32EPF"
    assert json.loads(found.leaked.secret.reveal()) == {
        "aws_access_key_id": "ASIAUJZDEGXDNCF32EPF",
        "aws_secret_access_key": "the-secret",
        "aws_session_token": "IQoJb3JpZ2luX2VjE",
    }


def test_a_scan_that_found_nothing_names_nothing(exposures):
    audit = {"schema": "kingfisher.repository-audit.v1", "summary": {}}
    assert exposures(json.dumps({"audit": audit}).encode()) == []
    assert exposures(json.dumps({"findings": [], "audit": audit, "metadata": {}}).encode()) == []


def test_the_members_may_stand_in_any_order(sample, exposures):
    envelope, summary = sample("kingfisher.json").splitlines()
    rearranged = json.dumps(json.loads(envelope), sort_keys=True, indent=2).encode()
    assert next(iter(json.loads(rearranged))) == "audit"
    assert exposures(rearranged + b"\n" + summary) == exposures(sample("kingfisher.json"))


def test_a_redacted_report_is_refused(sample, exposures):
    with pytest.raises(BadInput, match=r"^report, finding 1: the report is redacted.*without --redact"):
        exposures(sample("kingfisher_redacted.json"))


def test_jsonl_cut_off_between_two_lines_is_refused(sample, exposures):
    lines = sample("kingfisher.jsonl").splitlines(keepends=True)
    for kept in range(1, 13):
        with pytest.raises(BadInput, match="cut off"):
            exposures(b"".join(lines[:kept]))
    assert len(exposures(b"".join(lines[:13]))) == 12


def test_a_json_that_is_not_a_kingfisher_report_is_refused(exposures):
    for text in (b'{"findings": 3}', b'{"findings": {}}', b'{"findings": [3]}', b'{"findings": [{"rule": 1}]}'):
        with pytest.raises(BadInput, match="not a kingfisher"):
            exposures(text)


@pytest.mark.parametrize(
    ("rule", "snippet", "captured", "leaked"),
    [
        # As kingfisher 2.14 finds them in a .env file: an Azure or Auth0 secret with its companions, Twilio's id alone.
        ("azure-ad-client-secret", "s", {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "i"}, ("i", "s")),
        ("auth0-client-secret.1", "s", {"AUTH0_CLIENT_ID_1": "i", "AUTH0_DOMAIN_1": "d"}, ("i", "s")),
        ("twilio-api-key", "SK0a1b2c3d4e5f60718293a4b5c6d7e8f9", {}, ("SK0a1b2c3d4e5f60718293a4b5c6d7e8f9", None)),
    ],
)
def test_an_id_beside_a_secret_is_its_id(exposures, rule, snippet, captured, leaked):
    finding = {"rule": {"id": rule}, "finding": {"snippet": snippet, "dependent_captures": captured}}
    (found,) = exposures(json.dumps({"findings": [finding]}).encode())
    assert (found.leaked.id, found.leaked.secret and found.leaked.secret.reveal()) == leaked
