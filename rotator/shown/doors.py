"""Who may call and who is signed in, as the command line and the API show it: never what opens anything."""

from __future__ import annotations

from typing import Any

from rotator import clock
from rotator.api_token import PREFIX
from rotator.bootstrap import Rotator
from rotator.ledger.sessions import Session
from rotator.ledger.tokens import Token
from rotator.report.clocks import moment


def tokens(parts: Rotator) -> list[dict[str, Any]]:
    """Return every token that ever was, the newest first."""
    return [token(each) for each in parts.tokens.listed()]


def token(each: Token) -> dict[str, Any]:
    """Return one token, as it stands now."""
    return {
        "name": each.name,
        "begins": PREFIX + each.lookup,
        "role": each.role.value,
        "person": each.person,
        "state": each.state(clock.now()),
        "created_at": moment(each.created_at),
        "created_by": each.created_by,
        "expires_at": moment(each.expires_at),
        "used_at": moment(each.used_at),
        "revoked_at": moment(each.revoked_at),
        "revoked_by": each.revoked_by,
        "revoked_reason": each.revoked_reason,
    }


def sessions(parts: Rotator) -> list[dict[str, Any]]:
    """Return the sessions that live and those that were over since yesterday, the newest first."""
    return [session(each) for each in parts.sessions.listed()]


def session(each: Session) -> dict[str, Any]:
    """Return one session, as it stands now."""
    return {
        "id": each.id,
        "by": each.by,
        "how": each.how,
        "state": each.state(clock.now()),
        "opened_at": moment(each.opened_at),
        "used_at": moment(each.used_at),
        "expires_at": moment(min(each.expires_at, each.idle_at)),
        "ended_at": moment(each.ended_at),
        "ended_by": each.ended_by,
        "ended_reason": each.ended_reason,
    }
