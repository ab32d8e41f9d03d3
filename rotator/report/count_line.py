"""The line that everyone watches, in the same words at a terminal and on a board."""

from __future__ import annotations

from rotator.flow.standing import CredentialState
from rotator.ledger.records import Progress
from rotator.report.plain import plain

Count = tuple[str, int, str]
"""A state of credentials, "" for what is no state of its own; how many; and in words what."""


def counts(progress: Progress) -> list[Count]:
    """Return what is counted, in the order of the line; what is usual is told even where there is none of it."""
    found = [
        (CredentialState.PROVEN_DEAD, progress.dead, "dead", True),
        (CredentialState.STATED_DEAD, progress.stated, "stated dead", False),
        (CredentialState.SETTLING, progress.settling, "settling", True),
        (CredentialState.PENDING, progress.pending, "pending", False),
        (CredentialState.HELD, progress.held, "held", True),
        (CredentialState.MANUAL, progress.manual, "manual", True),
        (CredentialState.FAILED, progress.failed, "failed", True),
        (CredentialState.LET_IN_AGAIN, progress.let_in_again, "let in again", False),
        ("", progress.being_replaced, "dead and being replaced", False),
        ("", progress.waiting, "dead, and what replaces it waits its turn", False),
        ("", progress.asking, "dead and waiting for you with the rest", False),
    ]
    return [(str(state), count, words) for state, count, words, usual in found if count or usual]


def count_line(progress: Progress) -> str:
    """Return the line, with what is stopped at its end."""
    told = [f"{count:,} {words}" for _, count, words in counts(progress)]
    return plain(" · ".join([*told, *map(str, progress.stopped)]))
