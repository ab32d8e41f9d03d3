"""Who may do what in a project, as Google's IAM keeps it; and a guard that asks it, in front of an emulator.

Ours, of the published behaviour: granted on a project is granted on all that it holds; testIamPermissions needs no
permission, returns of those that are asked about the held ones, leaves out an empty list, and of a secret that is not
there it returns none; a refusal is 403 PERMISSION_DENIED.
From Secret Manager's REST reference, and its access control: which call needs which permission.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes.http_server import Request, listening

_PATH = re.compile(
    r"/v1/projects/[^/]+/secrets(?:/(?P<secret>[^/:]+))?(?P<versions>/versions)?(?P<one>/[^/:]+)?(?::(?P<verb>\w+))?"
)
_PLAIN = {"GET": "get", "PATCH": "update", "DELETE": "delete"}


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """An error as Google's services answer it."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code, self.body = code, {"error": {"code": code, "message": message, "status": status}}


@dataclass
class Grants:
    """Permissions by principal and resource: all that one has who is named here. Who is not, owns the project."""

    project: str
    held: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    enforced: set[str] = field(default_factory=set)

    def give(self, who: str, *permissions: str, on: str | None = None) -> None:
        """Grant on a resource, or on the project; with nothing to grant, it is known and may do nothing."""
        self.held.setdefault(who, {}).setdefault(on or f"projects/{self.project}", set()).update(permissions)

    def may(self, who: str, permission: str, resource: str) -> bool:
        if who not in self.held:
            return True
        return any(permission in given for on, given in self.held[who].items() if f"{resource}/".startswith(f"{on}/"))

    def need(self, who: str, permission: str, resource: str) -> None:
        """Raise Refused where it is not granted."""
        if not self.may(who, permission, resource):
            words = f"Permission '{permission}' denied for resource '{resource}' (or it may not exist)."
            raise Refused(403, "PERMISSION_DENIED", words)

    def tested(self, who: str, resource: str, asked: Iterable[str]) -> dict:
        """Answer testIamPermissions."""
        found = [each for each in asked if self.may(who, each, resource)]
        return {"permissions": found} if found else {}

    def of_project(self, who: str, method: str, path: str, sent: bytes) -> dict | None:
        """Answer Resource Manager and Organization Policy; None where neither is asked."""
        if (method, path) == ("POST", f"/v3/projects/{self.project}:testIamPermissions"):
            return self.tested(who, f"projects/{self.project}", json.loads(sent)["permissions"])
        policy = re.fullmatch(rf"/v2/(projects/{self.project})/policies/([\w.]+):getEffectivePolicy", path)
        if method != "GET" or policy is None:
            return None
        self.need(who, "orgpolicy.policy.get", policy[1])
        rules = [{"enforce": policy[2] in self.enforced}]
        return {"name": f"projects/123456/policies/{policy[2]}", "spec": {"rules": rules}}


@dataclass
class Guard:
    """Stands in front of an emulator of Secret Manager; a principal is known by its token."""

    behind: str
    grants: Grants
    address: str = ""

    def answer(self, method: str, target: str, token: str, sent: bytes) -> tuple[int, bytes]:
        path = urlsplit(target).path
        if (told := self.grants.of_project(token, method, path, sent)) is not None:
            return 200, json.dumps(told).encode()
        found = _PATH.fullmatch(path)
        if found is None:
            raise Refused(404, "NOT_FOUND", "Method not found.")
        project = f"projects/{self.grants.project}"
        resource = f"{project}/secrets/{found['secret']}" if found["secret"] else project
        if found["verb"] == "testIamPermissions":
            there = self._forward("GET", path.rpartition(":")[0], b"")[0] == 200
            told = self.grants.tested(token, resource, json.loads(sent)["permissions"]) if there else {}
            return 200, json.dumps(told).encode()
        self.grants.need(token, _needed(method, found), resource)
        return self._forward(method, target, sent)

    def _forward(self, method: str, target: str, sent: bytes) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(self.behind).netloc, timeout=10)) as connection:
            connection.request(method, target, sent or None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()


def _needed(method: str, found: re.Match[str]) -> str:
    if found["secret"] is None:
        return "secretmanager.secrets." + {"GET": "list", "POST": "create"}[method]
    if found["verb"] == "addVersion":
        return "secretmanager.versions.add"
    if found["versions"] is None:
        return f"secretmanager.secrets.{_PLAIN[method]}"
    return "secretmanager.versions." + (found["verb"] or ("get" if found["one"] else "list"))


@contextlib.contextmanager
def guarded(behind: str, project: str) -> Iterator[Guard]:
    """Serve until the block ends."""
    guard = Guard(behind, Grants(project))

    class Asked(Request):
        def answered(self, sent):
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                status, told = guard.answer(self.command, self.path, token, sent)
            except Refused as refusal:
                status, told = refusal.code, json.dumps(refusal.body).encode()
            self.reply(status, told, {"Content-Type": "application/json"})

    with listening(Asked) as guard.address:
        yield guard
