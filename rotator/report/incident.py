"""The incident report as data: the contract of `-o json`. Every other form is made from this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from rotator import clock
from rotator.flow.giving_back import GIVEN_BACK
from rotator.flow.run import Step
from rotator.flow.standing import UNCOUNTED, CredentialState, state_of, still_open
from rotator.ledger.moves_on import DECLARE
from rotator.ledger.other_runs import Death
from rotator.ledger.records import IncidentRecord, LookedAgain, ManualTask, RunRecord
from rotator.report import dismissed as dismissed_in
from rotator.report.clocks import moment
from rotator.report.figures import figures
from rotator.report.people import acts, as_called, choices, let_in_again
from rotator.report.revisions import detected_at, each_run, once
from rotator.report.whole import whole

OPEN_TOTALS = ("settling", "pending", "held", "manual", "failed")
"""Totals of credentials that nobody may call dead."""


def build(
    record: IncidentRecord,
    called: str = "rotator",
    *,
    unattended: bool = False,
    unmanned: bool = False,
    strange: Collection[str] = (),
    stale: str = "",
    now: float | None = None,
) -> dict[str, Any]:
    """Return the report. Times are ISO 8601 in UTC, or "" for what has not happened; the totals partition.

    `called` is how this reader calls the program: each command begins with it. `unattended` says that nothing runs
    which would do in time what is scheduled, `unmanned` that something is due now and nothing runs. `strange` are the
    footholds that nothing here is called. `stale` says why a plan may not be approved any more, where more is known
    than the ledger tells. What is open counts as open up to `now`, in epoch seconds: this moment where none is given.
    """
    every, now = record.family, round(clock.now() if now is None else now, 3)
    credentials = rows(record, called)
    stands = {each["run"]: each["state"] for each in credentials}
    known = [each.run for of in every for each in of.runs if each.run.id in stands]
    states = Counter(stands.values())
    return {
        "as_of": moment(now),
        "incident": whole(
            every,
            called,
            unattended=unattended,
            unmanned=unmanned,
            strange=strange,
            stale=stale,
            something_stopped=any(each["stopped"] for each in credentials),
        ),
        "totals": {"credentials": len(credentials)} | {state.value: states[state] for state in CredentialState},
        "replaced": sum(each.replaced_at is not None for each in known),
        "converged": sum(each.converged_at is not None for each in known),
        "unidentified": sum(each.kind is None for of in every for each in of.manual),
        **figures(every, stands, now),
        "credentials": credentials,
        "taken_back": [dismissed_in.told(each) for of in every for each in of.dismissals if not each.stands],
    }


def rows(record: IncidentRecord, called: str = "rotator") -> list[dict[str, Any]]:
    """Return a row for each credential and each task of an incident, or as many as the record has of them."""
    every = record.family
    dismissed = dismissed_in.standing(each for of in every for each in of.dismissals)
    runs = [
        _credential(each)
        | {"detected_at": moment(detected_at(of, each.run.revision))}
        | acts(each)
        | choices(of, each, called)
        for of in every
        for each in of.runs
    ]
    manual = [_manual(of, each, as_called(DECLARE, called)) for of in every for each in of.manual]
    return [
        *once([each | {"dismissed": dismissed.get(each["run"])} for each in runs]),
        *(each | {"dismissed": dismissed.get(each["run"])} for each in manual),
    ]


def _credential(record: RunRecord) -> dict[str, Any]:
    run, state = record.run, state_of(record.run, record.steps, record.proofs)
    return {
        "run": run.id,
        "provider": run.kind,
        "connection": run.ref.connection,
        "owner": run.ref.owner,
        "id": run.ref.id,
        "strategy": run.strategy.value,
        "why": run.why,
        "wave": run.wave,
        "awaits": list(record.awaits),
        "exposures": record.exposures,
        "deliver": [str(each) for each in run.deliver],
        "consumers": [each.name for each in run.consumers],
        "state": state.value,
        "evidence": run.evidence.value,
        "requested_at": moment(run.requested_at),
        "acknowledged_at": moment(run.acknowledged_at),
        "proven_dead_at": moment(run.dead_at) if run.evidence == "proven" else "",
        "stated_dead_at": moment(run.dead_at) if run.evidence == "stated" else "",
        "replaced_at": moment(run.replaced_at),
        "converged_at": moment(run.converged_at),
        "replacement": run.replacement or "",
        "revision": run.revision,
        "predecessor": run.predecessor or "",
        "let_in_again_at": moment(run.let_in_at),
        "let_in_again": let_in_again(record),
        "targets": {
            each.target: {"evidence": each.evidence.value, "dead_at": moment(each.dead_at)}
            for each in record.proofs
            if each.target
        },
        "settled_by": record.settled_by.run if record.settled_by else "",
        "open": [
            _since(record, each)
            for each in still_open(
                run,
                record.steps,
                record.late,
                _settled(record.settled_by),
                record.stopped_by.run if record.stopped_by else "",
            )
        ],
        "late": list(record.late),
        "looked_again": _looked_again(record.looked),
        "steps": [_step(each) for each in record.steps],
    }


def _looked_again(looked: LookedAgain | None) -> dict[str, Any] | None:
    """Return how often it was looked at again since its death, None where nobody does."""
    if looked is None:
        return None
    missed = f"; {looked.missed:,} looks were not answered" if looked.missed else ""
    last = f", the last at {moment(looked.looked_at)}" if looked.looks else ""
    times = f"{looked.looks:,} time{'s' * (looked.looks != 1)}"
    seen = f": {looked.says}" if looked.says else ""
    return {
        "told": f"looked at again {times}{last}, until {moment(looked.until)[:10]}{seen}{missed}",
        "times": looked.looks,
        "missed": looked.missed,
        "last_at": moment(looked.looked_at),
        "until": moment(looked.until),
        "says": looked.says,
    }


def _since(record: RunRecord, told: str) -> str:
    """Say what other runs have done to it since: resumed the credential, or delivered where a value was given back."""
    dead = "the exposed credential is not proven dead"
    if record.resumed_by is not None and told.startswith(dead):
        return "ALIVE AGAIN: it was resumed by {} ({}), and {}".format(*record.resumed_by, told)
    if record.delivered_since is None or not told.startswith(GIVEN_BACK):
        return told
    return f"{told.partition(':')[0]}; {record.delivered_since} has delivered there since"


def _settled(death: Death | None) -> str:
    """Say which other run saw the death that a run has not seen itself; "" where none did."""
    if death is None:
        return ""
    return f"settled by {death.run}: {death.evidence} dead there since {moment(death.at)}"


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.name,
        "target": step.target or None,
        "do": step.do,
        "state": step.state.value,
        "attempts": step.attempts,
        "intended_at": moment(step.intended_at),
        "settled_at": moment(step.settled_at),
        "reason": f"its owners have time to speak: {owners}" if (owners := step.waits_for_owner) else step.reason,
    }


def _manual(record: IncidentRecord, task: ManualTask, again: str) -> dict[str, Any]:
    dismissed = task.dismissed is not None
    return {
        "run": task.id,
        "provider": task.kind or "",
        "connection": "",
        "owner": "",
        "id": task.key,
        "strategy": "",
        "why": task.dismissed or "",
        "exposures": task.exposures,
        "state": "dismissed" if dismissed else "manual",
        "evidence": "none",
        "detected_at": moment(detected_at(record, task.revision)),
        "requested_at": "",
        "acknowledged_at": "",
        "proven_dead_at": "",
        "stated_dead_at": "",
        "replaced_at": "",
        "converged_at": "",
        "replacement": "",
        "revision": task.revision,
        "predecessor": "",
        "let_in_again_at": "",
        "let_in_again": "",
        "targets": {},
        "settled_by": "",
        "late": [],
        "looked_again": None,
        "open": [] if dismissed else [f"{task.reason} ({task.mend})"],
        "steps": [],
        "stopped": [],
        "risk_accepted": "",
        "risk_accepted_of": [],
        "gone_ahead": "",
        "also": [],
        "others": [],
        "undone": [],
        "skipped": [],
        "released": [],
        "next": [],
        "trying": [],
        "again": again,
    }


def exit_code(report: dict[str, Any]) -> int:
    """Return 0 when all is dead, proven and replaced as planned; 1 when something failed; 3 when something is open."""
    totals = report["totals"]
    counted = [each for each in report["credentials"] if each["state"] not in UNCOUNTED]
    steps = [step["state"] for each in each_run(counted) for step in each["steps"]]
    if totals["failed"] or "failed" in steps:
        return 1
    open_left = any(totals[name] for name in OPEN_TOTALS) or totals["stated_dead"] or report["incident"]["reviews"]
    return 3 if open_left or any(each["open"] or each["stopped"] for each in counted) else 0
