"""An IAM policy of Google Cloud: who has which role under which condition; without one of them, and with him again.

A policy is read and replaced as a whole. Its etag makes the replacement compare: a policy that changed meanwhile is
refused (409, ABORTED) and nothing is lost. It is asked for in version 3, and so written, else its conditions would be.
Source: "Policy" and "GetPolicyOptions" in the references of IAM v1 and Resource Manager v3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rotator.errors import Unavailable, asking
from rotator.families.gcp import Exchange

VERSION = 3
_EVERYBODY = ("allUsers", "allAuthenticatedUsers")
_POOL = re.compile(r"(//iam\.googleapis\.com/.+?/work(?:load|force)(?:Identity)?Pools/[^/]+)/")
_OPTIONS = {"requestedPolicyVersion": VERSION}

Policy = Mapping[str, Any]
Binding = Mapping[str, Any]


def service_and_path(project: str, resource: str) -> tuple[str, str]:
    """Return where the policy of a project, or of one of its service accounts, is asked for."""
    name = f"projects/{quote(project, safe=':')}"
    if "@" in resource:
        return "iam", f"/v1/{name}/serviceAccounts/{quote(resource, safe='@')}"
    return "cloudresourcemanager", f"/v3/{name}"


def policy_of(exchange: Exchange, project: str, resource: str) -> Policy:
    """Return the policy, conditions and all."""
    service, path = service_and_path(project, resource)
    with asking():
        if service == "iam":  # which takes the options as a parameter, and no body
            found = exchange.change(service, "POST", f"{path}:getIamPolicy?options.requestedPolicyVersion={VERSION}")
        else:
            found = exchange.change(service, "POST", f"{path}:getIamPolicy", {"options": _OPTIONS})
    listed = found.get("bindings", [])  # Google leaves out what is empty
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Unavailable("answer_unreadable", f"the policy of {resource} has no list of bindings")
    return found


def replace_policy(exchange: Exchange, project: str, resource: str, policy: Policy) -> None:
    """Write it back under its etag. Raises Unavailable("being_edited") where it changed since it was read."""
    service, path = service_and_path(project, resource)
    exchange.change(service, "POST", f"{path}:setIamPolicy", {"policy": {**policy, "version": VERSION}})


def members(policy: Policy) -> Iterator[tuple[str, str, Binding]]:
    """Yield each role and member, with the binding that joins them."""
    for binding in policy.get("bindings", []):
        for member in binding.get("members", []):
            yield str(binding.get("role")), str(member), binding


def held(policy: Policy, role: str, member: str) -> list[Binding]:
    """Return the bindings by which a member has a role: one without a condition, and one for each condition."""
    return [binding for has, who, binding in members(policy) if (has, who) == (role, member)]


def wider(policy: Policy, role: str, member: str) -> list[str]:
    """Return under which other names the member has the role too: everybody's, its domain's, or its pool's.

    Who is in a group, or has which attributes in a pool, no policy tells.
    """
    sort, _, name = member.partition(":")
    covering = {*_EVERYBODY, *([f"domain:{name.rpartition('@')[2]}"] if sort in {"user", "group"} else [])}
    if sort in {"principal", "principalSet"} and (pool := _POOL.match(name)):
        covering.add(f"principalSet:{pool[1]}/*")
    return sorted({who for has, who, _ in members(policy) if has == role and who in covering - {member}})


def without(policy: Policy, role: str, member: str) -> Policy:
    """Return the policy in which the member has the role no more; a binding of nobody is left out."""
    kept = []
    for binding in policy.get("bindings", []):
        ours = binding.get("role") == role and member in binding.get("members", [])
        left = [each for each in binding.get("members", []) if not ours or each != member]
        if left:
            kept.append({**binding, "members": left})
    return {**policy, "bindings": kept}


def restored(policy: Policy, terms: list[Binding], member: str) -> Policy:
    """Return the policy in which the member has what `terms` say: roles, each with its condition or none."""
    bindings = [dict(each) for each in policy.get("bindings", [])]
    for term in terms:
        there = next((each for each in bindings if _terms(each) == _terms(term)), None)
        if there is None:
            bindings.append({**_terms(term), "members": [member]})
        elif member not in there["members"]:
            there["members"] = [*there["members"], member]
    return {**policy, "bindings": bindings}


def written(bindings: list[Binding]) -> str:
    """Write on which terms a member has a role, without the others who have it too."""
    return json.dumps([_terms(each) for each in bindings], sort_keys=True)


def read(text: str) -> list[Binding]:
    """Read what `written` wrote; nothing where it is none of that."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    listed = found if isinstance(found, list) else []
    return [each for each in listed if isinstance(each, dict) and isinstance(each.get("role"), str)]


def _terms(binding: Binding) -> dict[str, Any]:
    return {name: binding[name] for name in ("role", "condition") if binding.get(name) is not None}
