"""A fake of what GitHub publishes of SSH keys: its lists over REST, and an SSH server that lets in who is on one. Ours.

    GET, POST /repos/OWNER/REPO/keys   DELETE …/ID     200, 201, 204; 404; 422 "key is already in use"
    GET, POST /user/keys               DELETE …/ID     likewise, of the token's user
    GET /repos/OWNER/REPO/hooks                        200, 404 without `repo_hook`
    GET /user, /user/repos, /meta, /rate_limit         200; /meta has `ssh_keys`
    GET /repos/OWNER/REPO, /orgs/OWNER                 200: `permissions` of the token's user; what owners are told

From GitHub's documentation: paths, fields and statuses, `read_only`, one key in one place, 404 for what a token may not
see or do, `X-OAuth-Scopes` of each answer and what each scope lets do (of a user's keys: read lists, write adds, admin
takes away), none of that for a fine-grained token, which is refused with 403; the greeting "Hi NAME! You've
successfully authenticated…" with status 1. The SSH server is asyncssh: the protocol is real, and not GitHub's server.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from rotator.credential import Secret
from rotator.families.ssh_keys import fingerprint_of
from tests.fakes.vendor_server import Answer, Asked, serving

OWN = Secret("ghp_" + "r" * 36)
LOGIN = "octocat"
_FORBIDDEN = {"documentation_url": "/rest", "status": "403"}
_NOT_FOUND: Answer = (404, {"message": "Not Found", "documentation_url": "/rest", "status": "404"}, {})
_ENOUGH = ("admin:public_key", "write:public_key", "read:public_key")
_IN_USE = {"resource": "PublicKey", "code": "custom", "field": "key", "message": "key is already in use"}


@dataclass
class Bearer:
    """A token: its scopes, None where it is fine-grained, and then what it may `write`; it looks at all the same."""

    scopes: tuple[str, ...] | None = None
    write: bool = False


@dataclass
class FakeGitHubKeys:
    """`lists` are by their path; each entry is a key as GitHub shows it. `bearers` are by their tokens' texts.

    `hooks` are the webhooks of a repository, by its name, of those whose webhooks the token may see.
    `repositories` is what GET /repos/… shows of some besides; `organization` what owners are told of theirs.
    """

    address: str = ""
    ssh_address: str = ""
    host_key: str = ""
    asked: list[str] = field(default_factory=list)
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"/user/keys": []})
    bearers: dict[str, Bearer] = field(default_factory=lambda: {OWN.reveal(): Bearer(("repo", "admin:public_key"))})
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    organization: dict[str, Any] = field(default_factory=dict)
    hooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def bearer(self, *scopes: str, fine: bool = False, write: bool = False) -> Secret:
        """Make another token of the same user."""
        with self._lock:
            self._count += 1
            text = f"{'github_pat_' if fine else 'ghp_'}{self._count:036}"
            self.bearers[text] = Bearer(None if fine else scopes, write)
            return Secret(text)

    def repository(self) -> str:
        with self._lock:
            self._count += 1
            name = f"octo-org/app.{self._count}"
            self.lists[f"/repos/{name}/keys"] = []
            return name

    def plant(self, path: str, *, read_only: bool = True) -> tuple[str, Secret]:
        """Put a new key on a list; return its fingerprint and its private half."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        self._add(path, {"title": "ci", "key": key.export_public_key().decode().strip(), "read_only": read_only})
        return fingerprint_of(key), Secret(key.export_private_key().decode())

    def whose(self, blob: bytes) -> str | None:
        """Return by whose name a key is greeted."""
        with self._lock:
            for path, listed in self.lists.items():
                if any(asyncssh.import_public_key(each["key"]).public_data == blob for each in listed):
                    return LOGIN if path == "/user/keys" else path.removeprefix("/repos/").removesuffix("/keys")
            return None

    def answer(self, asked: Asked, address: str) -> Answer:  # noqa: ARG002 - it names no address
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            bearer = self.bearers.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))
            if bearer is None:
                return 401, {"message": "Bad credentials", "documentation_url": "/rest", "status": "401"}, {}
            status, content, headers = self._answer(asked, bearer)
            scopes = {} if bearer.scopes is None else {"X-OAuth-Scopes": ", ".join(bearer.scopes)}
            return status, content, {**headers, **scopes}

    def _answer(self, asked: Asked, bearer: Bearer) -> Answer:
        if asked.path in {"/meta", "/user", "/user/repos", "/rate_limit"}:
            return 200, self._told(asked), {}
        if found := re.fullmatch(r"/(?:repos/([^/]+/[^/]+)|orgs/[^/]+)", asked.path):
            return self._place(found[1])
        if found := re.fullmatch(r"/repos/([^/]+/[^/]+)/hooks", asked.path):
            return (200, _page(asked, self.hooks[found[1]]), {}) if found[1] in self.hooks else _NOT_FOUND
        found = re.fullmatch(r"(/repos/[^/]+/[^/]+/keys|/user/keys)(?:/(\d+))?", asked.path)
        if found is None or found[1] not in self.lists:
            return _NOT_FOUND
        if (refusal := self._refused(asked.method, found[1], bearer)) is not None:
            return refusal
        return self._of_list(asked, found[1], found[2])

    def _place(self, repository: str | None) -> Answer:
        if repository is None:
            return 200, {"login": "octo-org", **self.organization}, {}
        if f"/repos/{repository}/keys" not in self.lists:
            return _NOT_FOUND
        owner = {"login": "octo-org", "type": "Organization"}
        shown = {"full_name": repository, "owner": owner, "archived": False, "permissions": {"admin": True}}
        return 200, {**shown, **self.repositories.get(repository, {})}, {}

    def _refused(self, method: str, path: str, bearer: Bearer) -> Answer | None:
        if bearer.scopes is None:
            wants = {"X-Accepted-GitHub-Permissions": "administration=write"}
            words = {**_FORBIDDEN, "message": "Resource not accessible by personal access token"}
            return None if method == "GET" or bearer.write else (403, words, wants)
        if path != "/user/keys":
            return None if "repo" in bearer.scopes else _NOT_FOUND
        enough = _ENOUGH[: {"GET": 3, "POST": 2}.get(method, 1)]
        return None if set(enough) & set(bearer.scopes) else _NOT_FOUND

    def _told(self, asked: Asked) -> Any:
        if asked.path == "/meta":
            return {"ssh_keys": [self.host_key]}
        if asked.path == "/rate_limit":
            return {"resources": {"core": {"limit": 5000, "remaining": 5000}}}
        if asked.path == "/user":
            return {"login": LOGIN, "id": 1}
        names = [path.removeprefix("/repos/").removesuffix("/keys") for path in self.lists if path != "/user/keys"]
        found = [{"full_name": name, "permissions": {"admin": True}} for name in names]
        return _page(asked, [*found, {"full_name": "octo-org/not-ours", "permissions": {"admin": False}}])

    def _of_list(self, asked: Asked, path: str, number: str | None) -> Answer:
        listed = self.lists[path]
        match asked.method, number:
            case "GET", None:
                return 200, _page(asked, listed), {}
            case "POST", None:
                blob = asyncssh.import_public_key(asked.body["key"]).public_data
                if self.whose(blob) is not None:
                    return 422, {"message": "Validation Failed", "errors": [_IN_USE]}, {}
                return 201, self._add(path, asked.body), {}
            case "DELETE", _ if any(str(each["id"]) == number for each in listed):
                self.lists[path] = [each for each in listed if str(each["id"]) != number]
                return 204, None, {}
        return _NOT_FOUND

    def _add(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._count += 1
            made = {
                "id": self._count,
                "key": " ".join(told["key"].split()[:2]),
                "url": f"https://api.github.com{path}/{self._count}",
                "title": told["title"],
                "verified": True,
                "created_at": "2026-01-01T00:00:00Z",
                "read_only": told.get("read_only", False),
            }
            if path != "/user/keys":
                made |= {"added_by": LOGIN, "last_used": None}
            self.lists[path].append(made)
            return made


def _page(asked: Asked, listed: list[Any]) -> list[Any]:
    size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
    return listed[(page - 1) * size : page * size]


class _Door(asyncssh.SSHServer):
    """Lets in, as `git`, who is on a list."""

    def __init__(self, github: FakeGitHubKeys) -> None:
        self._github = github

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        shown = self._github.whose(key.public_data) if username == "git" else None
        self._connection.set_extra_info(shown=shown)
        return shown is not None


@contextlib.contextmanager
def fake_github_keys() -> Iterator[FakeGitHubKeys]:
    """Serve both until the block ends."""
    github = FakeGitHubKeys()
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    github.host_key = host_key.export_public_key().decode().strip()

    def greet(process: asyncssh.SSHServerProcess) -> None:
        shown = process.get_extra_info("shown")
        process.stderr.write(
            f"Hi {shown}! You've successfully authenticated, but GitHub does not provide shell access.\n"
        )
        process.exit(1)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    async def listening() -> asyncssh.SSHAcceptor:
        door = {"server_host_keys": [host_key], "process_factory": greet}
        return await asyncssh.create_server(lambda: _Door(github), "127.0.0.1", 0, **door)

    server = done(listening())
    github.ssh_address = f"127.0.0.1:{server.get_port()}"
    try:
        with serving(github) as address:
            github.address = address
            yield github
    finally:
        server.close()
        done(server.wait_closed())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
