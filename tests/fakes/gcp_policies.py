"""A fake of IAM policies at Google Cloud, of the behaviour that Resource Manager v3 and IAM v1 publish. Ours.

    POST …:getIamPolicy        a project takes its options in the body, a service account as a parameter; of a lesser
                               version than 3 the conditions are not told
    POST …:setIamPolicy        under the etag that was read, or 409 ABORTED; a binding without members is 400; without
                               version 3 a policy that has conditions is 400
    POST …:testIamPermissions, GET …/serviceAccounts (pages of two)

A principal is known by its token, and may do everything unless `grants` names it (`gcp_grants.py`).
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.gcp_grants import Grants, Refused
from tests.fakes.http_server import Request, listening

PROJECT = "acme-prod"
PAGE = 2
_NAME = re.compile(r"/(v3|v1)/projects/([^/:]+)(?:/serviceAccounts(?:/([^/:]+))?)?(?::(\w+))?")
_TOLD = {"projects": "resourcemanager.projects", "accounts": "iam.serviceAccounts"}


@dataclass
class FakePolicies:
    """Its state: a policy for each resource, by the project's id or the account's address."""

    address: str = ""
    project: str = PROJECT
    policies: dict[str, dict[str, Any]] = field(default_factory=lambda: {PROJECT: {"etag": "e0"}})
    grants: Grants = field(default_factory=lambda: Grants(PROJECT))
    meanwhile: list[Any] = field(default_factory=list)
    """What another hand does after the next look, each once: functions."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def account(self) -> str:
        email = f"app-{secrets.token_hex(4)}@{self.project}.iam.gserviceaccount.com"
        with self.lock:
            self.policies[email] = {"etag": "e0"}
        return email

    def give(self, resource: str, role: str, *given: str, condition: dict[str, str] | None = None) -> None:
        """Bind members to a role, as another hand would."""
        with self.lock:
            policy = self.policies[resource]
            more = {} if condition is None else {"condition": condition}
            self._write(policy, [*policy.get("bindings", []), {"role": role, "members": list(given), **more}])

    def answer(self, method: str, target: str, token: str, sent: bytes) -> dict[str, Any]:
        with self.lock:
            parts = urlsplit(target)
            found = _NAME.fullmatch(unquote(parts.path))
            if found is None or found[2] != self.project:
                raise Refused(403, "PERMISSION_DENIED", "The caller does not have permission")
            _, _, email, verb = found.groups()
            body = json.loads(sent) if sent else {}
            on = f"projects/{self.project}" + (f"/serviceAccounts/{email}" if email else "")
            if method == "GET" and verb is None:
                return self._accounts(parse_qs(parts.query))
            if verb == "testIamPermissions":
                there = (email or self.project) in self.policies
                return self.grants.tested(token, on, body["permissions"]) if there else {}
            self.grants.need(token, f"{_TOLD['accounts' if email else 'projects']}.{verb}", on)
            policy = self.policies.get(email or self.project)
            if policy is None:
                raise Refused(404, "NOT_FOUND", f"Unknown service account {email}")
            if verb == "getIamPolicy":
                asked = parse_qs(parts.query).get("options.requestedPolicyVersion", ["0"])[0]
                told = _told(policy, int(asked) if email else body.get("options", {}).get("requestedPolicyVersion", 0))
                if self.meanwhile:
                    self.meanwhile.pop(0)()
                return told
            return self._set(policy, body["policy"])

    def _set(self, policy: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        if given.get("etag") != policy["etag"]:
            words = "There were concurrent policy changes. Please retry the whole read-modify-write with backoff."
            raise Refused(409, "ABORTED", words)
        bindings = given.get("bindings", [])
        if not all(each["members"] for each in bindings):
            raise Refused(400, "INVALID_ARGUMENT", "Binding has no members.")
        if given.get("version") != 3 and any("condition" in each for each in [*bindings, *policy.get("bindings", [])]):
            raise Refused(400, "INVALID_ARGUMENT", "Policy version 3 is required for conditional role bindings.")
        self._write(policy, bindings)
        return policy

    def _write(self, policy: dict[str, Any], bindings: list[dict[str, Any]]) -> None:
        policy.update(bindings=bindings, etag=secrets.token_hex(6))
        if not bindings:
            del policy["bindings"]

    def _accounts(self, query: dict[str, list[str]]) -> dict[str, Any]:
        start, names = int(query.get("pageToken", ["0"])[0]), sorted(set(self.policies) - {self.project})
        more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(names) else {}
        return {"accounts": [{"email": each} for each in names[start : start + PAGE]], **more}


def _told(policy: dict[str, Any], version: int) -> dict[str, Any]:
    """Return a copy, without the conditions for who did not ask for version 3."""
    told = json.loads(json.dumps(policy))
    if version < 3:
        for each in told.get("bindings", []):
            each.pop("condition", None)
    return {"version": version, **told}


@contextlib.contextmanager
def fake_policies() -> Iterator[FakePolicies]:
    """Serve until the block ends."""
    state = FakePolicies()

    class Asked(Request):
        def answered(self, sent):
            try:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, told = 200, state.answer(self.command, self.path, token, sent)
            except Refused as refusal:
                status, told = refusal.code, refusal.body
            self.reply(status, json.dumps(told).encode(), {"Content-Type": "application/json"})

    with listening(Asked) as state.address:
        yield state
