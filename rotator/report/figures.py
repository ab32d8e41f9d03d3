"""How long an incident's credentials took. What is still open counts as open for as long as it is, and is not dropped.

The estimate is that of the compliance report: docs/metrics.md has it to the operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rotator.flow.response import times_of_one
from rotator.flow.standing import UNCOUNTED
from rotator.flow.survival import Span, span
from rotator.ledger.records import IncidentRecord
from rotator.report.revisions import detected_at


class _Life(NamedTuple):
    """One exposed credential that counts: when it was detected, approved and proven dead, in epoch seconds."""

    kind: str | None
    detected_at: float
    requested_at: float | None = None
    dead_at: float | None = None


def figures(every: Sequence[IncidentRecord], stands: Mapping[str, str], until: float) -> dict[str, Any]:
    """Return the report's figures, in seconds, with what is open counted as open until then, in epoch seconds.

    `every` are an incident and what was merged into it; `stands` has the state of each run and task that is reported.
    """
    lives, of_kind = list(_lives(every, stands)), dict[str | None, list[_Life]]()
    for each in lives:
        of_kind.setdefault(each.kind, []).append(each)
    kinds = Counter(each.run.kind for of in every for each in of.runs if each.run.id in stands)
    return {
        "time_to_revoke": _times(lives, until),
        "revocation_latency": times_of_one(_since_approved(lives, until)),
        "by_provider": {
            kind: {"credentials": count} | _of_kind(of_kind.get(kind, []), until)
            for kind, count in sorted(kinds.items())
        },
    }


def _lives(every: Iterable[IncidentRecord], stands: Mapping[str, str]) -> Iterator[_Life]:
    for of in every:
        for run in (each.run for each in of.runs if each.run.id in stands):
            if stands[run.id] not in UNCOUNTED:
                dead_at = run.dead_at if run.evidence == "proven" else None
                yield _Life(run.kind, detected_at(of, run.revision), run.requested_at, dead_at)
        for task in of.manual:
            if stands[task.id] not in UNCOUNTED:
                yield _Life(task.kind, detected_at(of, task.revision))


def _times(lives: Iterable[_Life], until: float) -> dict[str, Any]:
    return times_of_one(span(each.detected_at, each.dead_at, until) for each in lives)


def _since_approved(lives: Iterable[_Life], until: float) -> Iterator[Span]:
    """Yield the times from the approval on. What nobody approved has not begun: it is open, for no time yet."""
    for each in lives:
        if each.requested_at is not None:
            yield span(each.requested_at, each.dead_at, until)
        elif each.dead_at is None:
            yield Span(0.0, ended=False)


def _of_kind(lives: Sequence[_Life], until: float) -> dict[str, Any]:
    proven = sum(each.dead_at is not None for each in lives)
    return {"proven_dead": proven, "mean_s": _times(lives, until)["mean_s"]}
