"""Ask Microsoft what the rotator's own application may do: Graph by what is assigned to it, a Key Vault by looking.

The claims of its access token would name the same; but to a client a token is an opaque text. So Graph is asked for the
application permissions (appRoleAssignments) of its service principal, which Application.Read.All or
Application.ReadWrite.OwnedBy lets it ask. Without them a directory role may do as well, such as Application
Administrator: that there is none, RoleManagement.Read.Directory and Application.Read.All let it ask; what one of them
allows is told nowhere. An assignment is known to Graph some time after it is made or taken away.
Source: Graph v1.0, "List appRoleAssignments granted to a service principal", "List owners", "transitive memberOf",
"List unifiedRoleAssignments", "addPassword", "revokeSignInSessions"; the ids: "Microsoft Graph permissions reference".
not confirmed: that Directory.ReadWrite.All and User.ReadWrite.All still end sessions: its page named them once.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from rotator.errors import Rejected
from rotator.families.azure import GRAPH, Tenant, refusal, told
from rotator.permissions import LOOK, Permission

_GRAPH_ITSELF = "00000003-0000-0000-c000-000000000000"
_OWNED = "Application.ReadWrite.OwnedBy"
_NAMES = {
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
    "18a4783c-866b-4cc7-a460-3d5e5662c884": _OWNED,
    "77f3a031-c388-4f99-b373-dc68676a979e": "User.RevokeSessions.All",
    "741f803b-c850-494e-b5df-cde7c675a1ca": "User.ReadWrite.All",
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
}
_DENIED = "permission_denied"
_Said = tuple[bool | None, str]


def of_application(tenant: Tenant, whose: str | None, path: str) -> list[Permission]:
    """Return what is granted on the secrets of an application, or of all; `path` is where it, or all, are read.

    Raises Rejected("not_this_account") where there is no such application.
    """
    one = f" as an owner of {whose or 'each'}"
    needs = f"Application.ReadWrite.All, or {_OWNED}{one}"
    reply = tenant.read(GRAPH, path)
    if reply.status == HTTPStatus.NOT_FOUND:
        raise Rejected("not_this_account", f"no application {whose} in this tenant")
    look = Permission((LOOK,), "Application.Read.All, or what is granted to change it", True)
    if reply.status == HTTPStatus.FORBIDDEN:
        look = Permission(look.verbs, look.needs, False, str(refusal(reply)))
    else:
        told(reply, "value" if whose is None else "appId")

    def decided(principal: str, held: frozenset[str]) -> _Said:
        if "Application.ReadWrite.All" in held:
            return True, ""
        if _OWNED not in held:
            return _by_role(tenant, principal, "neither is assigned")
        if whose is None:
            return None, f"{_OWNED} is for what it owns: name an application"
        owners = tenant.listed(GRAPH, f"{path.partition('?')[0]}/owners?$select=id")
        if principal in {each.get("id") for each in owners}:
            return True, ""
        return _by_role(tenant, principal, f"{_OWNED} is assigned, and it is no owner of {whose}")

    return [look, Permission(("issue", "revoke"), needs, *_answered(tenant, decided))]


def of_sessions(tenant: Tenant) -> list[Permission]:
    """Return whether it may end the sessions of users. To look needs nothing: a token is shown to sign-in itself."""

    def decided(principal: str, held: frozenset[str]) -> _Said:
        if "User.RevokeSessions.All" in held:
            return True, ""
        if once := sorted(held & {"User.ReadWrite.All", "Directory.ReadWrite.All"}):
            return None, f"{once[0]} is assigned, which Microsoft's page no longer names for this"
        return _by_role(tenant, principal, "it is not assigned")

    return [
        Permission((LOOK,), "nothing: a refresh token is shown to sign-in itself", True),
        Permission(("revoke",), "User.RevokeSessions.All", *_answered(tenant, decided)),
    ]


def of_vault(tenant: Tenant, path: str) -> list[Permission]:
    """Return whether secrets, or the versions of one, are listed at `path`; of the rest a Key Vault tells nothing."""
    reply = tenant.read(tenant.vault, path)
    listing = Permission((LOOK,), "secrets/list", True)
    if reply.status == HTTPStatus.FORBIDDEN:
        listing = Permission(listing.verbs, listing.needs, False, str(refusal(reply)))
    elif reply.status == HTTPStatus.NOT_FOUND:
        listing = Permission(listing.verbs, listing.needs, None, "the vault has no such secret")
    else:
        told(reply, "value")
    why = "a Key Vault has no question for it: see its roles or access policies"
    return [
        listing,
        Permission((LOOK,), "secrets/get, to name a version by its value", None, why),
        Permission(("suspend", "resume"), "secrets/set", None, why),
    ]


def _answered(tenant: Tenant, decided: Callable[[str, frozenset[str]], _Said]) -> _Said:
    """Ask for what is assigned, and let it be judged."""
    try:
        principal = _principal(tenant, tenant.own()[0])
        graph = _principal(tenant, _GRAPH_ITSELF)
        assigned = tenant.listed(GRAPH, f"/v1.0/servicePrincipals/{principal}/appRoleAssignments")
        held = {str(each.get("appRoleId")) for each in assigned if each.get("resourceId") == graph}
        return decided(principal, frozenset(name for known, name in _NAMES.items() if known in held))
    except Rejected as refused:
        if refused.reason != _DENIED:
            raise
        return None, f"asking needs Application.Read.All ({refused.detail})"


def _principal(tenant: Tenant, application: str) -> str:
    reply = tenant.read(GRAPH, f"/v1.0/servicePrincipals(appId='{quote(application, safe='')}')?$select=id")
    return str(told(reply, "id")["id"])


def _by_role(tenant: Tenant, principal: str, without: str) -> _Said:
    """Return that it is refused, where no directory role can make up for what is not assigned."""
    member = f"/v1.0/servicePrincipals/{principal}/transitiveMemberOf?$select=id"
    given = f"/v1.0/roleManagement/directory/roleAssignments?$filter=principalId%20eq%20'{principal}'"
    try:
        if any(next(iter(tenant.listed(GRAPH, path)), None) for path in (member, given)):
            return None, f"{without}; what its directory roles, or those of its groups, allow is not told"
    except Rejected as refused:
        if refused.reason != _DENIED:
            raise
        asking = "RoleManagement.Read.Directory and Application.Read.All"
        return None, f"{without}; that no directory role makes up for it, only {asking} let it ask"
    return False, without
