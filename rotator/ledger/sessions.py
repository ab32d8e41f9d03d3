"""Sessions of people in a browser: opened, known again, listed and ended. Opening and ending are evidence.

What is kept is the SHA-256 of the cookie, as of a token: of 256 random bits nobody guesses one from it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from rotator import clock
from rotator.credential import Secret
from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.ledger import rows, service, tables
from rotator.ledger.acts import said
from rotator.ledger.database import Database

_NOTED_EVERY_S = 60.0
"""How exactly it is kept when somebody did something last: to look must not mean to write."""
LIVE_OF_ONE = 10
"""So many sessions of one person live at once; one more ends the oldest."""
_SHOWN_S = 86400.0
"""For how long one that is over is still listed."""
_FORM = re.compile(r"([0-9a-f]{8})\.[A-Za-z0-9_-]{43}")
_table = tables.session


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in with which role, and how in words; `token` is the name of the one he showed, if he did."""

    by: str
    role: Role
    how: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as a list tells of it. Times are seconds since 1970; `idle_at` is when it ends if nothing is done."""

    id: str
    by: str
    role: Role
    how: str
    token: str
    opened_at: float
    used_at: float
    idle_at: float
    expires_at: float
    ended_at: float | None
    ended_by: str | None
    ended_reason: str | None

    @property
    def name(self) -> str:
        """Return what evidence calls it."""
        return f"session {self.id}"

    def state(self, now: float) -> str:
        """Return active, idle, expired or ended."""
        if self.ended_at is not None:
            return "ended"
        return "expired" if now >= self.expires_at else "idle" if now >= self.idle_at else "active"


class Sessions:
    """Open sessions and know them again; `idle_s` and `longest_s` say how long one lasts."""

    def __init__(
        self, database: Database, idle_s: float, longest_s: float, clock: Callable[[], float] = clock.now
    ) -> None:
        self._database, self._idle_s, self._longest_s, self._clock = database, idle_s, longest_s, clock

    def open(self, person: Person, before: str = "") -> tuple[Secret, Session]:
        """Return what the cookie of a new session holds, which is nowhere else, and it.

        What was there `before` ends, and the oldest of his where there are too many.
        """
        if (left := self.known(before)) is not None and left.ended_at is None:
            self.sign_out(left)
        now, name = self._clock(), secrets.token_hex(4)
        cookie = f"{name}.{secrets.token_urlsafe(32)}"
        told = rows.plain({"by": person.by, "role": person.role.value, "how": person.how})
        own = {"id": name, "digest": _digest(cookie), "token": person.token}
        times = {"opened_at": now, "used_at": now, "expires_at": now + self._longest_s}
        with self._database.write() as connection:
            connection.execute(delete(_table).where(_table.c.expires_at < now - _SHOWN_S))
            connection.execute(insert(_table).values(**own, **times, **told))
            service.note(connection, {"at": now, "act": "signed_in", "session": name, **told})
            self._end_the_oldest(connection, person.by, now)  # nobody else opens one between: a chain has one writer
            row = connection.execute(select(_table).where(_table.c.id == name)).mappings().one()
            return Secret(cookie), self._session(row)

    def known(self, cookie: str) -> Session | None:
        """Return the session of a cookie, whatever its state; None for none of ours."""
        found = _FORM.fullmatch(cookie)
        if found is None:
            return None
        with self._database.read() as connection:
            row = connection.execute(select(_table).where(_table.c.id == found[1])).mappings().first()
        if not hmac.compare_digest(_digest(cookie), row["digest"] if row is not None else "0" * 64) or row is None:
            return None
        return self._session(row)

    def used(self, session: Session) -> None:
        """Note that somebody did something with it now."""
        now = self._clock()
        if session.used_at < now - _NOTED_EVERY_S:
            with self._database.write() as connection:
                connection.execute(update(_table).where(_table.c.id == session.id).values(used_at=now))

    def listed(self) -> list[Session]:
        """Return those that live, and those that were over since yesterday, the newest first."""
        query = select(_table).order_by(_table.c.opened_at.desc(), _table.c.id)
        with self._database.read() as connection:
            return [self._session(row) for row in connection.execute(query).mappings()]

    def sign_out(self, session: Session) -> None:
        """End it at the wish of whose it is."""
        with self._database.write() as connection:
            self._end(connection, session.id, session.by, "signed out", "signed_out")

    def revoke(self, name: str, by: str, reason: str) -> Session:
        """End somebody's session, from the next request on; return it as it is then.

        Raises BadInput where there is none, it is over already, or no reason is given.
        """
        said(by, reason)
        with self._database.write() as connection:
            called = select(_table).where(_table.c.id == name)
            row = connection.execute(called).mappings().first()
            if row is None:
                raise BadInput("no session is called so", name, "`rotator session list` shows them")
            if (state := self._session(row).state(self._clock())) != "active":
                raise BadInput(f"it is {state} already", name, "nothing to do")
            self._end(connection, name, by, reason, "session_revoked")
            return self._session(connection.execute(called).mappings().one())

    def _end_the_oldest(self, connection: Connection, by: str, now: float) -> None:
        """Leave somebody no more than so many that live."""
        lives = (_table.c.ended_at.is_(None), _table.c.expires_at > now, _table.c.used_at > now - self._idle_s)
        newest = (_table.c.opened_at.desc(), _table.c.id)
        query = select(_table.c.id).where(_table.c.by == by, *lives).order_by(*newest).offset(LIVE_OF_ONE)
        for name in connection.execute(query).scalars().all():
            self._end(connection, name, by, f"more than {LIVE_OF_ONE} at once: the oldest ends", "session_revoked")

    def _end(self, connection: Connection, name: str, by: str, reason: str, act: str) -> None:
        now = self._clock()
        told = rows.plain({"ended_at": now, "ended_by": by, "ended_reason": reason})
        connection.execute(update(_table).where(_table.c.id == name, _table.c.ended_at.is_(None)).values(told))
        service.note(connection, {"at": now, "act": act, "by": by, "session": name, "reason": reason})

    def _session(self, row: RowMapping) -> Session:
        told = {name: value for name, value in row.items() if name not in {"role", "digest"}}
        return Session(role=Role(row["role"]), idle_at=row["used_at"] + self._idle_s, **told)


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
