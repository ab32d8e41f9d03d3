"""Ask the other side: nothing but the three errors come back, and its account learns how it answered."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

import structlog

from rotator.claims import Ledger, LedgerFailed, LostClaim
from rotator.effects import Unstaged
from rotator.errors import THROTTLED, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import Step
from rotator.holding import Holding

log = structlog.get_logger()
T = TypeVar("T")


class Exchange:
    """The exchanges of one claim, or of several of one account that go together."""

    def __init__(self, ledger: Ledger, *holdings: Holding) -> None:
        branches = [each.work.branch for each in holdings]
        self._ledger, self._holdings, self._account = ledger, holdings, branches[0].account
        self._failed_before = any(each.probe for each in branches)

    def ask(
        self, step: Step, question: Callable[[], T], trouble: Callable[[T], RotatorError | None] = lambda _: None
    ) -> T:
        """Return the answer. Raises the three errors, and what the ledger raises.

        `trouble` tells what an answer for many says of their account: an error that was returned, not raised.
        """
        try:
            answer = question()
        except (LostClaim, LedgerFailed):
            raise
        except RotatorError as error:
            self._meet(step, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the branch must not be lost
            # A defect of ours. Its words may hold material, so only its type and place are told.
            log.error("internal_error", step=step.name, error=type(error).__name__, where=places(error))  # noqa: TRY400
            raise Uncertain("internal_error", type(error).__name__) from None
        self._meet(step, trouble(answer))
        return answer

    def _meet(self, step: Step, error: RotatorError | None) -> None:
        """Let every worker know how the account answered: it is slowed down, or left alone for a while, as a whole."""
        if self._account == "" or step.target or (error is not None and error.elsewhere):
            return  # one host of many is not its account, and a store or a consumer has another
        if step.subject is Subject.CONSUMERS or step.verb in {Verb.PROMOTE, Verb.DEMOTE, Verb.GENERATE}:
            return
        for each in self._holdings:
            each.met_account = True
        throttled = isinstance(error, Unavailable) and error.reason == THROTTLED
        retry_after = error.retry_after if isinstance(error, Unavailable) else None
        failed = isinstance(error, Unavailable) and not throttled
        if isinstance(error, Uncertain):  # it hung, or broke down in the middle
            failed = not isinstance(error, Unstaged) and error.reason != "internal_error"
        if failed or throttled or self._failed_before:
            self._ledger.met(self._account, failed=failed, throttled=throttled, retry_after=retry_after)
        self._failed_before = failed


def places(error: Exception) -> list[str]:
    """Return where an exception came from, without its words and values: they may hold material."""
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
