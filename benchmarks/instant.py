"""A provider inside the process that answers at once: the time and memory of an incident are then the rotator's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from benchmarks.cloud_provider import KIND
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Answer, Capability, State, Status, Verdict
from rotator.ports.store import Place, Store
from rotator.world import World


class InstantKey:
    """All accounts. It remembers what was stopped, by id."""

    name: str = KIND
    family: ClassVar[str] = "http"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    settle_s: float = 0.0
    propagation_s: float = 0.0
    calls: ClassVar[Mapping[str, int]] = {}
    secret_field: str = "secret"

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Refuse: nobody asks here whose a key is."""
        raise Rejected("unknown_credential", str(leaked.id))

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what it remembers."""
        return Status(State.SUSPENDED if ref.id in self._stopped else State.ACTIVE)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what an issuer would know."""
        return {"last_used": "yesterday", "by": ref.owner}

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return it alone."""
        return frozenset({ref})

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Let in what was not stopped."""
        assert secret
        return Verdict(Answer.REJECTED, "401") if ref.id in self._stopped else Verdict(Answer.ACCEPTED, "200")

    def suspend(self, ref: CredentialRef) -> None:
        """Stop it."""
        self._stopped.add(ref.id)

    def resume(self, ref: CredentialRef) -> None:
        """Start it again."""
        self._stopped.discard(ref.id)

    def revoke(self, ref: CredentialRef) -> None:
        """Stop it too: it cannot be resumed here anyway."""
        self._stopped.add(ref.id)


class InstantWorld(World):
    """Nothing but that one provider, whatever the account."""

    def __init__(self) -> None:
        self._provider = InstantKey()

    def provider(self, ref: CredentialRef) -> InstantKey:
        """Return it."""
        assert ref.provider == KIND
        return self._provider

    def provider_of(self, kind: str, connection: str) -> InstantKey:
        """Return it."""
        assert kind == KIND, connection
        return self._provider

    def is_grant(self, kind: str) -> bool:
        """Tell that its kind has a secret."""
        assert kind == KIND
        return False

    def store(self, place: Place) -> Store:
        """Refuse: nothing is delivered."""
        raise Rejected("no_store", str(place))

    def consumer(self, address: object) -> Consumer:
        """Refuse: nobody is told."""
        raise Rejected("no_consumer", str(address))
