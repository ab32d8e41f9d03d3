"""What each class of OCSF asks for beside the envelope: the finding, who logged in, the call, what was managed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.notices.phrases import shown
from rotator.siem.classes import API, AUTHENTICATION, ENTITY, INCIDENT, OTHER, Sort
from rotator.siem.told import About, Told

ROTATOR = "rotator"
LONGEST = 200
"""Letters of a reason, a title or an id that are told."""
CREDENTIAL = "Credential"
"""The type of an entity that is one; others are of their own."""
SUCCESS, FAILURE, NOT_KNOWN = 1, 2, 0
_OUTCOMES = {SUCCESS: "Success", FAILURE: "Failure", NOT_KNOWN: "Unknown"}
_OF_KNOCK = {"accepted": SUCCESS, "rejected": FAILURE}
_OF_STATE = {"done": SUCCESS, "failed": FAILURE, "uncertain": NOT_KNOWN}
_NEW, _IN_PROGRESS, _ON_HOLD, _CLOSED = (1, "New"), (2, "In Progress"), (3, "On Hold"), (5, "Closed")
_STATUS = {"declared": _NEW, "stopped": _ON_HOLD, "shut": _ON_HOLD, "closed": _CLOSED}
_MANAGED = {
    "token_created": ("API Token", "name"),
    "token_revoked": ("API Token", "name"),
    "siem_replayed": ("SIEM Channel", "name"),
    "key_passed_on": ("Signing Key", "key"),
    "canary_intended": ("Canary", "marker"),
    "canary_gone": ("Canary", "marker"),
    "certified": ("Kind of Credential", "kind"),
    "dataset_recorded": ("Dataset", "manifest"),
    "dataset_checked": ("Dataset", "manifest"),
    "term_set": ("Vendor", "vendor"),
    "term_cleared": ("Vendor", "vendor"),
    "dataset_described": ("Dataset", "dataset"),
    **dict.fromkeys(("vendor_registered", "software_told", "vendor_attested", "vendor_reminded"), ("Vendor", "vendor")),
    **dict.fromkeys(("advisory_kept", "advisory_arrived", "advisory_escalated"), ("Advisory", "advisory")),
    "advisory_touches": ("Vendor", "vendor"),
    "evidence_deleted": ("Evidence", "chain"),
    "restored": ("Ledger", "chain"),
}
"""What an act that concerns no credential of an incident was done to, and which word of the record names it."""
_DUPLICATE, _TEST = {"verdict_id": 10, "verdict": "Duplicate"}, {"verdict_id": 6, "verdict": "Test"}


def of_class(sort: Sort, told: Told) -> dict[str, Any]:
    """Return what the class asks for."""
    if sort.of is INCIDENT:
        return _finding(told)
    if sort.of is AUTHENTICATION:
        return _login(told) if "do" in told.body else _session(told)
    if sort.of is API:
        return _call(told.body)
    if sort.of is ENTITY:
        return {"entity": _entity(told), **_result(told), **_outcome(told.body)}
    return {"activity_name": shown(str(told.body.get("act", told.body.get("do", ""))))} | _outcome(told.body)


def _finding(told: Told) -> dict[str, Any]:
    about = told.about or About(str(told.body.get("chain", "")).partition(".")[0], "", "")
    info = {"uid": about.id, **({"title": shown(about.title, LONGEST)} if about.title else {})}
    act = str(told.body.get("act"))
    number, caption = _CLOSED if "into" in told.body else _STATUS.get(act, _IN_PROGRESS)
    return {
        "finding_info_list": [info],
        "status_id": number,
        "status": caption,
        # The schema wants to know to whom it is assigned: to everybody who may respond.
        "assignee_group": {"name": "responders"},
        **(_DUPLICATE if "into" in told.body else _TEST if about.drill else {}),
    }


def _login(told: Told) -> dict[str, Any]:
    """Return a knock: an attempt to log in with the credential, by us."""
    of, target, facts = told.credential, told.body.get("target"), told.body.get("facts", {})
    answer = facts.get("answer") if isinstance(facts, dict) else None
    exposed = of is not None and str(told.body["do"]).endswith(" exposed")
    user: dict[str, Any] = {"name": shown(of.owner or of.id) if of is not None else ROTATOR}
    if exposed and of is not None:
        user |= programmatic(of.id, of.kind)
    service = {"name": of.kind, "uid": of.connection} if of is not None else {"name": ROTATOR}
    found: dict[str, Any] = {"user": user, "service": service, "is_remote": True}
    if target:
        found["dst_endpoint"] = {"name": shown(str(target))}
    if answer is None:
        return found | _outcome(told.body)
    return found | _status(_OF_KNOCK.get(str(answer), NOT_KNOWN))


def programmatic(uid: str, kind: str) -> dict[str, Any]:
    """Return by which credential a user goes."""
    return {"programmatic_credentials": [{"uid": shown(uid, LONGEST), "type": kind}]}


def _session(told: Told) -> dict[str, Any]:
    body = told.body
    user, name = {"name": shown(str(body.get("by", "")) or "unknown")}, str(body.get("session", ""))
    found = {"user": user, "service": {"name": ROTATOR}, "is_remote": True, **_status(SUCCESS)}
    return found | ({"session": {"uid": shown(name)}} if name else {})


def _call(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call of our API; from where it came is not written down, and the schema wants a word."""
    found: dict[str, Any] = {
        "api": {"operation": shown(str(body.get("what", ""))) or "unknown", "service": {"name": ROTATOR}},
        "src_endpoint": {"name": "unknown"},
        **_status(FAILURE if body.get("act") == "refused" else SUCCESS),
    }
    if body.get("on"):
        found["resources"] = [{"name": shown(str(body["on"]), LONGEST), "role_id": 1, "role": "Target"}]
    return found | {"activity_name": found["api"]["operation"]}


def _entity(told: Told) -> dict[str, Any]:
    of, do, body = told.credential, str(told.body.get("do", "")), told.body
    if of is None:
        sort, named = _MANAGED.get(str(body.get("act")), ("Other", "chain"))
        return {"name": shown(str(body.get(named, ""))) or ROTATOR, "type_id": OTHER, "type": sort}
    data = {"kind": of.kind, "connection": of.connection, "owner": shown(of.owner)}
    name = {"name": shown(of.owner or of.id), "type_id": OTHER, "data": data}
    if do.endswith(" replacement"):
        return name | {"type": "Replacement", "data": data | {"replaces": shown(of.id, LONGEST)}}
    if do.endswith(" consumers"):
        return name | {"type": "Consumers"}
    return name | {"type": CREDENTIAL, "uid": shown(of.id, LONGEST)}


def routine(about: About) -> dict[str, Any]:
    return {"name": shown(about.title) or about.id, "uid": about.id, "type_id": OTHER, "type": "Hygiene"}


def _result(told: Told) -> dict[str, Any]:
    """Return the credential that a step made."""
    facts = told.body.get("facts")
    new = facts.get("replacement") if isinstance(facts, dict) else told.body.get("replacement")
    if not isinstance(new, str) or not new:
        return {}
    return {"entity_result": {"uid": shown(new, LONGEST), "type_id": OTHER, "type": CREDENTIAL}}


def _outcome(body: Mapping[str, Any]) -> dict[str, Any]:
    if "do" not in body:
        return _status(SUCCESS)
    state = str(body.get("state", ""))
    if state in _OF_STATE:
        return _status(_OF_STATE[state])
    return {"status_id": OTHER, "status": shown(state) or "unknown"}


def _status(number: int) -> dict[str, Any]:
    return {"status_id": number, "status": _OUTCOMES[number]}
