"""What every kind of credential keeps, as its provider, and what that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from rotator.credential import CredentialRef, Leaked, Secret


class Answer(StrEnum):
    """What a knock on the door was answered."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Report one knock.

    `names_id`: the refusal's reason is about the id, which the issuer checks before the material
    (AWS: InvalidClientTokenId). `mismatch`: the issuer says the id lives but this is not its material
    (AWS: SignatureDoesNotMatch); the answer is then INCONCLUSIVE. `request_id` is the issuer's own, when it gives one.
    """

    answer: Answer
    reason: str
    names_id: bool = False
    mismatch: bool = False
    request_id: str | None = None


class State(StrEnum):
    """What the issuer says of a credential."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Status:
    """Report the issuer's view of one credential. `facts` are plain, non-secret and JSON-ready (age, last use)."""

    state: State
    facts: Mapping[str, str] = field(default_factory=dict)


class Capability(StrEnum):
    """What can be done to a kind at most: shown to people, and checked against its playbook."""

    REVOCABLE = "revocable"
    DISABLE_ONLY = "disable-only"
    EXPIRE_ONLY = "expire-only"
    MANUAL = "manual"


@runtime_checkable
class Provider(Protocol):
    """One kind of credential, as seen by the system that issues it. Every method but `issue` is safe to call twice."""

    name: str
    """The kind: the playbook's name, which for a Python provider is the module's name too."""
    family: ClassVar[str]
    """Which connections serve it: aws, vault, ssh, http."""
    capability: ClassVar[Capability]
    sends_secret: ClassVar[bool]
    """Whether `identify` sends the material to the connection; then only its known issuer is asked."""
    settle_s: float
    """Seconds a refusal must hold before it proves death: the issuer's propagation time."""
    propagation_s: float
    """Seconds after a stop before a first knock makes sense: as a rule a change is not felt at the door sooner."""
    calls: ClassVar[Mapping[str, int]]
    """How many requests each verb sends to the account, for its budget; a verb that is not named sends one."""
    secret_field: str
    """Under which name the secret stands in the delivered document."""

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the credential, asking only its own issuer when the format does not tell.

        Raises Rejected("unknown_credential") when the issuer does not know it, Rejected("not_this_account") when it
        belongs to another connection, Rejected("unreadable") when the material is truncated or malformed.
        """
        ...

    def inspect(self, ref: CredentialRef) -> Status:
        """Return the issuer's view; change nothing."""
        ...

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every credential of the same owner, `ref` included while it exists."""
        ...

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock with the material."""
        ...

    def revoke(self, ref: CredentialRef) -> None:
        """Destroy it for good. Already absent counts as revoked."""
        ...
