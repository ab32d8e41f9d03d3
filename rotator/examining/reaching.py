"""Reach out to what the rotator works with, and change nothing: connections, stores and webhooks, all at once."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rotator import secret_reference
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.examining.made_up import NOBODY, fitting
from rotator.examining.permitted import May, Permissions, at_store, permissions
from rotator.flow.scope import ConsumerAddress
from rotator.ports.abilities import Formed
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, Connection
from rotator.ports.listing import Discoverable
from rotator.ports.provider import Provider
from rotator.ports.store import Place

ANSWERS = "answers"
"""How the answer begins of who was reached."""
_PLACELESS = frozenset({"not_this_account", "unreadable"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing to reach, for one of its purposes, and how: the answer in words. Trouble is a RotatorError."""

    of: str
    ask: Callable[[], str | May]
    purpose: str = ""

    def answered(self, answer: str | May, *, well: bool, error: RotatorError | None = None) -> Reached:
        """Return the answer with what was asked."""
        what = f"{self.of}: {self.purpose}" if self.purpose else self.of
        may = answer if isinstance(answer, May) else None
        return Reached(self.of, what, well, str(answer), self.purpose, error, may)


@dataclass(frozen=True, slots=True)
class Reached:
    """What was answered: `of` is the thing, `what` also says the purpose, `may` what was told of permissions."""

    of: str
    what: str
    well: bool
    answer: str
    purpose: str = ""
    error: RotatorError | None = None
    may: May | None = None


def reach(asked: Sequence[Asked], deadline_s: float = CALL_DEADLINE_S) -> Iterator[Reached]:
    """Ask all at once, and yield the answers in order; who has not answered when the time is over is in trouble."""
    until = time.monotonic() + deadline_s
    answers: list[queue.SimpleQueue[Reached]] = [queue.SimpleQueue() for _ in asked]
    for each, answer in zip(asked, answers, strict=True):
        # A daemon: one that hangs keeps nobody from ending.
        threading.Thread(target=_ask, args=(each, answer), daemon=True).start()
    for each, answer in zip(asked, answers, strict=True):
        try:
            yield answer.get(timeout=max(until - time.monotonic(), 0.0))
        except queue.Empty:
            yield each.answered(f"no answer within {deadline_s:.0f} s", well=False)


def _ask(asked: Asked, answer: queue.SimpleQueue[Reached]) -> None:
    try:
        answer.put(asked.answered(asked.ask(), well=True))
    except RotatorError as error:
        answer.put(asked.answered(str(error), well=False, error=error))
    except Exception as error:  # noqa: BLE001 - it did answer; what nobody foresaw may hold material in its words
        answer.put(asked.answered(f"an answer that nobody foresaw: {type(error).__name__}", well=False))


def issuer(
    parts: Rotator, kind: str, connection: Connection, owner: str | None = None, ask: Permissions | None = None
) -> str:
    """Ask a connection about a credential that is not there: whether it answers, and knows the rotator.

    `owner` is one whose credentials the rotator may see; without it somebody is made up, whom it may be forbidden to
    ask about. Then what it says of permissions tells whether it may look; `ask` asks for them, where others do too.
    """
    ask = ask or permissions(parts, kind, connection.name, owner)
    try:
        return _about_nobody(parts, kind, connection, owner, ask)
    except Rejected as refusal:
        if refusal.reason != "permission_denied":
            raise
        may = ask()
        if may is None or not may.sees:
            raise
        return f"{ANSWERS} (not asked about one that is made up: it may look at those that there are)"


def permitting(parts: Rotator, kind: str, connection: Connection) -> str:
    """Ask as `issuer` does, and whether the rotator may do all that the kind's playbook needs.

    Raises Rejected("not_permitted") where it may not; what nobody can tell is no trouble.
    """
    ask = permissions(parts, kind, connection.name)
    answer = issuer(parts, kind, connection, ask=ask)
    may = ask()
    if may is not None and may.refused:
        raise Rejected("not_permitted", "; ".join(may.lacking))
    return answer


def _about_nobody(parts: Rotator, kind: str, connection: Connection, named: str | None, ask: Permissions) -> str:
    provider = parts.outside.provider_of(kind, connection.name)
    if isinstance(provider, Formed):
        return _formed(parts, CredentialRef(kind, connection.name, *provider.nobody))
    rest = parts.playbooks[kind].http
    # Where the connection manages certain accounts only, ask about one of those.
    user = named or connection.settings.get("user", fitting(rest.owner_format if rest else None))
    owner = str(user[0] if isinstance(user, list) else user)
    try:
        return _asked(parts, CredentialRef(kind, connection.name, owner, fitting(rest.id_format if rest else None)))
    except Rejected as first:
        if first.reason not in _PLACELESS or owner != NOBODY:
            raise
        refused = first
    # Some owners are a place and a name in it. The same refusal of both is about the account, and no answer.
    try:
        return _asked(parts, CredentialRef(kind, connection.name, f"user/{NOBODY}", NOBODY))
    except Rejected as second:
        if second.reason not in _PLACELESS or second.detail == refused.detail:
            raise
    # Both may have been refused by their form alone: who says what is permitted was asked.
    ask()
    return ANSWERS


def _formed(parts: Rotator, ref: CredentialRef) -> str:
    """Ask about an owner whom only the issuer can know to be none of its own."""
    try:
        return _asked(parts, ref)
    except Rejected as refusal:
        if refusal.reason != "not_this_account":
            raise
        return ANSWERS


def _asked(parts: Rotator, ref: CredentialRef) -> str:
    """Ask about a credential that is made up; an answer about that is an answer, anything else is trouble."""
    try:
        return f"{ANSWERS} ({parts.outside.provider(ref).inspect(ref).state})"
    except RotatorError as error:
        if error.reason.startswith("malformed_"):
            return _listed(parts.outside.provider(ref))
        if error.reason in {"no_view", "no_hosts"}:  # its issuer shows nobody, or this connection is not for that kind
            return f"not asked: {error.detail}"
        if error.reason not in {"unknown_credential", "not_found"}:
            raise
        return ANSWERS


def _listed(provider: Provider) -> str:
    """Ask for the first of what is listed: of a kind whose ids have a form, nobody can be asked about a made-up one."""
    if not isinstance(provider, Discoverable):
        return "not asked: an id, and an owner, that are made up have not the form of this kind"
    next(iter(provider.discover()), None)
    return f"{ANSWERS} (listed)"


def store(parts: Rotator, place: Place) -> str:
    """Ask a store which version consumers read, and whether the rotator may change it.

    Raises Rejected("not_permitted") where it may not.
    """
    version = parts.outside.store(place).current(place.name)
    answer = ANSWERS if version is not None else f"{ANSWERS}; nothing is there yet"
    may = at_store(parts, place)
    if may is None:
        return answer
    if may.refused:
        raise Rejected("not_permitted", "; ".join(may.lacking))
    return f"{answer}; {may}"


def webhook(parts: Rotator, address: ConsumerAddress) -> str:
    """Knock at a webhook's port, and say nothing: a consumer might take any request for the word to reload."""
    url = str(address.address)
    if secret_reference.is_one(url):
        url = secret_reference.read(url, parts.settings.folder).reveal()
    try:
        found = urlsplit(url)
        port = found.port or {"http": 80, "https": 443}[found.scheme]
        socket.create_connection((found.hostname or "", port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise Unavailable("consumer_unreachable", error.strerror or type(error).__name__) from None
    except (KeyError, ValueError):
        raise Unavailable("consumer_address_unreadable", address.name) from None
    return "somebody listens; it was told nothing"
