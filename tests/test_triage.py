"""What triage never lets into a plan: the credential that the rotator itself stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.exposure import Suspect
from rotator.flow.scope import Custodies, Scoped, Unresolved
from rotator.ports.connection import Connection
from rotator.triage import ATTEMPTS, Triage
from tests.fakes.issuer import Issuer, KeyIssuer
from tests.fakes.world import World

KIND = "aws_iam_access_key"


@dataclass
class Aware:
    """A fake issuer that knows what the rotator uses; `answers` are given in turn, the last for ever."""

    issuer: KeyIssuer
    answers: list[str | RotatorError | None]
    asked: int = 0

    def own(self) -> str | None:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, RotatorError):
            raise answer
        return answer

    def __getattr__(self, name: str) -> object:
        return getattr(self.issuer, name)


@dataclass
class Company:
    """One issuer behind the connection `aws`, and whatever other connections a test adds."""

    others: tuple[Connection, ...] = ()
    credential: Callable[[], Secret | None] = lambda: None
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.issuer = Issuer(World(), KIND, "aws")
        self.provider: object = KeyIssuer(self.issuer)

    def aware(self, *answers: str | RotatorError | None) -> Aware:
        aware = Aware(KeyIssuer(self.issuer), list(answers))
        self.provider = aware
        return aware

    def triage(self, ref: CredentialRef, secret: Secret | None = None) -> Scoped | Unresolved:
        return self.find(ref.id, Leaked(id=ref.id, secret=secret))

    def find(self, key: str, leaked: Leaked) -> Scoped | Unresolved:
        connections = (*self.others, Connection("aws", "aws", credential=self.credential))
        triage = Triage(
            connections=connections,
            custodies=Custodies(()),
            family=lambda _: "aws",
            provider=lambda _kind, _connection: self.provider,
            pause=self.pauses.append,
            concurrency=1,
        )
        findings = triage.identify([Suspect(KIND, key, leaked, ())])
        (only,) = (*findings.scoped, *findings.unresolved)
        return only


def unreadable(error: RotatorError) -> Secret:
    raise error


def test_a_credential_of_another_is_planned_for():
    company = Company()
    aware = company.aware("KEY-OF-THE-ROTATOR")
    ref, secret = company.issuer.plant()
    found = company.triage(ref, secret)
    assert isinstance(found, Scoped)
    assert found.ref == ref
    assert aware.asked == 1


def test_what_is_known_by_its_owner_alone_is_left_to_a_person_with_the_way_to_its_ids():
    found = Company().find("list:ci", Leaked(owner="ci"))
    assert isinstance(found, Unresolved)
    assert found.mend.startswith("no id of ci is known: `rotator inventory discover --save`")


def test_what_the_issuer_names_as_the_rotators_own_is_left_to_a_person_though_nothing_is_configured():
    company = Company()
    ref, _ = company.issuer.plant()
    company.aware(ref.id)
    found = company.triage(ref)
    assert isinstance(found, Unresolved)
    assert "what the rotator itself uses on aws" in found.reason
    assert "another credential" in found.mend


@pytest.mark.parametrize("by", ["id", "material"])
def test_what_is_configured_on_a_connection_of_another_family_is_the_rotators_own(by):
    company = Company()
    company.aware(None)
    ref, secret = company.issuer.plant()
    text = ref.id if by == "id" else secret.reveal()
    company.others = (Connection("deliveries", "vault", credential=lambda: Secret(f"user {text}")),)
    found = company.triage(ref, secret)
    assert isinstance(found, Unresolved)
    assert "what the rotator itself uses on deliveries" in found.reason


@pytest.mark.parametrize("error", [Rejected("permission_denied"), Uncertain("connection_lost"), Unavailable("down")])
def test_an_issuer_that_cannot_tell_leaves_it_to_a_person(error):
    company = Company()
    company.aware(error)
    ref, _ = company.issuer.plant()
    found = company.triage(ref)
    assert isinstance(found, Unresolved)
    assert found.reason == f"could not tell whether this is what the rotator itself uses: aws: {error.reason}"
    assert "aws" in found.mend


def test_an_issuer_that_is_away_for_a_moment_is_asked_again():
    company = Company()
    ref, _ = company.issuer.plant()
    aware = company.aware(*[Unavailable("throttled", retry_after=2.0)] * (ATTEMPTS - 1), None)
    assert isinstance(company.triage(ref), Scoped)
    assert (aware.asked, company.pauses) == (ATTEMPTS, [2.0] * (ATTEMPTS - 1))


@pytest.mark.parametrize("error", [BadInput("is empty", "env:OWN"), Unavailable("vault_unreachable")])
def test_an_unreadable_credential_of_the_issuers_connection_leaves_it_to_a_person(error):
    company = Company(credential=partial(unreadable, error))
    ref, _ = company.issuer.plant()
    found = company.triage(ref)
    assert isinstance(found, Unresolved)
    assert found.reason.startswith("could not tell whether this is what the rotator itself uses: aws: ")


def test_an_unreadable_credential_of_another_connection_stops_nothing_and_is_told():
    broken = Connection("elsewhere", "vault", credential=partial(unreadable, BadInput("is empty", "env:OWN")))
    company = Company(others=(broken,))
    ref, _ = company.issuer.plant()
    found = company.triage(ref)
    assert isinstance(found, Scoped)
    assert found.uncompared == ("elsewhere",)
