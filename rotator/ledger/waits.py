"""What a run waits for, in words: by name the credentials, the footholds, the wave or the run that keep it waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, select

from rotator.claims import ELSEWHERE, LEAK_SAFE, PAUSED
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import BranchState, Step, StepState
from rotator.ledger import leak_safe, tables
from rotator.ledger.opening import BRAKE
from rotator.ledger.which import Which

FOR_OUR_OWN = "waits until the rotator's own"
"""How the reason begins of a run that waits for a lifeline."""
AT_BRAKE = "the brake is on"
"""What stands in the reason of a run whose wave the brake keeps from beginning."""
UNSAFE = LEAK_SAFE.partition(":")[0]
"""How the reason begins of a mint that waits until nobody can read what it makes."""
SAFE_NOW = "nobody can read the new secret any more; it goes on by itself"
"""Why a mint waits whose last route was closed a moment ago, or while a stop keeps everything where it is."""
_NAMED = 3
_BY_500 = 500


@dataclass(frozen=True, slots=True)
class Route:
    """A way to a new secret that is still open: a living stolen credential and its run, or a host and its incident."""

    by: str
    run: str | None = None
    incident: str | None = None

    def __str__(self) -> str:
        return f"{self.by} ({self.run})" if self.run else f"the foothold {self.by}"


def routes(connection: Connection, steps: Mapping[str, Sequence[Step]]) -> dict[str, tuple[Route, ...]]:
    """Return, for each run whose mint waits, by which routes a thief could read what it makes."""
    held = [run for run, found in steps.items() if any(is_unsafe(step) for step in found)]
    found = _readers(connection, held)
    for run in held:
        hosts = connection.execute(leak_safe.FIND_REACHED, {"run_id": run})
        found[run] += [Route(host, incident=incident) for host, incident in hosts]
    return {run: tuple(each) for run, each in found.items()}


def said(
    connection: Connection,
    incident: RowMapping,
    which: Which,
    steps: Mapping[str, Sequence[Step]],
    found_routes: Mapping[str, Sequence[Route]],
) -> dict[str, list[Step]]:
    """Return the steps of each run, with the reason of those that wait for another run told in full."""
    if incident["approved_at"] is None:
        return {run: list(found) for run, found in steps.items()}
    waiting = _not_begun(connection, incident, which)
    answer: dict[str, list[Step]] = {}
    for run, found in steps.items():
        first = {step.branch: step.id for step in reversed(found)}
        answer[run] = [
            replace(step, reason=_unsafe_because(found_routes[run]))
            if run in found_routes and is_unsafe(step)
            else replace(step, reason=waiting[run])
            if run in waiting and first[step.branch] == step.id and step.state is StepState.PENDING
            else step
            for step in found
        ]
    return answer


def lifelines(connection: Connection, which: Which) -> dict[str, tuple[str, ...]]:
    """Return for each of these that starts after another the runs that replace the rotator's own credentials."""
    found: dict[str, tuple[str, ...]] = {}
    for row in sorted(which.beside(connection, tables.awaits), key=lambda row: row["lifeline"]):
        found[row["run"]] = (*found.get(row["run"], ()), row["lifeline"])
    return found


def warned(connection: Connection, incident: str) -> tuple[str, ...]:
    """Return what the plan warned of, as the incident's first record has it: whoever approved it took that on."""
    evidence = tables.evidence
    first = select(evidence.c.body).where(evidence.c.chain == incident, evidence.c.seq == 1)
    body = connection.execute(first).scalar()
    return tuple(json.loads(body).get("warnings", ())) if body else ()


def gone_ahead(connection: Connection, incident: str) -> dict[str, str]:
    """Return, for each run that a person had begin before the rotator's own credential was replaced, who and why."""
    evidence = tables.evidence
    query = select(evidence.c.body).where(evidence.c.chain == incident, evidence.c.body.contains('"goes_without"'))
    found = {}
    for body in connection.execute(query.order_by(evidence.c.seq)).scalars():
        record = json.loads(body)
        if "goes_without" in record:
            found[record["run"]] = (
                f"{', '.join(record['goes_without'])}; accepted by {record['by']}: {record['reason']}"
            )
    return found


def for_our_own(step: Step) -> bool:
    """Tell whether a step, as a report shows it, waits for the rotator's own credential to be replaced."""
    return step.state is StepState.PENDING and (step.reason or "").startswith(FOR_OUR_OWN)


def at_brake(step: Step) -> bool:
    """Tell whether a step, as a report shows it, waits because a consumer of an earlier wave failed."""
    return step.state is StepState.PENDING and AT_BRAKE in (step.reason or "")


def is_unsafe(step: Step) -> bool:
    """Tell whether it waits because a thief could read what it makes."""
    return step.state is StepState.HELD and (step.reason or "").startswith(UNSAFE)


def is_paused(step: Step) -> bool:
    """Tell whether it waits because it would make something new for a vendor that is paused."""
    return step.state is StepState.HELD and (step.reason or "").startswith(PAUSED)


def vendor_of(step: Step) -> str:
    """Return the vendor for whose pause a step waits."""
    return (step.reason or "").removeprefix(PAUSED)


def is_answered_elsewhere(step: Step) -> bool:
    """Tell whether it would resume what another run has stopped since that was ordered."""
    return step.state is StepState.HELD and (step.reason or "").startswith(ELSEWHERE)


def few(names: Sequence[str]) -> str:
    """Return the first of them, and whether there are more, no more than anybody would read."""
    return ", ".join([*names[:_NAMED], *(["more"] if len(names) > _NAMED else [])])


def _unsafe_because(found: Sequence[Route]) -> str:
    """Return why a mint waits: which stolen credentials may read what it makes, and which host of the attacker's."""
    readers = [str(each) for each in found if each.run]
    hosts = list(dict.fromkeys(str(each) for each in found if not each.run))
    reached = f"the new secret would reach {', '.join(hosts)}" if hosts else ""
    if not readers:
        return f"{UNSAFE}: {reached}" if hosts else f"{UNSAFE}: {SAFE_NOW}"
    return f"{LEAK_SAFE}: {few(readers)}{'; and ' if hosts else ''}{reached}"


def _not_begun(connection: Connection, incident: RowMapping, which: Which) -> dict[str, str]:
    """Return why each run that has not begun waits: for the rotator's own credential, for its wave, or at the brake."""
    branch, run, awaits, gate = tables.branch, tables.run, tables.awaits, tables.gate
    ours = run.alias("ours")  # it may have stayed in an incident that was merged into this one
    own = (
        select(awaits.c.run, ours.c.credential, awaits.c.lifeline)
        .join(ours, ours.c.id == awaits.c.lifeline)
        .join(run, run.c.id == awaits.c.run)
        .where(which.of(run), awaits.c.open == 1)
        .order_by(awaits.c.run, awaits.c.lifeline)
    )
    found: dict[str, list[str]] = {}
    for each, credential, lifeline in connection.execute(own):
        found.setdefault(each, []).append(f"{credential} ({lifeline})")
    added = select(run.c.id, run.c.revision).where(which.of(run), run.c.requested_at.is_(None))
    why = {each: f"revision {number} of the plan is not approved" for each, number in connection.execute(added)}
    for each, on in found.items():
        why.setdefault(each, f"{FOR_OUR_OWN} {', '.join(on)} is replaced")
    if incident["wave"] < incident["waves"]:
        shut = connection.execute(
            select(gate.c.reason).where(gate.c.incident == incident["id"], gate.c.name == BRAKE, gate.c.open == 0)
        ).scalar()
        later = (
            select(branch.c.run, run.c.wave)
            .join(run, run.c.id == branch.c.run)
            .where(
                which.match(branch.c.run, branch.c.incident),
                branch.c.segment == 0,
                branch.c.state == BranchState.WAITING.value,
                run.c.wave > incident["wave"],
            )
        )
        for each, wave in connection.execute(later):
            after = f"when nothing of wave {wave - 1} is at work" if shut is None else f"{AT_BRAKE} ({shut})"
            why.setdefault(each, f"wave {wave} of {incident['waves']}: {after}")
    return why


@dataclass(frozen=True, slots=True)
class _Reader:
    run: str
    credential: str
    lives_on: bool


def _readers(connection: Connection, runs: Sequence[str]) -> dict[str, list[Route]]:
    """Return for each run that waits for living readers who they are, and no more than anybody would read."""
    if not runs:
        return {}
    run, delivery, awaits = tables.run, tables.delivery, tables.awaits
    passes: dict[str, list[str]] = {}
    replaced_first: set[str] = set()
    for part in _parts(runs):
        for each, at in connection.execute(select(delivery).where(delivery.c.run.in_(part))):
            passes.setdefault(each, []).append(at)
        first = select(run.c.id).where(run.c.id.in_(part), run.c.strategy == Strategy.REPLACE_FIRST.value)
        replaced_first |= set(connection.execute(first).scalars())
    let_by = {tuple(row) for row in connection.execute(select(awaits.c.run, awaits.c.lifeline))}
    taken = tables.accepted
    for part in _parts(runs):
        answered_for = select(taken.c.name, taken.c.run).where(taken.c.run.in_(part), taken.c.what == leak_safe.A_RUN)
        let_by |= {tuple(row) for row in connection.execute(answered_for)}
    living = _living(connection, sorted({at for found in passes.values() for at in found}))
    answer: dict[str, list[Route]] = {}
    for each in runs:
        found: dict[str, Route] = {}
        for at in passes.get(each, ()):
            for reader in living.get(at, ()):
                if reader.run == each or (reader.run, each) in let_by or (reader.lives_on and each in replaced_first):
                    continue
                found[reader.run] = Route(reader.credential, run=reader.run)
                if len(found) > _NAMED:
                    break
        answer[each] = list(found.values())
    return answer


def _living(connection: Connection, at: Sequence[str]) -> dict[str, list[_Reader]]:
    """Return the credentials that still live, by the connections on which they may read."""
    reach, run = tables.reach, tables.run
    found: dict[str, list[_Reader]] = {}
    for part in _parts(at):
        query = (
            select(reach.c.connection, run.c.id, run.c.credential, reach.c.open)
            .join(run, run.c.id == reach.c.run)
            .where(reach.c.connection.in_(part), reach.c.open > 0)
            .order_by(run.c.id)
        )
        for name, each, credential, lives in connection.execute(query):
            found.setdefault(name, []).append(_Reader(each, credential, lives == tables.LIVES_ON))
    return found


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _BY_500):
        yield names[start : start + _BY_500]
