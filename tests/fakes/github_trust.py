"""A fake of whom repositories and organizations of GitHub trust, as its REST interface publishes it. Ours.

    GET /repos/OWNER/REPO/collaborators?affiliation=outside    200: login, id, role_name; 404 if it may not look
    GET …/collaborators/LOGIN                                  204 for whoever comes in, members and teams too; else 404
    PUT …/collaborators/LOGIN {permission}                     201 with an invitation; 204 where the user is managed
    DELETE …/collaborators/LOGIN                               204; also takes an invitation back
    GET /repos/OWNER/REPO/invitations                          200: invitee, permissions, expired
    GET /orgs/ORG/installations                                200: total_count, installations; 404 for no owner
    GET /user/NUMBER                                           200: login, id; 404 where there is none of that number
    GET /user, /user/repos, /user/orgs, /rate_limit, /repos/OWNER/REPO

Roles are shown as read and write, and set as pull and push. Nothing suspends an installation here: GitHub has no such
call for an organization.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rotator.credential import Secret
from tests.fakes.vendor_server import Answer, Asked, serving

OWN, LOGIN = Secret("ghp_" + "t" * 36), "rotator-bot"
_NOT_FOUND: Answer = (404, {"message": "Not Found", "documentation_url": "/rest", "status": "404"}, {})
_SHOWN_AS = {"pull": "read", "push": "write"}
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)(?:/(collaborators|invitations))?(?:/([^/]+))?")


@dataclass
class FakeTrust:
    """`managed`: users are the enterprise's, who are added at once. `looks`: the token may look and no more.

    `members` are of the organization, or of its teams: they come into each repository, and are no outsiders.
    """

    address: str = ""
    managed: bool = True
    looks: bool = False
    members: set[str] = field(default_factory=set)
    repositories: dict[str, dict[str, str]] = field(default_factory=dict)
    invitations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    installations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def repository(self) -> str:
        name = f"octo-org/app.{next(self._numbers)}"
        with self._lock:
            self.repositories[name], self.invitations[name] = {}, []
        return name

    def login(self) -> str:
        return f"Vendor-Dev-{next(self._numbers)}"

    def number(self, login: str) -> int:
        """Return the number of the user who has a login now; anybody named is somebody."""
        return self.users.setdefault(login, 7_000_000 + len(self.users))

    def rename(self, login: str, new: str) -> None:
        """Do what a user may do on the web page; the login that he leaves is free for anybody."""
        with self._lock:
            self.users[new] = self.number(login)
            del self.users[login]
            for joined in self.repositories.values():
                if login in joined:
                    joined[new] = joined.pop(login)
            for each in itertools.chain(*self.invitations.values()):
                if each["invitee"]["login"] == login:
                    each["invitee"]["login"] = new

    def organization(self) -> str:
        return f"octo-org-{next(self._numbers)}"

    def install(self, organization: str) -> dict[str, Any]:
        number = next(self._numbers)
        made = {
            "id": 1000 + number,
            "app_id": number,
            "app_slug": f"vendor-sync-{number}",
            "repository_selection": "all",
            "permissions": {"contents": "write", "metadata": "read"},
            "html_url": f"https://github.com/organizations/{organization}/settings/installations/{1000 + number}",
            "created_at": "2026-01-01T00:00:00Z",
            "suspended_at": None,
            "suspended_by": None,
        }
        with self._lock:
            self.installations.setdefault(organization, []).append(made)
        return made

    def uninstall(self, organization: str, slug: str) -> None:
        """Do what an owner does on the web page."""
        with self._lock:
            self.installations[organization] = [
                each for each in self.installations[organization] if each["app_slug"] != slug
            ]

    def answer(self, asked: Asked, address: str) -> Answer:  # noqa: ARG002 - it names no address
        with self._lock:
            if asked.headers.get("Authorization") != f"Bearer {OWN.reveal()}":
                return 401, {"message": "Bad credentials", "documentation_url": "/rest", "status": "401"}, {}
            status, content, headers = self._answer(asked)
            return status, content, {**headers, "X-OAuth-Scopes": "repo, admin:org"}

    def _answer(self, asked: Asked) -> Answer:
        plain = {"/user": {"login": LOGIN}, "/rate_limit": {"resources": {"core": {"limit": 5000}}}}
        if asked.path in plain:
            return 200, plain[asked.path], {}
        if found := re.fullmatch(r"/user/([0-9]+)", asked.path):
            having = [login for login, number in self.users.items() if number == int(found[1])]
            return (200, {"login": having[0], "id": int(found[1])}, {}) if having else _NOT_FOUND
        if asked.path == "/user/orgs":
            return 200, _page(asked, [{"login": each} for each in [*self.installations, "not-an-owner-there"]]), {}
        if asked.path == "/user/repos":
            shown = [{"full_name": each, "permissions": {"admin": True}} for each in self.repositories]
            return 200, _page(asked, shown), {}
        if found := re.fullmatch(r"/orgs/([^/]+)/installations", asked.path):
            listed = self.installations.get(found[1])
            if listed is None:
                return _NOT_FOUND
            return 200, {"total_count": len(listed), "installations": _page(asked, listed)}, {}
        found = _REPOSITORY.fullmatch(asked.path)
        if found is None or found[1] not in self.repositories:
            return _NOT_FOUND
        return self._of_repository(asked, *found.groups())

    def _of_repository(self, asked: Asked, name: str, what: str | None, login: str | None) -> Answer:
        joined, invited = self.repositories[name], self.invitations[name]
        match asked.method, what, login:
            case "GET", None, None:
                return 200, {"full_name": name, "permissions": {"admin": True}}, {}
            case "GET", "collaborators", None:
                ours = {} if asked.query.get("affiliation") == "outside" else {LOGIN: "admin"}
                shown = {**ours, **joined}.items()
                listed = [{"login": each, "id": self.number(each), "role_name": role} for each, role in shown]
                return 200, _page(asked, listed), {}
            case "GET", "invitations", None:
                return 200, _page(asked, invited), {}
            case "GET", "collaborators", str():
                return (204, None, {}) if login in {LOGIN, *self.members, *joined} else _NOT_FOUND
            case "PUT" | "DELETE", "collaborators", str() if self.looks:
                return _NOT_FOUND
            case "DELETE", "collaborators", str():
                joined.pop(login, None)
                invited[:] = [each for each in invited if each["invitee"]["login"] != login]
                return 204, None, {}
            case "PUT", "collaborators", str():
                role = _SHOWN_AS.get(asked.body["permission"], asked.body["permission"])
                if self.managed:
                    joined[login] = role
                    return 204, None, {}
                made = {"id": next(self._numbers), "permissions": role, "expired": False}
                made["invitee"] = {"login": login, "id": self.number(login)}
                invited.append(made)
                return 201, made, {}
        return _NOT_FOUND


def _page(asked: Asked, listed: list[Any]) -> list[Any]:
    size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
    return listed[(page - 1) * size : page * size]


@contextlib.contextmanager
def fake_trust() -> Iterator[FakeTrust]:
    """Serve until the block ends."""
    github = FakeTrust()
    with serving(github) as address:
        github.address = address
        yield github
