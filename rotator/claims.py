"""What the engine needs of the ledger: claims, and drafts that are written under their fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rotator.credential import Secret
from rotator.flow.playbook_words import Until
from rotator.flow.proof import Proof
from rotator.flow.run import BranchState, Run, Step, Work


class LostClaim(Exception):  # noqa: N818 - what happened to the claim, as the ledger says it
    """Another worker has this branch now: stop at once and write nothing more."""


class LedgerFailed(Exception):  # noqa: N818 - it failed us
    """The ledger cannot be read or written now: its disk is full, or its server is gone. Nothing was written."""


@dataclass
class Draft:
    """What the next commit will write. `gives_mint`: the owner's reservation ends with it, not before or after.

    `apart` are steps that each get a branch of their own.
    `unspent_calls` were granted with the claim and not made: its account gets them back. `met_nobody` is said of a
    probe of the account that made no call to it: another may be sent at once.
    `settled_late` are credentials that a lost claim had minted, and whose fate the draft's evidence tells.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    proofs: dict[str, Proof] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    added: list[Step] = field(default_factory=list)
    apart: list[Step] = field(default_factory=list)
    gives_mint: bool = False
    settled_late: tuple[str, ...] = ()
    unspent_calls: int = 0
    met_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """What gives a branch back: the last draft of its claim, and where it stands then."""

    work: Work
    draft: Draft
    state: BranchState
    due_at: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """Which of an owner's credentials the ledger knows.

    `known` are all that its runs name, `replacements` those that runs made, `late` the mints of lost claims. `promoted`
    are the versions, each with its place, that other runs put where this one delivered, after it had. `exposed` are
    those that leaked, and that other approved runs stop.
    """

    known: frozenset[str]
    replacements: frozenset[str]
    late: frozenset[str]
    promoted: frozenset[tuple[str, str]]
    exposed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Other:
    """The run that has an owner's reservation, and why a person stopped it, if one did."""

    run: str
    stopped: str | None


class Ledger(Protocol):
    """The engine's view. Every write is refused with LostClaim when the fence has moved on."""

    def claim(self, branch: str, worker: str) -> Work | None:
        """Take an open, due and unclaimed branch; None when it is not."""
        ...

    def claim_alike(self, work: Work, step: Step, worker: str, most: int) -> list[Work]:
        """Take what is open, due (or gathers) and unclaimed, and comes to the same step of the same kind and account.

        Of branches that are not stopped the most urgent, at most so many.
        """
        ...

    def commit(self, work: Work, draft: Draft) -> Work:
        """Write the draft under the claim, and count the heartbeat."""
        ...

    def commit_all(self, drafts: Sequence[tuple[Work, Draft]]) -> list[Work | None]:
        """Write each draft under its own claim, in few transactions; None for each whose claim was lost."""
        ...

    def release(self, work: Work, draft: Draft, state: BranchState, due_at: float | None, reason: str | None) -> None:
        """Write the draft and give the branch back; a finished one opens the join.

        The exposed secret is destroyed with it, once its death is proven and no knock is ahead.
        """
        ...

    def release_all(self, releases: Sequence[Release]) -> list[bool]:
        """Give each branch back under its own claim, in few transactions; False for each whose claim was lost."""
        ...

    def material(self, work: Work) -> Secret | None:
        """Return the exposed secret, unsealed, or None when there is none or it was destroyed."""
        ...

    def has_open_readers(self, run: Run) -> bool:
        """Tell whether a living stolen credential, or an open foothold, may read what this run delivers."""
        ...

    def paused_vendor(self, run: Run) -> str | None:
        """Return the vendor whose pause keeps a run from making anything new, None where none does."""
        ...

    def answered_elsewhere(self, run: Run, since: float) -> list[str]:
        """Return the other runs of its credential that count it dead now, or were approved since then, by name."""
        ...

    def is_shut(self, incident: str, gate: Until) -> bool:
        """Tell whether a gate of the incident keeps its steps waiting."""
        ...

    def kept_from_destroying(self, run: Run) -> str | None:
        """Return the gate at which its credential's destruction waits, by its own run or another's; None at none.

        That of another incident is followed by OF and its name.
        """
        ...

    def kept_from_taking_back(self, run: Run) -> str | None:
        """Return the gate at which its replacement waits that has leaked too, None where it does not.

        That of another incident is followed by OF and its name.
        """
        ...

    def take_mint(self, work: Work) -> Other | None:
        """Reserve the owner for one mint at a time, until a draft gives it back; return who has it instead of us."""
        ...

    def ours(self, run: Run) -> Ours:
        """Return which credentials of the run's owner the ledger knows."""
        ...

    def note_late(self, run: str, credential: str) -> None:
        """Keep the id of what was minted under a claim that was lost meanwhile: the next comparison settles it."""
        ...

    def met(self, account: str, *, failed: bool, throttled: bool, retry_after: float | None) -> None:
        """Note how an account answered: a failure, a throttling, or a success after failures."""
        ...


LEAK_SAFE = "leak_safe: a stolen credential that may read the new secret still lives"
"""Why a mint waits; the dispatcher wakes it when the last such reader is dead."""

PAUSED = "vendor_paused: "
"""How the reason of a step begins that would make something new for a vendor that is paused; the vendor follows."""

STOPPED = "stopped: "
"""How the reason of a branch begins that a person stopped."""

ONE_MINT = "one mint per owner at a time: "
"""How the reason of a step begins that waits for another run's mint; that run follows."""

ELSEWHERE = "answered elsewhere: "
"""How the reason of a resume begins that waits since another run stopped that credential; a person decides."""

GATE = "gate: "
"""How the reason of a step begins that waits for a gate."""

OF = " of "
"""What stands between a gate and the incident whose it is, where a step waits for another's."""

BUDGET = "its account's budget is used up"
"""Why a step waits whose account grants no further call yet."""

GATHERS = "gathers: others are about to come to the same call"
"""Why a branch waits that will go with others in one call; whoever makes that call takes it along, due or not."""
