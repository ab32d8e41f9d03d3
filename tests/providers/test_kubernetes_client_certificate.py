"""What is special about client certificates of Kubernetes, tried over TLS on a fake of ours of its API."""

from __future__ import annotations

import base64

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.ports.provider import Answer, Capability
from rotator.providers.kubernetes_client_certificate import connect
from tests.contracts.cases.kubernetes_client_certificate import KIND, connection, new_certificate
from tests.fakes.kubernetes_authority import Authority
from tests.fakes.kubernetes_server import kubernetes_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with kubernetes_server(tls_in=tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture(scope="module")
def provider(server):
    return connect(connection(server), KIND)


def kubeconfig(pem: str) -> str:
    certificate, key = pem.split("-----BEGIN PRIVATE KEY-----")
    parts = (certificate, f"-----BEGIN PRIVATE KEY-----{key}")
    first, second = (base64.b64encode(part.encode()).decode() for part in parts)
    user = f"    client-certificate-data: {first}\n    client-key-data: {second}\n"
    return f"apiVersion: v1\nkind: Config\nusers:\n- name: alice\n  user:\n{user}"


def test_it_is_left_to_people(provider):
    assert provider.capability is Capability.MANUAL


def test_a_kubeconfig_names_its_certificate_and_knocks_with_it(server, provider):
    ref, secret = new_certificate(server, "alice")
    config = Secret(kubeconfig(secret.reveal()))
    assert provider.identify(Leaked(secret=config)) == ref
    assert provider.verify(ref, config).answer is Answer.ACCEPTED


def test_a_key_of_another_certificate_is_garbled_and_sent_nowhere(server, provider):
    _, one = new_certificate(server, "alice")
    _, other = new_certificate(server, "alice")
    mixed = (
        one.reveal().split("-----BEGIN PRIVATE")[0]
        + "-----BEGIN PRIVATE"
        + other.reveal().split("-----BEGIN PRIVATE")[1]
    )
    before = len(server.calls)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(mixed)))
    assert refusal.value.reason == "unreadable"
    assert len(server.calls) == before


def test_another_certificate_of_the_same_user_proves_nothing(server, provider):
    ref, _ = new_certificate(server, "alice")
    _, other = new_certificate(server, "alice")
    assert provider.verify(ref, other).reason == "another_certificate"


def test_a_door_that_breaks_off_for_a_certificate_that_it_does_not_trust_proves_nothing(provider):
    stranger = Secret(Authority().client("alice").decode())
    ref = provider.identify(Leaked(secret=stranger))
    with pytest.raises(Unavailable):
        provider.verify(ref, stranger)


def test_one_of_another_address_is_not_ours(server, provider):
    _, secret = new_certificate(server, "alice")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=secret, address="https://cluster.example:6443"))
    assert refusal.value.reason == "not_this_account"
