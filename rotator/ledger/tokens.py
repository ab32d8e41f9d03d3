"""API tokens in the ledger: made, listed, taken back, and known again when one is shown. Each but the last is evidence.

What is kept is a token's SHA-256: of 256 random bits nobody guesses one from it, so no slow hash is needed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, select, update

from rotator import api_token, clock
from rotator.actor import OF_PROGRAM
from rotator.api_token import ApiToken
from rotator.credential import Secret
from rotator.errors import BadInput
from rotator.flow.approval import Policy, Role
from rotator.flow.playbook_words import meant
from rotator.flow.roles import refuse_creation
from rotator.ledger import rows, service, tables
from rotator.ledger.acts import said
from rotator.ledger.database import Database

_NOTED_EVERY_S = 3600.0
"""How exactly it is kept when a token was used last: to call must not mean to write."""
NAME = r"^[A-Za-z0-9_.-]{1,64}$"
"""What a token may be called: one word, so that evidence never takes it for a session."""
LONGEST_S = 366 * 86400
_table = tables.token


@dataclass(frozen=True, slots=True)
class Token:
    """A token as a list tells of it. Times are seconds since 1970; `person` is "" for a program's own."""

    name: str
    lookup: str
    role: Role
    person: str
    created_at: float
    created_by: str
    expires_at: float
    used_at: float | None
    revoked_at: float | None
    revoked_by: str | None
    revoked_reason: str | None

    @property
    def by(self) -> str:
        """Return in whose name it acts."""
        return self.person or f"{OF_PROGRAM}{self.name}"

    def state(self, now: float) -> str:
        """Return active, expired or revoked."""
        return "revoked" if self.revoked_at is not None else "expired" if now >= self.expires_at else "active"


class Tokens:
    """Make tokens and know them again; `policy` is the rule that says who may be what."""

    def __init__(
        self, database: Database, policy: Policy | None = None, clock: Callable[[], float] = clock.now
    ) -> None:
        self._database, self._policy, self._clock = database, policy, clock

    def create(
        self, name: str, role: Role, person: str, lasts_s: float, by: str, *, maker: Role | None = None
    ) -> tuple[Secret, Token]:
        """Return a new token, which is nowhere else, and what is kept of it; `maker` is the role of `by`, if known.

        Raises BadInput for a name that was used before, NotAllowed for who may not make it.
        """
        refuse_creation(self._policy, by, role, person, maker)
        secret, now = api_token.minted(), self._clock()
        kept = api_token.read(secret.reveal())
        assert kept is not None  # noqa: S101 - it is of our own making
        told = rows.plain({"name": name, "role": role.value, "person": person, "expires_at": now + lasts_s})
        with self._database.write() as connection:
            if connection.execute(select(_table.c.name).where(_table.c.name == told["name"])).first() is not None:
                raise BadInput("a token was called so before", name, "choose another name: evidence names them")
            own = {"lookup": kept.lookup, "digest": kept.digest, "created_at": now, "created_by": rows.plain(by)}
            connection.execute(insert(_table).values(**told, **own))
            service.note(connection, {"at": now, "act": "token_created", "by": by, "lookup": kept.lookup, **told})
            row = connection.execute(select(_table).where(_table.c.lookup == kept.lookup)).mappings().one()
            return secret, _token(row)

    def listed(self) -> list[Token]:
        """Return every token that ever was, the newest first."""
        query = select(_table).order_by(_table.c.created_at.desc(), _table.c.name)
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def called(self, name: str) -> Token | None:
        """Return the token of that name, whatever its state."""
        with self._database.read() as connection:
            row = connection.execute(select(_table).where(_table.c.name == name)).mappings().first()
        return _token(row) if row is not None else None

    def revoke(self, name: str, by: str, reason: str) -> Token:
        """Let a token open nothing any more, from the next request on; return it as it was.

        One that is revoked already stays as it is, so that a lost answer can be asked for again: its row says by whom.
        Raises BadInput where none is called so, or no reason is given.
        """
        said(by, reason)
        with self._database.write() as connection:
            found = connection.execute(select(_table).where(_table.c.name == name)).mappings().first()
            if found is None:
                known = connection.execute(select(_table.c.name).order_by(_table.c.name)).scalars()
                raise BadInput("no token is called so", name, meant(name, known))
            if found["revoked_at"] is not None:
                return _token(found)
            now = self._clock()
            told = rows.plain({"revoked_at": now, "revoked_by": by, "revoked_reason": reason})
            connection.execute(update(_table).where(_table.c.name == name).values(told))
            service.note(connection, {"at": now, "act": "token_revoked", "by": by, "name": name, "reason": reason})
            return _token(found)

    def known(self, given: ApiToken) -> Token | None:
        """Return the token that was shown, whatever its state; None for none of ours. Takes as long for either."""
        now, token = self._clock(), self.named(given)
        if token is not None and token.state(now) == "active" and (token.used_at or 0.0) < now - _NOTED_EVERY_S:
            with self._database.write() as connection:
                connection.execute(update(_table).where(_table.c.lookup == given.lookup).values(used_at=now))
        return token

    def named(self, given: ApiToken) -> Token | None:
        """Return the token that this is, as a report names it: nobody uses it by that. As `known` else."""
        with self._database.read() as connection:
            found = connection.execute(select(_table).where(_table.c.lookup == given.lookup)).mappings().first()
        if not hmac.compare_digest(given.digest, found["digest"] if found is not None else "0" * 64) or found is None:
            return None
        return _token(found)


def _token(row: RowMapping) -> Token:
    told = {name: value for name, value in row.items() if name not in {"role", "digest"}}
    return Token(role=Role(row["role"]), **told)
