"""Who comes in: with a token, or by a provider's word and what the rule says of whom it names."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from rotator.api.callers import Callers
from rotator.api.knocks import Knocks
from rotator.api.origins import derived, is_same
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.ledger.calls import Call
from rotator.ledger.sessions import Person
from rotator.settings.file import ruled
from rotator.settings.sign_in import OidcSettings

HOME = "/incidents"
_OUR_PATH = re.compile(r"/(?![/\\])[!-~]{0,2000}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
"""What may name somebody: nothing that reads like a token's or a session's own name, or like two words."""
_REFUSED_A_MINUTE = 1
_RANK = list(Role)


def own_path(wanted: str) -> str:
    """Return where somebody wanted to go, if that is a place of ours, else where everybody begins."""
    is_ours = _OUR_PATH.fullmatch(wanted) and "\\" not in wanted and not wanted.startswith(("/sign-", "/api/"))
    return wanted if is_ours else HOME


def state_for(kept: str, wanted: str) -> tuple[str, str]:
    """Return the name of a new attempt, and the state with which the provider sends its answer back."""
    attempt = secrets.token_urlsafe(16)
    there = base64.urlsafe_b64encode(own_path(wanted).encode()).decode()
    return attempt, f"{attempt}.{there}.{derived(kept, f'state {attempt} {there}')}"


def read_state(kept: str, state: str) -> tuple[str, str]:
    """Return the attempt of a state, and where it leads. Raises Problem for one that this browser did not begin."""
    attempt, _, rest = state.partition(".")
    there, _, word = rest.partition(".")
    if not kept or not is_same(word, derived(kept, f"state {attempt} {there}")):
        raise Problem(403, "other_sign_in", "this browser did not begin that sign-in: begin again")
    try:
        return attempt, own_path(base64.urlsafe_b64decode(there).decode())
    except (binascii.Error, ValueError):
        raise Problem(403, "other_sign_in", "this browser did not begin that sign-in: begin again") from None


class Entering:
    """Decide who comes in, and as whom."""

    def __init__(self, parts: Rotator, callers: Callers) -> None:
        self._parts, self._callers, self._refused = parts, callers, Knocks(_REFUSED_A_MINUTE)

    def with_token(self, request: Request, text: str) -> Person:
        """Return who shows this token. Raises Problem where it opens nothing."""
        token = self._callers.token(request, text)
        caller = self._callers.by_token(token)
        return Person(caller.by, caller.role, f"token {token.name}", token.name)

    def by_word(self, claims: Mapping[str, Any]) -> Person:
        """Return whom the provider named. Raises Problem where nobody is meant who may come in."""
        oidc = self._parts.settings.sign_in.oidc
        assert oidc is not None  # noqa: S101 - else there is no provider
        login = claims.get(oidc.login_claim)
        if not isinstance(login, str) or _LOGIN.fullmatch(login) is None:
            raise Problem(403, "no_login", f"the provider says no login in `{oidc.login_claim}`")
        if oidc.login_claim == "email" and claims.get("email_verified") is not True:
            raise Problem(403, "no_login", "the provider has not verified this address")
        policy = ruled(self._parts.settings).policy
        named = policy.people.get(login) if policy is not None else None
        role = named.role if named is not None else _of_groups(oidc, claims) if policy is None else None
        if role is None:
            if self._refused.in_vain(login) is None:
                self._parts.calls.refused(Call("sign-in", login, "sign_in", ""), "no_role")
            where = "[[people]]" if policy is not None else "`roles` of [sign_in.oidc]"
            raise Problem(403, "no_role", f"{login} is known, and may do nothing here: {where} does not name you")
        return Person(login, role, f"{claims['sub']} at {oidc.issuer}")


def _of_groups(oidc: OidcSettings, claims: Mapping[str, Any]) -> Role | None:
    """Return the highest role of somebody's groups."""
    given = claims.get(oidc.groups_claim)
    groups = given if isinstance(given, list) else [given]
    found = [oidc.roles[each] for each in groups if isinstance(each, str) and each in oidc.roles]
    return max(found, key=_RANK.index, default=None)
