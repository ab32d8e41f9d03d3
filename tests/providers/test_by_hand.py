"""Kinds without a machine's way in: named by what the report has, never acted upon, and asked of a person."""

from __future__ import annotations

import pytest

from rotator.attribution import suspects
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected
from rotator.families.by_hand import CONNECTION
from rotator.flow.exposure import Exposure
from rotator.playbook_file import load_all
from rotator.providers.by_hand import connect
from rotator.response import prepare
from rotator.settings.configuration import Settings

BOOKS = {name: book for name, book in load_all().items() if book.provider == "by_hand"}
SECRET = Secret("-----BEGIN PRIVATE KEY-----canary-----END PRIVATE KEY-----")


def found(kind, **leaked):
    return Exposure("list", kind, Leaked(**leaked), path="laptop/key.pem", line=1)


@pytest.mark.parametrize("kind", sorted(BOOKS))
def test_a_person_does_every_step_of_it(kind):
    assert all(line.by_hand for line in BOOKS[kind].steps)
    assert BOOKS[kind].tested is None


def test_it_is_named_by_its_id_or_else_by_the_deployments_fingerprint():
    provider = connect(CONNECTION, "tls_private_key")
    assert provider.identify(Leaked(id="www.example", owner="web")) == CredentialRef(
        "tls_private_key", "by_hand", "web", "www.example"
    )
    assert provider.identify(Leaked(secret=SECRET, key="fp-1")).id == "fp-1"
    with pytest.raises(Rejected, match="unreadable"):
        provider.identify(Leaked(secret=SECRET))


def test_no_machine_looks_tries_or_revokes():
    provider = connect(CONNECTION, "tls_private_key")
    ref = provider.identify(Leaked(id="www.example"))
    for act in (provider.inspect, provider.siblings, provider.revoke, lambda one: provider.verify(one, SECRET)):
        with pytest.raises(Rejected) as refusal:
            act(ref)
        assert "canary" not in str(refusal.value)


def test_without_any_connection_it_is_planned_with_its_clock_and_its_words(tmp_path):
    parts = Rotator(Settings(folder=tmp_path, data_dir=tmp_path))
    plan = prepare(parts, suspects(parts, [found("tls_private_key", secret=SECRET)])).plan
    parts.database.close()
    [run] = plan.runs
    assert plan.manual == ()
    assert run.ref.connection == "by_hand"
    assert "canary" not in run.ref.id
    assert [step.name for segment in run.segments for step in segment.steps] == ["contain", "seen"]


def test_no_connection_takes_its_name(tmp_path):
    with pytest.raises((BadInput, ValueError), match="by_hand"):
        Settings(folder=tmp_path, connections=[{"name": "by_hand", "family": "http"}])
