"""The gates that people's words open: a report that somebody read, attestations that somebody believes, approvals."""

from __future__ import annotations

from rotator.flow.approval import Role
from rotator.flow.checklist import Gate
from rotator.flow.gate_facts import Brought, Did, Facts, Found, Given, Shut, met_by, moment, said_of
from rotator.flow.roles import misread
from rotator.flow.vendor import Attestation

_RANK = list(Role)


def attestation_key(one: Attestation) -> str:
    """Name an attestation, as who says that he believes it means it: another is not believed by that."""
    return f"{one.kind}/{one.issuer}/{one.scope}/{one.valid_from}/{one.valid_to}/{one.digest}"


def believable(gate: Gate, facts: Facts) -> list[Attestation]:
    """Return the attestations that count for a gate, were they believed."""
    return [
        each
        for each in facts.attestations
        if each.is_valid(facts.today)
        and (not gate.kinds or each.kind in gate.kinds)
        and (not gate.fresh or each.valid_from >= facts.paused_on)
    ]


def last_evidence(facts: Facts, approval: str) -> Brought | None:
    """Return what came last of all that gates rest on but those of approval; None where nothing came since the pause.

    A yes is no evidence: of two gates of approval each would else shut the other.
    """
    given = _last_given(facts, approval)
    told = () if given is None else (Brought(given.at, given.by, f"for the gate {given.gate}"),)
    return max((*told, *facts.brought), key=lambda each: each.at, default=None)


def _last_given(facts: Facts, approval: str) -> Given | None:
    yes = {approval, *facts.approvals}
    found = [each for each in facts.given if each.gate not in yes and each.did is not Did.FOUND]
    return max(found, key=lambda each: each.number, default=None)


def may_not_approve(gate: Gate, facts: Facts, who: str) -> str:
    """Say why somebody's yes does not count for an approval, "" where it does."""
    if misread(who):
        return f"{who} is a program, which says no yes"
    if who in facts.pausers:
        return f"{who} paused it, and four eyes are asked for"
    last = last_evidence(facts, gate.name)
    if last is not None and who in facts.givers_of(last):
        return f"{who} gave the last evidence ({last.what}), and four eyes are asked for"
    if facts.roles is not None and _RANK.index(facts.roles.get(who, Role.VIEWER)) < _RANK.index(gate.role):
        return f"{who} is no {gate.role}"
    return ""


def document(gate: Gate, facts: Facts) -> Found:
    """Ask whether a report is here that is dated since the pause, and that somebody says he read."""
    found = [
        f"{each.document.name} of {each.document.dated} from {each.document.sender}, SHA-256 {each.document.digest}, "
        f"read by {each.by}: {each.reason}"
        for each in said_of(gate, facts, Did.GIVEN)
        if each.document is not None and facts.paused_on <= each.document.dated <= facts.today
    ]
    todo = met_by(gate, facts, "--document FILE --from WHO --dated DAY --reason …")
    return [] if found else [Shut("none", f"no report is here that is dated since {facts.paused_on}", todo)], found


def attestations(gate: Gate, facts: Facts) -> Found:
    """Ask whether they are valid, and whether somebody says why they are believed: a paper alone opens nothing."""
    valid = believable(gate, facts)
    told = [f"{each.kind} by {each.issuer}, {each.valid_from} to {each.valid_to}" for each in valid]
    words = list(said_of(gate, facts, Did.YES))
    believed = {key for each in words for key in each.of}
    since = f", issued since {facts.paused_on}," if gate.fresh else ""
    shut = []
    for kind in gate.kinds or ("",):
        of = [each for each in valid if kind in {"", each.kind}]
        if not of:
            todo = f"rotator vendor attest {facts.vendor} {kind or 'KIND'} --issuer … --from … --to … --document FILE"
            shut.append(Shut(f"none {kind}", f"no {kind or 'attestation'}{since} is valid today".strip(), todo))
        elif not any(attestation_key(each) in believed for each in of):
            says = f"nobody has said why the {kind or 'attestation'} is believed: it tells how things were said to be"
            shut.append(Shut(f"word {kind}", says, met_by(gate, facts, "--reason …")))
    return shut, told + [f"believed by {each.by}: {each.reason}" for each in words]


def approval(gate: Gate, facts: Facts) -> Found:
    """Ask whether enough people said yes who did not pause it, since the last evidence came and not by its giver."""
    given, last = _last_given(facts, gate.name), last_evidence(facts, gate.name)
    number, newest = 0 if given is None else given.number, max((each.at for each in facts.brought), default=None)
    said = [each for each in said_of(gate, facts, Did.YES) if each.number > number]
    # Of what came in the same moment nobody can tell which was first.
    after = [each for each in said if newest is None or each.at > newest]
    counted = {each.by: each for each in after if not may_not_approve(gate, facts, each.by)}
    told = [f"{each.by}: {each.reason}" for each in counted.values()]
    if (more := gate.count - len(counted)) <= 0:
        came = [f"the last evidence was given by {last.by} ({last.what}, at {moment(last.at)})"] if last else []
        return [], [*told, *came]
    who = f"{more} more yes{'es' * (more > 1)}" if counted else f"{more} yes{'es' * (more > 1)}"
    since = f" since {last.by} gave the last evidence ({last.what}, at {moment(last.at)})" if last is not None else ""
    not_of = ", ".join(sorted(facts.pausers | facts.givers_of(last)))
    what = f"it wants {who}{since}, of a person who is at least {gate.role} and not {not_of}"
    # Who overrides it says his yes to the evidence that is here, as everybody does.
    key = f"yes after {number}"
    if last is not None and last in facts.brought:
        key = f"{key} and {last.what} at {last.at!r}"
    return [Shut(key, what, met_by(gate, facts, "--reason …"))], told
