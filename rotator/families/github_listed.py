"""What the two kinds of SSH keys at GitHub have in common: each stands on its owner's list, and is made by us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Protocol

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.github import FAMILY
from rotator.families.github_keys import GitHubKeys, in_use, refusal
from rotator.families.ssh_keys import MARK, SECRET_FIELD, fingerprint_of, made, name_of, naming, read_private_key
from rotator.families.ssh_knock import key_of
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict

SETTLE_S = 30.0
"""GitHub names no time for its SSH servers to forget a key; this is long against usual caches."""

_KEPT = ("title", "created_at", "verified", "read_only", "added_by")


class Lists(Protocol):
    """Where the lists of a kind stand, and whose they are."""

    def path(self, owner: str) -> str:
        """Return where the owner's list stands. Raises Rejected("not_this_account") for one that is not ours."""
        ...

    def owners(self) -> Iterable[str]:
        """Yield every owner whose list our own token may see."""
        ...

    def owner(self, leaked: Leaked) -> str:
        """Return whose key leaked. Raises Rejected where that cannot be told."""
        ...

    def taken_over(self, preserved: Mapping[str, str]) -> dict[str, Any]:
        """Return what a new key is given of the exposed one's rights."""
        ...

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what our own token may do to the owner's list, or to all."""
        ...


class ListedKeys(Kind):
    """Keys by their SHA256 fingerprints, on one list for each owner."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "install": 2, "revoke": 2, "compare": 0}
    secret_field: str = SECRET_FIELD
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str, github: GitHubKeys, lists: Lists) -> None:
        super().__init__(connection, name)
        self._github, self._lists = github, lists

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name the key offline, and its owner by the report or by GitHub's greeting; it is signed with, never sent."""
        self._must_belong(leaked, self._github.address)
        wanted = name_of(leaked)
        owner = self._lists.owner(leaked)
        if wanted not in self._listed(owner):
            raise Rejected("unknown_credential", f"{wanted} is not on the list of {owner}")
        return self._ref_of(owner, wanted)

    def inspect(self, ref: CredentialRef) -> Status:
        """Return whether the key is on its owner's list."""
        found = self._listed(ref.owner).get(ref.id)
        return Status(State.ABSENT) if found is None else Status(State.ACTIVE, facts_of(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every key on the owner's list."""
        return frozenset(map(ref.with_id, self._listed(ref.owner)))

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return its title, whether it may write, who added it and when it was used last."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Knock at GitHub's SSH server with the private key alone. A key opens one door there, and no other."""
        key = key_of(ref, secret)
        return key if isinstance(key, Verdict) else self._github.knock(key)

    def generate(self, ref: CredentialRef) -> Issued:
        """Make an Ed25519 key; its comment names the key it replaces."""
        return made(ref, naming(ref))

    def set_secret(self, ref: CredentialRef, secret: Secret, preserved: Mapping[str, str]) -> None:
        """Put the public half on the list. Raises Rejected("key_in_use") where another repository or user has it."""
        key = read_private_key(secret)
        if fingerprint_of(key) != ref.id:
            raise Rejected("mispaired", f"the private key is not {ref.id}")
        path = self._lists.path(ref.owner)
        public = key.export_public_key().decode().strip()
        title = preserved.get("title") or (key.get_comment() or MARK)
        reply = self._github.change("POST", path, {"title": title, "key": public, **self._lists.taken_over(preserved)})
        if reply.ok:
            return
        if in_use(reply) and ref.id in self._github.keys(path):
            return
        raise Rejected("key_in_use", "GitHub knows this key elsewhere") if in_use(reply) else refusal(reply)

    def revoke(self, ref: CredentialRef) -> None:
        """Take it off its owner's list. Raises Rejected("permission_denied") where it stands there all the same."""
        path = self._lists.path(ref.owner)
        found = self._github.keys(path).get(ref.id)
        if found is None:
            return
        reply = self._github.change("DELETE", f"{path}/{found['id']}")
        if reply.status == HTTPStatus.NOT_FOUND:  # it is gone, or our own token may look at it and no more
            if ref.id in self._github.keys(path):
                raise Rejected("permission_denied", "our own token may see the key, and not take it away")
        elif not reply.ok:
            raise refusal(reply)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Look at the owner's list, and say what GitHub tells of the token's rights to change it."""
        return self._lists.permissions(whose)

    def discover(self) -> Iterable[Discovered]:
        """Yield every key on the lists that our own token may see."""
        for owner in self._lists.owners():
            for name, found in self._listed(owner).items():
                ref = self._ref_of(owner, name)
                yield Discovered(ref, {**facts_of(found), "state": State.ACTIVE.value})

    def _listed(self, owner: str) -> dict[str, Mapping[str, Any]]:
        return self._github.keys(self._lists.path(owner))


def facts_of(listed: Mapping[str, Any]) -> dict[str, str]:
    """Return plain facts; a last use is told by GitHub of keys that were used, and otherwise left empty."""
    facts = {name: str(listed[name]) for name in _KEPT if listed.get(name) is not None}
    if "last_used" in listed:
        facts["last_used_at"] = str(listed["last_used"] or "never")
    return facts
