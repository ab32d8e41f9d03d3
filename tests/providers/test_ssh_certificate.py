"""What is special about SSH user certificates, on real OpenSSH servers."""

from __future__ import annotations

import json

import asyncssh
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.ssh_bearer import certified
from rotator.ports.provider import Answer
from rotator.providers.ssh_certificate import connect
from tests.servers.ssh_revoked import ACCOUNTS, revoking_hosts

KIND = "ssh_certificate"
ONE, TWO = ACCOUNTS[:2]


@pytest.fixture(scope="module")
def hosts():
    with revoking_hosts() as running:
        yield running


@pytest.fixture(scope="module")
def provider(hosts):
    return connect(hosts.connection(), KIND)


@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp256"])
def test_certificates_of_other_keys_are_let_in_and_revoked_too(hosts, provider, kind):
    name, secret = hosts.certificate(ONE, kind=kind)
    ref = CredentialRef(KIND, "fleet", ONE, name)
    assert provider.verify_at("web1", ref, secret).answer is Answer.ACCEPTED
    provider.uninstall("web1", ref)
    assert provider.verify_at("web1", ref, secret).answer is Answer.REJECTED


def test_another_certificate_for_the_stolen_key_is_refused_too(hosts, provider):
    name, secret = hosts.certificate(ONE)
    ref = provider.identify(Leaked(secret=secret))
    assert ref == CredentialRef(KIND, "fleet", ONE, name)
    key = certified(secret).key
    later = hosts.authority.generate_user_certificate(key, "again", principals=[ONE])
    both = Secret((key.export_private_key() + later.export_certificate()).decode())
    assert provider.verify(ref, both).answer is Answer.ACCEPTED
    provider.revoke(ref)
    assert provider.verify(ref, both).answer is Answer.REJECTED


def test_it_belongs_to_every_account_that_it_opens(hosts, provider):
    _, secret = hosts.certificate(ONE, TWO)
    assert provider.identify(Leaked(secret=secret)).owner == f"{ONE},{TWO}"


def test_a_document_of_both_is_read_too(hosts, provider):
    name, secret = hosts.certificate(ONE)
    bearer = certified(secret)
    assert bearer.certificate is not None
    document = {
        "private_key": bearer.key.export_private_key().decode(),
        "certificate": bearer.certificate.export_certificate().decode(),
    }
    assert provider.identify(Leaked(secret=Secret(json.dumps(document)))).id == name


def test_a_certificate_of_an_authority_that_no_host_trusts_is_not_ours(provider):
    key, stranger = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    signed = stranger.generate_user_certificate(key, "x", principals=["nobody-here"])
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret((key.export_private_key() + signed.export_certificate()).decode())))
    assert refusal.value.reason == "unknown_credential"


def test_a_key_without_its_certificate_or_with_anothers_proves_nothing(hosts, provider):
    name, secret = hosts.certificate(ONE)
    _, other = hosts.certificate(ONE)
    ref = CredentialRef(KIND, "fleet", ONE, name)
    pem = secret.reveal().partition("-----END OPENSSH PRIVATE KEY-----\n")
    alone, mixed = "".join(pem[:2]), "".join(pem[:2]) + other.reveal().splitlines()[-1]
    for text in (alone, mixed):
        with pytest.raises(Rejected) as refusal:
            provider.identify(Leaked(secret=Secret(text)))
        assert refusal.value.reason == "unreadable"
        assert provider.verify(ref, Secret(text)).answer is Answer.INCONCLUSIVE
