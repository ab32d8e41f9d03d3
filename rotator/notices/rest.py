"""The rest of a mail's recipients: who was refused for now, by greylisting or a full mailbox, is tried again alone.

It is kept in memory, beside the channel's other messages, which wait for nobody's mailbox. Until then, and if the
process ends before, the message stands as given up: no more is reported than was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rotator.errors import RotatorError
from rotator.notices.mail import PartlyTold
from rotator.notices.wording import Letter

_PAUSES_S = (60.0, 120.0, 240.0, 480.0, 960.0, 1800.0)
"""Seconds before each try: who greylists (RFC 6647) mostly asks for minutes; after an hour it is a full mailbox."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    letter: Letter
    hand_over: Callable[[], str]
    due_at: float
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What a try came to; `is_whole` where all recipients have it now."""

    letter: Letter
    answer: str
    is_whole: bool


class Rests:
    """What is still to be told to some recipients of one channel."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: list[_Waiting] = []

    def keep(self, letter: Letter, error: PartlyTold) -> None:
        """Remember who was refused for now, where somebody was."""
        if error.rest is not None:
            self._waiting.append(_Waiting(letter, error.rest, self._now() + _PAUSES_S[0]))

    def try_one(self) -> Told | None:
        """Try one that is due, the oldest first; return what it came to, None where nobody more was told."""
        one = next((each for each in self._waiting if each.due_at <= self._now()), None)
        if one is None:
            return None
        self._waiting.remove(one)
        try:
            return Told(one.letter, one.hand_over(), is_whole=True)
        except PartlyTold as error:
            if error.rest is not None:
                self._put_off(replace(one, hand_over=error.rest))
            return Told(one.letter, str(error), is_whole=False)
        except RotatorError:
            self._put_off(one)
            return None

    def _put_off(self, one: _Waiting) -> None:
        tried = one.tried + 1
        if tried < len(_PAUSES_S):
            self._waiting.append(replace(one, tried=tried, due_at=self._now() + _PAUSES_S[tried]))
