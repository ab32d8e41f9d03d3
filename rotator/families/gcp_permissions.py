"""Ask Google which permissions the rotator's own credential has, by testIamPermissions: it changes and needs nothing.

What is granted on a project is granted on all that stands in it. What is granted on one secret or account alone is told
of that one alone, and so is what a condition grants by its name: asked of the project, neither shows.
Google means the answer for tools like this one, not for a promise: Secret Manager's "may fail open without warning".
Asking a project goes to Resource Manager, asking for an organization's policies to its own API: each must be enabled.
Source: testIamPermissions in the references of Secret Manager v1, IAM v1 and Resource Manager v3 (v1 has "There are no
permissions required"); getEffectivePolicy in that of Organization Policy v2.
not confirmed: what IAM says of an account that is not there (nothing, or 404); that only a grant on the project lets
one make a secret (so Google's refusals say).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

from rotator.errors import Rejected, Unavailable, asking
from rotator.families.gcp import Exchange, Project
from rotator.permissions import Permission

Needs = Mapping[str, tuple[str, ...]]
"""Which verbs need which of Google's permissions."""

KEYS_FORBIDDEN = ("iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation")
"""What an organization enforces against new keys, whoever may make them: the old constraint and the managed one."""
NARROWER = "not for all of it: name one to ask about it alone"

_NOT_ASKED = frozenset({"access_denied", "not_found", "refused", "failed_precondition"})
"""Refusals of the question itself: the service is not enabled, or somebody in between does not know the question."""


def on_all(project: Project, needs: Needs, *, narrower: str = NARROWER) -> list[Permission]:
    """Return what is granted on the project, and so on all of it; the rest is unknown for the reason `narrower`.

    Where nothing narrower could grant it, `narrower` is empty and the rest is refused.
    """
    where = f"project {project.id}"
    try:
        held = _held(project.exchange(), *_of_project(project), needs)
    except Rejected as refusal:
        return _unasked(needs, where, refusal)
    return _told(needs, where, held, None if narrower else False, narrower)


def on_one(
    project: Project, service: str, path: str, what: str, needs: Needs, *, may_be_made: bool = False
) -> list[Permission]:
    """Return what is granted on one resource.

    Google tells nothing both of one that is not there and of one that nothing is granted on: then what its project
    grants is unknown, since a condition may leave this one out, and the rest is refused. `may_be_made`: one that is
    not there will be made, and who knows what is granted then.
    """
    exchange = project.exchange()
    try:
        if held := _held(exchange, service, path, needs):
            return _told(needs, what, held, False, "")
        of_project = _held(exchange, *_of_project(project), needs)
    except Rejected as refusal:
        return _unasked(needs, what, refusal)
    nothing = f"there is no {what}, or nothing is granted on it"
    left_out = {each: verbs for each, verbs in needs.items() if each in of_project}
    rest = {each: verbs for each, verbs in needs.items() if each not in of_project}
    return [
        *_told(left_out, what, (), None, f"{nothing}, though on its project it is"),
        *_told(rest, what, (), None if may_be_made else False, f"{nothing}, nor on its project"),
    ]


def not_forbidden(project: Project, verbs: tuple[str, ...], constraints: Sequence[str]) -> Permission:
    """Return whether no policy of an organization forbids it, whatever is granted."""
    exchange, why = project.exchange(), ""
    needs = f"no organization policy {' or '.join(constraints)}"
    for each in constraints:
        path = f"/v2/projects/{quote(project.id, safe=':')}/policies/{each}:getEffectivePolicy"
        try:
            policy = exchange.read("orgpolicy", path)
        except Rejected as refusal:
            if refusal.reason not in _NOT_ASKED:
                raise
            why = f"asking needs orgpolicy.policy.get ({refusal.reason})"
            continue
        try:
            enforced = [rule["enforce"] for rule in policy["spec"]["rules"]]
        except (KeyError, TypeError):
            raise Unavailable("answer_unreadable", f"the effective policy of {each} has no rules") from None
        if any(enforced):
            return Permission(verbs, needs, False, f"{each} is enforced")
        if not enforced:
            why = f"Google names no rule of {each}"
    return Permission(verbs, needs, None if why else True, why)


def _of_project(project: Project) -> tuple[str, str]:
    return "cloudresourcemanager", f"/v3/projects/{quote(project.id, safe=':')}"


def _held(exchange: Exchange, service: str, path: str, needs: Needs) -> Collection[str]:
    with asking():
        answer = exchange.change(service, "POST", f"{path}:testIamPermissions", {"permissions": list(needs)})
    held = answer.get("permissions", [])  # Google leaves out what is empty
    if not isinstance(held, list):
        raise Unavailable("answer_unreadable", "the permissions are no list")
    return frozenset(needs) & frozenset(map(str, held))


def _told(needs: Needs, where: str, held: Collection[str], otherwise: bool | None, why: str) -> list[Permission]:
    return [
        Permission(verbs, f"{each} on {where}", True if each in held else otherwise, "" if each in held else why)
        for each, verbs in needs.items()
    ]


def _unasked(needs: Needs, where: str, refusal: Rejected) -> list[Permission]:
    if refusal.reason not in _NOT_ASKED:
        raise refusal
    return _told(needs, where, (), None, f"Google did not say what is granted: {refusal.reason}")
