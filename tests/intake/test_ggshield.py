"""The samples are what ggshield 1.56.1 printed of the planted home directory and of a repository made of it.

It asks GitGuardian's service what is a secret. Here a stand-in on 127.0.0.1 answered, which finds AWS pairs, GitHub
tokens and private keys by three patterns: the words for the kinds are therefore ours, the form of the report its own.
`secret scan path -r --json --show-secrets home` and without --show-secrets, `secret scan repo --json --show-secrets .`
"""

from __future__ import annotations

import json

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput


def incident(rule: str, *matches: dict[str, object], **more: object) -> bytes:
    found = {"type": rule, "occurrences": list(matches), **more}
    entity = {"filename": "f", "mode": "FILE", "incidents": [found]}
    return json.dumps({"id": "f", "type": "path_scan", "entities_with_incidents": [entity]}).encode()


def part(name: str, text: str, line: int = 1) -> dict[str, object]:
    return {"type": name, "match": text, "line_start": line}


def test_a_real_report_is_read_whole(sample, exposures):
    found = exposures(sample("ggshield.json"))
    keys = {(each.where, each.leaked.id, each.scanner_says) for each in found if each.rule == "aws_iam_access_key"}
    assert keys == {
        ("/scan/home/.env:1", "AKIAUJZDEGXDNCF32EPF", "active"),
        ("/scan/home/.aws/credentials:2", "AKIAUJZDEGXDNCF32EPF", "active"),
        ("/scan/home/.aws/credentials:6", "AKIAH2KVJ72CEUVW75EF", "active"),
        ("/scan/home/app/settings.py:1", "AKIAH2KVJ72CEUVW75EF", "active"),
    }
    assert sum(each.rule == "ssh_authorized_key" for each in found) == 3
    assert [each.scanner_says for each in found if each.rule == "github_token"] == ["inactive"]
    assert all(each.leaked.secret for each in found)


def test_an_id_and_its_secret_are_a_pair(sample, exposures):
    pairs = {
        each.leaked.id: each.leaked.secret.reveal() for each in exposures(sample("ggshield.json")) if each.leaked.id
    }
    assert pairs == {
        "AKIAUJZDEGXDNCF32EPF": "2hpChYgCfrL1spNxnyVmihA/2O76UMFxFkM/R5Kj",
        "AKIAH2KVJ72CEUVW75EF": "I8ihN5KXSc7Tvo/hBKqFYY/kv5ZJr3J1TWDtkwtD",
    }


def test_a_repositorys_scan_names_the_commit(sample, exposures):
    found = exposures(sample("ggshield_repo.json"))
    assert len(found) == 8
    assert {each.commit for each in found} == {"926089ed9c820c7f99f9a560d0180a532de6cac7"}


def test_hidden_secrets_are_refused(sample, exposures):
    with pytest.raises(BadInput, match="--show-secrets"):
        exposures(sample("ggshield_hidden.json"))


def test_a_secret_with_an_asterisk_is_not_hidden(exposures):
    (found,) = exposures(incident("Generic Password", part("password", "a*b*c*d*e*f*")))
    assert (found.source, found.rule, found.leaked.secret.reveal()) == ("ggshield", "Generic Password", "a*b*c*d*e*f*")


def test_the_places_of_one_secret_in_one_file_are_told_apart(exposures):
    pair = [part("client_id", "the-id"), part("client_secret", "the-secret")]
    again = [part("client_id", "the-id", 9), part("client_secret", "the-secret", 10)]
    first, second = exposures(incident("Some Keys", *pair, *again))
    assert first.leaked == second.leaked == Leaked(id="the-id", secret=Secret("the-secret"))
    assert (first.where, second.where) == ("f:1", "f:9")


def test_a_login_says_whose_it_is_and_a_connection_string_is_whole(exposures):
    login = [part("host", "db"), part("username", "app"), part("password", "hunter2")]
    (found,) = exposures(incident("Some Database", *login))
    assert found.leaked == Leaked(owner="app", secret=Secret("hunter2"))
    uri = "postgres://app:hunter2@db/x"
    (found,) = exposures(incident("PostgreSQL Credentials", *login, part("connection_uri", uri)))
    assert (found.source, found.rule, found.leaked.secret.reveal()) == ("list", "postgres_role", uri)


def test_each_of_several_secrets_beside_one_name_is_listed(exposures):
    parts = [part("client_id", "i"), part("client_secret", "one"), part("refresh_token", "two")]
    found = exposures(incident("OAuth", *parts))
    assert [each.leaked for each in found] == [Leaked(id="i", secret=Secret(each)) for each in ("one", "two")]
    (hook,) = exposures(incident("Webhook", part("url", "https://hooks.example/s3cr3t")))
    assert hook.leaked == Leaked(secret=Secret("https://hooks.example/s3cr3t"))


def test_scans_without_end_are_refused(exposures):
    nested: object = []
    for _ in range(5):
        nested = [{"id": "x", "type": "commit-range", "scans": nested}]
    with pytest.raises(BadInput, match="scans within scans"):
        exposures(json.dumps(nested[0]).encode())


def test_a_scan_that_found_nothing_names_nothing(exposures):
    report = {"id": "f", "type": "path_scan", "total_incidents": 0, "secrets_engine_version": "2.130.0"}
    assert exposures(json.dumps(report).encode()) == []
