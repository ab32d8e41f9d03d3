"""SSH keys of one GitHub user, the one whose token the rotator has. The owner is the login, the id the fingerprint.

GitHub shows and changes a user's keys to that user alone: a token with `admin:public_key`, or "Git SSH keys" of a
fine-grained one. A key of somebody else is told apart by GitHub's greeting, and left to that person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotator.credential import Leaked
from rotator.errors import Rejected, asking
from rotator.families.github_keys import GitHubKeys, object_of
from rotator.families.github_listed import ListedKeys
from rotator.families.github_permissions import of_user_keys
from rotator.families.ssh_keys import read_private_key
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.rest_kind import RestKind

FAMILY = "github"


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> ListedKeys:
    """Return the provider of one user's keys."""
    github = GitHubKeys(connection)
    return ListedKeys(connection, name, github, User(github))


class User:
    """The user whose token we have."""

    def __init__(self, github: GitHubKeys) -> None:
        self._github = github

    def path(self, owner: str) -> str:
        """Return the path of the list. Raises Rejected("not_this_account") for any other user's."""
        if owner not in self.owners():
            raise Rejected(
                "not_this_account", f"only {owner} may change the keys of {owner}: give a token of that user"
            )
        return "/user/keys"

    def owners(self) -> Iterable[str]:
        """Return the user's login, asked anew: the token may be another's by now."""
        with asking():
            return (str(object_of(self._github.read("/user"), "login")["login"]),)

    def owner(self, leaked: Leaked) -> str:
        """Return the user by whose name GitHub's SSH server greets the key; without the key, the one it can only be."""
        if leaked.owner:
            return leaked.owner
        if leaked.secret is None:
            return next(iter(self.owners()))
        found = self._github.greeted(read_private_key(leaked.secret))
        if found is None or "/" in found:
            raise Rejected("unknown_credential", "it is a deploy key" if found else "GitHub lets no such key in")
        return found

    def taken_over(self, preserved: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002 - a user's key has no rights of its own
        """Return nothing: every key of a user may do what the user may."""
        return {}

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what our own token may do to the list of its user."""
        return of_user_keys(self._github.read, whose)
