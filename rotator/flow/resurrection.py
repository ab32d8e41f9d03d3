"""Looking again at what is dead: when, and what stops again what has come back.

Seldom, and spread: an hour after the death, six hours, a day, then daily. Each credential has moments of its own, by a
hash of its name: no look is counted, so what was missed in a down time is caught up by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rotator.flow.planned import BY_HAND
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.proof import Proof, knocked, stated
from rotator.flow.run import AGAIN, WHY, Run, Step, StepState
from rotator.flow.step import STOPS
from rotator.flow.way_back import Stretch, appended
from rotator.ports.provider import State, Verdict

HOUR_S, DAY_S = 3600.0, 86400.0
SOON_S = (HOUR_S, 6 * HOUR_S)
"""After a death; then comes each whole day."""
SPREAD = 1 / 8
"""By how much of the time since the look before a look may come later."""


def moments(since: float, until: float, name: str) -> Iterator[float]:
    """Yield when one is looked at again that died at `since`, in order, all before `until`; in epoch seconds."""
    before, number = 0.0, 0
    while True:
        after = SOON_S[number] if number < len(SOON_S) else (number - len(SOON_S) + 1) * DAY_S
        at = since + after + SPREAD * (after - before) * _place(name, number)
        if at >= until:
            return
        yield at
        before, number = after, number + 1


def next_after(now: float, since: float, until: float, name: str) -> float | None:
    """Return the first of these moments after now; None where none is left."""
    return next((at for at in moments(since, until, name) if at > now), None)


def _place(name: str, number: int) -> float:
    digest = hashlib.sha256(f"{name}.{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen at one door: the issuer's word, and the answer to a knock where the material is still kept."""

    target: str
    state: State | None
    verdict: Verdict | None = None

    @property
    def says(self) -> str:
        """Return it in a word or two."""
        told = [each.value for each in (self.state, self.verdict.answer if self.verdict else None) if each is not None]
        return ", ".join(told)


def is_alive(proof: Proof, sight: Sight, settle_s: float, now: float) -> bool:
    """Tell whether a door shows again what was dead there, as `flow/proof.py` has it."""
    after = proof if sight.state is None else stated(proof, sight.state, settle_s, now)
    after = after if sight.verdict is None else knocked(after, sight.verdict, settle_s, now)
    return proof.dead_at is not None and after.dead_at is None


def stop_again(run: Run, steps: Sequence[Step], why: str) -> list[Stretch]:
    """Return the branches that stop once more what came back, as the run had stopped it; see it dead, as it had.

    What is only to come (a scheduled destruction) comes by itself. Gates keep what they kept before.
    """
    ends = [step for step in steps if step.subject is Subject.EXPOSED and _ends(step) and AGAIN not in step.facts]
    return list(appended(run, steps, [_anew(step, why) for step in sorted(ends, key=lambda each: each.position)]))


def _ends(step: Step) -> bool:
    if step.verb in STOPS or step.verb is Verb.END_SESSIONS:
        return step.state is StepState.DONE
    return step.verb is Verb.VERIFY and step.expect is Expect.REJECTED and step.state is StepState.DONE


def _anew(step: Step, why: str) -> Step:
    return replace(
        step,
        name=f"again_{step.name}",
        state=StepState.PENDING,
        hold_for_s=None,
        attempts=0,
        started_at=None,
        intended_at=None,
        settled_at=None,
        held_at=None,
        reason=None,
        facts={WHY: why, AGAIN: step.id, **({BY_HAND: step.facts[BY_HAND]} if BY_HAND in step.facts else {})},
    )


def came_back(steps: Sequence[Step]) -> Step | None:
    """Return the last step that stops again what came back, None where nothing did."""
    return next((step for step in reversed(steps) if AGAIN in step.facts), None)
