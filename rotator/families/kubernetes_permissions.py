"""What the rotator's own account may do in a cluster, asked of the API server by the reviews that it has for that.

An access review is a create that keeps nothing: it asks for one verb on one resource, and the cluster's authorizers
answer it as they would answer the call. A name or a namespace that is left empty means all of them. So a "no" for all
names may hide a "yes" for some: then the rules of the namespace are reviewed too. What stands among them is granted,
what does not may be missing there (`incomplete`); where they are incomplete, nothing is said.

By default whoever has signed in may ask both (the ClusterRole `system:basic-user`). Admission comes after all this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from rotator.errors import asking
from rotator.families.http_wire import Reply
from rotator.families.kubernetes import Kubernetes, told
from rotator.permissions import LOOK, Permission

_REVIEWS = "/apis/authorization.k8s.io/v1/"
_API_VERSION = "authorization.k8s.io/v1"
_NOT_ASKED = "asking needs create on selfsubjectaccessreviews.authorization.k8s.io (the ClusterRole system:basic-user)"
_NAMED = frozenset({"get", "update", "patch", "delete"})
"""What a role can grant for some names alone."""
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Need:
    """One verb on one resource, and the verbs of a playbook that need it.

    `resource` may have a subresource behind a slash; `name` is the one that is meant, empty for all;
    `everywhere`: the resource belongs to the cluster, not to a namespace.
    """

    verbs: tuple[str, ...]
    verb: str
    resource: str
    name: str = ""
    group: str = ""
    everywhere: bool = False

    def at(self, namespace: str | None) -> str:
        """Return it in the words of a role."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" named {self.name}" if self.name else ""
        where = "" if self.everywhere else f" in {f'namespace {namespace}' if namespace else 'all namespaces'}"
        return f"{self.verb} on {resource}{named}{where}"


def of_tokens(cluster: Kubernetes, namespace: str | None, account: str) -> Sequence[Permission]:
    """Return what tokens of an account need in its namespace; of all accounts, in all namespaces."""
    needs = (
        Need((LOOK,), "create", "tokenreviews", group="authentication.k8s.io", everywhere=True),
        Need((LOOK, "issue", "revoke"), "get", "serviceaccounts", account),
        Need((LOOK, "revoke"), "get", "secrets"),
        Need((LOOK,), "list", "secrets"),
        Need(("issue",), "create", "secrets"),
        Need(("issue",), "create", "serviceaccounts/token", account),
        Need(("revoke",), "delete", "secrets"),
        Need((LOOK, "revoke"), "get", "pods"),
        Need(("revoke",), "delete", "pods"),
    )
    return _permissions(cluster, needs, namespace)


def of_secrets(cluster: Kubernetes, namespace: str | None) -> Sequence[Permission]:
    """Return what a store of Secrets needs: of all names, since nobody foretells that of a copy that waits."""
    needs = (
        Need((LOOK, "promote", "demote"), "get", "secrets"),
        Need(("promote",), "create", "secrets"),
        Need(("promote", "demote"), "update", "secrets"),
        Need(("promote", "demote"), "delete", "secrets"),
    )
    return _permissions(cluster, needs, namespace)


def _permissions(cluster: Kubernetes, needs: Iterable[Need], namespace: str | None) -> Sequence[Permission]:
    """Return whether each is granted in a namespace, or in all of them."""
    rules = cache(lambda: _rules(cluster, namespace or ""))
    answers = []
    for need in needs:
        status = _reviewed(cluster, need, namespace)
        granted: bool | None
        if status is None:
            granted, why = None, _NOT_ASKED
        elif status.get("allowed") is True:
            granted, why = True, ""
        elif namespace is None and not need.everywhere:
            granted, why = None, "not in all namespaces, perhaps in one: name it"
        elif namespace and need.verb in _NAMED and not need.name:
            granted, why = _for_some(need, rules(), _words(status))
        else:
            granted, why = False, _words(status)
        answers.append(Permission(need.verbs, need.at(namespace), granted, why))
    return answers


def _reviewed(cluster: Kubernetes, need: Need, namespace: str | None) -> Mapping[str, Any] | None:
    """Return what the authorizers say, None where the question itself is refused."""
    resource, _, subresource = need.resource.partition("/")
    attributes = {"verb": need.verb, "group": need.group, "resource": resource, "name": need.name}
    if subresource:
        attributes["subresource"] = subresource
    if not need.everywhere:
        attributes["namespace"] = namespace or ""
    return _status(_asked(cluster, "SelfSubjectAccessReview", {"resourceAttributes": attributes}))


def _rules(cluster: Kubernetes, namespace: str) -> Mapping[str, Any] | None:
    return _status(_asked(cluster, "SelfSubjectRulesReview", {"namespace": namespace}))


def _asked(cluster: Kubernetes, kind: str, spec: Mapping[str, Any]) -> Reply:
    body = {"apiVersion": _API_VERSION, "kind": kind, "spec": spec}
    return cluster.read(f"{_REVIEWS}{kind.lower()}s", body, "POST")


def _status(reply: Reply) -> Mapping[str, Any] | None:
    if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        return None
    with asking():
        found = told(reply, "status")["status"]
    return found if isinstance(found, Mapping) else None


def _for_some(need: Need, rules: Mapping[str, Any] | None, words: str) -> tuple[bool | None, str]:
    """Say what a "no" for all names means: nobody tells of single names where their rules are not all listed."""
    if rules is None or rules.get("incomplete") is not False:
        return None, "not for all names; for single ones this cluster does not list its rules"
    names = {
        str(name)
        for rule in rules.get("resourceRules") or ()
        if {need.verb, "*"} & set(rule.get("verbs") or ())
        and {need.group, "*"} & set(rule.get("apiGroups") or ())
        and {need.resource, "*"} & set(rule.get("resources") or ())
        for name in rule.get("resourceNames") or ()
    }
    if names:
        return None, f"only for those named {', '.join(sorted(names))}"[:_WORDS]
    return False, words


def _words(status: Mapping[str, Any]) -> str:
    """Return the authorizers' own words, and what kept one of them from seeing all."""
    said = [str(status[name]) for name in ("reason", "evaluationError") if status.get(name)]
    return "; ".join(said)[:_WORDS] or "no rule grants it"
