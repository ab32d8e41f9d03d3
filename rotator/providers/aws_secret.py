"""A version of a secret in AWS Secrets Manager: a copy of a value, not a door that the value opens.

What this kind can do is to withdraw the copy: no stage leads to that version any more, so nobody who asks for the
secret is given it (AWSPREVIOUS is what a rotation leaves behind). It stays readable by its version id until the
service clears it away. Whatever the value opens is closed by its own issuer, in a run of that kind: here nothing is
ever proven dead, and only stated to be withdrawn.
The rotator's own credential needs on the secret: DescribeSecret, GetSecretValue, ListSecretVersionIds,
UpdateSecretVersionStage; kms:Decrypt on the key that it is under, unless that is AWS's own; ListSecrets to discover; to
be asked what it may do, GetResourcePolicy, and iam:SimulatePrincipalPolicy on itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import MayBeAbsent, Rejected
from rotator.families.aws import Account, Exchange, moment
from rotator.families.aws_permissions import Simulation, needs
from rotator.families.aws_secret_permissions import looked_up
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "aws"
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AwsSecret:
    """Return the provider for one account and region."""
    return AwsSecret(connection, name)


class AwsSecret(Kind):
    """Versions of one account's secrets; `owner` is the secret's name or ARN, `id` the version's."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.DISABLE_ONLY
    no_knock: ClassVar[str] = "a copy has no door: what the value opens is tried by its own kind"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "verify": 2, "suspend": 2, "resume": 2}
    settle_s = 0.0  # the service answers from one place
    secret_field = "value"  # noqa: S105 - the name of a field

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._account = Account(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the version that holds the value: each is read with our own credential, and compared here.

        Without the value, the report must name the version (NAME#VERSION). Raises Rejected("unreadable") for neither,
        Rejected("unknown_credential") when no version that a stage leads to holds that value.
        """
        self._must_belong(leaked)
        name, _, version = (leaked.owner or leaked.id or "").partition("#")
        if leaked.owner and leaked.id:
            version = version or leaked.id.rpartition("#")[2]
        if not name or (leaked.secret is None and not version):
            raise Rejected("unreadable", "name the secret, and its version or its value")
        exchange = self._account.exchange()
        staged = self._described(exchange, name).get("VersionIdsToStages", {})
        for each in [version] if version in staged else staged:
            if leaked.secret is None or self._holds(exchange, name, each, leaked.secret):
                return self._ref(name, each)
        raise Rejected("unknown_credential", f"no version of {name} that a stage leads to holds this value")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while a stage leads to the version, SUSPENDED while it is merely kept or scheduled to go."""
        exchange = self._account.exchange()
        described = self._described(exchange, ref.owner)
        stages = described.get("VersionIdsToStages", {}).get(ref.id, [])
        if described and "DeletedDate" in described:
            return Status(State.SUSPENDED, {"secret_deleted_at": moment(described["DeletedDate"])})
        if stages:
            return Status(State.ACTIVE, {"stages": ", ".join(sorted(stages))})
        if described and self._is_kept(exchange, ref):
            return Status(
                State.SUSPENDED, {"stages": "none", "readable": "by its version id, until AWS clears it away"}
            )
        return Status(State.ABSENT)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the secret's versions, those without a stage too."""
        exchange = self._account.exchange()
        if not self._described(exchange, ref.owner):
            return frozenset()
        return frozenset(self._ref(ref.owner, each["VersionId"]) for each in self._versions(exchange, ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield every version that a stage leads to."""
        for secret in self._account.listing("secretsmanager", "list_secrets", "SecretList"):
            read = secret.get("LastAccessedDate")
            for version, stages in secret.get("SecretVersionsToStages", {}).items():
                facts = {"state": State.ACTIVE.value, "stages": ", ".join(sorted(stages))}
                used = {} if read is None else {"secret_last_used_at": moment(read)}
                yield Discovered(self._ref(str(secret["Name"]), version), {**facts, **used})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the version's stages, by which a person can give back more than `resume` does."""
        found = self._described(self._account.exchange(), ref.owner)
        stages = found.get("VersionIdsToStages", {}).get(ref.id, [])
        read = found.get("LastAccessedDate")
        return {
            "stages": ", ".join(sorted(stages)) or "none",
            "rotation": "automatic" if found.get("RotationEnabled") else "none",
            **({} if read is None else {"secret_last_used_at": moment(read)}),
        }

    def suspend(self, ref: CredentialRef) -> None:
        """Take every stage off the version.

        Raises Rejected("still_current") while consumers are given it as AWSCURRENT: another must take its place first.
        """
        exchange = self._account.exchange()
        stages = self._described(exchange, ref.owner).get("VersionIdsToStages", {}).get(ref.id, [])
        if CURRENT in stages:
            raise Rejected("still_current", f"{ref.owner} still gives it to everybody: store the new value first")
        for stage in sorted(stages):
            self._move(exchange, ref, stage, RemoveFromVersionId=ref.id)

    def resume(self, ref: CredentialRef) -> None:
        """Make it AWSPREVIOUS again, unless another version is by now. Raises Rejected("stage_taken") then."""
        exchange = self._account.exchange()
        staged = self._described(exchange, ref.owner).get("VersionIdsToStages", {})
        if staged.get(ref.id):
            return
        if any(PREVIOUS in stages for stages in staged.values()):
            raise Rejected("stage_taken", f"another version of {ref.owner} is {PREVIOUS} by now")
        self._move(exchange, ref, PREVIOUS, MoveToVersionId=ref.id)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - it is compared with nothing
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): Secrets Manager deletes whole secrets, never one version."""
        raise Rejected("unsupported", f"one version of {ref.owner} cannot be deleted; only withdrawn")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        simulation = Simulation(self._account)
        found = looked_up(simulation, whose)
        change = ("suspend", "resume")
        asked = [
            *needs(found.secret, (LOOK, "preserve", *change), "secretsmanager:DescribeSecret"),
            *needs(found.secret, (LOOK,), "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"),
            *needs(found.secret, change, "secretsmanager:UpdateSecretVersionStage"),
        ]
        return simulation.told(asked + (needs(found.key, (LOOK,), "kms:Decrypt") if found.key else []))

    def _described(self, exchange: Exchange, name: str) -> dict[str, Any]:
        """Return what is told of the secret; nothing when there is none."""
        with MayBeAbsent():
            return dict(exchange.read("secretsmanager", "describe_secret", SecretId=name))
        self._account.refuse_wrong(exchange)
        return {}

    def _holds(self, exchange: Exchange, name: str, version: str, value: Secret) -> bool:
        found = exchange.read("secretsmanager", "get_secret_value", SecretId=name, VersionId=version)
        return Secret(str(found.get("SecretString", ""))) == value

    def _is_kept(self, exchange: Exchange, ref: CredentialRef) -> bool:
        return any(each["VersionId"] == ref.id for each in self._versions(exchange, ref.owner))

    def _versions(self, exchange: Exchange, name: str) -> Iterator[Any]:
        found = {"SecretId": name, "IncludeDeprecated": True}
        return exchange.pages("secretsmanager", "list_secret_version_ids", "Versions", **found)

    def _move(self, exchange: Exchange, ref: CredentialRef, stage: str, **move: str) -> None:
        exchange.change("secretsmanager", "update_secret_version_stage", SecretId=ref.owner, VersionStage=stage, **move)

    def _ref(self, name: str, version: str) -> CredentialRef:
        return self._ref_of(name, version)
