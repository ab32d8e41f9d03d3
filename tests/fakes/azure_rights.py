"""Which application may do what, in our fake of Azure: from the tables of permissions in Microsoft's documentation.

    GET /v1.0/servicePrincipals(appId='…')               200 {id}
    GET /v1.0/servicePrincipals/ID/appRoleAssignments    200 {value: [{appRoleId, principalId, resourceId}]}
    GET /v1.0/servicePrincipals/ID/transitiveMemberOf    200 {value: [{id}]}
    GET /v1.0/roleManagement/directory/roleAssignments   200 {value: [{principalId, roleDefinitionId}]}
    GET /v1.0/applications(appId='…')/owners             200 {value: [{id}]}

Chosen here: an application that is not named has every permission; a directory role reaches every application's
secrets; `secrets/list` and its like stand beside Graph's, though a vault keeps them for itself.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vendor_server import Answer, Asked

GRAPH = "00000003-0000-0000-c000-000000000000"
IDS = {
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
}
READS = ("Application.Read.All", "Application.ReadWrite.All")
OWNS = "Application.ReadWrite.OwnedBy"


def principal(client: str) -> str:
    """Return the id of an application's service principal."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, client))


@dataclass
class Rights:
    """By client id: what is assigned, which directory roles it has; by an application, who owns it."""

    assigned: dict[str, set[str]] = field(default_factory=dict)
    elsewhere: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)

    def has(self, client: str, *any_of: str) -> bool:
        return client not in self.assigned or bool(self.assigned[client] & set(any_of))

    def refused(self, client: str, asked: Asked) -> Answer | None:
        """Return the refusal of a call, None where it is granted."""
        if self._granted(client, asked):
            return None
        if asked.path.startswith("/secrets"):
            words = {"code": "Forbidden", "message": "The application does not have that permission on key vault."}
            return 403, {"error": {**words, "innererror": {"code": "AccessDenied"}}}, {}
        words = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}
        return 403, {"error": words}, {}

    def _granted(self, client: str, asked: Asked) -> bool:
        path = asked.path
        if path.startswith("/secrets"):
            plain = "list" if path.endswith(("/secrets", "/versions")) else "get"
            return self.has(client, "secrets/set" if asked.method == "PATCH" else f"secrets/{plain}")
        if path.endswith("/revokeSignInSessions"):
            return self.has(client, "User.RevokeSessions.All")
        if path.startswith("/v1.0/users/"):
            return self.has(client, "User.Read.All", "User.ReadWrite.All")
        if path.endswith(("/addPassword", "/removePassword")):
            owned = principal(client) in self.owners.get(_named(path), ())
            own = OWNS if owned else "Application.ReadWrite.All"
            return bool(self.roles.get(client)) or self.has(client, "Application.ReadWrite.All", own)
        if "/roleManagement/" in path:
            return self.has(client, "RoleManagement.Read.Directory")
        if path.endswith("/transitiveMemberOf"):
            return self.has(client, *READS)
        return self.has(client, *READS, OWNS)

    def listed(self, asked: Asked, applications: Any) -> list[dict[str, str]] | None:
        """Return what such a path lists, None for another path."""
        clients = {principal(each): each for each in applications}
        found = re.fullmatch(r"/v1.0/servicePrincipals/([^/]+)/(appRoleAssignments|transitiveMemberOf)", asked.path)
        if found and found[1] in clients:
            client = clients[found[1]]
            if found[2] == "appRoleAssignments":
                return self._assignments(client)
            return [{"id": each} for each in sorted(self.groups.get(client, set()) | self.roles.get(client, set()))]
        if asked.path == "/v1.0/roleManagement/directory/roleAssignments":
            of = clients[asked.query["$filter"].split("'")[1]]
            return [{"principalId": principal(of), "roleDefinitionId": each} for each in self.roles.get(of, ())]
        if asked.path.endswith("/owners"):
            return [{"id": each} for each in sorted(self.owners.get(_named(asked.path), ()))]
        return None

    def _assignments(self, client: str) -> list[dict[str, str]]:
        graph = [(IDS[each], GRAPH) for each in sorted(self.assigned.get(client, IDS.keys()) & IDS.keys())]
        others = [(IDS[each], "another-resource") for each in sorted(self.elsewhere.get(client, ()))]
        return [
            {"appRoleId": role, "principalId": principal(client), "resourceId": principal(resource)}
            for role, resource in graph + others
        ]


def _named(path: str) -> str:
    found = re.search(r"appId='([^']*)'", path)
    return found[1] if found else ""
