"""Choices: the strategy of each credential, why, and which of them no machine can answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.flow.order import Elsewhere, stopped_rather, warnings_of
from rotator.flow.playbook_words import MINTING, Strategy
from rotator.flow.scope import Scoped, Unresolved

if TYPE_CHECKING:
    # Who reads or works the ledger needs no playbook, and does not wait for one's model to be built.
    from rotator.flow.playbook import Playbook

NOTHING_ASKED: Mapping[CredentialRef, tuple[Strategy, str]] = {}
NOTHING_KEPT: Mapping[CredentialRef, str] = {}


class Choice:
    """The strategy of each credential, and why."""

    def __init__(
        self,
        playbooks: Mapping[str, Playbook],
        wanted: Strategy | None,
        answered: Mapping[CredentialRef, str],
        targets: Mapping[CredentialRef, tuple[str, ...]],
        asked: Mapping[CredentialRef, tuple[Strategy, str]] = NOTHING_ASKED,
        *,
        unreplaced: Mapping[CredentialRef, str] = NOTHING_KEPT,
    ) -> None:
        self._playbooks, self._wanted, self._answered, self._targets = playbooks, wanted, answered, targets
        self._asked, self._unreplaced = asked, unreplaced
        self._paths: dict[tuple[str, Strategy], tuple[bool, bool]] = {}
        self.made: dict[CredentialRef, tuple[Strategy, str]] = {}

    def sort_out(self, scoped: Iterable[Scoped]) -> tuple[list[Scoped], list[Unresolved]]:
        """Choose for each; return those that can be answered, the rotator's own first, and those that cannot."""
        known, manual = [], []
        for each in sorted(scoped, key=lambda one: (one.lifeline is None, *by_name(one.ref))):
            self.made[each.ref] = self._own(each) if each.lifeline else self._of(each)
            if (left := self._unanswerable(each)) is None:
                known.append(each)
            else:
                manual.append(left)
        return known, manual

    def mints(self, each: Scoped) -> bool:
        """Tell whether its strategy makes a replacement."""
        return self._path(each)[0]

    def _path(self, each: Scoped) -> tuple[bool, bool]:
        """Tell whether its path makes a replacement, and whether a part of it is done at each target."""
        key = (each.kind, self.made[each.ref][0])
        if key not in self._paths:
            path = self._playbooks[each.kind].path(key[1])
            self._paths[key] = any(line.do.verb in MINTING for line in path), any(line.each for line in path)
        return self._paths[key]

    def _of(self, each: Scoped) -> tuple[Strategy, str]:
        playbook = self._playbooks[each.kind]
        strategy, why, instead_of = playbook.strategies[0], "the playbook's first choice", ""
        if each.ref in self._asked:
            strategy, by = self._asked[each.ref]
            why, instead_of = f"asked for by `{by}`", f", so not {strategy} as `{by}` asks"
        elif self._wanted in playbook.strategies:
            strategy, why = self._wanted, "asked for"
        elif self._wanted is not None:
            why = f"{playbook.playbook} has no {self._wanted}"
        self.made[each.ref] = strategy, why
        if not self.mints(each):
            return strategy, why
        if each.ref in self._unreplaced:
            return Strategy.REVOKE_ONLY, f"{self._unreplaced[each.ref]}{instead_of}"
        if not each.custody.deliver:
            return Strategy.REVOKE_ONLY, f"no [[credentials]] entry says where a replacement would go{instead_of}"
        if each.ref in self._answered:
            return Strategy.REVOKE_ONLY, f"its replacement comes with {self._answered[each.ref]}{instead_of}"
        return strategy, why

    def _own(self, each: Scoped) -> tuple[Strategy, str]:
        """Choose what replaces the rotator's own credential: nothing else would give it its hand back."""
        allowed = self._playbooks[each.kind].strategies
        replacing = [found for found in allowed if _mints(self._playbooks[each.kind], found)]
        wanted, by = self._asked.get(each.ref, (self._wanted, ""))
        strategy = wanted if wanted in replacing else next(iter(replacing), allowed[0])
        on = ", ".join(each.lifeline.cuts if each.lifeline else ())
        told = f" ({strategy if wanted == strategy else f'{wanted} would not replace it'}: `{by}`)" if by else ""
        return strategy, f"what the rotator itself uses on {on}: first of all, and through {each.ref.connection}{told}"

    def _unanswerable(self, each: Scoped) -> Unresolved | None:
        if self._path(each)[1] and not self._targets.get(each.ref):
            return _manual(
                each,
                f"no target of {each.ref.connection} is known to accept it: nothing would be done",
                "add the hosts that it opens to the connection, then declare again",
            )
        if each.lifeline is None:
            return None
        if each.ref in self._unreplaced:
            return _manual(
                each,
                f"this is what the rotator itself uses, and {self._unreplaced[each.ref]}",
                "give the connection another credential, then revoke this one by hand",
            )
        if each.ref in self._answered:
            return _manual(
                each,
                f"this is what the rotator itself uses, and its replacement comes with {self._answered[each.ref]}",
                "wait until that is delivered, then declare again",
            )
        if not (self.mints(each) and each.custody.deliver):
            return _manual(
                each,
                "this is what the rotator itself uses, and nothing would replace it",
                "say where its replacement goes in [[credentials]], or give the connection another credential",
            )
        return None

    def contain_rather(
        self, known: Sequence[Scoped], through: Mapping[CredentialRef, frozenset[str]], elsewhere: Elsewhere
    ) -> list[str]:
        """Let nobody live until it is replaced who is known to read a new secret; warn of those that may."""
        first = [each for each in known if self.made[each.ref][0] is Strategy.REPLACE_FIRST]
        readers = stopped_rather(first, through, elsewhere)
        for each in first:
            if each.ref in readers and Strategy.CONTAIN_FIRST in self._playbooks[each.kind].strategies:
                by = f", though `{self._asked[each.ref][1]}` asks for it" if each.ref in self._asked else ""
                why = f"replace_first would show a thief new secrets on {readers[each.ref]}{by}"
                self.made[each.ref] = Strategy.CONTAIN_FIRST, why
        return warnings_of((each for each in first if self.made[each.ref][0] is Strategy.REPLACE_FIRST), through)


def by_name(ref: CredentialRef) -> tuple[str, str, str, str, int]:
    """Return what puts credentials in order, as their own comparison does at many times the cost."""
    return ref.provider, ref.connection, ref.owner, ref.id, ref.generation


def _manual(each: Scoped, reason: str, mend: str) -> Unresolved:
    return Unresolved(each.kind, each.ref.id, each.exposures, reason, mend, reaches=each.reaches)


def _mints(playbook: Playbook, strategy: Strategy) -> bool:
    return any(line.do.verb in MINTING for line in playbook.path(strategy))
