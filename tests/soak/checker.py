"""In the end the world is asked, credential by credential; the report is believed only where it admits something."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotator.credential import Secret
from rotator.flow.playbook_words import Strategy
from rotator.report.incident import build
from tests.fakes.deployment import broken_chains
from tests.fakes.issuer import public_part
from tests.soak.estate import Case, Stolen
from tests.soak.night import Night
from tests.soak.watch import REPLACING

COUNTS = ("live exposed", "orphans", "lost", "doubled", "secrets found outside")
CANARY = b"canary-"
UNSETTLED = "nobody could find out whether it was done"
NOT_DEAD = {"held", "failed", "manual"}


@dataclass
class Found:
    """What nights add up to. `wrong` has (count, incident, what)."""

    totals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, other: Found) -> None:
        self.totals += other.totals
        self.faults += other.faults
        self.held += other.held
        self.wrong += other.wrong


def checked(night: Night, ledger: Path, said: str) -> Found:
    """Return what is true after a night. `said` is what the product logged."""
    found = Found(faults=Counter(night.faults.counts), wrong=list(night.watch.harm))
    reports = {case.id: build(night.deployment.record(case.id)) for case in night.estate.cases}
    if night.stuck:
        found.wrong.append(("lost", night.estate.cases[0].id, f"not at rest: {_restless(night)}"))
    for case in night.estate.cases:
        _check_incident(night, case, reports[case.id], found)
    _check_orphans(night, reports, found)
    _check_ledger(night, found)
    _check_secrets(night, ledger, said, reports, found)
    found.totals["nights"] += 1
    found.totals["late calls that landed"] += night.world.late_calls
    found.totals["claims lost"] += said.count("claim_lost")
    found.totals["errors of the ledger met"] += len(night.watch.errors)
    found.totals["credentials minted"] += len(night.world.minted)
    return found


def _restless(night: Night) -> list[tuple[str, str, str | None]]:
    return [each for each in night.deployment.branches() if each[1] in {"open", "held"}][:5]


def _check_incident(night: Night, case: Case, report: dict[str, Any], found: Found) -> None:
    found.totals["incidents"] += 1
    said = {each["id"]: each for each in report["credentials"]}
    for task in case.manual:
        found.totals["credentials"] += 1
        _hold(found, "manual: no playbook")
        if said.get(task.key, {}).get("state") != "manual":
            found.wrong.append(("lost", case.id, f"{task.key} is in no report"))
    for stolen in case.stolen:
        found.totals["credentials"] += 1
        entry = said.get(stolen.ref.id)
        if entry is None:
            found.wrong.append(("lost", case.id, f"{stolen.ref} is in no report"))
            continue
        if entry["state"] == "dismissed" and stolen.ref.id in night.world.dismissed:
            found.totals["left alone as dismissed"] += 1
            continue
        for count, what in (*_exposed(night, case, stolen, entry), *_replaced(night, case, stolen, entry)):
            found.wrong.append((count, case.id, what))
        if case.strategies[stolen.ref.id] is Strategy.CUT_ONLY:
            found.totals["left alive as asked (cut_only)"] += 1
        elif _visible(entry):
            _hold(found, f"{entry['state']}: {(entry['open'] or ['?'])[0]}")


def _hold(found: Found, why: str) -> None:
    found.totals["held"] += 1
    found.held[why] += 1


def _visible(entry: dict[str, Any]) -> bool:
    """Tell whether the report admits that this one is not finished."""
    return bool(entry["open"]) or entry["state"] in NOT_DEAD


def _exposed(night: Night, case: Case, stolen: Stolen, entry: dict[str, Any]) -> list[tuple[str, str]]:
    name, world = stolen.ref.id, night.world
    kept = world.credentials()[name]
    sessions = kept.get("sessions", 0) if stolen.ref.provider == "aws_iam_access_key" else 0
    sessions += sum(door["sessions"] for door in kept["doors"].values())
    wrong = []
    called_dead = entry["state"] in {"proven_dead", "stated_dead"}
    if name in world.resumed and entry["open"]:
        called_dead = False  # nobody has looked since a person started it again, and the report says what failed
    if world.may_open(name) and called_dead:
        wrong.append(("live exposed", f"{stolen.ref} is called {entry['state']} and opens doors"))
    elif world.may_open(name) and not _visible(entry) and case.strategies[name] is not Strategy.CUT_ONLY:
        wrong.append(("live exposed", f"{stolen.ref} opens doors and the report says {entry['state']}"))
    if sessions and not _visible(entry):
        wrong.append(("live exposed", f"{sessions} of a thief's sessions with {stolen.ref} live"))
    if called_dead and entry["evidence"] == "proven" and stolen.told != "whole":
        wrong.append(("live exposed", f"{stolen.ref} is called proven though the report had {stolen.told}"))
    return wrong


def _replaced(night: Night, case: Case, stolen: Stolen, entry: dict[str, Any]) -> list[tuple[str, str]]:
    if case.strategies[stolen.ref.id] not in REPLACING or _visible(entry):
        return []
    world, new = night.world, entry["replacement"]
    if not new or not world.opens_everywhere(new):
        return [("lost", f"{stolen.ref} was replaced by {new or 'nothing'}, which does not open every door")]
    wrong = []
    field_name = night.estate.outside.provider(stolen.ref).secret_field
    for place in stolen.scoped.custody.deliver:
        document = json.loads(night.estate.outside.stores[place.connection].consumed(place.name) or "{}")  # type: ignore[attr-defined]
        if str(place) in night.people.changed_when_finished:
            continue
        if document.get("id") != new:
            wrong.append(("lost", f"{place} holds {document.get('id')}, not {new}, and the report does not say so"))
        elif not _is_material_of(world.credentials()[new], new, document.get(field_name, "")):
            wrong.append(("lost", f"{place} has no secret that opens {new}"))
    held = {each.name: world.holders().get(each.name) for each in stolen.scoped.custody.consumers}
    return wrong + [("lost", f"{name} holds {holds}, not {new}") for name, holds in held.items() if holds != new]


def _is_material_of(kept: dict[str, Any], name: str, material: str) -> bool:
    return kept["material"] == material if "material" in kept else public_part(Secret(material)) == name


def _check_orphans(night: Night, reports: dict[str, dict[str, Any]], found: Found) -> None:
    """Ask of every credential that the rotator made and that opens something whether somebody knows it."""
    entries = [(incident, each) for incident, report in reports.items() for each in report["credentials"]]
    told = " ".join(why for _, entry in entries for why in entry["open"])
    unsettled = {entry["owner"] for _, entry in entries if any(UNSETTLED in why for why in entry["open"])}
    replacing = {entry["replacement"]: (incident, entry) for incident, entry in entries if entry["replacement"]}
    slots: Counter[tuple[object, ...]] = Counter()
    of_owner: dict[object, str] = {}
    for name in sorted(each for each in night.world.minted if night.world.may_open(each)):
        owner = night.world.credentials()[name]["owner"]
        if name in replacing:
            incident, entry = replacing[name]
            slots[entry["provider"], owner, tuple(entry["deliver"])] += 1
            of_owner[owner] = incident
        elif name not in told and owner not in unsettled:
            found.wrong.append(
                ("orphans", f"inc-{owner.split('-')[1]}", f"{name} of {owner} lives and nobody knows it")
            )
    for slot, lives in slots.items():
        if lives > 1:
            found.wrong.append(("doubled", of_owner[slot[1]], f"{lives} replacements live for {slot[1]}"))


def _check_ledger(night: Night, found: Found) -> None:
    deployment, incident = night.deployment, night.estate.cases[0].id
    found.wrong += [("lost", incident, f"evidence: {each}") for each in broken_chains(deployment)]
    found.wrong += [("lost", incident, each) for each in night.pausing.left()]
    steps = deployment.rows("step")
    found.totals["steps"] += len(steps)
    done: Counter[tuple[str, str, str]] = Counter()
    for row in deployment.rows("evidence"):
        body = json.loads(row["body"])
        found.totals["records of evidence"] += 1
        if body.get("state") == "done":
            done[body["chain"], body["step"], body["target"]] += 1
    for (chain, step, _), times in done.items():
        if times > 1:
            found.wrong.append(("doubled", chain.split(".")[0], f"{chain} {step} was done {times} times"))
    waiting = {row["branch"] for row in steps if row["state"] in {"held", "failed", "uncertain"}}
    for row in deployment.rows("mint"):
        if row["branch"] not in waiting:
            found.wrong.append(("lost", row["branch"].split(".")[0], f"a reservation stays: {dict(row)}"))


def _check_secrets(night: Night, ledger: Path, said: str, reports: dict[str, dict[str, Any]], found: Found) -> None:
    outside = {
        "the log": said.encode(),
        "a report": json.dumps(reports).encode(),
        "a message": "\n".join(night.messages).encode(),
        "an error": "\n".join(night.watch.errors).encode(),
    }
    for path in (ledger, ledger.with_name(ledger.name + "-wal")):
        outside[f"the ledger's {path.name}"] = path.read_bytes() if path.exists() else b""
    for where, content in outside.items():
        found.totals["bytes searched"] += len(content)
        for _ in range(content.count(CANARY)):
            found.wrong.append(("secrets found outside", night.estate.cases[0].id, f"in {where}"))
