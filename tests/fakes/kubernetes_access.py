"""What users may do in the fake cluster, by rules as roles have them, and the reviews that tell it. Ours.

    POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews    201 {status: {allowed, denied, reason}}
    POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews     201 {status: {resourceRules, incomplete}}

From the documentation of Kubernetes: the fields, an empty namespace or name for all of them, the words of a refusal,
that rules add up, that a rule with `resourceNames` fits no request without a name, that `incomplete` rules may lack
some. Whoever has signed in may ask, unless the cluster has taken `system:basic-user` away (`asks` is false then).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.fakes.kubernetes_cluster import ADMIN, Refused, User

Object = dict[str, Any]

_REVIEW = "/apis/authorization.k8s.io/v1/selfsubject"
_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[a-z]+))?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Rule:
    """What is granted in a namespace, None for all; `names` are the only ones where there are any."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    namespace: str | None = None
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("",)

    def grants(self, asked: Object) -> bool:
        """Tell whether it grants what a review's `resourceAttributes` name."""
        resource = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
        return (
            asked.get("verb") in self.verbs
            and resource in self.resources
            and asked.get("group", "") in self.groups
            and self.namespace in (None, asked.get("namespace"))
            and (not self.names or asked.get("name") in self.names)
        )

    def shown(self) -> Object:
        names = {"resourceNames": list(self.names)} if self.names else {}
        return {"verbs": list(self.verbs), "apiGroups": list(self.groups), "resources": list(self.resources), **names}


@dataclass
class Access:
    """The rules by users' names. `error` is what an authorizer had to say besides; `asks`: everybody may ask."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    incomplete: bool = False
    error: str = ""
    asks: bool = True

    def review(self, user: User, method: str, path: str, body: Object) -> Object | None:
        """Answer a review, None for any other call."""
        if method != "POST" or not path.startswith(_REVIEW) or not (self.asks or user == ADMIN):
            return None
        kind, spec = ("SelfSubjectAccessReview", body["spec"])
        if path == f"{_REVIEW}accessreviews":
            status = self._reviewed(user, spec["resourceAttributes"])
        elif path == f"{_REVIEW}rulesreviews":
            kind, status = "SelfSubjectRulesReview", self._listed(user, spec["namespace"])
        else:
            return None
        return {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec, "status": status}

    def admit(self, user: User, method: str, path: str) -> None:
        """Refuse what no rule grants."""
        found = _PATH.fullmatch(path)
        asked = {key: value for key, value in (found.groupdict() if found else {}).items() if value}
        verb = _VERBS.get(method) or ("get" if "name" in asked else "list")
        if self._grants(user, {**asked, "verb": verb}):
            return
        resource = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
        where = f' in the namespace "{asked["namespace"]}"' if "namespace" in asked else " at the cluster scope"
        words = f'User "{user.name}" cannot {verb} resource "{resource}" in API group "{asked.get("group", "")}"{where}'
        named = f' "{asked["name"]}"' if "name" in asked else ""
        raise Refused(HTTPStatus.FORBIDDEN, "Forbidden", f"{asked.get('resource')}{named} is forbidden: {words}")

    def _grants(self, user: User, asked: Object) -> bool:
        return user == ADMIN or any(rule.grants(asked) for rule in self.rules.get(user.name, ()))

    def _reviewed(self, user: User, asked: Object) -> Object:
        error = {"evaluationError": self.error} if self.error else {}
        if self._grants(user, asked):
            return {"allowed": True, "reason": "RBAC: allowed by RoleBinding", **error}
        return {"allowed": False, **error}

    def _listed(self, user: User, namespace: str) -> Object:
        mine = [Rule(("*",), ("*",), groups=("*",))] if user == ADMIN else self.rules.get(user.name, ())
        shown = [rule.shown() for rule in mine if rule.namespace in (None, namespace)]
        return {"resourceRules": shown, "nonResourceRules": [], "incomplete": self.incomplete}
