"""Who does not answer is never said to: each kind is asked about a credential that its issuer has to look for."""

from __future__ import annotations

import json
from types import SimpleNamespace

import asyncssh
import pytest

from rotator.bootstrap import Rotator
from rotator.errors import Unavailable
from rotator.examining.made_up import NOBODY, fitting
from rotator.examining.reaching import Asked, issuer, reach
from rotator.playbook_file import load_all
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.settings.configuration import Settings
from rotator.shown.kinds import served
from tests.contracts.case import opener

KINDS = load_all()
FIELDS = {"id", "token", "username", "password", "api_key", "application_key", "client_id", "client_secret"}
OWN = json.dumps(dict.fromkeys(FIELDS | {each.http.secret_field for each in KINDS.values() if each.http}, "own"))
AWS = json.dumps({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "own"})
SCHEMES = {"postgres": "postgresql", "mysql": "mysql", "redis": "redis", "ldap": "ldap"}
FAMILIES = ("aws", "azure", "gcp", "ssh", "vault", "gitlab", "github", "kubernetes", "rabbitmq", *SCHEMES)


@pytest.fixture
def gone(tmp_path, monkeypatch):
    """Return a rotator whose every connection leads to a port where nobody listens."""
    port, key = free_port(), asyncssh.generate_private_key("ssh-ed25519")
    for name, text in {"own": OWN, "aws": AWS, "key": key.export_private_key().decode()}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("TOKEN", "own")
    known = f"[127.0.0.1]:{port} {key.export_public_key().decode()}"
    peculiar = {
        "aws": {"credential": "file:aws"},
        "azure": {"vault": "payments"},
        "gcp": {"credential": "env:TOKEN"},
        "ssh": {"hosts": [f"web=127.0.0.1:{port}"], "user": "ci", "known_hosts": known, "credential": "file:key"},
        **{family: {"user": "rotator", "tls": False} for family in SCHEMES},
    }
    connections = [
        {"name": family, "family": family, "account": "acme", "credential": "file:own", **peculiar.get(family, {})}
        for family in FAMILIES
    ]
    for kind, playbook in KINDS.items():
        if playbook.http is not None:
            told = {"settings": dict.fromkeys(playbook.http.settings, "a"), "kinds": [kind]}
            connections.append({"name": kind, "family": "http", "account": "a", "credential": "file:own", **told})
    for each in connections:
        if each["family"] != "ssh":
            each["endpoint_url"] = f"{SCHEMES.get(each['family'], 'http')}://127.0.0.1:{port}"
    return Rotator(Settings(connections=connections, folder=tmp_path, data_dir=tmp_path / "data"))


def asked(parts, kind, connection):
    """Return what is said, and whether that the issuer cannot be reached."""
    try:
        return issuer(parts, kind, connection)
    except Unavailable:
        return None


def test_where_nobody_listens_no_kind_says_anything_else(gone):
    said = {kind: asked(gone, kind, each) for each in gone.connections for kind in served(gone, each)}
    assert len(said) > 45
    assert {kind: words for kind, words in said.items() if words and not words.startswith("not asked")} == {}


@pytest.mark.parametrize(
    "kind",
    [
        "azure_entra_secret",
        "gcp_iam_binding",
        "github_app_installation",
        "github_collaborator",
        "gitlab_token",
        "kubernetes_service_account_token",
        "grafana_service_account_token",
        "linode_token",
        "mongodb_atlas_secret",
        "twilio_api_key",
    ],
)
def test_a_made_up_name_of_the_right_form_is_answered(kind, tmp_path):
    with opener(kind)(tmp_path) as case:
        outside = SimpleNamespace(provider=lambda _: case.provider, provider_of=lambda *_: case.provider)
        parts = SimpleNamespace(outside=outside, playbooks=KINDS, settings=SimpleNamespace(credentials=[]))
        assert issuer(parts, kind, Connection("c", case.provider.family)).startswith("answers")


@pytest.mark.parametrize(
    ("form", "made"),
    [
        (None, NOBODY),
        (".*", NOBODY),
        ("[0-9]+", "0"),
        ("SK[0-9a-fA-F]{4}", "SK0000"),
        (r"(?:ab|cd)\d{2}x?[-._]", "ab00x-"),
        ("^[A-Z]{2}$", "AA"),
        ("[0-9]+(?=x)", NOBODY),
    ],
)
def test_the_least_that_a_form_takes_is_made(form, made):
    assert fitting(form) == made


def test_what_nobody_foresaw_is_an_answer_and_is_told_by_its_name_alone(capfd):
    def unforeseen():
        raise TypeError("canary-7f3a9b")

    (told,) = reach([Asked("gh", unforeseen)], deadline_s=60.0)
    assert (told.well, told.answer) == (False, "an answer that nobody foresaw: TypeError")
    assert capfd.readouterr() == ("", "")
