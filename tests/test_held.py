"""What a vendor holds follows from the inventory and the registry, and so does what that reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.inventory import Said as Entry
from rotator.flow.registry import Said, Sort, trusts
from rotator.flow.vendor import Level
from rotator.held import held_by, reached, reached_by_each
from rotator.ports.listing import Discovered
from rotator.settings.file import load
from tests.fakes.deployment import sqlite

KEY, TOKEN = "aws_iam_access_key", "vault_token"
CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "aws"
family = "aws"
[[connections]]
name = "vault"
family = "vault"
endpoint_url = "http://127.0.0.1:1"
"""


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "rotator.toml").write_text(CONFIGURATION)
    found = Rotator(load(tmp_path / "rotator.toml"))
    found.__dict__["database"] = sqlite(tmp_path / "ledger.db")
    return found


def knows(parts, *entries, listed=(), **vendors):
    rows = [Entry(match, keys, f"f.yaml, line {at}") for at, (match, keys) in enumerate(entries, 1)]
    parts.inventory.take(rows, "ana")
    if listed:
        parts.inventory.keep(KEY, "aws", [Discovered(CredentialRef(KEY, "aws", *each)) for each in listed])
    parts.vendors.take([Said(Sort.VENDOR, name, keys, "v.yaml, line 1") for name, keys in vendors.items()], "ana")
    parts.look_again()


def of(parts, name):
    return [(each.ref.owner, each.ref.id) for each in held_by(parts, parts.vendors.one(name))]


def test_an_entry_stands_for_all_that_its_issuer_lists_and_the_closer_one_is_believed(parts):
    broad, close = (
        {"provider": KEY, "owner": "sync"},
        {"provider": KEY, "connection": "aws", "owner": "sync", "id": "B"},
    )
    knows(
        parts,
        (broad, {"vendor": "acme"}),
        (close, {"vendor": "beta"}),
        listed=[("sync", "A"), ("sync", "B"), ("sync", "C"), ("other", "D")],
        acme={},
        beta={},
    )
    assert of(parts, "acme") == [("sync", "A"), ("sync", "C")]
    assert of(parts, "beta") == [("sync", "B")]


def test_what_the_registry_adds_is_held_too_and_the_plan_learns_whose_it_is(parts):
    knows(parts, listed=[("sync", "A"), ("sync", "B")], acme={"holds": [{"provider": KEY, "id": "A"}]})
    assert of(parts, "acme") == [("sync", "A")]
    assert parts.custodies.of(CredentialRef(KEY, "aws", "sync", "A")).vendor == "acme"
    assert parts.custodies.of(CredentialRef(KEY, "aws", "sync", "B")).vendor == ""


def test_what_nobody_has_listed_is_held_without_an_id_and_once(parts):
    exact = {"provider": TOKEN, "connection": "vault", "owner": "feed", "id": "acc-1"}
    knows(
        parts,
        ({"provider": KEY}, {"vendor": "acme"}),
        ({"provider": TOKEN, "owner": "feed"}, {"vendor": "acme"}),
        (exact, {"vendor": "acme"}),
        acme={},
    )
    found = held_by(parts, parts.vendors.one("acme"))
    assert [(each.kind, each.ref.owner, each.ref.id) for each in found] == [(KEY, "", ""), (TOKEN, "feed", "acc-1")]


def test_what_is_held_reaches_datasets_by_what_it_reads(parts):
    knows(
        parts,
        ({"provider": KEY, "owner": "sync"}, {"vendor": "acme", "reads": ["vault:kv/etl"], "datasets": ["logs"]}),
        (
            {"provider": TOKEN, "owner": "etl"},
            {"deliver": [{"store": "vault_kv", "connection": "vault", "name": "kv/etl"}], "datasets": ["patients"]},
        ),
        listed=[("sync", "A")],
        acme={},
    )
    described = [("patients", "critical"), ("logs", "low")]
    rows = [Said(Sort.DATASET, name, {"sensitivity": level}, "d.yaml, line 1") for name, level in described]
    parts.vendors.take(rows, "ana")
    vendor = parts.vendors.one("acme")
    found = reached(parts, held_by(parts, vendor), ["unheard-of"])
    assert [(each.name, each.sensitivity) for each in found.datasets] == [
        ("patients", Level.CRITICAL),
        ("logs", Level.LOW),
        ("unheard-of", None),
    ]
    assert found.worst is Level.CRITICAL
    assert [each.ref.owner for each in found.credentials] == ["etl"]
    assert found.datasets[0].via[0] == f"it holds {KEY} sync"
    assert any(each.endswith("is delivered to vault:kv/etl") for each in found.datasets[0].via)
    # What is counted of all vendors at once is what is found of one.
    own = replace(vendor, datasets=("unheard-of",))
    at_once = reached_by_each(parts, {"acme": held_by(parts, own)}, [own])["acme"]
    assert [(each.name, each.sensitivity) for each in at_once.datasets] == [
        (each.name, each.sensitivity) for each in found.datasets
    ]
    assert [each.ref for each in at_once.credentials] == [each.ref for each in found.credentials]


def test_a_grant_that_trusts_an_account_of_the_vendor_is_held(parts):
    role, other = "vendor-access/arn:aws:iam::999988887777:role/sync", "999988887777/123456789012"
    refs = [
        CredentialRef("aws_role_trust", "aws", "role/vendor-access", role),
        CredentialRef("aws_role_trust", "aws", "role/999988887777", other),
    ]
    parts.inventory.keep("aws_role_trust", "aws", [Discovered(each) for each in refs])
    knows(parts, listed=[("999988887777", "A")], acme={"accounts": ["999988887777"]})
    [held] = held_by(parts, parts.vendors.one("acme"))
    assert (held.ref, held.how) == (refs[0], "inventory: the registry of vendors, account 999988887777")
    assert parts.custodies.of(refs[0]).vendor == "acme"


TRUST = [
    ("gcp_iam_binding", "acme-prod", "acme-prod/roles/viewer/serviceAccount:s@vendor-1.iam.gserviceaccount.com"),
    ("github_collaborator", "acme/site", "acme/site/Vendor-1:583231"),
]


@pytest.mark.parametrize(("kind", "owner", "name"), TRUST)
def test_a_grant_trusts_whom_it_names_and_not_what_it_is_on(kind, owner, name):
    ref = CredentialRef(kind, "c", owner, name)
    assert trusts(ref, "vendor-1")
    for account in ("acme", "acme-prod", "vendor", "endor-1", "1", "site"):
        assert not trusts(ref, account)
