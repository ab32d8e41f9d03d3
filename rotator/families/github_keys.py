"""SSH keys at GitHub: the list of a repository or of a user, read and changed over REST, and the door that they open.

The door is GitHub's own SSH server: a key that it lets in is greeted by the name of the repository or the user, and let
go again. Its host keys are what GitHub's REST interface says they are (`/meta`), so nothing has to be pinned by hand.
No library is asked for a repository's name: the private key is shown to GitHub by a signature, and never sent.

    ssh_address = "github.com:22"     # where that server listens, when it is another
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import asyncssh

from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, asking
from rotator.families.authorized_keys import entries
from rotator.families.github import API, HEADERS, is_own, later_of, message_of
from rotator.families.http_wire import Reply, Wire
from rotator.families.own_token import in_header, own_token
from rotator.families.own_words import heard, unreadable
from rotator.families.ssh import Fleet
from rotator.families.ssh_errors import Phase
from rotator.families.ssh_knock import knock
from rotator.families.ssh_settings import Host, Settings
from rotator.ports.connection import Connection
from rotator.ports.provider import Verdict

SSH_ADDRESS = "github.com:22"
IN_USE = "key is already in use"

_USER = "git"
_PAGE = 100
_MOST_PAGES = 1000
_GREETING = re.compile(r"Hi ([A-Za-z0-9._/-]+)!")
_ADDRESS = re.compile(r"([^\s:]+)(?::([0-9]{1,5}))?")
_SSH_PORT = 22


class GitHubKeys:
    """One GitHub account, with a token of the rotator's own, and GitHub's SSH server. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        self.address = (connection.endpoint_url or API).rstrip("/")
        if urlsplit(self.address).scheme not in ("http", "https") or not urlsplit(self.address).hostname:
            raise BadInput("this is no address of GitHub's API", connection.name, f"leave it out: it is {API}")
        told = str(connection.settings.get("ssh_address") or SSH_ADDRESS)
        if (found := _ADDRESS.fullmatch(told)) is None:
            raise BadInput("`ssh_address` is no HOST:PORT", connection.name, f"leave it out for {SSH_ADDRESS}")
        self._host = Host(told, found[1], int(found[2] or _SSH_PORT))
        self._connection = connection
        self._wire = Wire(self.address, connection.settings.get("ca_file"))
        self._fleets: dict[str, Fleet] = {}
        self._lock = threading.Lock()

    def read(self, path: str) -> Reply:
        """Read a path; any answer of GitHub's but "later" is returned. Raises Unavailable when there was none."""
        with asking():
            reply = self._send("GET", path)
        return heard(reply, own=is_own(reply))

    def change(self, method: str, path: str, body: object = None) -> Reply:
        """Ask for a change, once; any answer but "later" is returned. Raises Unavailable or Uncertain."""
        return self._send(method, path, body)

    def listed(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a list holds, page by page. Raises what any other answer means."""
        for page in range(1, _MOST_PAGES):
            with asking():
                found = told(self.read(f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}&page={page}"))
            if not isinstance(found, list):
                raise Unavailable("answer_unreadable", path)
            yield from (each for each in found if isinstance(each, Mapping))
            if len(found) < _PAGE:
                return

    def keys(self, path: str) -> dict[str, Mapping[str, Any]]:
        """Return a list of keys by their fingerprints. That it is empty is believed of a repository that is shown."""
        found = {}
        for each in self.listed(path):
            if "id" not in each:
                raise Unavailable("answer_unreadable", path)
            for entry in entries(str(each.get("key", "")).encode("utf-8", "replace"))[:1]:
                found[entry.fingerprint] = each
        if not found and path.startswith("/repos/"):
            object_of(self.read(path.removesuffix("/keys")), "full_name")
        return found

    def greeted(self, key: asyncssh.SSHKey) -> str | None:
        """Return whose name GitHub's SSH server greets a key by, None when it is let in by none."""
        fleet = self._fleet()

        async def ask(host: Host, _: Phase) -> str | None:
            try:
                connection = await fleet.log_in(host, _USER, asyncssh.SSHClient, key)
            except asyncssh.PermissionDenied:
                return None
            try:
                done = await connection.run(check=False, stdin=asyncssh.DEVNULL)
            finally:
                connection.abort()
            found = _GREETING.search(str(done.stdout) + str(done.stderr))
            if found is None:
                raise Rejected("unfamiliar_greeting", "GitHub let the key in and did not say as whom")
            return found[1]

        return fleet.at(self._host, ask)

    def knock(self, key: asyncssh.SSHKey) -> Verdict:
        """Try to come in with a key alone."""
        fleet = self._fleet()
        return fleet.at(self._host, lambda host, _: knock(fleet, host, _USER, key))

    def _fleet(self) -> Fleet:
        """Return the way to the SSH server, by the host keys that GitHub names now."""
        with asking():
            content = told(self.read("/meta"))
        named = content.get("ssh_keys") if isinstance(content, Mapping) else None
        if not isinstance(named, list) or not named:
            raise Rejected("no_host_keys", "GitHub does not say what its SSH server's keys are")
        where = self._host.address if self._host.port == _SSH_PORT else f"[{self._host.address}]:{self._host.port}"
        lines = "".join(f"{where} {' '.join(str(each).split())}\n" for each in sorted(map(str, named)))
        with self._lock:
            if lines not in self._fleets:
                settings = Settings(
                    {self._host.name: self._host}, (_USER,), "", lines, self._connection.name, "", "", _USER
                )
                self._fleets[lines] = Fleet(settings, _no_key)
            return self._fleets[lines]

    def _send(self, method: str, path: str, body: object = None) -> Reply:
        token = in_header(own_token(self._connection))
        headers = {**HEADERS, "Authorization": f"Bearer {token}"}
        reply = self._wire.send(method, self.address + path, headers, body)
        if (later := later_of(reply)) is not None:
            raise later
        return replace(reply, shown=(token,))


def told(reply: Reply) -> Any:
    """Return the content of a success; raise what another answer means."""
    if not reply.ok:
        raise refusal(reply)
    return reply.content


def object_of(reply: Reply, *named: str) -> Mapping[str, Any]:
    """Return the object of a success, in which each of these is a text that says something."""
    found = told(reply)
    if not isinstance(found, Mapping) or not all(isinstance(found.get(each), str) and found[each] for each in named):
        raise unreadable(reply)
    return found


def refusal(reply: Reply) -> RotatorError:
    """Put an answer that is none into our words: GitHub hides behind a 404 what a token may not see."""
    if reply.status == HTTPStatus.NOT_FOUND:
        return Rejected("not_this_account", "nothing there that our own token may see")
    return reply.refusal()


def in_use(reply: Reply) -> bool:
    """Tell whether GitHub refuses a key because it, or somebody, has it already."""
    errors = reply.content.get("errors") if isinstance(reply.content, Mapping) else None
    listed = errors if isinstance(errors, list) else ()
    words = " ".join(str(each.get("message", "")) for each in listed if isinstance(each, Mapping))
    return reply.status == HTTPStatus.UNPROCESSABLE_ENTITY and IN_USE in f"{message_of(reply)} {words}"


def _no_key() -> asyncssh.SSHKey:
    raise Rejected("no_own_key", "nobody administers GitHub's SSH server")
