"""The rotator's own exposed credential: through its recovery where that was seen to work, else a person's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected
from rotator.flow.exposure import Suspect
from rotator.flow.scope import ConsumerAddress, Custodies, Custody, Lifeline, Scoped, Unresolved
from rotator.ports.connection import Connection
from rotator.ports.store import Place
from rotator.recovery import Recovery
from rotator.triage import Triage
from tests.fakes.issuer import Issuer, KeyIssuer
from tests.fakes.world import World

KIND = "aws_iam_access_key"
CUSTODY = Custody({"provider": KIND}, deliver=(Place("fake", "kv", "rotator/aws"),))


class Through:
    """The same issuer as it is seen through another connection; `own` is what the rotator uses there."""

    def __init__(self, issuer: KeyIssuer, connection: str, own: str | None, error: Rejected | None = None) -> None:
        self._issuer, self._connection, self._own, self._error = issuer, connection, own, error

    def own(self) -> str | None:
        return self._own

    def identify(self, leaked):
        if self._error:
            raise self._error
        return self._as(self._issuer.identify(leaked))

    def inspect(self, ref):
        return self._issuer.inspect(type(ref)(ref.provider, "aws", ref.owner, ref.id))

    def _as(self, ref):
        return type(ref)(ref.provider, self._connection, ref.owner, ref.id)

    def __getattr__(self, name: str) -> object:
        return getattr(self._issuer, name)


@dataclass
class Estate:
    """`aws`, whose own credential leaks, `aws-recovery` to the same account, and `kv` for deliveries."""

    recovery: str | None = "aws-recovery"
    kept: str = "vault"
    file: Path | None = None
    custody: Custody = CUSTODY
    accounts: tuple[str | None, str | None] = ("1", "1")
    uses_same: bool = False
    refuses: Rejected | None = None
    leaked_too: bool = False
    issuer: Issuer = field(default_factory=lambda: Issuer(World(), KIND, "aws"))

    def findings(self):
        ref, secret = self.issuer.plant("rotator")
        way, way_secret = self.issuer.plant("recoverer")
        own = ref.id if self.uses_same else way.id
        seen = {
            "aws": Through(KeyIssuer(self.issuer), "aws", ref.id),
            "aws-recovery": Through(KeyIssuer(self.issuer), "aws-recovery", own, self.refuses),
        }
        connections = [
            Connection("aws", "aws", account=self.accounts[0], credential=lambda: Secret(ref.id)),
            Connection("aws-recovery", "aws", account=self.accounts[1], kinds=None),
            Connection("kv", "vault"),
            Connection("here", "file", settings={"folder": "/etc/rotator"}),
        ]
        triage = Triage(
            connections=connections,
            custodies=Custodies([self.custody]),
            family=lambda _: "aws",
            provider=lambda _, connection: seen[connection],
            pause=lambda _: None,
            concurrency=1,
            recoveries={
                "aws": Recovery(self.recovery, self.kept, self.file),
                "aws-recovery": Recovery(None),
                "kv": Recovery(None),
                "here": Recovery(None),
            },
        )
        leaks = [(ref, secret), *([(way, way_secret)] if self.leaked_too else [])]
        return triage.identify(
            Suspect(KIND, each.id, Leaked(id=each.id, secret=its, connection="aws"), ()) for each, its in leaks
        )

    def found(self) -> Scoped | Unresolved:
        findings = self.findings()
        mine = [each for each in findings.scoped if each.ref.owner == "rotator"]
        return mine[0] if mine else next(each for each in findings.unresolved if each.uses == ("aws",))


def test_with_a_recovery_that_works_it_is_acted_upon_through_that():
    found = Estate().found()
    assert isinstance(found, Scoped)
    assert (found.ref.connection, found.lifeline) == ("aws-recovery", Lifeline("aws", ("aws",)))
    assert {"aws", "aws-recovery"} <= found.reaches


FILED = Custody({"provider": KIND}, deliver=(Place("file", "here", "own/aws.json"),))
TELLS = ConsumerAddress("command", ("write-it",))
DEAD_ENDS = {
    "no `recovery` leads around aws": Estate(recovery=None),
    "uses the very same": Estate(uses_same=True),
    "cannot be used: access_denied": Estate(refuses=Rejected("access_denied")),
    "has another account": Estate(accounts=("1", "2")),
    "says where its replacement would go": Estate(custody=Custody({"provider": KIND})),
    "which a running program cannot see change": Estate(kept="env"),
    "nobody writes the replacement there": Estate(kept="file", custody=FILED, file=Path("/etc/rotator/vault.json")),
    "delivered through aws, which is cut": Estate(
        custody=Custody({"provider": KIND}, deliver=(Place("fake", "aws", "rotator"),))
    ),
    "the credential of its recovery aws-recovery leaked too": Estate(leaked_too=True),
}


@pytest.mark.parametrize("why", DEAD_ENDS)
def test_where_there_is_no_way_around_it_is_left_to_a_person_with_the_reason(why):
    found = DEAD_ENDS[why].found()
    assert isinstance(found, Unresolved)
    assert "what the rotator itself uses on aws" in found.reason
    assert why in found.reason
    assert found.mend
    assert "aws" in found.reaches


def test_a_file_that_a_command_writes_is_as_good_as_a_vault():
    custody = Custody({"provider": KIND}, deliver=CUSTODY.deliver, consumers=(TELLS,))
    assert isinstance(Estate(kept="file", custody=custody).found(), Scoped)


def test_a_file_that_the_store_writes_is_as_good_as_a_vault():
    estate = Estate(kept="file", custody=FILED, file=Path("/etc/rotator/spare/../own/aws.json"))
    assert isinstance(estate.found(), Scoped)
