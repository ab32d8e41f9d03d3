"""An issuer that destroys many in one call and wants their material: the shape of GitHub's tokens, in a `World`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, RotatorError
from rotator.flow.scope import Scoped
from rotator.ledger.database import Database
from rotator.ports.abilities import ONE_OF_MANY
from rotator.ports.provider import Capability, State, Status, Verdict
from tests.fakes.deployment import Deployment, Outside, scoped, sqlite
from tests.fakes.issuer import Issuer, accepts_or_refuses
from tests.fakes.world import World

KIND = "github_token"
CALL = "issuer.revoke_all"


class BatchIssuer:
    """Never suspended nor issued, revoked by its material alone, and shown to nobody.

    `refused` are the ids that are refused alone, `poison` those for which a whole call is. `sizes` are the calls made.
    """

    family: ClassVar[str] = "github"
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"verify": 0}
    secret_field = "token"

    def __init__(self, issuer: Issuer, batch_size: int = 1000, gather_s: float = 0.0, settle_s: float = 0.0) -> None:
        self.at, self.name, self.settle_s = issuer, issuer.kind, settle_s
        self.batch_size, self.gather_s, self.propagation_s = batch_size, gather_s, issuer.propagation_s
        self.identify = issuer.identify
        self.refused: set[str] = set()
        self.poison: set[str] = set()
        self.sizes: list[int] = []

    def inspect(self, ref: CredentialRef) -> Status:
        self._has_no_view(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        self._has_no_view(ref)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        return self.at.knock(ref, secret, accepts_or_refuses)

    def revoke(self, ref: CredentialRef) -> None:
        raise Rejected("needs_secret", ref.id)

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        def act(state: dict[str, Any]) -> list[RotatorError | None]:
            self.sizes.append(len(exposed))
            if len(exposed) > self.batch_size or any(ref.id in self.poison for ref, _ in exposed):
                raise Rejected(ONE_OF_MANY if len(exposed) > 1 else "http_422", "Validation Failed")
            return [self._destroy(state, ref, secret) for ref, secret in exposed]

        return self.at.ask("revoke_all", ",".join(ref.id for ref, _ in exposed), act, changes=True)

    def _destroy(self, state: dict[str, Any], ref: CredentialRef, secret: Secret | None) -> RotatorError | None:
        found = self.at.kept(state, ref)
        if secret is None or ref.id in self.refused:
            return Rejected("needs_secret" if secret is None else "not_this_one", ref.id)
        if found is not None and found["material"] == secret.reveal():
            self.at.turn(state, found, State.ABSENT)
        return None

    def _has_no_view(self, ref: CredentialRef) -> NoReturn:
        raise Rejected("no_view", ref.id)


class Mint:
    """The fake, guarded by a deployment, and what is true of it whatever a ledger says."""

    def __init__(self, world: World, database: Database, propagation_s: float = 0.0, **of: Any) -> None:
        self.world = world
        self.issuer = Issuer(world, KIND, "github", propagation_s)
        self.provider = BatchIssuer(self.issuer, **of)
        self.deployment = Deployment(world, Outside({(KIND, "github"): self.provider}), database)

    def stolen(self, many: int) -> list[Scoped]:
        """Plant so many tokens, and say what triage would say of them."""
        return [scoped(*self.issuer.plant()) for _ in range(many)]

    def opens(self, stolen: Scoped) -> bool:
        """Tell whether somebody gets in with it now."""
        with self.world.open() as state:
            found = state["credentials"][stolen.ref.id]
            return bool(self.issuer.felt(state, found) == State.ACTIVE.value)

    def isolated(self, incident: str = "inc-1", *, is_open: bool = True) -> None:
        """Say of the host whether it is isolated."""
        self.deployment.gates.set(incident, "host_isolated", "ann", "the cable is out", is_open=is_open)


def minted(path: Path, world: World | None = None, **of: Any) -> Mint:
    """Return the fake with a fresh ledger."""
    return Mint(world or World(), sqlite(path / "ledger.db"), **of)
