"""What is peculiar to Secrets Manager: first versions, labels, and what the emulators cannot show."""

from __future__ import annotations

import json
import secrets

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Uncertain
from rotator.families.aws import Exchange
from rotator.practice.ministack import ministack
from rotator.stores.aws_secrets_manager import EMPTY_VALUE, EMPTY_VERSION, connect
from tests.servers.moto import Moto, moto_server
from tests.stores.secrets_manager_case import connection

DOCUMENT = Secret('{"id": "AKIA", "aws_secret_access_key": "canary-4d5e6f"}')


@pytest.fixture(scope="module", params=[moto_server, ministack])
def server(request, tmp_path_factory):
    with request.param(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def name():
    return f"ci/{secrets.token_hex(6)}"


def labels(server, name):
    return server.client("secretsmanager").describe_secret(SecretId=name)["VersionIdsToStages"]


def test_a_new_secret_starts_with_an_empty_version_so_that_the_staged_one_is_not_current(server, name):
    version = connect(connection(server)).stage(name, DOCUMENT, "step-1")
    found = labels(server, name)
    assert "AWSCURRENT" not in found[version]
    now = server.client("secretsmanager").get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
    assert now["SecretString"] == EMPTY_VALUE


def test_the_staged_label_goes_when_the_version_is_current(server, name):
    store = connect(connection(server))
    version = store.stage(name, DOCUMENT, "step-1")
    assert [label for label in labels(server, name)[version] if label.startswith("ROTATOR_STAGED_")]
    store.promote(name, version, None)
    assert labels(server, name)[version] == ["AWSCURRENT"]


def test_a_label_left_by_a_crash_after_the_move_goes_when_promotion_is_repeated(server, name):
    store = connect(connection(server))
    version = store.stage(name, DOCUMENT, "step-1")
    store.promote(name, version, None)
    other_hand = server.client("secretsmanager")
    label = f"ROTATOR_STAGED_{version}"
    other_hand.update_secret_version_stage(SecretId=name, VersionStage=label, MoveToVersionId=version)
    store.promote(name, version, None)
    assert labels(server, name)[version] == ["AWSCURRENT"]


def test_the_version_before_stays_readable_as_previous(server, name):
    store = connect(connection(server))
    server.client("secretsmanager").create_secret(Name=name, SecretString="by hand")
    old = store.current(name)
    store.promote(name, store.stage(name, DOCUMENT, "step-1"), old)
    assert "AWSPREVIOUS" in labels(server, name)[old]
    assert store.read(name, old) == Secret("by hand")


def test_a_secret_may_be_named_by_its_arn(server, name):
    store = connect(connection(server))
    arn = server.client("secretsmanager").create_secret(Name=name, SecretString="by hand")["ARN"]
    version = store.stage(arn, DOCUMENT, "step-1")
    store.promote(arn, version, store.current(name))
    assert store.current(name) == version


def test_a_binary_value_is_refused_in_words(server, name):
    store = connect(connection(server))
    server.client("secretsmanager").create_secret(Name=name, SecretBinary=b"\x00\x01")
    with pytest.raises(Rejected) as refusal:
        store.read(name, store.current(name))
    assert refusal.value.reason == "not_text"


def test_the_same_token_gives_the_same_version_in_any_process(server, name):
    first = connect(connection(server)).stage(name, DOCUMENT, "step-1")
    assert connect(connection(server)).staged(name, "step-1") == first


def test_a_secret_made_without_a_value_is_filled_before_anything_is_staged(tmp_path, name):
    # ministack gives such a secret a current version without a value; moto makes none, as AWS does.
    with moto_server(tmp_path) as server:
        store = connect(connection(server))
        server.client("secretsmanager").create_secret(Name=name)
        assert store.current(name) is None
        version = store.stage(name, DOCUMENT, "step-1")
        assert set(labels(server, name)) == {EMPTY_VERSION, version}
        assert store.read(name, EMPTY_VERSION) == Secret(EMPTY_VALUE)


def test_a_lost_answer_to_staging_is_uncertain_and_can_be_looked_up(server, name, monkeypatch):
    store = connect(connection(server))
    real = Exchange.change

    def loses_the_answer(self, service, operation, **parameters):
        real(self, service, operation, **parameters)
        if operation == "put_secret_value":
            raise Uncertain("answer_lost")

    monkeypatch.setattr(Exchange, "change", loses_the_answer)
    server.client("secretsmanager").create_secret(Name=name, SecretString="by hand")
    with pytest.raises(Uncertain):
        store.stage(name, DOCUMENT, "step-1")
    monkeypatch.undo()
    version = store.staged(name, "step-1")
    assert store.read(name, version) == DOCUMENT


def test_own_credential_that_is_not_a_document_is_named_as_the_trouble(server, name):
    store = connect(connection(server, credential=lambda: Secret("canary-not-json")))
    with pytest.raises(Rejected) as refusal:
        store.current(name)
    assert refusal.value.reason == "own_credential_unreadable"
    assert "canary" not in str(refusal.value)


def test_a_rotated_credential_of_our_own_is_picked_up(server, name):
    user, bad_id, bad_secret = server.plant()
    server.iam.delete_access_key(AccessKeyId=bad_id, UserName=user)
    held = [Secret(json.dumps({"aws_access_key_id": bad_id, "aws_secret_access_key": bad_secret.reveal()}))]
    store = connect(connection(server, credential=lambda: held[0]))
    with pytest.raises(Rejected) as refusal:
        store.current(name)
    # moto answers this service's JSON clients in XML, so there is no telling why.
    assert refusal.value.reason == ("refused" if isinstance(server, Moto) else "own_credential_refused")
    held[0] = connection(server).credential()
    assert store.current(name) is None
