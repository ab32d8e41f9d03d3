"""A fake of what GitLab publishes of its access tokens: personal, project and group. Ours, never GitLab itself.

    GET    /personal_access_tokens/self                        200, 401
    GET    /personal_access_tokens[?user_id=&state=active]     200: an administrator's own sees all
    GET    /personal_access_tokens/ID                          200, 404
    DELETE /personal_access_tokens/ID                          204, 404
    POST   /users/ID/personal_access_tokens                    201
    GET, POST /projects/ID/access_tokens, GET, DELETE …/TOKEN  and the same under /groups
    POST   …/rotate                                            200: the old one is revoked; of a revoked one, 401, and
                                                               its living successor is revoked too
    GET    /users/ID, /projects/ID, /groups/ID                 200, 404
    GET    /users/ID/keys, /projects/ID/deploy_keys            200
    GET    /user                                               200, with is_admin for an administrator alone
    GET    /projects/ID/members/all/USER, and under /groups    200 {access_level}, 404

From GitLab's documentation: paths, fields, the role and scopes of a project's token, the bots' names, `x-next-page`,
the revocation of a whole family when an old one is rotated again; that read_api changes nothing, that a Maintainer, of
a group an Owner, has its tokens, that a bot creates none, that with Admin Mode an administrator's token needs
admin_mode. Seen in its source and in public reports: the words of each 401, and 401 for the list of another user. A
revoked project token's bot is deleted, so its project lists it no more.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator.credential import Secret
from tests.fakes.vendor_server import Answer, Asked, serving

PAGE = 3
_REVOKED = "Token was revoked. You have to re-authorize from the user."
_EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
_ENOUGH = {"project": 40, "group": 50}
_FORBIDDEN = (403, {"message": "403 Forbidden"}, {})
_NO_SCOPE = (403, {"error": "insufficient_scope", "error_description": "The request requires higher privileges"}, {})
_NOT_FOUND = {"message": "404 Not found"}
_NOBODY = (401, {"message": "401 Unauthorized"}, {})


@dataclass
class FakeGitLab:
    """Users, projects and groups, and the tokens of each. `tokens` are by their number.

    `keys` are the SSH keys of users and the deploy keys of projects, by the path of their list.
    `members` are the users of each project and group with their access levels; a role of `custom` has tokens besides.
    """

    address: str = ""
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    projects: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    tokens: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    scopeless: set[int] = field(default_factory=set)
    members: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)
    custom: set[int] = field(default_factory=set)
    admin_mode: bool = False
    keys: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def __post_init__(self) -> None:
        self.root = self.user("root", admin=True)
        self.own_id, self.own = self.plant("user", self.root, scopes=["api"])

    def user(self, name: str = "", *, bot: bool = False, admin: bool = False) -> int:
        number = self._next()
        self.users[number] = {"id": number, "username": name or f"dev{number}", "bot": bot, "admin": admin}
        return number

    def place(self, sort: str) -> int:
        """Make a project or a group."""
        number = self._next()
        (self.projects if sort == "project" else self.groups).add(number)
        return number

    def plant(self, sort: str, number: int, **told: Any) -> tuple[int, Secret]:
        """Make a token of a user, a project or a group."""
        with self._lock:
            user = number
            if sort != "user":
                user = self.user(f"{sort}_{number}_bot_{secrets.token_hex(16)}", bot=True)
                told.setdefault("access_level", 40)
                self.members.setdefault((sort, number), {})[user] = told["access_level"]
            made = datetime.now(UTC)
            token = {
                "id": self._next(),
                "name": f"planted {self._count}",
                "revoked": False,
                "created_at": made.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "scopes": ["read_api"],
                "user_id": user,
                "last_used_at": None,
                "active": True,
                "expires_at": (made.date() + timedelta(days=90)).isoformat(),
                **told,
                "text": f"glpat-{secrets.token_urlsafe(15)}",
                "place": (sort, number),
                "family": None,
            }
            token["family"] = token["id"]
            self.tokens[token["id"]] = token
            return token["id"], Secret(token["text"])

    def expire(self, number: int) -> None:
        self.tokens[number] |= {"active": False, "expires_at": "2001-01-01"}

    def answer(self, asked: Asked, address: str) -> Answer:  # noqa: ARG002 - it names no address
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            bearer = self._bearer(asked.headers.get("PRIVATE-TOKEN", ""))
            if isinstance(bearer, tuple):
                return bearer
            return self._answer(asked, bearer, asked.path.removeprefix("/api/v4"))

    def _bearer(self, text: str) -> dict[str, Any] | Answer:
        token = next((each for each in self.tokens.values() if each["text"] == text), None)
        if token is None:
            return _NOBODY
        if token["revoked"] or not token["active"]:
            why = _REVOKED if token["revoked"] else _EXPIRED
            return 401, {"error": "invalid_token", "error_description": why}, {}
        if token["id"] in self.scopeless:
            return 403, {"error": "insufficient_scope"}, {}
        return token

    def _answer(self, asked: Asked, bearer: dict[str, Any], path: str) -> Answer:
        if path == "/personal_access_tokens/self":
            return 200, _shown(bearer), {}
        if "api" not in bearer["scopes"] and (asked.method != "GET" or "read_api" not in bearer["scopes"]):
            return _NO_SCOPE
        mine, person = bearer["user_id"], self.users[bearer["user_id"]]
        admin = person["admin"] and (not self.admin_mode or "admin_mode" in bearer["scopes"])
        if path == "/user":
            shown = {name: person[name] for name in ("id", "username", "bot")}
            return 200, {**shown, **({"is_admin": True} if person["admin"] else {})}, {}
        if path == "/personal_access_tokens":
            if not admin and asked.query.get("user_id") not in (None, str(mine)):
                return _NOBODY
            return self._list(asked, lambda each: admin or each["user_id"] == mine)
        if found := re.fullmatch(r"/(project|group)s/(\d+)/members/all/(\d+)", path):
            level = self.members.get((found[1], int(found[2])), {}).get(int(found[3]))
            return (200, {"id": int(found[3]), "access_level": level}, {}) if level else (404, _NOT_FOUND, {})
        return (None if admin else self._refused(asked.method, path, mine)) or self._granted(asked, path)

    def _granted(self, asked: Asked, path: str) -> Answer:
        if re.fullmatch(r"/(users/\d+/keys|projects/\d+/deploy_keys)", path):
            return 200, self.keys.get(path, []), {}
        if found := re.fullmatch(r"/(users|projects|groups)/(\d+)", path):
            return self._place(found[1], int(found[2]))
        if found := re.fullmatch(r"/users/(\d+)/personal_access_tokens", path):
            return self._create("user", int(found[1]), asked.body)
        if found := re.fullmatch(r"/personal_access_tokens/(\d+)(/rotate)?", path):
            return self._one(asked.method, self.tokens.get(int(found[1])), bool(found[2]), "404 Not Found")
        if found := re.fullmatch(r"/(project|group)s/(\d+)/access_tokens(?:/(\d+)(/rotate)?)?", path):
            return self._of_a_bot(asked, found[1], int(found[2]), found[3], rotates=bool(found[4]))
        return 404, {"error": "404 Not Found"}, {}

    def _refused(self, method: str, path: str, user: int) -> Answer | None:
        """Refuse what is not a user's own, and not of a project or group whose role does."""
        if found := re.fullmatch(r"/personal_access_tokens/(\d+)", path):
            return None if self.tokens.get(int(found[1]), {}).get("user_id") == user else (404, _NOT_FOUND, {})
        found = re.match(r"/(project|group)s/(\d+)", path)
        level = self.members.get((found[1], int(found[2])), {}).get(user, 0) if found else 0
        if found is None or (level < _ENOUGH[found[1]] and user not in self.custom):
            return _FORBIDDEN
        if method == "POST" and self.users[user]["bot"]:
            return (
                400,
                {"message": f"400 Bad request - User does not have permission to create {found[1]} access token"},
                {},
            )
        return None

    def _of_a_bot(self, asked: Asked, sort: str, number: int, named: str | None, *, rotates: bool) -> Answer:
        if number not in (self.projects if sort == "project" else self.groups):
            return 404, {"message": f"404 {sort.title()} Not Found"}, {}
        if named is None and asked.method == "POST":
            return self._create(sort, number, asked.body)
        if named is None:
            return self._list(asked, lambda each: each["place"] == (sort, number))
        token = self.tokens.get(int(named))
        mine = token if token and token["place"] == (sort, number) and not token["revoked"] else None
        words = f"404 Could not find {sort} access token with token_id: {named} Not Found"
        return self._one(asked.method, mine, rotates, words)

    def _place(self, sort: str, number: int) -> Answer:
        if sort == "users" and number in self.users:
            return 200, {name: self.users[number][name] for name in ("id", "username", "bot")}, {}
        if number in (self.projects if sort == "projects" else self.groups):
            return 200, {"id": number}, {}
        return 404, {"message": f"404 {sort[:-1].title()} Not Found"}, {}

    def _create(self, sort: str, number: int, body: Any) -> Answer:
        if not isinstance(body, dict) or not body.get("name") or not body.get("scopes"):
            return 400, {"error": "name is missing, scopes is missing"}, {}
        fields = ("name", "scopes", "expires_at", *(("access_level",) if sort != "user" else ()))
        made, _ = self.plant(sort, number, **{each: body[each] for each in fields if each in body})
        return 201, {**_shown(self.tokens[made]), "token": self.tokens[made]["text"]}, {}

    def _one(self, method: str, token: dict[str, Any] | None, rotates: bool, absent: str) -> Answer:
        if token is None:
            return 404, {"message": absent}, {}
        if rotates:
            return self._rotate(token)
        if method == "DELETE":
            token |= {"revoked": True, "active": False}
            return 204, None, {}
        return 200, _shown(token), {}

    def _rotate(self, token: dict[str, Any]) -> Answer:
        if token["revoked"]:
            for each in self.tokens.values():
                if each["family"] == token["family"]:
                    each |= {"revoked": True, "active": False}
            return 401, {"message": "401 Unauthorized"}, {}
        token |= {"revoked": True, "active": False}
        made, _ = self.plant(*token["place"], scopes=token["scopes"], name=token["name"])
        self.tokens[made]["family"] = token["family"]
        return 200, {**_shown(self.tokens[made]), "token": self.tokens[made]["text"]}, {}

    def _list(self, asked: Asked, fits: Any) -> Answer:
        user, active = asked.query.get("user_id"), asked.query.get("state") == "active"
        found = [
            _shown(each)
            for each in self.tokens.values()
            if fits(each) and (user is None or each["user_id"] == int(user)) and (each["active"] or not active)
        ]
        page = int(asked.query.get("page", "1"))
        more = str(page + 1) if page * PAGE < len(found) else ""
        return 200, found[(page - 1) * PAGE : page * PAGE], {"x-next-page": more}

    def _next(self) -> int:
        self._count += 1
        return self._count


def _shown(token: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in token.items() if name not in {"text", "place", "family"}}


@contextlib.contextmanager
def fake_gitlab() -> Iterator[FakeGitLab]:
    """Serve until the block ends."""
    gitlab = FakeGitLab()
    with serving(gitlab) as address:
        gitlab.address = address
        yield gitlab
