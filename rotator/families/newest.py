"""Stores that number their values, give consumers the newest one, and have no compare-and-set: one way for all of them.

A new document waits beside its name, and promotion adds it to the name. Workers of rotator keep out of each other's way
by a claim that only one can make; then each looks again before it adds. Another hand does not know the claim: when the
number shows that one wrote in between, what that hand wrote is added again, so that it stays the newest. For that
moment consumers may have read the new document, which is known to work.

A place that held nothing gets EMPTY where an undo must give it nothing back: a name and its numbers never go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain

EMPTY = "{}"
STALE_S = 3600.0
"""A claim that is older was left by a promotion that nobody repeats. Clocks may differ by a quarter of that."""
_STAGED = "staged-"


@dataclass(frozen=True, slots=True)
class Value:
    """A numbered value; `text` is None where nobody can read it any more."""

    number: int
    text: Secret | None


@dataclass(frozen=True, slots=True)
class Note:
    """A word beside a name, that is no secret; `made_at` is in seconds since 1970."""

    text: str
    made_at: float


class Shelf(Protocol):
    """The calls of one method, under its deadline. Each raises the three errors."""

    def beside(self, name: str, what: str) -> str:
        """Return the name of what stands beside a name."""
        ...

    def newest(self, name: str) -> Value | None: ...

    def at(self, name: str, number: int) -> Secret | None: ...

    def add(self, name: str, text: Secret, like: str) -> int:
        """Add a value, kept as the values of `like` are where the name is new; return its number."""
        ...

    def note(self, name: str) -> Note | None: ...

    def write_new(self, name: str, text: str) -> bool:
        """Write a note; False where there is one already."""
        ...

    def write(self, name: str, text: str) -> None: ...

    def remove(self, name: str) -> None:
        """Take a name away with all that it holds; absent counts as done."""
        ...


class NewestIsRead:
    """The store. `shelf` begins the calls of one method."""

    def __init__(self, shelf: Callable[[], Shelf]) -> None:
        self._shelf = shelf

    def current(self, name: str) -> str | None:
        return _version(self._shelf().newest(name))

    def staged(self, name: str, token: str) -> str | None:
        shelf, version = self._shelf(), _STAGED + hashlib.sha256(token.encode()).hexdigest()[:32]
        if shelf.newest(shelf.beside(name, version)) is not None or _became(shelf, name, version) is not None:
            return version
        return None

    def stage(self, name: str, document: Secret, token: str) -> str:
        """Keep the document beside the name, unless this token has done so."""
        shelf, version = self._shelf(), _STAGED + hashlib.sha256(token.encode()).hexdigest()[:32]
        waiting = shelf.beside(name, version)
        if shelf.newest(waiting) is None and _became(shelf, name, version) is None:
            shelf.add(waiting, document, name)
        return version

    def read(self, name: str, version: str) -> Secret:
        """Return the document of a version; of a staged one that was promoted, what it became."""
        shelf = self._shelf()
        if version.startswith(_STAGED):
            waiting = shelf.newest(shelf.beside(name, version))
            if waiting is not None and waiting.text is not None:
                return waiting.text
            version = str(_became(shelf, name, version))
        text = shelf.at(name, int(version)) if version.isdigit() else None
        if text is None:
            raise Rejected("not_found", f"{name} has no readable version {version}")
        return text

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Add the waiting document to the name if `expected` is still the newest there; then take the waiting away.

        Raises Unavailable("being_promoted") while another worker is at it, Uncertain once it may be done.
        """
        shelf = self._shelf()
        waiting, now = shelf.newest(shelf.beside(name, version)), shelf.newest(name)
        number = None if now is None else now.number
        if waiting is None:
            if number is None or number != _became(shelf, name, version):
                raise Rejected("store_changed", f"{name} is at {number}, and {version} waits there no more")
            shelf.remove(shelf.beside(name, f"after-{number - 1}"))
            return str(number)
        if waiting.text is None:
            raise Rejected("not_found", f"{version} of {name} cannot be read")
        if now is None or now.text != waiting.text:  # else a crash came after it was added
            number = _replace(shelf, name, version, expected, waiting.text)
        try:
            # The note comes first: without it, nothing would lead from what waited to the version that it became.
            shelf.write(shelf.beside(name, "promoted"), f"{version}_{number}")
            shelf.remove(shelf.beside(name, version))
            shelf.remove(shelf.beside(name, f"after-{(number or 1) - 1}"))
        except RotatorError as error:
            raise Uncertain("staged_copy_remains", f"{name} is promoted; {error.reason}") from None
        return str(number)

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Add the previous document again, or EMPTY where there was none."""
        shelf = self._shelf()
        if _version(shelf.newest(name)) != version:
            return
        text = Secret(EMPTY) if previous is None else shelf.at(name, int(previous)) if previous.isdigit() else None
        if text is None:
            raise Rejected("not_found", f"{name} no longer keeps version {previous}")
        number = _replace(shelf, name, f"undo-of-{version}", version, text)
        shelf.remove(shelf.beside(name, f"after-{number - 1}"))


def _replace(shelf: Shelf, name: str, claimant: str, expected: str | None, text: Secret) -> int:
    """Add the text on top of what was expected, alone among workers; return its number. The claim stays."""
    now = shelf.newest(name)
    _expect(name, now, expected)
    above = 0 if now is None else now.number
    claim = shelf.beside(name, f"after-{above}")
    _claim(shelf, claim, claimant)
    try:
        _expect(name, shelf.newest(name), expected)
        number = shelf.add(name, text, name)
        if number != above + 1:
            _give_back(shelf, name, number - 1)
    except (Rejected, Unavailable):
        shelf.remove(claim)
        raise
    return number


def _give_back(shelf: Shelf, name: str, number: int) -> NoReturn:
    theirs = shelf.at(name, number)
    if theirs is not None:
        shelf.add(name, theirs, name)
    raise Rejected("store_changed", f"another hand wrote {name} at the same moment, and has its value back")


def _claim(shelf: Shelf, claim: str, claimant: str) -> None:
    if shelf.write_new(claim, claimant):
        return
    found = shelf.note(claim)
    if found is not None and found.text == claimant:
        return  # our own, from before a crash
    if found is not None and clock.now() - found.made_at > STALE_S:
        shelf.remove(claim)
    raise Unavailable("being_promoted", "another worker is at it", 1.0)


def _expect(name: str, now: Value | None, expected: str | None) -> None:
    if _version(now) != expected:
        raise Rejected("store_changed", f"{name} is at {_version(now)}, not at {expected}")


def _version(now: Value | None) -> str | None:
    """Return what consumers read, None for nothing that they could use."""
    return None if now is None or now.text is None or now.text == Secret(EMPTY) else str(now.number)


def _became(shelf: Shelf, name: str, version: str) -> int | None:
    """Return the number that the last promotion gave to that version, None where it was another's."""
    found = shelf.note(shelf.beside(name, "promoted"))
    promoted, _, number = (found.text if found else "").rpartition("_")
    return int(number) if promoted == version and number.isdigit() else None
