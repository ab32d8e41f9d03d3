"""The three errors a provider, store or consumer may raise, and the one for bad input. Nothing else leaves them.

Each carries a stable `reason` in snake case: it is shown, recorded as evidence and counted under that name.
`detail` adds what a person wants to know, and never holds material.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

THROTTLED = "throttled"
"""The reason of an Unavailable that asks the whole account to slow down."""


class RotatorError(Exception):
    """An error with a stable reason and a detail for people.

    `elsewhere`: it came of a store or a consumer, and says nothing of the credential's own account.
    """

    elsewhere = False

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Rejected(RotatorError):
    """The other side answered, and the answer was no. Nothing changed; asking again will not help."""


class Unavailable(RotatorError):
    """The other side was never reached, or said "later" before acting: safe to repeat.

    `retry_after` is in seconds, when the other side named a time. The reason THROTTLED slows the whole account down.
    """

    def __init__(self, reason: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason, detail)
        self.retry_after = retry_after


class Uncertain(RotatorError):
    """The request may have been carried out and the answer was lost: look before acting again."""


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Make an Uncertain of what is only asked an Unavailable: a question whose answer was lost is asked again."""
    try:
        yield
    except Uncertain as lost:
        raise Unavailable(lost.reason, lost.detail) from None


class MayBeAbsent:
    """Go on behind the block where what it wanted is not there: `Rejected("not_found")`, and nothing else."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        return isinstance(error, Rejected) and error.reason == "not_found"


class BadInput(RotatorError):
    """What a person or a file gave cannot be used: one line that says what, where and how to mend it."""

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        super().__init__("bad_input", what)
        self.what, self.where, self.mend = what, where, mend

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{where}{self.what}{mend}"


class NotAllowed(BadInput):
    """What a person asked for is not his to do, or not his alone: one line, and the exit code 4.

    `each` are the reasons one by one, where `what` tells several in its line.
    """

    def __init__(self, what: str, where: str = "", mend: str = "", each: Sequence[str] = ()) -> None:
        super().__init__(what, where, mend)
        self.each = tuple(each)
