"""Certificates and canaries in the ledger, on both: what may be alive is known from before it is made."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from rotator.canary import Canary
from rotator.evidence import certificate, signing
from rotator.ledger.certificates import Certificates
from tests.fakes.deployment import broken_chains

CANARY = Canary("aws_iam_access_key", "aws", "ci", "rotator-canary-1", 5.0, ("KEY1", "KEY2"))
KEY = signing.SigningKey(bytes(range(32)))


def told(deployment):
    return [(each["act"], each.get("marker", each.get("sha256"))) for each in deployment.evidence("service")]


def test_a_canary_is_kept_from_before_it_is_made_until_its_issuer_has_none(house):
    _, deployment = house
    kept = Certificates(deployment.database)
    kept.intend(CANARY)
    assert kept.left("aws") == [CANARY]
    assert kept.left("acme") == []
    with pytest.raises(IntegrityError):
        kept.intend(CANARY)
    kept.made(CANARY.marker, "KEY3")
    assert [each.credential for each in kept.left("aws")] == ["KEY3"]
    kept.gone(CANARY.marker)
    kept.gone(CANARY.marker)
    assert kept.left("aws") == []
    assert told(deployment) == [("canary_intended", CANARY.marker), ("canary_gone", CANARY.marker)]
    assert broken_chains(deployment) == []


def test_a_certificate_is_kept_as_it_was_signed_and_its_hash_is_evidence(house):
    _, deployment = house
    kept = Certificates(deployment.database)
    for at in (1.5, 2.5):
        told_ = {"at": at, "kind": "k", "connection": "c", "outcome": "certified", "by": "jana", "rotator": "1"}
        kept.keep(certificate.make(KEY, told_))
    assert [each.at for each in kept.every()] == [2.5, 1.5]
    assert [certificate.wrong(each.certificate, KEY.public) for each in kept.every()] == ["", ""]
    assert [act for act, _ in told(deployment)] == ["certified", "certified"]
    other = signing.SigningKey(bytes(32))
    assert "another key" in certificate.wrong(kept.every()[0].certificate, other.public)


def test_the_comparison_of_a_run_never_takes_a_canary_for_a_strangers(house):
    company, deployment = house
    stolen, _ = company.stolen("aws_iam_access_key")
    kept, once = Certificates(deployment.database), []

    def certify(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue") and not once:
            once.append(what)
            canary, _ = company.aws.plant(stolen.ref.owner)
            kept.intend(Canary("aws_iam_access_key", "aws", stolen.ref.owner, "m", company.world.now(), (), canary.id))

    company.world.meet = certify
    deployment.start([stolen])
    deployment.rest(patience_s=3600.0)
    assert once
    compared = [state for name, state in deployment.steps().items() if name.startswith("compare")]
    assert compared == ["done", "pending"]  # the second comes after the wait before the destruction
