"""Say whether the rotator may do what a kind's playbook asks of its issuer, and a place of its store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any

from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_words import UNDO, Verb
from rotator.permissions import LOOK, Permission, Permitted
from rotator.ports.store import Place

_AT_ISSUER = (
    Verb.SUSPEND,
    Verb.RESUME,
    Verb.END_SESSIONS,
    Verb.ISSUE,
    Verb.INSTALL,
    Verb.UNINSTALL,
    Verb.REVOKE,
)
"""What changes something at an issuer. To preserve is to look; a knock is let in by what knocks."""
NOT_ASKED = "what the rotator may do there cannot be asked without trying it"
_WORDS = {"granted": "may", "refused": "may NOT", "unknown": "cannot be told:"}
DELIVERY = (str(Verb.PROMOTE), str(Verb.DEMOTE))
"""What is needed of a store."""


def needed(playbook: Playbook) -> tuple[str, ...]:
    """Return what the rotator itself needs of the issuer for this playbook: LOOK and the verbs, undone ones too."""
    verbs = {line.do.verb for line in playbook.steps if line.by_hand is None}
    verbs |= {UNDO[verb] for verb in verbs if verb in UNDO}
    return LOOK, *(str(verb) for verb in _AT_ISSUER if verb in verbs)


@dataclass(frozen=True, slots=True)
class May:
    """What the rotator may do, may not do and what nobody can tell, of what is needed."""

    verbs: tuple[str, ...]
    told: tuple[Permission, ...]

    @property
    def refused(self) -> tuple[Permission, ...]:
        """Return what is needed and not granted."""
        return tuple(each for each in self._needed if each.granted is False)

    @property
    def data(self) -> list[dict[str, Any]]:
        """Return it as plain data; `needed` tells whether a playbook asks for it."""
        return [{**asdict(each), "verbs": list(each.verbs), "needed": each in self._needed} for each in self.told]

    @property
    def states(self) -> dict[str, str]:
        """Return of each verb that is needed whether it is granted, refused, or unknown."""
        return {verb: self._state(verb) for verb in self.verbs}

    @property
    def _needed(self) -> tuple[Permission, ...]:
        return tuple(each for each in self.told if set(each.verbs) & set(self.verbs))

    @property
    def sees(self) -> bool:
        """Tell whether the other side says that the rotator may look."""
        return self._all_granted(LOOK)

    @property
    def tells(self) -> bool:
        """Tell whether the other side said yes or no to anything that is needed."""
        return any(each.granted is not None for each in self._needed)

    @property
    def lacking(self) -> list[str]:
        """Return a line for each thing that is refused."""
        return [f"NOT {self._verbs(each)}: {_why(each)}" for each in self.refused]

    @property
    def untold(self) -> list[str]:
        """Return a line for each thing of which nobody can tell."""
        return [f"?   {self._verbs(each)}: {_why(each)}" for each in self._needed if each.granted is None]

    def __str__(self) -> str:
        """Say it in a line, verb by verb."""
        states = self.states
        said = {words: [verb for verb, each in states.items() if each == state] for state, words in _WORDS.items()}
        return "; ".join(f"{words} {', '.join(verbs)}" for words, verbs in said.items() if verbs)

    def _verbs(self, permission: Permission) -> str:
        return ", ".join(verb for verb in self.verbs if verb in permission.verbs)

    def _state(self, verb: str) -> str:
        if any(verb in each.verbs for each in self.refused):
            return "refused"
        return "granted" if self._all_granted(verb) else "unknown"

    def _all_granted(self, verb: str) -> bool:
        asked = [each.granted for each in self.told if verb in each.verbs]
        return bool(asked) and all(asked)


Permissions = Callable[[], May | None]
"""The question what the rotator may do; None where that cannot be asked."""


def permissions(parts: Rotator, kind: str, connection: str, owner: str | None = None) -> Permissions:
    """Return the question what the rotator may do; it is sent once, and who asks it again is told the same."""
    lock, told = threading.Lock(), Future[May | None]()

    def ask() -> May | None:
        with lock:
            if not told.done():
                try:
                    told.set_result(at_issuer(parts, kind, connection, owner))
                except RotatorError as error:
                    told.set_exception(error)
        return told.result()

    return ask


def at_issuer(parts: Rotator, kind: str, connection: str, owner: str | None) -> May | None:
    """Ask an issuer what the rotator may do to a kind, of one owner or of all; None where that cannot be asked.

    Without an owner, those are asked about whom the configuration names: a rotator may rightly be confined to them.
    """
    provider = parts.outside.provider_of(kind, connection)
    if not isinstance(provider, Permitted):
        return None
    told = [each for whose in _owners(parts, kind, connection, owner) for each in provider.permissions(whose)]
    return May(needed(parts.playbooks[kind]), tuple(dict.fromkeys(told)))


def _owners(parts: Rotator, kind: str, connection: str, owner: str | None) -> list[str | None]:
    if owner is not None:
        return [owner]
    matches = [each.match for each in parts.settings.credentials]
    meant = [
        each.owner for each in matches if each.owner and each.provider == kind and each.connection in {None, connection}
    ]
    return [*dict.fromkeys(meant)] or [None]


def at_store(parts: Rotator, place: Place) -> May | None:
    """Ask a store what the rotator may do to a name in it; None where that cannot be asked."""
    store = parts.outside.store(place)
    return May((LOOK, *DELIVERY), tuple(store.permissions(place.name))) if isinstance(store, Permitted) else None


def _why(permission: Permission) -> str:
    return f"{permission.needs} ({permission.why})" if permission.why else permission.needs
