"""What an issuer lists: all that it knows of a kind, and what was made since with a credential that leaked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from rotator.credential import CredentialRef


@dataclass(frozen=True, slots=True)
class Discovered:
    """One credential that an issuer lists. `facts` are plain and non-secret: `created_at`, `last_used_at`, `state`.

    Times are ISO 8601 in UTC; `last_used_at` is "never" where the issuer says so, and absent where it does not tell.
    """

    ref: CredentialRef
    facts: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Discoverable(Protocol):
    """A kind whose issuer can list all that it knows."""

    def discover(self) -> Iterable[Discovered]:
        """Yield every credential of this kind on the connection; change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that an issuer shows, which was made since. `at` is in seconds since 1970.

    `act` is what was done, in the issuer's own words, `subject` to what. `kind`, `owner` and `id` name it where a kind
    of credential answers for it; else `mend` says what a person does about it. `sure`: the issuer says that the exposed
    one or its principal made it; else only that it was made, and not by whom.
    """

    act: str
    subject: str
    at: float
    kind: str = ""
    owner: str = ""
    id: str = ""
    mend: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class MintedSince:
    """Report what an issuer tells: `asked` is what it was asked, in plain words.

    `log` are records of what the credential did, as the issuer's own log writes them, in JSON: whoever reads such logs
    tells what lasts. `cannot_tell` says, each in a few words, what may be there and is not told; nothing: it is all.
    """

    asked: str
    made: tuple[Made, ...] = ()
    log: tuple[str, ...] = ()
    cannot_tell: tuple[str, ...] = ()


@runtime_checkable
class Persistence(Protocol):
    """A kind whose issuer can be asked what was made with a credential, or by its principal, since it was exposed."""

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what was made since then, in seconds since 1970, within a few calls; change nothing.

        What few calls do not show is told in `cannot_tell`, and so is what this issuer never shows.
        """
        ...
