"""A version of a parameter in AWS Systems Manager: a copy of a value, which the parameter's history keeps.

Overwriting a parameter leaves a hundred older versions readable as NAME:VERSION, and none of them can be taken away
alone. Deleting the whole parameter does, and leaves its readers without any value until it is made again, thirty
seconds later at the earliest (AWS's word); a crash in between would lose the value. So a person does it, and here it is
only looked at. Whatever the value opens is closed by its own issuer, in a run of that kind.
A version is named NAME:VERSION:TIME, since a parameter that is made again counts its versions from 1.
The rotator's own credential needs ssm:GetParameterHistory, and kms:Decrypt where the key is not AWS's own;
ssm:DescribeParameters to discover; to be asked what it may do, also iam:SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Simulation, Thing, needs
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"
_AWS_KEY = "alias/aws/ssm"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsSsmParameter:
    """Return the provider for one account and region."""
    return AwsSsmParameter(connection, name)


class AwsSsmParameter(Kind):
    """Versions of one account's parameters; `owner` is the parameter's name."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.MANUAL
    no_knock: ClassVar[str] = "a copy has no door: what the value opens is tried by its own kind"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2}
    secret_field = "value"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the newest version that holds the value: its history is read with our own credential, and compared here.

        Without the value, the report must name the version (NAME:VERSION). Raises Rejected("unreadable") for neither,
        Rejected("unknown_credential") when no version that is kept holds that value.
        """
        self._must_belong(leaked)
        name, _, version = (leaked.id or leaked.owner or "").partition(":")
        number = version.partition(":")[0]
        if not name or (leaked.secret is None and not number):
            raise Rejected("unreadable", "name the parameter, and its version or its value")
        versions = list(self._history(self._account.exchange(), name, WithDecryption=leaked.secret is not None))
        for each in reversed(versions):
            named = number in ("", str(each["Version"]))
            if named and (leaked.secret is None or Secret(str(each["Value"])) == leaked.secret):
                return self._ref(each)
        raise Rejected("unknown_credential", f"no version of {name} that is kept holds this value")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the history keeps the version: whoever may read the parameter can read it."""
        versions = list(self._history(self._account.exchange(), ref.owner))
        found = next((each for each in versions if self._ref(each) == ref), None)
        if found is None:
            return Status(State.ABSENT)
        return Status(State.ACTIVE, {**_facts(found), "is_current": str(found is versions[-1]).lower()})

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        return frozenset(self._ref(each) for each in self._history(self._account.exchange(), ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield the current version of every parameter: older ones are told parameter by parameter alone."""
        for each in self._account.listing("ssm", "describe_parameters", "Parameters"):
            yield Discovered(self._ref(each), {**_facts(each), "state": State.ACTIVE.value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return how the version was made: what a person needs to make the parameter again."""
        versions = list(self._history(self._account.exchange(), ref.owner))
        found = next((each for each in versions if self._ref(each) == ref), None)
        return {"state": State.ABSENT.value} if found is None else {**_facts(found), "versions": str(len(versions))}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - it is compared with nothing
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): one version cannot be taken away, and the whole parameter is not ours to."""
        raise Rejected(
            "unsupported", f"delete {ref.owner} and make it again with its new value: its history keeps this"
        )

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        every = "name a parameter" if whose is None else ""
        parameter = Thing(simulation.arn("ssm", f"parameter/{(whose or '*').lstrip('/')}"), every)
        asked = needs(parameter, (LOOK, "preserve"), "ssm:GetParameterHistory")
        key = self._key(simulation, whose)
        return simulation.told(asked + (needs(key, (LOOK,), "kms:Decrypt") if key else []))

    def _key(self, simulation: Simulation, whose: str | None) -> Thing | None:
        """Return the key that the newest version is under, None where it is AWS's own."""
        if whose is None:
            return simulation.any_key()
        try:
            versions = list(self._history(simulation.exchange, whose))
        except Rejected as refusal:
            if refusal.reason != "access_denied":
                raise
            return simulation.any_key()
        key = str(versions[-1].get("KeyId") or _AWS_KEY) if versions else _AWS_KEY
        return None if key.endswith(_AWS_KEY) else simulation.key(key)

    def _history(self, exchange: Exchange, name: str, **how: bool) -> Iterator[Mapping[str, Any]]:
        try:
            yield from exchange.pages("ssm", "get_parameter_history", "Parameters", Name=name, **how)
        except Rejected as refusal:
            if refusal.reason != "not_found":
                raise
            self._account.refuse_wrong(exchange)

    def _ref(self, version: Mapping[str, Any]) -> CredentialRef:
        name, made = str(version["Name"]), version["LastModifiedDate"]
        tag = f"{name}:{version['Version']}:{moment(made).replace('-', '').replace(':', '')}"
        return self._ref_of(name, tag)


def _facts(version: Mapping[str, Any]) -> dict[str, str]:
    told = {"type": "Type", "tier": "Tier", "encrypted_with": "KeyId", "written_by": "LastModifiedUser"}
    known = {name: str(version[field]) for name, field in told.items() if version.get(field)}
    return {"created_at": moment(version["LastModifiedDate"]), **known}
