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
from rotator.families.kubernetes import Kubernetes, told, within
from rotator.families.own_words import quoted, unreadable
from rotator.permissions import LOOK, Permission

_REVIEWS = "/apis/authorization.k8s.io/v1/"
_API_VERSION = "authorization.k8s.io/v1"
_NOT_ASKED = "asking needs create on selfsubjectaccessreviews.authorization.k8s.io (the ClusterRole system:basic-user)"
_NAMED = frozenset({"get", "update", "patch", "delete"})
"""What a role can grant for some names alone."""


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
        reply = _reviewed(cluster, need, namespace)
        status = _status(reply, "SelfSubjectAccessReview")
        granted: bool | None
        if status is None:
            granted, why = None, _NOT_ASKED
        elif not isinstance(status.get("allowed"), bool):
            raise unreadable(reply)
        elif status["allowed"]:
            granted, why = True, ""
        elif namespace is None and not need.everywhere:
            granted, why = None, "not in all namespaces, perhaps in one: name it"
        elif namespace and need.verb in _NAMED and not need.name:
            granted, why = _for_some(need, rules(), _words(reply, status))
        else:
            granted, why = False, _words(reply, status)
        answers.append(Permission(need.verbs, need.at(namespace), granted, why))
    return answers


def _reviewed(cluster: Kubernetes, need: Need, namespace: str | None) -> Reply:
    """Have the authorizers say whether it is granted."""
    resource, _, subresource = need.resource.partition("/")
    attributes = {"verb": need.verb, "group": need.group, "resource": resource, "name": need.name}
    if subresource:
        attributes["subresource"] = subresource
    if not need.everywhere:
        attributes["namespace"] = namespace or ""
    return _asked(cluster, "SelfSubjectAccessReview", {"resourceAttributes": attributes})


def _rules(cluster: Kubernetes, namespace: str) -> Reply:
    return _asked(cluster, "SelfSubjectRulesReview", {"namespace": namespace})


def _asked(cluster: Kubernetes, kind: str, spec: Mapping[str, Any]) -> Reply:
    body = {"apiVersion": _API_VERSION, "kind": kind, "spec": spec}
    return cluster.read(f"{_REVIEWS}{kind.lower()}s", body, "POST")


def _status(reply: Reply, kind: str) -> Mapping[str, Any] | None:
    """Return what a review found, None where the question itself is refused."""
    if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        return None
    with asking():
        found = told(reply)
    status = within(found, "status")
    if found.get("kind") != kind or not isinstance(status, Mapping):
        raise unreadable(reply)
    return status


def _for_some(need: Need, reply: Reply, words: str) -> tuple[bool | None, str]:
    """Say what a "no" for all names means: nobody tells of single names where their rules are not all listed."""
    rules = _status(reply, "SelfSubjectRulesReview") or {}
    listed = rules.get("resourceRules") or []
    if rules.get("incomplete") is not False or not isinstance(listed, list):
        return None, "not for all names; for single ones this cluster does not list its rules"
    names = {
        name
        for rule in listed
        if {need.verb, "*"} & _texts(rule, "verbs")
        and {need.group, "*"} & _texts(rule, "apiGroups")
        and {need.resource, "*"} & _texts(rule, "resources")
        for name in _texts(rule, "resourceNames")
    }
    if names:
        return None, quoted(reply, f"only for those named {', '.join(sorted(names))}")
    return False, words


def _texts(rule: object, name: str) -> set[str]:
    found = within(rule, name)
    return {each for each in found if isinstance(each, str)} if isinstance(found, list) else set()


def _words(reply: Reply, status: Mapping[str, Any]) -> str:
    """Return the authorizers' own words, and what kept one of them from seeing all."""
    said = [str(status[name]) for name in ("reason", "evaluationError") if status.get(name)]
    return quoted(reply, "; ".join(said)) or "no rule grants it"
