"""What a provider may be able to do beside: each a small protocol, and whoever keeps it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from rotator.credential import CredentialRef, Issued, Secret
from rotator.errors import RotatorError
from rotator.ports.provider import Status, Verdict


@runtime_checkable
class Unknockable(Protocol):
    """A kind whose door no machine can try, or that has none: its issuer's word settles it, stated and never proven.

    Its `verify` is never asked for an exposed one; it raises Rejected("no_knock"), unless it tries replacements.
    """

    no_knock: ClassVar[str]
    """Why, in a few words for people."""


@runtime_checkable
class NoCanary(Protocol):
    """A kind of which none is minted to be killed: it could not come and go without touching what others use."""

    no_canary: ClassVar[str]
    """Why, in a few words for people."""


@runtime_checkable
class Formed(Protocol):
    """A kind that knows by the form of a name that there is none such, and then asks nobody."""

    nobody: ClassVar[tuple[str, str]]
    """An owner and an id that have the form, and that nobody has: whoever is asked about them has to look."""


@runtime_checkable
class Issuing(Protocol):
    """A minted kind: the issuer makes the secret."""

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Mint a replacement for `ref`'s owner, marked with `marker` where the issuer allows one.

        `preserved` is what `preserve` returned for `ref`, from the ledger: the issuer may have forgotten the exposed
        credential by now. Empty when nothing was preserved. Never safe to repeat: a lost answer is Uncertain.
        """
        ...

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the sibling that carries `marker`, or None: it does not exist, or the issuer allows no marker."""
        ...


@runtime_checkable
class Choosing(Protocol):
    """A chosen kind: we make the secret, the store keeps it, then the targets learn it."""

    def generate(self, ref: CredentialRef) -> Issued:
        """Make a replacement's material offline; nothing anywhere changes."""
        ...


@runtime_checkable
class Settable(Protocol):
    """A chosen kind whose issuer must learn the material, a password; or a minted one that it must begin to use."""

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:
        """Let the issuer accept the material from now on, beside others where it allows several.

        `preserved` is what `preserve` said of the exposed credential. Safe to call twice: the same material again
        changes nothing. Its way back is `revoke` of the same `ref`.
        """
        ...


@runtime_checkable
class Suspendable(Protocol):
    """A credential that can be stopped and, by a person's decision, started again."""

    def suspend(self, ref: CredentialRef) -> None: ...
    def resume(self, ref: CredentialRef) -> None: ...


@runtime_checkable
class Restorable(Protocol):
    """A kind that is stopped by taking it out of where it stands beside others, and put back as it was.

    Its issuer does not keep what was taken out: `preserve` does, in the evidence.
    """

    def suspend(self, ref: CredentialRef) -> None:
        """Take it out, and nothing else; already out counts as done."""
        ...

    def restore(self, ref: CredentialRef, preserved: Mapping[str, str]) -> None:
        """Put it back as `preserved` says that it was; already there counts as done.

        Raises Rejected("nothing_preserved") where that does not tell.
        """
        ...


@runtime_checkable
class SessionEnding(Protocol):
    """A credential whose sessions outlive it unless they are cut."""

    def end_sessions(self, ref: CredentialRef) -> Mapping[str, str]:
        """End what was derived from it before now; return plain facts for the evidence."""
        ...


@runtime_checkable
class Preserving(Protocol):
    """A kind whose last use and policies are kept before any effect or knock overwrites them."""

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return plain facts for the evidence; change nothing."""
        ...


ONE_OF_MANY = "one_of_many"
"""The reason of a Rejected for a whole call, where the issuer does not say which of them it is about."""


@runtime_checkable
class Batch(Protocol):
    """A kind of which one call destroys many. Exposed ones are then revoked in this way alone, also a single one."""

    batch_size: ClassVar[int]
    """How many one call takes at most."""
    gather_s: ClassVar[float]
    """Seconds that one which comes alone to its revocation waits for others; 0: it goes at once."""

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        """Destroy them for good in one call; return for each, in order, None or why not. Absent counts as revoked.

        The material is None where it is not kept any more. Raises one of the three errors where it holds for all, and
        Rejected(ONE_OF_MANY) where one of several may be to blame: they are then tried again in smaller calls.
        """
        ...


@runtime_checkable
class SelfAware(Protocol):
    """A kind that can tell which of its credentials is the rotator's own, which no plan may cut."""

    def own(self) -> str | None:
        """Return the id of the credential that the rotator itself uses on this connection.

        None when it cannot be told. An error means that nobody knows: whoever asks must not take it for a None.
        """
        ...


@runtime_checkable
class Installable(Protocol):
    """A credential that stands on several targets, each with evidence of its own."""

    def targets(self, ref: CredentialRef) -> tuple[str, ...]:
        """Return the targets' names, from the connection's settings alone."""
        ...

    def install(self, target: str, ref: CredentialRef, public: Mapping[str, str], preserved: Mapping[str, str]) -> None:
        """Let the target accept it; already installed counts as done.

        `preserved` is what `preserve` said of the exposed credential, so that its restrictions hold for the new one. An
        exposed one that a person resumes is put back by the same call; `public` is then empty.
        """
        ...

    def uninstall(self, target: str, ref: CredentialRef) -> None:
        """Let the target refuse it from now on; already absent counts as done."""
        ...

    def inspect_at(self, target: str, ref: CredentialRef) -> Status:
        """Return this target's view; change nothing."""
        ...

    def verify_at(self, target: str, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at this target alone."""
        ...

    def end_sessions_at(self, target: str, ref: CredentialRef) -> Mapping[str, str]:
        """End what was opened at this target before now; return plain facts for the evidence."""
        ...
