"""Hygiene: decide in the ledger what is due by the policies, and begin that as an incident of its own sort.

What no machine here can replace becomes a task of that incident for its owner. Nothing that the policy did not agree
to is destroyed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rotator import attribution, response
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Leaked
from rotator.errors import BadInput
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.hygiene import Due, Known, Policy, chosen, ripe, soon, window, youngest_s
from rotator.flow.incident import Incident, Severity
from rotator.flow.overlap import routine
from rotator.flow.plan import make
from rotator.flow.planned import Plan
from rotator.flow.playbook_words import Strategy
from rotator.flow.punctuality import ages, duty, owed
from rotator.flow.scope import Scoped, Unresolved
from rotator.ledger import duties, outlook
from rotator.ledger.enrolment import Enrolment, new_incident_id
from rotator.ledger.routines import Agreed, Routines
from rotator.manual import ASK_AGAIN
from rotator.response import Prepared
from rotator.shown.hygiene import busy, known, policies
from rotator.triage import Findings

log = logging.getLogger("rotator")

DECIDE_S = 60.0
"""Seconds between two decisions; in each at most one incident begins for each policy."""
_DAY_S, _APART_S = 86400.0, 3600.0
"""A day; and how far the clocks of two machines may be apart: what was just replaced is not old for hours."""


class Outlook:
    """Who may be due before long, kept from one decision to the next: to look at 20,000 takes a second.

    It is drawn anew when a policy, an entry or a list of an issuer has changed, and each day; what is made meanwhile
    cannot be due before that.
    """

    def __init__(self, parts: Rotator) -> None:
        self._parts = parts
        self._drawn_of: tuple[object, ...] = ()
        self._drawn_at = self._until = float("-inf")
        self._soon: dict[CredentialRef, Known] = {}

    def ripe(self, every: Sequence[Policy], now: float) -> list[Due]:
        """Return whose turn it is now and nobody is at; `every` are all policies."""
        drawn_of = (every, *outlook.mark(self._parts.database))
        if drawn_of != self._drawn_of or now >= self._until:
            self._drawn_at, self._until = now, now + min(_DAY_S, youngest_s(every))
            self._soon = {each.ref: each for each in soon(every, known(self._parts), self._until)}
            self._drawn_of = drawn_of
        found = ripe(every, self._soon.values(), now)
        if not found:
            return []
        since = self._drawn_at - _APART_S
        for ref in outlook.replaced(self._parts.database, [each.known.ref for each in found], since):
            del self._soon[ref]
        free = {each.ref for each in busy(self._parts, (each.known for each in found)) if not each.busy}
        return [each for each in found if each.known.ref in free and each.known.ref in self._soon]


def run(parts: Rotator, now: float, ahead: Outlook | None = None) -> list[Incident]:
    """Begin what is due now, as far as windows are open and policies allow; return the incidents that began.

    Raises BadInput for a mistake in a policy's file, with nothing begun.
    """
    every = policies(parts)
    survey(parts, every, now)
    in_force = [each for each in every if now <= each.expires and window(each, now) is not None]
    if not in_force or not (found := (ahead or Outlook(parts)).ripe(every, now)):
        return []
    at_work, begun = Routines(parts.database).at_work(), []
    for policy in in_force:
        named = identified(parts, policy, found, at_work.get(policy.name, 0))
        if named is not None and (incident := begin(parts, policy, *named, now)) is not None:
            begun.append(incident)
    return begun


def identified(
    parts: Rotator, policy: Policy, found: Sequence[Due], at_work: int
) -> tuple[Sequence[Due], Findings] | None:
    """Choose whose turn it is, as their issuers name them now; None for nobody.

    Whose issuer gives no answer, or names another owner, is no person's task for that: he is looked at again, and
    others go first.
    """
    while due := chosen(found, policy, at_work):
        refs = [each.known.ref for each in due if _can(parts, each.known.ref.provider)]
        suspects = [
            Suspect(ref.provider, ref.id, Leaked(id=ref.id, owner=ref.owner or None, connection=ref.connection), ())
            for ref in refs
        ]
        findings = attribution.triage_of(parts).identify(suspects)
        named = {(each.ref.provider, each.ref.connection, each.ref.id): each.ref for each in findings.scoped}
        unanswered = {(each.kind, each.key): each.reason for each in findings.unresolved if each.mend == ASK_AGAIN}
        silent = {ref: why for ref in refs if (why := unanswered.get((ref.provider, ref.id)))}
        other = {ref for ref in refs if named.get((ref.provider, ref.connection, ref.id), ref) != ref}
        if not silent and not other:
            return due, findings
        for ref, why in silent.items():
            log.info("hygiene_waits: %s: %s: %s", policy.name, ref, why)
        for ref in other:
            log.info("hygiene_waits: %s: %s is another owner's now: `rotator inventory discover`", policy.name, ref)
        mute = {(ref.provider, ref.connection) for ref in silent}
        found = [
            each
            for each in found
            if each.known.ref not in other and (each.known.ref.provider, each.known.ref.connection) not in mute
        ]
    return None


def survey(parts: Rotator, every: Sequence[Policy], now: float) -> None:
    """Once a day, also after days on which nobody looked: note who is due and waits, and how old all are."""
    if not every or duties.is_surveyed(parts.database, now):
        return
    there = known(parts)
    due = owed(every, there, now)
    by_name = {each.name: each for each in every}
    free = {each.ref for each in busy(parts, (each.known for each in due)) if not each.busy}
    found = [(each.known.ref, duty(by_name[each.policy], each, now)) for each in due]
    still = {duties.key_of(each) for _, each in found}
    waiting = [each for ref, each in found if ref in free]
    duties.survey(parts.database, every, waiting, still, duties.Survey(now, ages(every, there, now)))


def begin(parts: Rotator, policy: Policy, due: Sequence[Due], found: Findings, now: float) -> Incident | None:
    """Begin these as one incident; None where somebody else did, or answers one of their owners by now."""
    prepared = _prepared(parts, policy, due, found, now)
    refs = [each.ref for each in prepared.plan.runs]
    count = len(prepared.plan.runs) + len(prepared.plan.manual)
    agreed = Agreed(policy.name, policy.approved_by, now // DECIDE_S * DECIDE_S, refs, parts.enrolment, policy.destroys)
    enrolment = Enrolment(
        parts.database, parts.seal, account_of=parts.account_of, basis=parts.basis, consent=agreed.begin
    )
    title = f"hygiene: {policy.name}, {count} credential{'s' * (count != 1)}"
    incident = Incident(new_incident_id(now), title, Severity.LOW, detected_at=now, declared_at=now)
    note = duties.beginning(policy, [duty(policy, each, now) for each in due], now)
    nowhere: dict[CredentialRef, tuple[Exposure, ...]] = dict.fromkeys(refs, ())
    try:
        enrolment.declare(
            incident, prepared.plan, {}, nowhere, agreed.by, approved=True, document=prepared.document(), then=note
        )
    except BadInput as error:  # somebody was faster: what is left of it is looked at again
        log.info("hygiene_waits: %s: %s", policy.name, error)
        return None
    return incident


def _prepared(parts: Rotator, policy: Policy, due: Sequence[Due], found: Findings, now: float) -> Prepared:
    """Plan what is due: replaced first, or a task for a person where no machine can. Changes nothing anywhere."""
    why = {each.known.ref: _why(each, now) for each in due}
    scoped = [_routine(each) for each in found.scoped if each.lifeline is None and not each.uncompared]
    answered = parts.reading.answered({each.ref: each.custody.deliver for each in scoped}, "")
    plan = make(
        scoped,
        (),
        parts.playbooks,
        found.targets,
        wanted=Strategy.REPLACE_FIRST,
        answered=answered,
        costs=lambda kind, connection: parts.outside.provider_of(kind, connection).calls,
        elsewhere=parts.reading.elsewhere(""),
    )
    kept, reasons = [], {each.key: each.reason for each in (*found.unresolved, *plan.manual)}
    for each in plan.runs:
        reasons[each.ref.id] = each.why
        if each.strategy is Strategy.REPLACE_FIRST and not each.cuts:
            try:
                parts.outside.check_places(each.deliver, f"deliver of {each.ref}")
            except BadInput as error:
                reasons[each.ref.id] = str(error)
                continue
            kept.append(replace(each, why=why[each.ref]))
    left = {ref: reason for ref, reason in why.items() if ref not in {each.ref for each in kept}}
    tasks = [left_to_owner(parts, ref, reason, reasons.get(ref.id, "")) for ref, reason in left.items()]
    whole = routine(Plan(tuple(kept), tuple(tasks)), policy.overlap_s, policy.deadline_s)
    of_plan = tuple(each for each in scoped if each.ref not in left)
    return response.prepared(parts, whole, of_plan, answered)


def _can(parts: Rotator, kind: str) -> bool:
    return kind in parts.playbooks and Strategy.REPLACE_FIRST in parts.playbooks[kind].strategies


def _routine(each: Scoped) -> Scoped:
    """Return a credential that nobody has stolen: what it reads is no reason to stop it first."""
    return replace(each, custody=replace(each.custody, reads=(), administers=()))


def _why(due: Due, now: float) -> str:
    known = due.known
    age = f"{(now - known.made_at) / _DAY_S:.0f} days old" if known.made_at is not None else "its age unknown"
    ends = f", and it ends at {datetime.fromtimestamp(known.ends_at, UTC):%Y-%m-%d}" if known.ends_at else ""
    return f"hygiene by {due.policy}: {age}{ends}"


def left_to_owner(parts: Rotator, ref: CredentialRef, why: str, reason: str) -> Unresolved:
    """Leave a credential to its owner, with what keeps a machine from it."""
    contact = parts.custodies.of(ref).contact or ref.owner or "its owner, whom nobody named"
    cannot = reason or f"no machine here replaces {ref.provider} first"
    return Unresolved(
        ref.provider, ref.id, (), f"{why}; {cannot}", f"{contact}: replace it by hand, then dismiss this task"
    )
