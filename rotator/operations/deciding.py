"""What people decide of an incident: yes to its plan, a review, a dismissal, that it is over."""

from __future__ import annotations

from rotator import confirmation, issuers_word
from rotator.bootstrap import Rotator
from rotator.flow.approval import Scope, scopes_of
from rotator.flow.dismissal import disposition
from rotator.ledger.dismissing import Named
from rotator.operations.operation import Answer, AsksFirst, at
from rotator.operations.waiting import begins, kept_from

_NOT_RECOGNISED = "not recognised"


@at("/incidents/{incident}/approve")
def approve(  # noqa: PLR0917 - a yes, and all that may be said with it
    parts: Rotator,
    by: str,
    incident: str,
    digest: str,
    scope: str | None,
    break_glass: bool,
    reason: str,
    confirm: str,
) -> Answer:
    """Say yes to a plan by its digest. Raises AsksFirst, and with `mend` the words, where it wants words typed."""
    scopes = scopes_of(scope, parts.settings.policy, glass=break_glass)
    parts.approvals.check(incident, digest, by, scopes, reason)  # who may not need not type
    verb = "destroy" if scopes == {Scope.DESTRUCTION} else "revoke"
    words = confirmation.words_for(parts, parts.approvals.credentials(incident, digest), verb)
    if words and confirm.strip() != words:
        raise AsksFirst("not_confirmed", "it touches what is to be confirmed word by word", "body.confirm", words)
    found = parts.approvals.approve(incident, digest, by, scopes, reason)
    meant = scopes | {Scope.CONTAINMENT}
    wanted = [{"who": str(each), "option": each.option, "is_meant": each.scope in meant} for each in found.wanted]
    told = {"is_new": found.is_new, "begins": found.begins, "destroys": found.destroys, "asks": wanted}
    return {**told, "wanted": [str(each) for each in found.wanted], **kept_from(parts, incident)}


@at("/incidents/{incident}/review")
def review(parts: Rotator, by: str, incident: str, note: str) -> Answer:
    """Say that one looked at what began without an approval."""
    found = parts.approvals.review(incident, by, note)
    return {"reviewed": [f"{each.said.scope} by {each.said.by}" for each in found]}


@at("/incidents/{incident}/exposures/{name}/dismiss")
def dismiss(parts: Rotator, by: str, incident: str, name: str, as_: str, reason: str) -> Answer:  # noqa: PLR0917
    """Leave a credential alone; its issuer is asked where its word counts."""
    return dismissed(parts, by, as_, reason, *about(parts, incident, name, as_))


def about(parts: Rotator, incident: str, name: str, as_: str) -> tuple[str, Named, str]:
    """Return which incident has it, what it is, and what its issuer says of it: that may take its time."""
    wanted = disposition(as_)
    of = parts.reading.holding(incident, name)
    named = parts.dismissing.named(of, name)
    return of, named, issuers_word.asked(parts, wanted, named)


def dismissed(parts: Rotator, by: str, as_: str, reason: str, of: str, named: Named, said: str) -> Answer:  # noqa: PLR0917
    """Write down that it is dismissed, once its issuer was asked."""
    told = parts.dismissing.dismiss(of, named.id, disposition(as_), by, reason, said)
    did = {"at_work": told.at_work, "did": list(told.did), "failed": list(told.failed)}
    return {**_named(named), "issuer_says": said, **did}


@at("/incidents/{incident}/exposures/{name}/reopen")
def take_back(parts: Rotator, by: str, incident: str, name: str, reason: str) -> Answer:
    """Take a dismissal back."""
    of = parts.reading.holding(incident, name)
    named = parts.dismissing.named(of, name)
    told = parts.dismissing.reopen(of, named.id, by, reason)
    who = begins(parts, of, told.digest) if told.digest else ""
    found = {**_named(named), "incident": of, "is_task": named.ref is None, "digest": told.digest, "begins": who}
    return {**found, **kept_from(parts, of)}


def _named(named: Named) -> Answer:
    return {"of": named.id, "kind": named.kind or _NOT_RECOGNISED, "key": named.key}


@at("/incidents/{incident}/close")
def close(parts: Rotator, by: str, incident: str, reason: str, accept_open: bool) -> Answer:
    """Say that an incident is over. Raises AsksFirst while something is open that nobody took on."""
    found = parts.closing.close(incident, by, reason, accept_open=accept_open)
    left = [f"{of}: {line}" for of, line in found.left.open]
    if not found.is_closed:
        mend = "first do this" if found.first else "do it, or say that it may stay open (`accept_open`)"
        more = {"open": [*found.first, *left], "may_be_accepted": not found.first}
        raise AsksFirst("still_open", "something of it is open", "", mend, more)
    return {"open": left, "scheduled": found.left.scheduled}


@at("/incidents/{incident}/reopen")
def reopen(parts: Rotator, by: str, incident: str, reason: str) -> Answer:
    """Open a closed incident again."""
    parts.closing.reopen(incident, by, reason)
    return {"incident": incident}


@at("/incidents/{incident}/merge")
def merge(parts: Rotator, by: str, incident: str, into: str) -> Answer:
    """Make one incident of two. `begins` says who starts what nobody approved of the first."""
    found = parts.enrolment.merge(incident, into, by)
    number, digest = (found.revision.number, found.revision.digest) if found.revision else (0, "")
    told = {"incident": incident, "into": into, "same": found.same, "revision": number, "digest": digest}
    return {**told, "begins": begins(parts, into, digest) if digest else ""}
