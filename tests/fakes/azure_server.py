"""A fake of what Microsoft publishes of sign-in, Graph and Key Vault, as far as secrets go. Ours, never Azure itself.

    POST  /TENANT/oauth2/v2.0/token        200 {access_token}; 400 or 401 {error, error_codes}
    GET   /v1.0/applications[(appId='…')]  200, 404
    POST  …/addPassword, …/removePassword  200, 204, 400
    GET   /secrets, /secrets/NAME/versions 200 {value, nextLink}
    GET   /v1.0/users/ID                   200, 404
    POST  …/revokeSignInSessions           200 {value: true}, 404
    GET, PATCH /secrets/NAME/VERSION       200, 403 where it is disabled, 404

Who may do what, and is told so, stands in `azure_rights.py`.
From Microsoft's documentation: paths, fields, `hint`, `@odata.nextLink`, AADSTS7000215 (wrong secret), 7000222
(expired), 700016 (no such application), 50173 (the grant is revoked), api-version. Not documented, and chosen here:
400 for an unknown keyId, 9002313 for a refresh token that was never one.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator.credential import Secret
from tests.fakes.azure_rights import Rights, principal
from tests.fakes.vendor_server import Answer, Asked, serving

PAGE = 2
_NOT_FOUND: Answer = (404, {"error": {"code": "Request_ResourceNotFound", "message": "does not exist"}}, {})


def _time(moved: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + moved).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeAzure:
    """One tenant: `applications` by client id with their secrets by keyId, and `secrets` of one vault by name."""

    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))
    address: str = ""
    asked: list[str] = field(default_factory=list)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    users: dict[str, set[str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    rights: Rights = field(default_factory=Rights)
    _bearers: dict[str, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.own_application = self.application()
        self.own_id, self.own_secret = self.plant(self.own_application)

    def application(self) -> str:
        client = str(uuid.uuid4())
        self.applications[client] = {"disabled": False, "secrets": {}}
        return client

    def plant(
        self, client: str, name: str = "ci", text: str | None = None, ends: str | None = None
    ) -> tuple[str, Secret]:
        """Add a secret to an application; return its keyId and its text."""
        with self._lock:
            text = text or f"{secrets.token_hex(2)[:3]}8Q~{secrets.token_urlsafe(25)[:33]}"
            key = str(uuid.uuid4())
            kept = {
                "customKeyIdentifier": None,
                "displayName": name,
                "endDateTime": ends or _time(timedelta(days=180)),
                "hint": text[:3],
                "keyId": key,
                "secretText": None,
                "startDateTime": _time(),
            }
            self.applications[client]["secrets"][key] = {**kept, "text": text}
            return key, Secret(text)

    def user(self) -> str:
        name = str(uuid.uuid4())
        self.users[name] = set()
        return name

    def signed_in(self, user: str) -> Secret:
        """Let a user sign in on a laptop; return the refresh token that is kept there."""
        with self._lock:
            text = f"1.{secrets.token_urlsafe(120)}"
            self.users[user].add(text)
            return Secret(text)

    def add(self, name: str, value: str) -> str:
        """Add a version to a secret of the vault."""
        with self._lock:
            version = secrets.token_hex(16)
            made = int(datetime.now(UTC).timestamp()) + sum(map(len, self.secrets.values()))
            attributes = {"enabled": True, "created": made, "updated": made, "recoveryLevel": "Recoverable"}
            self.secrets.setdefault(name, {})[version] = {"value": value, "attributes": attributes}
            return version

    def answer(self, asked: Asked, address: str) -> Answer:
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            if asked.path.endswith("/oauth2/v2.0/token"):
                return self._sign_in(asked.path.split("/")[1], asked.body or {})
            client = self._bearers.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))
            if client is None:
                return 401, {"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}, {}
            if refused := self.rights.refused(client, asked):
                return refused
            if asked.path.startswith("/secrets"):
                return self._vault(asked, address)
            return self._graph(asked, address)

    def _sign_in(self, tenant: str, form: dict[str, str]) -> Answer:
        found = self.applications.get(form.get("client_id", ""))
        if tenant != self.tenant:
            return _refused(400, "invalid_request", 90002, "Tenant not found.")
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form.get("refresh_token", ""))
        if found is None:
            return _refused(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        if found["disabled"]:
            return _refused(401, "unauthorized_client", 7000112, "Application is disabled.")
        kept = next((each for each in found["secrets"].values() if each["text"] == form.get("client_secret")), None)
        if kept is None:
            return _refused(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if kept["endDateTime"] < _time():
            return _refused(401, "invalid_client", 7000222, "The provided client secret keys are expired.")
        token = f"eyJ{secrets.token_urlsafe(30)}"
        self._bearers[token] = form["client_id"]
        return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token}, {}

    def _refresh(self, text: str) -> Answer:
        user = next((name for name, held in self.users.items() if text in held), None)
        if text in self.revoked:
            return _refused(400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked.")
        if user is None:
            return _refused(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
        claims = base64.urlsafe_b64encode(json.dumps({"oid": user, "tid": self.tenant}).encode()).decode().rstrip("=")
        return (
            200,
            {"token_type": "Bearer", "expires_in": 3599, "access_token": "opaque", "id_token": f"e30.{claims}."},
            {},
        )

    def _graph(self, asked: Asked, address: str) -> Answer:
        if asked.path == "/v1.0/applications":
            return 200, _page([self._shown(each) for each in self.applications], asked, address, "@odata.nextLink"), {}
        if asked.path.startswith("/v1.0/users/"):
            return self._of_user(*asked.path.split("/")[3:])
        if (listed := self.rights.listed(asked, self.applications)) is not None:
            return 200, _page(listed, asked, address, "@odata.nextLink"), {}
        if found := re.fullmatch(r"/v1.0/servicePrincipals\(appId='([^']*)'\)", asked.path):
            return 200, {"id": principal(found[1])}, {}
        found = re.fullmatch(r"/v1.0/applications\(appId='([^']*)'\)(?:/(addPassword|removePassword))?", asked.path)
        if found is None or found[1] not in self.applications:
            return _NOT_FOUND
        held = self.applications[found[1]]["secrets"]
        match found[2]:
            case None:
                return 200, self._shown(found[1]), {}
            case "addPassword":
                told = asked.body["passwordCredential"]
                key, secret = self.plant(found[1], told["displayName"], ends=told.get("endDateTime"))
                return 200, {**_bare(held[key]), "secretText": secret.reveal()}, {}
        if held.pop(asked.body["keyId"], None) is None:
            return 400, {"error": {"code": "Request_BadRequest", "message": "No password credential found"}}, {}
        return 204, None, {}

    def _of_user(self, user: str, verb: str = "") -> Answer:
        if user not in self.users:
            return _NOT_FOUND
        if verb == "revokeSignInSessions":
            self.revoked |= self.users[user]
            return 200, {"value": True}, {}
        return 200, {"id": user}, {}

    def _shown(self, client: str) -> dict[str, Any]:
        listed = [_bare(each) for each in self.applications[client]["secrets"].values()]
        return {"id": client[::-1], "appId": client, "displayName": "app", "passwordCredentials": listed}

    def _vault(self, asked: Asked, address: str) -> Answer:
        if "api-version" not in asked.query:
            return 400, {"error": {"code": "BadParameter", "message": "api-version must be specified"}}, {}
        parts = asked.path.split("/")[2:]
        if not parts:
            listed = [{"id": f"{address}/secrets/{name}"} for name in self.secrets]
            return 200, _page(listed, asked, address, "nextLink"), {}
        versions = self.secrets.get(parts[0], {})
        if parts[1:] == ["versions"] and versions:
            listed = [_version(address, parts[0], each, kept) for each, kept in versions.items()]
            return 200, _page(listed, asked, address, "nextLink"), {}
        kept = versions.get(parts[1]) if len(parts) > 1 else None
        if kept is None:
            return 404, {"error": {"code": "SecretNotFound", "message": "not found in this key vault"}}, {}
        if asked.method == "PATCH":
            kept["attributes"]["enabled"] = asked.body["attributes"]["enabled"]
            return 200, _version(address, parts[0], parts[1], kept), {}
        if not kept["attributes"]["enabled"]:
            words = {"code": "Forbidden", "message": "Operation get is not allowed on a disabled secret."}
            return 403, {"error": {**words, "innererror": {"code": "SecretDisabled"}}}, {}
        return 200, {**_version(address, parts[0], parts[1], kept), "value": kept["value"]}, {}


def _refused(status: int, error: str, code: int, words: str) -> Answer:
    described = f"AADSTS{code}: {words} Trace ID: 0 Correlation ID: 0 Timestamp: 2026-01-01 00:00:00Z"
    return status, {"error": error, "error_description": described, "error_codes": [code]}, {"x-ms-request-id": "r-1"}


def _bare(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name != "text"}


def _version(address: str, name: str, version: str, kept: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{address}/secrets/{name}/{version}", "attributes": dict(kept["attributes"])}


def _page(listed: list[Any], asked: Asked, address: str, link: str) -> dict[str, Any]:
    start = int(asked.query.get("skip", "0"))
    page: dict[str, Any] = {"value": listed[start : start + PAGE]}
    if start + PAGE < len(listed):
        page[link] = f"{address}{asked.path}?api-version=7.4&skip={start + PAGE}"
    return page


@contextlib.contextmanager
def fake_azure() -> Iterator[FakeAzure]:
    """Serve until the block ends."""
    azure = FakeAzure()
    with serving(azure) as address:
        azure.address = address
        yield azure
