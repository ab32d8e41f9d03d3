"""What each kind's verbs need of the rotator's own token, in the words of a Vault policy.

A knock with the exposed material is named where the server is asked something for it with the rotator's own token.
"""

from __future__ import annotations

from rotator.families.vault_details import with_calls, with_database, with_issuers
from rotator.families.vault_mounts import AUTH, SECRETS
from rotator.families.vault_permissions import Asked, Need
from rotator.permissions import LOOK

_LIST, _READ, _UPDATE = ("list",), ("read",), ("update",)
_FINDS = "without it a report must name the owner, as MOUNT/NAME"
_FINDS_LEASE = "without it a report must name the lease by its id"

TOKEN = (
    Need((LOOK,), _UPDATE, ("auth/token/lookup",)),
    Need((LOOK, "preserve", "issue"), _UPDATE, ("auth/token/lookup-accessor",)),
    Need((LOOK,), _READ, ("auth/token/lookup-self",)),
    Need((LOOK, "issue"), ("list", "sudo"), ("auth/token/accessors",)),
    Need(("revoke",), _UPDATE, ("auth/token/revoke-accessor",)),
    Need(("issue",), _UPDATE, ("auth/token/create-orphan",)),
    Need(
        ("issue",),
        ("sudo",),
        ("auth/token/create-orphan",),
        "without it a token is minted only where all its policies are the rotator's own",
    ),
)
TOKEN_OF_ROOT = Need(
    ("issue",),
    ("root",),
    ("auth/token/create-orphan",),
    "a token with the policy root is minted only for a root token; every other without",
)
TOKEN_OF_ROLE = Need(("issue",), _UPDATE, ("auth/token/create/{name}",))
"""A token that a role of the token store made is minted through that role."""

_ROLE = "auth/{mount}/role/{name}"
APPROLE = Asked(
    (
        Need((LOOK,), _READ, ("sys/auth",), _FINDS),
        Need((LOOK,), _LIST, ("auth/{mount}/role",), _FINDS),
        Need((LOOK, "issue", "end_sessions"), _LIST, (f"{_ROLE}/secret-id",)),
        Need((LOOK, "verify"), _UPDATE, (f"{_ROLE}/secret-id/lookup",)),
        Need((LOOK, "preserve", "issue", "end_sessions"), _UPDATE, (f"{_ROLE}/secret-id-accessor/lookup",)),
        Need(("revoke",), _UPDATE, (f"{_ROLE}/secret-id-accessor/destroy",)),
        Need(("issue", "verify"), _READ, (f"{_ROLE}/role-id",)),
        Need(("issue",), _UPDATE, (f"{_ROLE}/secret-id",)),
        Need(("end_sessions",), _READ, (_ROLE,)),
        Need(("end_sessions",), ("list", "sudo"), ("auth/token/accessors",)),
        Need(("end_sessions",), _UPDATE, ("auth/token/lookup-accessor",)),
        Need(("end_sessions",), _READ, ("auth/token/lookup-self",)),
        Need(("end_sessions", "verify"), _UPDATE, ("auth/token/revoke-accessor",)),
    ),
    AUTH,
    "approle",
    "auth/{mount}/role",
)

_DATABASE = "{mount}/config/{database}"
DATABASE_LEASE = Asked(
    (
        Need((LOOK,), _READ, ("sys/mounts",), _FINDS_LEASE),
        Need((LOOK, "preserve", "revoke"), _UPDATE, ("sys/leases/lookup",)),
        Need((LOOK,), ("list", "sudo"), ("sys/leases/lookup/{mount}/creds",), _FINDS_LEASE),
        Need((LOOK,), ("list", "sudo"), ("sys/leases/lookup/{mount}/creds/{name}",)),
        Need((LOOK, "preserve", "verify"), _READ, ("{mount}/roles/{name}",)),
        Need(("verify",), _READ, (_DATABASE,)),
        Need(("revoke",), _UPDATE, ("sys/leases/revoke",)),
        Need(
            ("revoke",),
            ("update", "sudo"),
            ("sys/leases/revoke-prefix/{mount}/creds/{name}",),
            "without it one lease after the other, and not all of a role at once",
        ),
    ),
    SECRETS,
    "database",
    "sys/leases/lookup/{mount}/creds",
    lambda vault, place: with_database(vault, place, "roles"),
)

DATABASE_STATIC_ROLE = Asked(
    (
        Need((LOOK,), _READ, ("sys/mounts",), _FINDS),
        Need((LOOK,), _LIST, ("{mount}/static-roles",), _FINDS),
        Need((LOOK, "preserve", "verify", "revoke", "end_sessions"), _READ, ("{mount}/static-roles/{name}",)),
        Need((LOOK, "end_sessions"), _READ, ("{mount}/static-creds/{name}",)),
        Need(("verify", "end_sessions"), _READ, (_DATABASE,)),
        Need(("revoke",), _UPDATE, ("{mount}/rotate-role/{name}",)),
    ),
    SECRETS,
    "database",
    "{mount}/static-roles",
    lambda vault, place: with_database(vault, place, "static-roles"),
)

_KEY = "{mount}/keys/{name}"
_EXPORT = "{mount}/export/{export}/{name}"
TRANSIT = Asked(
    (
        Need((LOOK,), _READ, ("sys/mounts",), _FINDS),
        Need((LOOK,), _LIST, ("{mount}/keys",), _FINDS),
        Need((LOOK, "preserve", "suspend", "resume", "revoke", "issue"), _READ, (_KEY,)),
        Need((LOOK, "verify"), _UPDATE, ("{mount}/{call}/{name}",)),
        Need(("suspend", "revoke", "issue"), _UPDATE, (f"{_KEY}/rotate",)),
        Need(("suspend", "resume", "revoke"), _UPDATE, (f"{_KEY}/config",)),
        Need(("revoke",), _UPDATE, (f"{_KEY}/trim",)),
        Need(("issue",), _READ, (f"{_EXPORT}/{{version}}", f"{_EXPORT}/{{next}}")),
    ),
    SECRETS,
    "transit",
    "{mount}/keys",
    with_calls,
)

_PROBE = "{mount}/roles/rotator-{any}"
SSH_ENGINE = Asked(
    (
        Need((LOOK,), _READ, ("sys/mounts",)),
        Need((LOOK, "preserve", "issue", "install", "revoke", "verify"), _LIST, ("{mount}/issuers",)),
        Need((LOOK, "preserve", "revoke"), _READ, ("{only}/config/ca",)),
        Need(("preserve", "install"), _LIST, ("{mount}/roles",)),
        Need(("issue",), _UPDATE, ("{several}/issuers/import/rotator-{any}",)),
        Need(("install", "revoke"), _UPDATE, ("{several}/config/issuers",)),
        Need(("revoke",), ("delete",), ("{several}/issuer/{issuer}",)),
        Need(("revoke",), ("delete",), ("{only}/config/ca",)),
        Need(("verify",), ("update", "delete"), (_PROBE,)),
        Need(("verify",), _UPDATE, ("{mount}/sign/rotator-{any}",)),
    ),
    SECRETS,
    "ssh",
    None,
    with_issuers,
)
"""`several` is a mount that keeps several authorities, as OpenBao's do, `only` one of Vault's, which keeps one."""

_PLACE, _WAITING = "{mount}/data/{name}", "{name}.rotator-staged/{any}"
KV = (
    Need((LOOK, "promote", "demote"), _READ, (_PLACE,)),
    Need((LOOK, "promote"), _READ, (f"{{mount}}/data/{_WAITING}",)),
    Need(("promote",), ("create", "update"), (f"{{mount}}/data/{_WAITING}",)),
    Need(("promote",), ("create",), ("{mount}/data/{absent}",)),
    Need(("promote",), _UPDATE, ("{mount}/data/{deleted}",)),
    Need(("promote", "demote"), _UPDATE, ("{mount}/data/{held}",)),
    Need(("promote",), _UPDATE, (f"{{mount}}/metadata/{_WAITING}",)),
    Need(("promote",), _UPDATE, (f"{{mount}}/destroy/{_WAITING}",)),
    Need(("demote",), _UPDATE, ("{mount}/delete/{empty}",)),
)
"""`held` is a name where consumers read something, `empty` one where not: that was `deleted`, or `absent` for ever."""
