"""Constraints: what in a plan waits for what, told before anybody says yes.

A new secret waits until nobody can read where it passes (leak-safe); others wait for the rotator's own credential, for
their wave, for a gate that a person opens, or for a person's hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rotator.credential import CredentialRef
from rotator.flow.order import names
from rotator.flow.outage import STOPS
from rotator.flow.planned import BY_HAND, OWNER_ASKED, Plan, PlannedRun, PlannedStep
from rotator.flow.playbook_words import Strategy, Subject, Until, Verb

_MOST = 3


@dataclass(frozen=True, slots=True)
class Readers:
    """Those who must be refused before a new secret is made: how many, and the first few by id."""

    count: int
    first: tuple[str, ...]


NOBODY = Readers(0, ())


class Constraints:
    """Who waits for whom in one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._last_wave = plan, plan.waves
        self._at: dict[str, list[PlannedRun]] = {}
        for run in plan.runs:
            for connection in run.reaches:
                self._at.setdefault(connection, []).append(run)
        self._found: dict[tuple[tuple[str, ...], bool], dict[CredentialRef, None]] = {}

    def readers(self, run: PlannedRun) -> Readers:
        """Return whose refusal the new secret of a run waits for."""
        if not run.passes:
            return NOBODY
        key = (run.passes, run.strategy is Strategy.REPLACE_FIRST)
        if key not in self._found:
            self._found[key] = dict.fromkeys(each.ref for each in self._living(*key))
        found = self._found[key]
        let_by = {run.ref, *run.awaits}
        first: list[str] = []
        for each in found:
            if len(first) == _MOST:
                break
            if each not in let_by:
                first.append(each.id)
        return Readers(len(found) - sum(each in found for each in let_by), tuple(first))

    def _living(self, passes: tuple[str, ...], replaced_first: bool) -> Iterator[PlannedRun]:
        """Yield who reads there; under replace_first nobody waits for one of whom nobody knows what it reads."""
        for connection in passes:
            for each in self._at.get(connection, ()):
                if not (replaced_first and each.strategy is Strategy.REPLACE_FIRST and not each.reach_known):
                    yield each

    def begins(self, run: PlannedRun) -> tuple[str, ...]:
        """Say what a run waits for before it begins; nothing where it begins at once."""
        found = [f"after {each.id}, the rotator's own, is replaced" for each in run.awaits]
        if run.wave > 1:
            found.append(f"wave {run.wave} of {self._last_wave}: when nothing of wave {run.wave - 1} is at work")
        return tuple(found)

    def waits(self, run: PlannedRun) -> tuple[str, ...]:
        """Say what its steps wait for on the way, beside `readers`: gates and people."""
        found = []
        for step in _steps(run):
            if step.hold_until is Until.HOST_ISOLATED:
                found.append(f"`{step.name}`: until its host is isolated, or a person overrides that")
            if OWNER_ASKED in step.facts:
                found.append(
                    f"`{step.name}`: {step.facts[OWNER_ASKED]}: its owners are told, and it goes on by itself "
                    f"{spoken(step.hold_for_s)} later; sooner: rotator hold release"
                )
            if BY_HAND in step.facts:
                found.append(f"`{step.name}`: for a person's hand: {step.facts[BY_HAND]}")
        return tuple(dict.fromkeys(found))

    def in_all(self) -> tuple[str, ...]:
        """Return the plan's constraints, a sentence each."""
        return (*self._own(), *self._leak_safe(), *self._waves(), *self._gates(), *self._owners(), *self._people())

    def _own(self) -> Iterator[str]:
        waiting = Counter(each for run in self._plan.runs for each in run.awaits)
        for ref, count in waiting.items():
            yield f"{count:,} wait until {ref.id}, the rotator's own, is replaced: what they need is cut with it"

    def _leak_safe(self) -> Iterator[str]:
        at = {connection: {each.ref for each in runs} for connection, runs in self._at.items()}
        waiting: Counter[str] = Counter()
        for run in self._plan.runs:
            if self.readers(run).count:
                let_by = {run.ref, *run.awaits}
                waiting.update(each for each in run.passes if len(at.get(each, ())) > len(at.get(each, set()) & let_by))
        for connection, count in sorted(waiting.items()):
            passes, waits = ("new secrets pass", "wait") if count > 1 else ("new secret passes", "waits")
            readers = names([each.id for each in at[connection]])
            until = f"{waits} until no other lives that may read there: {readers}"
            yield f"leak-safe: {count:,} {passes} {connection}, and {until}"

    def _waves(self) -> Iterator[str]:
        if self._last_wave > 1:
            sizes = Counter(run.wave for run in self._plan.runs)
            then = ", then ".join(f"{sizes[wave]:,}" for wave in range(1, self._last_wave + 1))
            yield f"Production in waves: {then}; each when nothing of those before is at work."

    def _gates(self) -> Iterator[str]:
        kinds = Counter((run.kind, step.name) for run in self._plan.runs for step in _gated(run, Until.HOST_ISOLATED))
        for (kind, step), count in sorted(kinds.items()):
            yield (
                f"gate host_isolated: `{step}` of {count:,} {kind} waits, as a tripwire may notice it: isolate every "
                "foothold, or open the gate with a reason"
            )
        held = sum(any(_gated(run, Until.NO_LEGAL_HOLD)) for run in self._plan.runs)
        if held:
            yield f"no legal hold is placed; one would keep {held:,} from their destruction (gate no_legal_hold)"

    def _owners(self) -> Iterator[str]:
        found = [step for run in self._plan.runs for step in _steps(run) if OWNER_ASKED in step.facts]
        if found:
            most = spoken(max(step.hold_for_s or 0.0 for step in found))
            yield (
                f"owners: {len(found):,} are shared, or nobody knows whose: what leaves users without one waits {most} "
                "at most from when this is declared, and then goes on by itself; sooner: rotator hold release"
            )

    def _people(self) -> Iterator[str]:
        kinds = Counter(
            (run.kind, step.name) for run in self._plan.runs for step in _steps(run) if BY_HAND in step.facts
        )
        for (kind, step), count in sorted(kinds.items()):
            yield f"a person's hand: `{step}` of {count:,} {kind}"


def spoken(seconds: float | None) -> str:
    """Return a duration as people say it: 30 min, 4 h."""
    minutes = (seconds or 0.0) / 60
    return f"{minutes / 60:g} h" if minutes >= 120 else f"{minutes:g} min"  # noqa: PLR2004 - two hours


def is_held(run: PlannedRun) -> bool:
    """Tell whether its first stop waits for a gate: nothing happens to it until a person speaks."""
    for step in _steps(run):
        if step.hold_until is Until.HOST_ISOLATED:
            return True
        if step.subject is Subject.EXPOSED and step.verb in STOPS:
            return False
    return False


def irrevocable(run: PlannedRun) -> tuple[PlannedStep, ...]:
    """Return the steps that no undo takes back: what they end is gone."""
    final = {Verb.REVOKE, Verb.END_SESSIONS, Verb.UNINSTALL}
    found = {step.name: step for step in _steps(run) if step.subject is Subject.EXPOSED and step.verb in final}
    return tuple(found.values())


def _gated(run: PlannedRun, until: Until) -> Iterator[PlannedStep]:
    return (step for step in _steps(run) if step.hold_until is until)


def _steps(run: PlannedRun) -> Iterable[PlannedStep]:
    return (step for segment in run.segments for step in segment.steps)
