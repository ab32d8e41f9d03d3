"""What hygiene has due: how each credential stands with its policy, and what each policy comes to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow import expiry
from rotator.flow.hygiene import Due, Known, Policy, Turn, aged, next_window, turns, window, youngest_s
from rotator.ledger.routines import Routines, owner_of
from rotator.nothing_new import paused_holder
from rotator.report.clocks import moment

ENDS = "ends"
"""How what ends by itself stands, in place of a turn: it is under no policy."""


@dataclass(frozen=True, slots=True)
class Looked:
    """How every credential stands that a policy covers, and how many of each policy are being replaced."""

    policies: tuple[Policy, ...]
    found: tuple[Due, ...] = ()
    at_work: dict[str, int] = field(default_factory=dict)


def policies(parts: Rotator) -> tuple[Policy, ...]:
    """Return the policies that are configured. Raises BadInput for the first mistake in their files."""
    if not parts.settings.hygiene:
        return ()
    from rotator.hygiene_file import load_all  # noqa: PLC0415 - only who configured some waits for YAML

    return load_all(parts.settings.hygiene)


def look(parts: Rotator, now: float, of: Sequence[Policy] | None = None) -> Looked:
    """Return how the credentials of these policies, or of all, stand now. Changes nothing."""
    found = tuple(policies(parts) if of is None else of)
    return _looked(parts, found, known(parts), now) if found else Looked(())


def _looked(parts: Rotator, every: tuple[Policy, ...], there: Iterable[Known], now: float) -> Looked:
    return Looked(every, tuple(turns(every, busy(parts, there), now)), Routines(parts.database).at_work())


def expiring(parts: Rotator, now: float, every: Sequence[Policy]) -> list[Known]:
    """Return what ends by itself before long and is under no policy in force, with what else is done with it."""
    return _ending(parts, every, known(parts), now)


def _ending(parts: Rotator, every: Sequence[Policy], there: Iterable[Known], now: float) -> list[Known]:
    return busy(parts, expiry.expiring(every, there, now))


def due(parts: Rotator, now: float, *, every: bool = False) -> list[dict[str, Any]]:
    """Return what is due, or of an age that nobody knows, and what ends by itself; with `every` what is young too."""
    found = policies(parts)
    there = known(parts, math.inf if every else now - youngest_s(found))
    looked = _looked(parts, found, there if every else aged(found, there, now), now)
    return [*rows(looked, every=every), *map(_end, _ending(parts, found, there, now))]


def known(parts: Rotator, until: float = math.inf) -> list[Known]:
    """Return the credentials that hygiene may be for, as the inventory has them now; what else is done is not asked.

    What was made after `until`, in epoch seconds, is left out unless it ends by itself.
    """
    parts.look_again()
    found = []
    for each in Routines(parts.database).there(until):
        custody, ref = parts.custodies.of(each.ref), each.ref
        if not custody.canary:
            told = {"id": ref.id, "owner": ref.owner, "connection": ref.connection, "provider": ref.provider}
            told["environment"] = custody.environment or ""
            found.append(Known(ref, told, each.made_at, ends_at=each.ends_at))
    return found


def busy(parts: Rotator, found: Iterable[Known]) -> list[Known]:
    """Return these with what else is done with them, or with their owner's."""
    ledger, holder = Routines(parts.database), paused_holder(parts)
    owners, tasks = ledger.busy(), ledger.tasks()

    def why(ref: CredentialRef) -> str:
        if vendor := holder(ref):
            return f"its vendor {vendor} is paused"
        task = tasks.get((ref.provider, ref.id))
        return owners.get(owner_of(ref), f"a task of {task.incident}: {task.mend}" if task is not None else "")

    return [replace(each, busy=said) if (said := why(each.ref)) else each for each in found]


def rows(looked: Looked, *, every: bool = False) -> list[dict[str, Any]]:
    """Return what is due, or of an age that nobody knows, as data: with `every` what is young too."""
    return [
        _row(
            each.known, each.policy, each.turn.value, each.due_at, each.starts_at if each.turn is not Turn.NOW else None
        )
        for each in looked.found
        if every or each.turn is not Turn.YOUNG
    ]


def _end(each: Known) -> dict[str, Any]:
    return _row(each, "", ENDS, expiry.watched_from(each), None)


def _row(known: Known, policy: str, turn: str, due_at: float | None, starts_at: float | None) -> dict[str, Any]:
    return {
        "policy": policy,
        "turn": turn,
        "provider": known.ref.provider,
        "connection": known.ref.connection,
        "owner": known.ref.owner,
        "id": known.ref.id,
        "made_at": moment(known.made_at),
        "ends_at": moment(known.ends_at),
        "due_at": moment(due_at),
        "starts_at": moment(starts_at),
        "busy": known.busy,
    }


def schedules(parts: Rotator, now: float) -> list[dict[str, Any]]:
    """Return each policy as it stands now."""
    return schedule(look(parts, now), now)


def schedule(looked: Looked, now: float) -> list[dict[str, Any]]:
    """Return each policy with its window, who agreed to it until when, and how many credentials stand how with it."""
    counts = Counter((each.policy, each.turn) for each in looked.found)
    found = []
    for policy in looked.policies:
        opened, coming, frozen = window(policy, now), next_window(policy, now), policy.frozen(now)
        found.append(
            {
                "policy": policy.name,
                "select": policy.select.text,
                "schedule": f"{policy.timetable.text} {policy.zone}",
                "open_until": moment(opened.closes_at) if opened else "",
                "opens_at": moment(coming.opens_at) if coming else "",
                "frozen": frozen.why if frozen else "",
                "approved_by": policy.approved_by,
                "expires_at": moment(policy.expires),
                "expired": now > policy.expires,
                "at_work": looked.at_work.get(policy.name, 0),
                "at_once": policy.at_once,
                "credentials": {turn.value: counts[policy.name, turn] for turn in Turn},
            }
        )
    return found
