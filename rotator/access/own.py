"""Which uses in an access log are rotator's own: its knocks with a stolen credential must not be called the thief's.

An event is ours by its issuer's number of the request, where both sides tell one. Else it is by the program's name and
the time together: a thief may call himself anything, and only while we were asking.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rotator.access.event import Event

AGENT = "rotator"
"""What each call of ours names as its program, alone or among others."""
NEAR_S = 5.0
"""How far the clocks of an issuer and of a worker may be apart."""
ABOUT_S = 900.0
"""So often at most IAM notes when a key was used last."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One act of ours with an exposed credential, by its id: from when to when, in epoch seconds, and what came back.

    `request` is the issuer's number of it, "" where it told none.
    """

    credential: str
    run: str
    step: str
    do: str
    target: str
    begun_at: float
    ended_at: float
    answer: str = ""
    request: str = ""


class Own:
    """What is known of our own uses."""

    def __init__(self, probes: Iterable[Probe]) -> None:
        self._requests: set[tuple[str, str]] = set()
        self._times: dict[str, list[Probe]] = {}
        for each in probes:
            if each.request:
                self._requests.add((each.credential, each.request))
            self._times.setdefault(each.credential, []).append(each)

    def has(self, event: Event) -> bool:
        """Tell whether a use is one of these."""
        if event.request and (event.key_id, event.request) in self._requests:
            return True
        if AGENT not in event.agent:
            return False
        near = (each for each in self._times.get(event.key_id, ()) if _is_near(each, event.at))
        return any(not (each.request and event.request) for each in near)

    def may_be(self, credential: str, at: float) -> bool:
        """Tell whether a last use, of which its issuer says only about when it was, may be one of these."""
        near = (each.begun_at - ABOUT_S <= at <= each.ended_at + ABOUT_S for each in self._times.get(credential, ()))
        return any(near)


def _is_near(probe: Probe, at: float) -> bool:
    return probe.begun_at - NEAR_S <= at <= probe.ended_at + NEAR_S
