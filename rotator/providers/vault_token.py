"""Tokens of Vault and OpenBao. A token is named by its accessor, with which it can be read and revoked but not used.

A token cannot be suspended: containment is its revocation, which cannot be undone and takes its leases and its
child tokens with it. Batch tokens have no accessor and cannot be revoked at all.
The rotator's own token needs: update on auth/token/{lookup,lookup-accessor,revoke-accessor}, read on
auth/token/lookup-self (the policy `default` grants it), update and sudo on auth/token/create-orphan, list and sudo on
auth/token/accessors, update on auth/token/create/ROLE for tokens of roles; and list on auth/token/roles, for the
question which of those it may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Uncertain
from rotator.families.own_token import TOKEN_FIELD
from rotator.families.vault import FAMILY, Vault, sendable
from rotator.families.vault_accessors import MARKER_KEY, Accessors, lookup, owner_of
from rotator.families.vault_mounts import names
from rotator.families.vault_needs import TOKEN, TOKEN_OF_ROLE, TOKEN_OF_ROOT
from rotator.families.vault_permissions import Places, granted, unasked
from rotator.families.vault_since import tokens_since
from rotator.families.vault_uses import spends
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 2.0
"""A single node forgets a token at once; standbys that answer reads follow within moments."""

_BATCH = re.compile(r"(b|hvb)\.")
_WHOLE = re.compile(r"s\.[A-Za-z0-9]{24}(\.[A-Za-z0-9]+)?|hvs\.[A-Za-z0-9_-]{24,}|(?!s\.|hvs\.).+")
"""What a whole token looks like; what has neither prefix may be a custom id, and only the server can tell."""


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one server's tokens."""
    return VaultToken(connection, name)


class VaultToken(Kind):
    """Tokens of one server."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "issue": 2, "compare": 2}
    settle_s = SETTLE_S
    secret_field = TOKEN_FIELD
    also_ends: ClassVar[str] = "its leases and child tokens"

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._vault = Vault(connection)
        self._accessors = Accessors(self._vault)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the token by its accessor: the server is asked with the rotator's own token."""
        self._must_belong(leaked, self._vault.address)
        named = self._by_secret(leaked.secret, leaked.id) if leaked.secret is not None else None
        if named is not None:
            self._must_pair(leaked, str(named["accessor"]))
        if named is None and leaked.id is not None:
            named = lookup(self._vault, leaked.id)
        if named is None:
            raise Rejected("unknown_credential", "the server knows no such token")
        return self._ref_of(owner_of(named), str(named["accessor"]))

    def own(self) -> str | None:
        """Return the accessor of the rotator's own token."""
        return self._accessors.own()

    def inspect(self, ref: CredentialRef) -> Status:
        """Return what the server says of the token; Vault keeps no record of its last use."""
        token = lookup(self._vault, ref.id)
        return Status(State.ABSENT) if token is None else Status(State.ACTIVE, _facts(token))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the tokens of the same display name: one list, and one lookup for each token not seen before."""
        holders = self._accessors.read().items()
        return frozenset(ref.with_id(accessor) for accessor, holder in holders if holder.owner == ref.owner)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Let the token look itself up; a token with limited uses spends one.

        Never names the id: a token that the server never knew, one that is bound to other addresses and one of a
        disabled entity are refused in the same words.
        """
        reply = self._vault.knock("auth/token/lookup-self", secret)
        if reply.ok:
            if reply.data.get("accessor") == ref.id:
                return Verdict(Answer.ACCEPTED, "lookup_self", request_id=reply.request_id)
            return Verdict(Answer.INCONCLUSIVE, "another_token", mismatch=True, request_id=reply.request_id)
        if reply.nobody_asked:
            return Verdict(Answer.REJECTED, "permission_denied")
        if reply.status == HTTPStatus.FORBIDDEN and reply.says("permission denied"):
            # The token was let in, and then its policies did not allow the call: it lives.
            return Verdict(Answer.ACCEPTED, "known_without_permission")
        sealed = reply.says("sealed")
        return Verdict(Answer.INCONCLUSIVE, "sealed" if sealed else f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Revoke the token with its leases and children, for good. The server counts an unknown accessor as done."""
        reply = self._vault.change("POST", "auth/token/revoke-accessor", {"accessor": ref.id})
        if not reply.says("invalid accessor"):
            reply.accepted()

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what a replacement must be like, and what the revocation takes along."""
        token = lookup(self._vault, ref.id)
        if token is None:
            return {"state": State.ABSENT}
        return {**_facts(token), "revoking_ends": "its leases and child tokens"}

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return the tokens made since; costs what `siblings` costs. See families/vault_since.py."""
        own, holders = self._accessors.own(), self._accessors.read()
        known = {accessor: holder for accessor, holder in holders.items() if accessor != own}
        return tokens_since(self.name, known, ref, since)

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:
        """Mint a token like the exposed one.

        It is an orphan, else it would die with the rotator's own token, whose child it would be; a token of a role
        is minted through that role, which decides that itself. Raises Rejected("login_token") for a token that came
        from a login: its holder logs in again, and a token without its identity would escape that login's control.
        """
        exposed = preserved if "policies" in preserved else self._facts_of(ref)
        path = exposed["path"]
        if not path.startswith("auth/token/create") and exposed["policies"] != "root":
            raise Rejected("login_token", f"it came from {path}: its holder logs in again")
        role = exposed.get("role")
        reply = self._vault.change(
            "POST",
            f"auth/token/create/{quote(role, safe='')}" if role else "auth/token/create-orphan",
            _like(exposed, ref.owner, marker),
        ).accepted()
        auth = reply.body.get("auth") or {}
        if not auth.get("client_token") or not auth.get("accessor"):
            raise Uncertain("answer_without_token", "the server said yes and gave no token")
        return Issued(ref.with_id(str(auth["accessor"])), Secret(str(auth["client_token"])))

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the token whose metadata carry the marker; costs what `siblings` costs."""
        for accessor, holder in self._accessors.read().items():
            if holder.marker == marker and holder.owner == ref.owner:
                return ref.with_id(accessor)
        return None

    def discover(self) -> Iterable[Discovered]:
        """Yield every token of the server that has an accessor; costs what `siblings` costs."""
        for accessor, holder in sorted(self._accessors.read().items()):
            facts = {"created_at": holder.created_at, "state": str(State.ACTIVE), "path": holder.path}
            yield Discovered(self._ref_of(holder.owner, accessor), facts)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the policies of the rotator's own token grant: the same for all owners but `root`."""
        vault = self._vault.exchange()
        of_root = (TOKEN_OF_ROOT,) if whose in {None, "root"} else ()
        if why := spends(vault):
            return unasked((*TOKEN, *of_root, TOKEN_OF_ROLE), Places(()), why)
        try:
            roles = Places(tuple({"name": each} for each in names(vault, "auth/token/roles")))
        except Rejected as refused:
            roles = Places((), f"which roles there are was not told: {refused.reason} (list on auth/token/roles)")
        of_roles = () if roles == Places(()) else (TOKEN_OF_ROLE,)
        return granted(vault, (*TOKEN, *of_root, *of_roles), roles)

    def _by_secret(self, secret: Secret, known_id: str | None) -> Mapping[str, Any] | None:
        text = secret.reveal()
        # An empty token must never be asked for: the server then answers with the asker's own.
        if not sendable(secret) or not _WHOLE.fullmatch(text):
            if known_id is not None:
                return None  # the accessor names it as well, and what is left of the token is sent to nobody
            raise Rejected("unreadable", "the token is truncated or malformed")
        if _BATCH.match(text):
            raise Rejected("batch_token", "it has no accessor, cannot be revoked, and ends with its time or its parent")
        reply = self._vault.read("POST", "auth/token/lookup", {"token": text})
        if reply.says("bad token") or reply.status == HTTPStatus.NOT_FOUND:
            return None
        return reply.accepted().data

    def _facts_of(self, ref: CredentialRef) -> Mapping[str, str]:
        token = lookup(self._vault, ref.id)
        if token is None:
            raise Rejected("nothing_to_copy", "the exposed token is gone and nothing was preserved of it")
        return _facts(token)


_KEPT = ("path", "role", "type", "entity_id", "display_name", "creation_time", "issue_time", "expire_time")
_LIMITS = ("creation_ttl", "explicit_max_ttl", "period", "num_uses")


def _facts(token: Mapping[str, Any]) -> dict[str, str]:
    """Put a lookup's answer into plain words; the token itself is not in it when it was looked up by accessor."""
    facts = {name: str(token[name]) for name in (*_KEPT, *_LIMITS) if token.get(name)}
    facts["policies"] = ",".join(token.get("policies") or ())
    facts["orphan"] = str(bool(token.get("orphan"))).lower()
    facts["renewable"] = str(bool(token.get("renewable"))).lower()
    if token.get("bound_cidrs"):
        facts["bound_cidrs"] = ",".join(token["bound_cidrs"])
    if token.get("meta"):
        facts["meta"] = json.dumps(token["meta"], sort_keys=True)
    return facts


def _like(exposed: Mapping[str, str], owner: str, marker: str) -> dict[str, object]:
    """Return the request for a token with the same rights and limits."""
    policies = [name for name in exposed["policies"].split(",") if name]
    body: dict[str, object] = {
        "policies": policies,
        "no_default_policy": "default" not in policies,
        "display_name": owner,
        "renewable": exposed.get("renewable") == "true",
        "meta": {**json.loads(exposed.get("meta", "{}")), MARKER_KEY: marker},
    }
    if "period" in exposed and "role" not in exposed:  # a role brings its own period
        body["period"] = f"{exposed['period']}s"
    elif "creation_ttl" in exposed:
        body["ttl"] = f"{exposed['creation_ttl']}s"
    if "explicit_max_ttl" in exposed:
        body["explicit_max_ttl"] = f"{exposed['explicit_max_ttl']}s"
    if "num_uses" in exposed:
        body["num_uses"] = int(exposed["num_uses"]) + 1  # the knock before its delivery spends one
    return body
