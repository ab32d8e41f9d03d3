"""What of an incident is open, a line each: what keeps it from being closed. Its exit code says the same, shorter."""

from __future__ import annotations

from rotator.flow.standing import UNCOUNTED, CredentialState
from rotator.ledger.closing import Left
from rotator.ledger.records import IncidentRecord
from rotator.report.incident import OPEN_TOTALS, build
from rotator.report.revisions import each_run

_STATED = "dead by its issuer's word alone: nobody saw it refused"


def left(record: IncidentRecord, called: str = "rotator") -> Left:
    """Return it. A destruction that is only scheduled is not open; one that a gate would keep then is."""
    found: list[tuple[str, str]] = []
    scheduled = 0
    for each in build(record, called)["credentials"]:
        if each["state"] in UNCOUNTED:
            continue
        told = [*each["open"], *each["stopped"]]
        for run in each_run([each]):
            scheduled += sum(bool(one["due_at"]) for one in run["next"])
            told += [f"it will wait for {one['kept_by']}: {one['command']}" for one in run["next"] if one["kept_by"]]
        failed = [one["id"] for run in each_run([each]) for one in run["steps"] if one["state"] == "failed"]
        if not told and (failed or each["state"] in OPEN_TOTALS):
            told.append(f"{failed[0]} failed" if failed else str(each["state"]))
        if not told and each["state"] == CredentialState.STATED_DEAD:
            told.append(_STATED)
        found += [(each["run"], f"{each['provider'] or 'not recognised'} {each['id']}: {line}") for line in told]
    return Left(tuple(found), scheduled)
