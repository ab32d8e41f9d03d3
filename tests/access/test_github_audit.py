"""GitHub's audit log names a token by the hash that names it here: its uses and the keys that it added are told."""

from __future__ import annotations

import io
import json

import pytest

from rotator.access.persistence import Acts, minted
from rotator.access.reading import evidence
from rotator.access.usage import uses
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.access import Sign
from tests.access.logs import EXPOSED, HOUR, KEY, log, read, record
from tests.access.test_credential_report import ONE, at, key, report_text, user

NOW = EXPOSED + 24 * HOUR
TOKEN = "4yqO2cK0bVx2iJm1D1r3y3o2m4X0yq2k6l0x7w9c1uE="


def did(hours, action, **given):
    event = {
        "@timestamp": int((EXPOSED + hours * HOUR) * 1000),
        "action": action,
        "actor": "dana",
        "actor_ip": "198.51.100.7",
        "hashed_token": TOKEN,
        "org": "acme",
        "programmatic_access_type": "Personal access token (classic)",
        "user_agent": "git/2.40",
    }
    return {key: value for key, value in {**event, **given}.items() if value is not None}


def test_a_tokens_uses_are_told_by_its_hash_and_what_people_did_on_the_web_is_not():
    found = [
        did(-5, "git.clone"),
        did(2, "git.clone", actor_ip="203.0.113.5"),
        did(3, "org.add_member", hashed_token=None),
    ]
    for text in (json.dumps(found), "\n".join(map(json.dumps, found))):
        told = uses(read(text.encode()), {TOKEN: EXPOSED})[TOKEN]
        assert (told.calls, [each.sign for each in told.signs]) == (2, [Sign.NEW_NETWORK])


def test_a_deploy_key_that_it_added_is_exposed_and_other_doors_are_left_to_a_person():
    found = [
        did(1, "public_key.create", repo="acme/shop", fingerprint="SHA256:abc", read_only=False),
        did(2, "public_key.create", user="dana", fingerprint="SHA256:def"),
        did(3, "hook.create", repo="acme/shop"),
        did(-3, "hook.create", repo="acme/api"),
    ]
    made = minted(Acts(read(json.dumps(found).encode())), {TOKEN: EXPOSED})
    [deploy_key] = made.exposures
    assert (deploy_key.rule, deploy_key.leaked.id) == ("github_deploy_key", "SHA256:abc")
    assert deploy_key.leaked.owner == "acme/shop"
    assert [each.key for each in made.unresolved] == ["public_key.create dana, acme", "hook.create acme/shop, acme"]


@pytest.mark.parametrize("at_ms", ["soon", True, 10**18, -1, None])
def test_an_event_without_a_time_is_counted_and_a_log_of_such_is_refused(at_ms):
    broken = {"action": "x", "@timestamp": at_ms}
    for text in (json.dumps([broken, did(1, "git.clone")]), "\n".join(map(json.dumps, [broken, did(1, "git.clone")]))):
        first, second = read(text.encode())
        assert (first.record, first.why, second.name) == (1, "it has no action and @timestamp", "git.clone")
    with pytest.raises(BadInput, match=r"trail\.json, record 1"):
        read(json.dumps([broken, broken]).encode())


def test_all_files_are_read_at_once_each_known_by_its_content():
    ci, token = key("ci", KEY), CredentialRef("github_token", "github", "dana", TOKEN)
    planted = log(record(-1), record(1, "CreateLoginProfile", requestParameters={"userName": "eve"}))
    texts = planted, json.dumps([did(1, "hook.create", repo="a/b")]).encode(), report_text(user("ci", ONE))
    files = [(f"file-{number}", io.BytesIO(text)) for number, text in enumerate(texts)]
    found = evidence(files, {ci: EXPOSED, token: None}, ways={KEY: ("seen in a log",)}, now=NOW)
    assert set(found.uses) == {KEY, TOKEN}
    assert found.uses[KEY].last_used_at == EXPOSED + HOUR  # the credential report's use is an older one
    assert found.uses[KEY].calls == 2
    assert [each.leaked.id for each in found.minted.exposures] == ["eve"]
    assert found.minted.exposures[0].via[0] == "seen in a log"
    assert [each.key for each in found.minted.unresolved] == ["hook.create a/b, acme"]
    late = evidence(
        [("r", io.BytesIO(report_text(user("ci", ONE)))), ("l", io.BytesIO(log(record(-1))))], {ci: EXPOSED}, now=NOW
    )
    assert late.uses[KEY].last_used_at == at("2026-03-24T10:15:00")
    assert late.uses[KEY].told_by == ("l", "r")
    with pytest.raises(BadInput):
        evidence([("x", io.BytesIO(b"hello"))], {}, now=NOW)
