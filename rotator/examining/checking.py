"""What `rotator provider check` finds: of each kind on each connection, whether it answers and what it permits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rotator.bootstrap import Rotator
from rotator.errors import BadInput, Rejected
from rotator.examining.permitted import NOT_ASKED, May, Permissions, permissions
from rotator.examining.reaching import Asked, Reached, issuer, reach
from rotator.flow.playbook_words import meant
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.shown.kinds import served

_REFUSALS = frozenset({"access_denied", "permission_denied"})
"""How the other side says that one may not look."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One kind on one connection: whether it answers, and what was said of permissions."""

    kind: str
    connection: str
    limit: str | None
    reached: Reached
    permitted: Reached

    @property
    def may(self) -> May | None:
        """Return what the rotator may do, where that could be asked."""
        return self.permitted.may

    @property
    def well(self) -> bool:
        """Tell whether it answers, and refuses nothing that is needed."""
        return self.reached.well and self.permitted.well and not (self.may and self.may.refused)

    @property
    def data(self) -> dict[str, Any]:
        """Return it as plain data.

        `trouble` is the reason of what failed, `may` says granted, refused or unknown of each verb that is needed, and
        `permissions` on what that rests; these are None where there is none, and where they could not be asked.
        """
        troubles = [each.error.reason if each.error else each.answer for each in self._asked if not each.well]
        return {
            "kind": self.kind,
            "connection": self.connection,
            "well": self.well,
            "answer": self.reached.answer,
            "trouble": troubles[0] if troubles else None,
            "may": None if self.may is None else self.may.states,
            "permissions": None if self.may is None else self.may.data,
            "limit": self.limit,
        }

    @property
    def _asked(self) -> tuple[Reached, Reached]:
        return self.reached, self.permitted

    @property
    def _besides(self) -> May | None:
        """Return what was told besides the answer: if that is a refusal, it has told that the rotator may not look."""
        error = self.reached.error
        if self.may is None or error is None or error.reason not in _REFUSALS:
            return self.may
        return replace(self.may, verbs=tuple(verb for verb in self.may.verbs if verb != LOOK))

    def lines(self, *, whole: bool) -> list[str]:
        """Say it in a line, and what is refused in one each; `whole`: also each thing of which nobody can tell."""
        told = self._besides
        answer = self.permitted.answer if told is None else str(told)
        said = [self.reached.answer]
        if answer not in {"", self.reached.answer}:  # the same trouble is said once
            said.append(answer)
        said += [self.limit] if self.limit else []
        line = f"{'ok ' if self.well else 'BAD'} {self.kind} on {self.connection}: {'; '.join(said)}"
        may = [] if told is None else [*told.lacking, *(told.untold if whole else ())]
        return [line, *(f"    {each}" for each in may)]


def checked(parts: Rotator, connection: str | None, kind: str | None, owner: str | None) -> list[Checked]:
    """Ask all at once. Raises BadInput for a connection or kind that is not there, or an owner without a kind."""
    if owner is not None and (not owner or kind is None):
        raise BadInput("kinds name their owners differently", f"--owner {owner}", "say --kind as well")
    pairs = _pairs(parts, connection, kind)
    asks = [permissions(parts, name, each.name, owner) for name, each in pairs]
    asked = [
        Asked(each.name, partial(issuer, parts, name, each, owner, ask))
        for (name, each), ask in zip(pairs, asks, strict=True)
    ]
    asked += [Asked(each.name, partial(_permitted, ask, owner)) for (_, each), ask in zip(pairs, asks, strict=True)]
    answers = list(reach(asked))
    return [
        Checked(name, each.name, _limit(parts, each), answer, permission)
        for (name, each), answer, permission in zip(pairs, answers, answers[len(pairs) :], strict=False)
    ]


def counted(found: Collection[Checked]) -> list[str]:
    """Say how many are well, of how many permissions were told, which are not well, and what can be done."""
    bad = [f"{each.kind} on {each.connection}" for each in found if not each.well]
    told = sum(each.may is not None and each.may.tells for each in found)
    lines = [f"{len(found)} asked about, {len(bad)} not well; of {told} it is told what the rotator may do"]
    if bad:
        lines.append(f"not well: {', '.join(bad)}")
        lines.append("grant what is lacking, or name in a connection's `kinds` what it is for")
    if any(each.may is not None and each.may.untold for each in found) and len({each.kind for each in found}) > 1:
        lines.append(
            "of some it cannot be told: --kind shows why; --owner, or `match.owner` in rotator.toml, asks for one"
        )
    return [*lines, "conditions, locks and quotas show only when a call is made"]


def _pairs(parts: Rotator, connection: str | None, kind: str | None) -> list[tuple[str, Connection]]:
    known = {each.name: each for each in parts.connections}
    if not known:
        raise BadInput("there is no connection to check", "provider check", "add [[connections]] to rotator.toml")
    if connection is not None and connection not in known:
        raise BadInput("no connection is called so", connection, meant(connection, known))
    if kind is not None and kind not in parts.playbooks:
        raise BadInput("no kind is called so", kind, meant(kind, parts.playbooks))
    chosen = list(known.values()) if connection is None else [known[connection]]
    found = [(name, each) for each in chosen for name in served(parts, each)]
    pairs = [(name, each) for name, each in found if kind in {None, name}]
    if not pairs and (kind or connection):
        mend = "`rotator provider list` says who serves what, `rotator doctor` asks stores and consumers"
        what = f"{connection} does not serve this kind" if connection else "no connection serves this kind"
        raise BadInput(what if kind else "this connection serves no kind", kind or str(connection), mend)
    return pairs


def _permitted(ask: Permissions, owner: str | None) -> May | str:
    try:
        return ask() or NOT_ASKED
    except Rejected as refusal:
        if owner is None or refusal.reason != "not_found":
            raise
        raise Rejected("not_found", f"{refusal.detail}; is {owner} the owner's name?") from None


def _limit(parts: Rotator, connection: Connection) -> str | None:
    limit = parts.limits.get(parts.account_of(connection.name))
    return None if limit is None else str(limit)
