from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from rotator.errors import BadInput

FIRST = ("AKIAUJZDEGXDNCF32EPF", "2hpChYgCfrL1spNxnyVmihA/2O76UMFxFkM/R5Kj")
SECOND = ("AKIAH2KVJ72CEUVW75EF", "I8ihN5KXSc7Tvo/hBKqFYY/kv5ZJr3J1TWDtkwtD")


@pytest.fixture
def found(sample, exposures):
    return exposures(sample("trufflehog.jsonl"))


def test_every_pair_that_it_tells_is_told(found):
    pairs = [(each.leaked.id, each.leaked.secret.reveal()) for each in found if each.rule == "AWS"]
    crossed = [(FIRST[0], SECOND[1]), FIRST, (SECOND[0], FIRST[1]), SECOND]
    # The last is of an old release, which put no colon between id and secret.
    assert pairs == [*crossed, FIRST, SECOND, FIRST]
    assert {each.leaked.account for each in found if each.rule == "AWS"} == {"298736502137"}


def test_a_verified_finding_names_its_owner_and_its_commit(found):
    (verified,) = [each for each in found if each.scanner_says]
    assert verified.scanner_says == "active"
    assert verified.leaked.owner == "payments-ci"
    assert verified.path == "https://git.example.com/org/repo/x.env"
    assert verified.commit == "eb7d38e33889e715013e3bbbdde38a4d760c2603"
    assert verified.seen_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert "clone-password" not in repr(found)


def test_a_vault_token_names_its_server(found):
    (token,) = [each for each in found if each.rule == "HashiCorpVaultToken"]
    assert token.leaked.secret.reveal() == "s.sajAIxNKu8iS2G8NPRVdD534"
    assert token.leaked.address == "https://acme.hashicorp.cloud:8200"


def test_an_old_release_names_the_server_behind_the_token(exposures):
    finding = {"DetectorName": "HashiCorpVaultToken", "Raw": "hvs.x", "RawV2": "hvs.x:https://me:pw@vault.acme:8200/ui"}
    (token,) = exposures(json.dumps(finding).encode())
    assert token.leaked.address == "https://vault.acme:8200"


def test_a_private_key_is_whole(found):
    (key,) = [each for each in found if each.rule == "PrivateKey"]
    assert load_ssh_private_key(key.leaked.secret.reveal().encode(), None)
    assert key.leaked.id is None


def test_a_custom_detector_is_told_by_its_name(found):
    assert "CustomRegex:range-token" in {each.rule for each in found}


def test_the_scanners_own_log_is_passed_over(sample, exposures, found):
    log = b'{"level":"info-0","ts":"2026-01-02T03:04:05Z","logger":"trufflehog","msg":"running source"}\n'
    assert exposures(log + sample("trufflehog.jsonl") + log) == found


def test_a_line_of_another_tool_is_refused(sample, exposures):
    with pytest.raises(BadInput, match=r"^report, line 12: this is not a TruffleHog finding"):
        exposures(sample("trufflehog.jsonl") + b'{"RuleID": "x"}\n')


@pytest.mark.parametrize("parts", [{}, {"secret_access_key": "the-secret", "session_token": "the+token=="}])
def test_a_session_is_all_three_parts(exposures, parts):
    key_id = "ASIAUJZDEGXDNCF32EPF"
    finding = {
        "DetectorName": "AWSSessionKey",
        "Raw": key_id,
        "RawV2": f"{key_id}:the-secret:the+token==",
        "SecretParts": parts,
        "SourceMetadata": {},
    }
    (found,) = exposures(json.dumps(finding).encode())
    assert found.leaked.id == key_id
    assert json.loads(found.leaked.secret.reveal()) == {
        "aws_access_key_id": key_id,
        "aws_secret_access_key": "the-secret",
        "aws_session_token": "the+token==",
    }


def test_a_service_accounts_key_file_is_the_material_not_its_address(exposures):
    email = "ci@acme-prod.iam.gserviceaccount.com"
    file = {"type": "service_account", "client_email": email, "private_key_id": "0" * 40, "private_key": "pem"}
    finding = {
        "DetectorName": "GCP",
        "Raw": email,
        "RawV2": json.dumps(file),
        "ExtraData": {"project": "acme-prod"},
        "SourceMetadata": {},
    }
    (found,) = exposures(json.dumps(finding).encode())
    assert (found.leaked.owner, found.leaked.account, found.leaked.id) == (email, "acme-prod", None)
    assert json.loads(found.leaked.secret.reveal()) == file


@pytest.mark.parametrize(
    ("detector", "raw", "joined", "parts"),
    [
        # As `pkg/detectors/{twilioapikey,auth0oauth,azure_entra}` of its source put them together.
        ("Twilio", "SK" + "0" * 32, "SK" + "0" * 32 + "hunter2", {"key": "SK" + "0" * 32, "sid": "hunter2"}),
        ("Auth0oauth", "hunter2", "SK" + "0" * 32 + "hunter2", None),
        ("Azure", "hunter2", '{"clientSecret":"hunter2","clientId":"SK' + "0" * 32 + '","tenantId":"t"}', None),
        ("Other", "hunter2", "", {"client_id": "SK" + "0" * 32, "client_secret": "hunter2"}),
    ],
)
def test_a_pair_of_another_kind_is_told_apart(exposures, detector, raw, joined, parts):
    finding = {"DetectorName": detector, "Raw": raw, "RawV2": joined, "SecretParts": parts}
    (found,) = exposures(json.dumps(finding).encode())
    assert (found.leaked.id, found.leaked.secret.reveal()) == ("SK" + "0" * 32, "hunter2")


@pytest.mark.parametrize("joined", ["", "{", '{"clientId": 7}'])
def test_a_secret_without_its_id_stays_alone(exposures, joined):
    (found,) = exposures(json.dumps({"DetectorName": "Azure", "Raw": "hunter2", "RawV2": joined}).encode())
    assert (found.leaked.id, found.leaked.secret.reveal()) == (None, "hunter2")
