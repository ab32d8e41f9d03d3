"""What the rotator itself uses beside its connections is told as its own when it leaks, and cut by nobody."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import api_token, own_secrets, response
from rotator.credential import Leaked, Secret
from rotator.flow.approval import Role
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.scope import Custodies, Scoped, Unresolved
from rotator.ledger.tokens import Token
from rotator.own_secrets import OwnSecret, OwnSecrets
from rotator.ports.connection import Connection
from rotator.settings.configuration import Settings
from rotator.triage import Triage
from tests.fakes.issuer import Issuer, KeyIssuer
from tests.fakes.world import World

KIND = "aws_iam_access_key"
HOOK = "https://chat.example/services/T0CANARY00/B0CANARY00/canarycanarycanarycanary"
ANOTHER = "rotator token create NAME --role admin --person ana"
SIGNING = base64.b64encode(b"canary-signing-key-of-32-bytes-!").decode()
SEAL = base64.b64encode(b"canary-seal-key-of-32-bytes-here").decode()


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.canarycanarycanary")
    for name, text in {"hook": HOOK, "mail": "canary-mail-word", "siem": "whsec_canarycanary", "key": SEAL}.items():
        (tmp_path / name).write_text(f"{text}\n")
    for name, text in {"signing": SIGNING, "client": "canary-client-word"}.items():
        (tmp_path / name).write_text(f"{text}\n")
    oidc = {"issuer": "https://id.example", "client_id": "rotator", "client_secret": "file:client"}
    smtp = {"host": "m.example", "user": "AKIAQ4R7T2W9Z3K5M8N1", "password": "file:mail"}
    mail = {"name": "mail", "smtp": {**smtp, "sender": "r@example.com", "to": ["o@example.com"]}}
    return Settings.model_validate(
        {
            "folder": tmp_path,
            "data_dir": tmp_path / "data",
            "database_url": "postgresql+psycopg://rotator:canary%40ledger@db.example/rotator",
            "broker_url": "redis://:canary-broker-word@redis.example/0",
            "seal_key": "file:key",
            "evidence": {"signing_key": "file:signing"},
            "web": {"public_url": "https://rotator.example"},
            "sign_in": {"oidc": oidc},
            "notices": [{"name": "#sec", "slack": "file:hook"}, mail],
            "triggers": [{"sender": "generic", "name": "siem", "secret": "file:siem"}],
        }
    )


LEAKS = {
    "the notice channel #sec": Leaked(secret=Secret(HOOK)),
    "the notice channel mail": Leaked(secret=Secret("canary-mail-word")),
    "the trigger generic/siem": Leaked(secret=Secret("whsec_canarycanary")),
    "the seal key": Leaked(secret=Secret(SEAL)),
    "the evidence's key": Leaked(secret=Secret(SIGNING)),
    "the secret of signing in": Leaked(secret=Secret("canary-client-word")),
    "the ledger's database": Leaked(secret=Secret("postgresql://rotator:canary@ledger@db.example/rotator")),
    "the broker": Leaked(secret=Secret("canary-broker-word")),
    "VAULT_TOKEN, with which it reads its own secrets": Leaked(secret=Secret("hvs.canarycanarycanary")),
}


@pytest.mark.parametrize("what", LEAKS)
def test_each_is_known_by_its_material(settings, what):
    found = own_secrets.read(settings, lambda _: None).among(LEAKS[what], None)
    assert [each.what for each in found] == [what]


def test_one_is_known_by_the_access_key_id_that_it_logs_in_as(settings):
    own = own_secrets.read(settings, lambda _: None)
    assert [each.what for each in own.among(Leaked(id="x"), "AKIAQ4R7T2W9Z3K5M8N1")] == ["the notice channel mail"]
    assert own.among(Leaked(id="rotator"), "rotator") == []
    assert own.unread == ()


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_short_material_that_stands_in_another_is_not_it(one, other):
    own = OwnSecrets(((OwnSecret("it", "", lambda: Secret(one)), Secret(one)),))
    is_own = own.among(Leaked(secret=Secret(other)), None) != []
    bare, given_ = "".join(one.split()), "".join(other.split())
    assert is_own == (bare == given_ or (min(len(bare), len(given_)) >= 8 and (bare in given_ or given_ in bare)))


def triaged(own, *, secret):
    """Ask whose a key is that its issuer knows, and something that no playbook recognises."""
    issuer = Issuer(World(), KIND, "aws")
    ref, material = issuer.plant("ci")
    triage = Triage(
        connections=[Connection("aws", "aws")],
        custodies=Custodies([]),
        family=lambda _: "aws",
        provider=lambda *_: KeyIssuer(issuer),
        pause=lambda _: None,
        own=lambda: own,
    )
    seen = (Exposure("list", "unknown rule", Leaked(secret=Secret(HOOK))),)
    return triage.identify(
        [
            Suspect(KIND, ref.id, Leaked(id=ref.id, secret=material if secret is None else secret), seen),
            Suspect(None, "f1", Leaked(secret=Secret(HOOK)), seen),
        ]
    )


def test_it_is_a_persons_whether_an_issuer_knows_it_or_nobody_does():
    word = Secret("canary-word-1")
    owns = [OwnSecret("the notice channel #sec", "replace it", lambda: word)] * 2
    found = triaged(OwnSecrets(((owns[0], word), (owns[1], Secret(HOOK)))), secret=word)
    assert found.scoped == ()
    for each in found.unresolved:
        assert isinstance(each, Unresolved)
        assert (each.reason, each.mend) == ("the rotator's own leaked: the notice channel #sec", "replace it")
        assert "canary" not in f"{each.key} {each.reason} {each.mend}"
    assert {"aws"} in [set(each.reaches) for each in found.unresolved]


def test_what_nobody_could_compare_is_begun_by_no_order_and_the_plan_says_so():
    [found] = triaged(OwnSecrets(unread=("the notice channel #sec",)), secret=None).scoped
    assert isinstance(found, Scoped)
    assert found.uncompared == ("the notice channel #sec",)
    [told] = response._uncompared([found])
    assert "on the notice channel #sec could not be read" in told


def test_one_that_cannot_be_read_is_named_and_keeps_no_other_from_being_read(settings, tmp_path):
    (tmp_path / "hook").unlink()
    own = own_secrets.read(settings, lambda _: None)
    assert own.unread == ("the notice channel #sec",)
    assert len(own.known) == len(LEAKS) - 1


@pytest.mark.parametrize(
    ("revoked_at", "mend"),
    [
        (None, f"end it: rotator token revoke ci --reason …; then make another for who uses it: {ANOTHER}"),
        (5.0, "nothing to do: it is revoked"),
    ],
)
def test_a_token_of_the_api_is_a_persons_under_the_name_it_has_in_the_ledger(revoked_at, mend):
    secret = api_token.minted()
    kept = api_token.read(secret.reveal())
    ci = Token("ci", kept.lookup, Role.ADMIN, "ana", 1.0, "cy", 1e12, None, revoked_at, None, None)
    own = OwnSecrets(token={kept: ci}.get)
    for text in (secret.reveal(), f"Authorization: Bearer {secret.reveal()}"):
        [found] = own.among(Leaked(secret=Secret(text)), None)
        assert found.what == "the API token ci, which acts as ana"
        assert found.mend.startswith(mend)
    # A connection that issued it ends it; what only holds one beside other things is a person's all the same.
    assert own.among(Leaked(secret=secret), None, issued=True) == []
    assert len(own.among(Leaked(secret=Secret(f"Bearer {secret.reveal()}")), None, issued=True)) == 1
    assert own.among(Leaked(secret=api_token.minted()), None) == []
    assert own.among(Leaked(id="x"), "x") == []
