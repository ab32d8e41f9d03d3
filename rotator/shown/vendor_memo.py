"""The decision memo of one vendor: its triage, what it holds by kind, how it stands, and who decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.flow.proof import Evidence
from rotator.flow.vendor import Vendor
from rotator.flow.vendor_notice import NOT_LISTED, UNKNOWN, Ground, Notice
from rotator.flow.vendor_triage import assess
from rotator.held import Held, held_by_each, reached_by_each
from rotator.ledger import pause_gates
from rotator.ledger.pause_gates import Override
from rotator.ledger.pauses import Pause
from rotator.packages.advisory import Advisory
from rotator.report import vendor_memo
from rotator.report.clocks import moment
from rotator.report.datasets import check, counted, named
from rotator.shown import incidents, vendor_triage, vendor_uses

NO_NOTICE = Notice("", "")


def memo(  # noqa: PLR0917 - what a memo is made of
    parts: Rotator, name: str, notice: Notice, advisories: Sequence[Advisory], made_at: float, made_by: str
) -> dict[str, Any]:
    """Return the memo of a vendor as data. Raises BadInput where none is registered by this name."""
    vendor = parts.vendors.one(name)
    of = held_by_each(parts, [vendor])
    held, reach = of[name], reached_by_each(parts, of, [vendor])[name]
    triaged = next(iter(vendor_triage.found(parts, notice, advisories, only=name)), None)
    if triaged is None:
        judged = parts.assessments.every(notice.names).get(name, ())
        triaged = assess(vendor, [_nothing_links(notice)], vendor_triage.holds(parts, held, reach), judged)
    holds = triaged.holds
    return vendor_memo.build(
        vendor_triage.row(triaged, 1),
        vendor_triage.told_of(notice),
        {name: getattr(vendor, name) for name in ("name", "title", "owner")}
        | {"criticality": vendor.criticality.value, "contacts": list(vendor.contacts)},
        {
            "credentials": holds.credentials,
            "grants": holds.grants,
            "held": holds.held + holds.dead,
            "dead": holds.dead,
            "ended": _ended(held),
            "tasks": holds.tasks,
            "by_machine": holds.held - holds.tasks,
            "further": holds.further,
            "blind": holds.blind,
            "kinds": [
                f"{count:,} {kind or 'of no known kind'}" for kind, count in _by_kind(each.kind for each in held)
            ],
            "datasets": [
                {"name": each.name, "sensitivity": each.sensitivity.value if each.sensitivity else ""}
                for each in reach.datasets
            ],
        },
        pauses=_pauses(parts, name),
        used=vendor_uses.in_a_line(vendor_uses.known(parts, name, held)),
        deciders=_deciders(parts, vendor),
        made_at=made_at,
        made_by=made_by,
    )


def _nothing_links(notice: Notice) -> Ground:
    if not notice.id:
        ask = "name the advisory, or who was breached"
        return Ground(UNKNOWN, "no notice was given, so nothing tells how likely it is", "nobody", ask)
    return Ground(NOT_LISTED, f"nothing that is known links it to {notice.id}", "the registry")


def _ended(held: Iterable[Held]) -> list[str]:
    """Say of what it holds how much is dead, how sure that is, and since when."""
    ends = [each.death for each in held if each.death is not None]
    of = {how: [each.at for each in ends if each.evidence is how] for how in (Evidence.PROVEN, Evidence.STATED)}
    return [
        f"{len(mine):,} of these {'is' if len(mine) == 1 else 'are'} {how.value} dead, the last since "
        f"{moment(max(mine))[:16]}Z{': that reaches nothing' if how is Evidence.PROVEN else ''}."
        for how, mine in of.items()
        if mine
    ]


def _by_kind(kinds: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(kinds).items(), key=lambda each: (-each[1], each[0]))


def _pauses(parts: Rotator, name: str) -> list[dict[str, Any]]:
    """Return its pauses as data, the newest first, each with what was overridden of its gates."""
    with parts.database.read() as connection:
        every = pause_gates.overrides(connection, vendor=name)
    recorded = {each.manifest.name for each in parts.manifests.listed()}
    return [
        _pause(parts, each, [one for one in every if one.pause == each.number], recorded)
        for each in parts.pauses.every(name)
    ]


def _differed(parts: Rotator, pause: Pause, recorded: Container[str]) -> Iterator[dict[str, Any]]:
    """Yield what checks while it was paused found altered of what it had reached: of each dataset the last of them.

    `since` is when it was as recorded again, "" where it was not.
    """
    until = pause.restored_at or clock.now()
    for name, manifest in sorted(pause.datasets.items()):
        if manifest not in recorded:
            continue
        checks = [each for each in parts.manifests.checks(manifest) if pause.at <= each.at <= until]
        last = next((each for each in checks if not each.is_as_recorded), None)
        if last is not None:
            told = check(last)
            again = [each.at for each in checks if each.number > last.number]
            since = moment(min(again)) if again else ""
            yield {"dataset": name, "at": told["at"], "found": counted(told), "named": named(told), "since": since}


def _pause(parts: Rotator, pause: Pause, overridden: Iterable[Override], recorded: Container[str]) -> dict[str, Any]:
    """Return a pause as data, with how what it cut stands now, and what it had reached."""
    totals = incidents.report(parts, pause.incident)["totals"]
    return {
        "incident": pause.incident,
        "at": moment(pause.at),
        "by": pause.by,
        "reason": pause.reason,
        "notices": list(pause.notices),
        "restored_at": moment(pause.restored_at),
        "restored_by": pause.restored_by or "",
        "why": pause.restored_why or "",
        "totals": {name: count for name, count in totals.items() if name != "credentials"},
        "differed": list(_differed(parts, pause, recorded)),
        "overridden": [
            {
                "gate": each.gate,
                "at": moment(each.at),
                "by": each.by,
                "reason": each.reason,
                "against": list(each.against),
            }
            for each in overridden
        ],
    }


def _deciders(parts: Rotator, vendor: Vendor) -> list[str]:
    """Return who decides, in words: who answers for the vendor here, and who may say yes to a pause."""
    owner = f"{vendor.owner} answers for it here" if vendor.owner else "nobody is registered as its owner here"
    return [owner, approvers(parts)]


def approvers(parts: Rotator) -> str:
    """Say who may say yes to a pause."""
    policy = parts.settings.policy
    if policy is None:
        return "no rule says who approves a pause: whoever runs rotator"
    found = [each.name for each in policy.people.values() if each.approves]
    return f"a pause is approved by {', '.join(sorted(found)) or 'nobody: no approver is named'}"
