"""What is known of each credential in time: its last use, who used it since, what was done to it, what it made.

What nobody could be asked is said to be not known: a silence is no sign that nothing was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rotator.flow.playbook_words import Verb
from rotator.flow.run import StepState
from rotator.flow.step import PERSISTENCE
from rotator.ledger.records import IncidentRecord
from rotator.report.clocks import moment

if TYPE_CHECKING:
    # Only named: most reports come without an access log.
    from rotator.access.persistence import Minted
    from rotator.access.strangers import Story, Use

NO_LOGS = "not known: no access log was read (rotator report INCIDENT --access LOG reads one)"
NOT_NAMED = "not known: the access logs that were read do not name it"
NOBODY_ASKED = "not known: nobody was asked what was made with it"
NO_EXPOSURE = "not known: nobody said since when it is exposed (--exposed-at)"
_DAY = len("2026-11-23")
USED = ("last_used_at", "secret_last_used_at", "last_used", "principal_last_used_at")
"""How issuers call what they tell of the last use."""
_CLOCKS = (
    ("detected_at", "detected"),
    ("requested_at", "approved"),
    ("acknowledged_at", "its issuer took the stop"),
    ("stated_dead_at", "dead by its issuer's word"),
    ("proven_dead_at", "dead: the first refusal of the series that proves it"),
    ("replaced_at", "replaced"),
    ("converged_at", "all consumers hold the new one"),
    ("let_in_again_at", "its vendor has it again, as it was let in"),
)
_Told = dict[str, Any]


def timelines(
    report: Mapping[str, Any],
    record: IncidentRecord,
    plans: Sequence[Mapping[str, Any]],
    stories: Mapping[str, Story] | None = None,
    minted: Minted | None = None,
) -> list[_Told]:
    """Return it for each credential of a report, in its order.

    `plans` are the revisions of the plan as they were kept. `stories` and `minted` are what access logs tell, of the
    credentials that they name, which were read for this report; None where none were.
    """
    kept, logged = _Kept(record, plans, NO_LOGS if stories is None else NOT_NAMED), _Made()
    for way in _ways(minted) if minted is not None else ():
        logged.add(way)
    exposed_at = report["incident"]["exposed_at"]
    told = stories or {}
    return [_timeline(each, exposed_at, kept, told.get(each["id"]), logged) for each in report["credentials"]]


class _Kept:
    """What the ledger has of credentials beside their rows: what issuers said, and what their plans tell."""

    def __init__(self, record: IncidentRecord, plans: Sequence[Mapping[str, Any]], silence: str) -> None:
        self.silence = silence
        self.said: dict[str, list[tuple[str, str]]] = {}
        for of in record.family:
            for each in of.runs:
                self.said[each.run.id] = [
                    (moment(step.settled_at), str(step.facts[name]))
                    for step in each.steps
                    if step.verb is Verb.PRESERVE and step.state is StepState.DONE
                    for name in USED
                    if name in step.facts
                ]
        self.signs: dict[str, list[str]] = {}
        self.logged: dict[str, str] = {}
        self.made = _Made()
        self.asked: dict[str, None] = {}
        for plan in plans:
            self.asked |= dict.fromkeys(plan.get("asked", ()))
            for each in plan.get("credentials", ()):
                self.signs.setdefault(each["id"], []).extend(each.get("signs", ()))
            for each in plan.get("outages", ()):
                self.logged[each["id"]] = max(self.logged.get(each["id"], ""), each.get("last_used_at", ""))
            for part in ("credentials", "manual", "excluded"):
                for each in plan.get(part, ()):
                    for way in each.get("included", ()):
                        self.made.add(way.split(" → "))


def _timeline(row: Mapping[str, Any], exposed_at: str, kept: _Kept, story: Story | None, logged: _Made) -> _Told:
    return {
        "run": row["run"],
        "provider": row["provider"],
        "owner": row["owner"],
        "id": row["id"],
        "exposed_at": exposed_at,
        "last_use": _last_use(row, exposed_at, kept, story),
        "suspected": _suspected(row, exposed_at, kept, story),
        "acts": _acts(row),
        "minted": _minted(row, kept, logged if story is not None else None),
    }


def _last_use(row: Mapping[str, Any], exposed_at: str, kept: _Kept, story: Story | None) -> _Told:
    """Say when it was used last before its exposure; what an issuer tells may be of later, and is said so."""
    if story is not None and story.before is not None:
        return {"at": moment(story.before.at), "says": _use(story.before)}
    said = [(told, at) for each in _runs(row) for told, at in kept.said.get(each["run"], ())]
    if said:
        told, at = said[0]
        if at == "never":
            return {"at": "", "says": f"never, as its issuer said at {told}"}
        if not (exposed_at and _is_later(at, exposed_at)):
            return {"at": at, "says": f"its issuer said so at {told}"}
        return {
            "at": "",
            "says": f"not known: its issuer tells the last use alone, at {at}, {_after(at, exposed_at)}",
        }
    logged = kept.logged.get(row["id"], "")
    if logged and not (exposed_at and _is_later(logged, exposed_at)):
        return {"at": logged, "says": "as the access logs tell with which it was planned"}
    if story is not None:
        return {"at": "", "says": "not known: the access logs that were read tell of none"}
    return {"at": "", "says": "not known: its issuer does not tell, and no access log of before was read"}


def _suspected(row: Mapping[str, Any], exposed_at: str, kept: _Kept, story: Story | None) -> _Told:
    """Say who used it since its exposure, but for ourselves; and what that does not show."""
    says = [f"its plan says: {each}" for each in dict.fromkeys(kept.signs.get(row["id"], ()))]
    for each in _runs(row):
        for told, at in kept.said.get(each["run"], ()):
            if exposed_at and at != "never" and _is_later(at, exposed_at):
                says.append(
                    f"its issuer told at {told} of a use at {at}, {_after(at, exposed_at)}; it does not tell by whom"
                )
    if story is None:
        return {"uses": [], "says": says or [kept.silence if exposed_at else NO_EXPOSURE], "own_left_out": 0}
    uses = [
        {
            "network": each.network,
            "agent": each.agent,
            "calls": each.calls,
            "first_at": moment(each.first_at),
            "last_at": moment(each.last_at),
        }
        for each in story.since
    ]
    if story.first is not None:
        says.insert(0, f"first: {_use(story.first)}")
    if story.more:
        says.append(f"{story.more:,} uses more, of users beyond those that are kept")
    if not uses:
        says.insert(0, "no use by others stands in the access logs that were read" if exposed_at else NO_EXPOSURE)
    return {"uses": uses, "says": says, "own_left_out": story.ours}


def _acts(row: Mapping[str, Any]) -> list[_Told]:
    """Return every act of ours and the moments of its clocks, in time; an act of more attempts has its last one."""
    found = [{"at": row[name], "what": what} for name, what in _CLOCKS if row[name]]
    for each in _runs(row):
        for step in each["steps"]:
            at = step["intended_at"] or step["settled_at"]
            if not at:
                continue
            where = f" on {step['target']}" if step["target"] else ""
            tries = f", {step['attempts']} attempts, this the last" if step["attempts"] > 1 else ""
            why = f": {step['reason']}" if step["reason"] else ""
            what = f"{each['run']} {step['id']}: {step['do']}{where}, {step['state']}{why}{tries}"
            found.append({"at": at, "what": what})
    return sorted(found, key=lambda each: each["at"])


def _minted(row: Mapping[str, Any], kept: _Kept, logged: _Made | None) -> _Told:
    """Say what was made with it, by logs and issuers, and what nobody knows whose it is."""
    found = [*kept.made.by(row), *(logged.by(row) if logged is not None else ())]
    found += [
        f"{step['id']}: {step['reason']}"
        for each in _runs(row)
        for step in each["steps"]
        if (step["reason"] or "").startswith(PERSISTENCE)
    ]
    asked = [each for each in kept.asked if _is_of(each, row)]
    if logged is not None:
        asked.append("the access logs that were read for this report")
    return {"made": list(dict.fromkeys(found)), "says": asked or [NOBODY_ASKED]}


def _ways(minted: Minted) -> Iterator[tuple[str, ...]]:
    yield from (each.via for each in minted.exposures)
    for left in minted.unresolved:
        yield from (each.via for each in left.exposures)


class _Made:
    """The links that say what a credential made: in a log it is named by its id, by an issuer by its owner."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, ...], dict[str, None]] = {}

    def add(self, way: Iterable[str]) -> None:
        for link in way:
            actor, calls, _ = link.partition(" made the call ")
            connection, shows, rest = link.partition(" shows ")
            _, made, owner = rest.partition(", made by or for ")
            if calls:
                self._by.setdefault((actor,), {})[link] = None
            elif shows and made:
                self._by.setdefault((connection, owner.rpartition(" at ")[0]), {})[link] = None

    def by(self, row: Mapping[str, Any]) -> Iterator[str]:
        yield from self._by.get((row["id"],), ())
        if row["owner"] and row["connection"]:
            yield from self._by.get((row["connection"], row["owner"]), ())


def _is_of(asked: str, row: Mapping[str, Any]) -> bool:
    """Tell whether a sentence of a plan says whether the issuer of a credential was asked."""
    if asked.startswith("nobody was asked what was made with "):
        return f" {row['provider']}" in asked.partition(":")[0]
    return bool(row["connection"]) and asked.startswith(f"{row['connection']} (")


def _runs(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return row, *row["others"]


def _is_later(at: str, than: str) -> bool:
    """Tell whether it was, or may have been: of a day alone, as Kubernetes tells a use, nobody knows when in it."""
    return at[:19] > than[:19] or at == than[:_DAY]


def _after(at: str, exposed_at: str) -> str:
    """Say that it was, as far as that is known."""
    return "which may be before or after its exposure" if at == exposed_at[:_DAY] else "which is after its exposure"


def _use(use: Use) -> str:
    by = f" by {use.agent}" if use.agent else ""
    refused = f", refused with {use.error}" if use.error else ""
    where = f"{use.file}, record {use.record}"
    return f"{use.name} at {moment(use.at)} from {use.address or 'nowhere told'}{by}{refused} ({where})"
