"""Stolen credentials for tests of plans: of any kind, with what their tests say of them."""

from __future__ import annotations

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.plan import make
from rotator.flow.planned import Plan
from rotator.flow.scope import ConsumerAddress, Custody, Lifeline, Scoped
from rotator.playbook_file import load_all
from rotator.ports.store import Place

PLAYBOOKS = load_all()
PLACE = Place("vault_kv", "vault", "ci")
CONSUMER = ConsumerAddress("webhook", "http://127.0.0.1:9")
KEY = "aws_iam_access_key"


def stolen(kind: str = KEY, name: str = "1", owner: str = "ci", at: str = "prod", lifeline=None, **custody) -> Scoped:
    ref = CredentialRef(kind, at, owner, name)
    said = {"deliver": (PLACE,), "consumers": (CONSUMER,), "reads": (), **custody}
    leaked = Leaked(id=name, secret=Secret("canary"))
    exposure = Exposure("list", kind, leaked, path="leak.csv", line=2)
    return Scoped(ref, kind, leaked, (exposure,), Custody({"id": name}, **said), "seen", lifeline)


def ours(name: str = "own") -> Scoped:
    """Return the rotator's own credential on `prod`, acted upon from elsewhere."""
    place = (Place("file", "disk", "own"),)
    return stolen(
        name=name, owner="rotator", at="glass", lifeline=Lifeline("prod", ("prod",)), deliver=place, consumers=()
    )


def planned(*found: Scoped, **asked) -> Plan:
    return make(found, asked.pop("manual", ()), PLAYBOOKS, {}, **asked)
