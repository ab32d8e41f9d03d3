"""The protocols through which the engine meets the world: providers, stores and consumers.

Every method is one exchange with the other side, under connect and read deadlines that sum to less than
`CALL_DEADLINE_S`. It returns, or raises `Rejected`, `Unavailable` or `Uncertain`; nothing else. No method sleeps
or retries by itself: the flow decides when to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import RotatorError

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
CALL_DEADLINE_S = 25.0
"""No single call outlives this. The claim's lease is longer by a margin (see flow/step.py)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Say how the rotator itself reaches one account.

    `credential` reads the rotator's own credential at each call, so that a rotated one is picked up; it returns None
    when the vendor's default chain is meant. `settings` are the keys of `[[connections]]` that only the family knows
    (region, hosts, user). `settle_s` and `propagation_s` override the provider's own, in seconds. `kinds` are the
    playbooks that it serves, None for all of its family.
    """

    name: str
    family: str
    account: str | None = None
    endpoint_url: str | None = None
    credential: Callable[[], Secret | None] = lambda: None
    settings: Mapping[str, object] = field(default_factory=dict)
    settle_s: float | None = None
    propagation_s: float | None = None
    kinds: tuple[str, ...] | None = None


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is delivered: a store's kind, its connection, and the name in it."""

    store: str
    connection: str
    name: str

    def __str__(self) -> str:
        return f"{self.store}:{self.connection}:{self.name}"


class Store(Protocol):
    """Where consumers read a secret. A value is staged beside the current one, then promoted by compare-and-set."""

    def current(self, name: str) -> str | None:
        """Return the version consumers read now, or None when the name holds nothing yet."""
        ...

    def staged(self, name: str, token: str) -> str | None:
        """Return the version staged under `token`, or None."""
        ...

    def stage(self, name: str, document: Secret, token: str) -> str:
        """Keep the document where consumers do not read yet; return its version. Repeating a token changes nothing."""
        ...

    def read(self, name: str, version: str) -> Secret:
        """Return the document of that version, staged or current."""
        ...

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Make the staged version the current one if `expected` still is; return what `current` answers from now on.

        Raises Rejected("store_changed") when another hand moved it; already promoted counts as done.
        """
        ...

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Give consumers `previous` back, if `version` is what they read now; already demoted counts as done."""
        ...


@runtime_checkable
class WriteOnly(Protocol):
    """A place whose value nobody can read back: it follows the places beside it that can be read.

    Nothing is staged there. It is written at promotion, when a readable place has become current, with what that one
    holds; written again it is the same. There is no compare-and-set: what another hand wrote there is overwritten.
    """

    def current(self, name: str) -> str | None:
        """Return when it was last written, as the other side says it, or None when the name holds nothing."""
        ...

    def write(self, name: str, document: Secret) -> str:
        """Let consumers have the document; return what `current` answers from now on. Safe to call twice."""
        ...

    def erase(self, name: str) -> None:
        """Take the name away; already absent counts as done."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell a consumer which credential changed: names only."""

    incident: str
    exposed: CredentialRef
    replacement: CredentialRef
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Record a consumer's answer. `using` is the id it says it holds now, or None when it does not say."""

    said: str
    using: str | None = None


class Consumer(Protocol):
    """A user of a secret who must hear that it changed."""

    name: str

    def reload(self, notice: Notice) -> Told:
        """Tell it to read the new secret."""
        ...

    def holding(self, notice: Notice) -> Told:
        """Ask which credential it holds now; asks nothing of it."""
        ...
