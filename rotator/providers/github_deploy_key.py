"""Deploy keys of GitHub, each for one repository. The owner is OWNER/REPOSITORY, the id the SHA256 fingerprint.

A replacement may read and write what the exposed one might. The rotator's own token administers the repository
(`repo`, or "Administration"). GitHub deletes a deploy key with the personal access token that made it: so its own
token is one that no plan revokes, or an app's installation token. What it may do GitHub tells of classic tokens alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotator.credential import Leaked
from rotator.errors import Rejected
from rotator.families.github_keys import GitHubKeys
from rotator.families.github_listed import ListedKeys
from rotator.families.github_permissions import of_deploy_keys
from rotator.families.ssh_keys import read_private_key
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.rest_kind import RestKind

FAMILY = "github"

_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> ListedKeys:
    """Return the provider of the deploy keys that one token may administer."""
    github = GitHubKeys(connection)
    return ListedKeys(connection, name, github, Repositories(github))


class Repositories:
    """Repositories, each with its list of deploy keys."""

    def __init__(self, github: GitHubKeys) -> None:
        self._github = github

    def path(self, owner: str) -> str:
        """Return the path of a repository's list."""
        if not _REPOSITORY.fullmatch(owner):
            raise Rejected("not_this_account", f"{owner!r} is no OWNER/REPOSITORY")
        return f"/repos/{owner}/keys"

    def owners(self) -> Iterable[str]:
        """Yield the repositories that our own token administers."""
        for each in self._github.listed("/user/repos"):
            may, name = each.get("permissions"), each.get("full_name")
            if isinstance(may, Mapping) and may.get("admin") and isinstance(name, str):
                yield name

    def owner(self, leaked: Leaked) -> str:
        """Return the repository that the report names, or by whose name GitHub's SSH server greets the key."""
        if leaked.owner:
            return leaked.owner
        if leaked.secret is None:
            raise Rejected("needs_owner", "by a fingerprint alone GitHub tells no repository: the report must name it")
        found = self._github.greeted(read_private_key(leaked.secret))
        if found is None or "/" not in found:
            raise Rejected("unknown_credential", "it is no deploy key" if found else "GitHub lets no such key in")
        return found

    def taken_over(self, preserved: Mapping[str, str]) -> dict[str, Any]:
        """Return whether it may only read: so it is, unless the exposed one is known to have written."""
        return {"read_only": preserved.get("read_only") != "False"}

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what our own token may do to a repository's list; of all it tells little."""
        if whose is not None:
            self.path(whose)
        return of_deploy_keys(self._github.read, whose)
