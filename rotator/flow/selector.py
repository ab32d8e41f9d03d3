"""Selectors: which credentials a person means, by what they have: `provider:aws_*`, `owner:ci`, `id:AKIA…`.

Several stand with a comma between and must all fit. What stands after the first colon may have `*`, `?` and `[…]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from rotator.errors import BadInput
from rotator.flow.playbook_words import meant
from rotator.flow.scope import Scoped, Unresolved

ATTRIBUTES = ("id", "owner", "environment", "connection", "provider")
"""What a selector may name. Of two that fit one credential, the one that names an earlier of these is the closer."""
_BETWEEN = re.compile(rf",(?=(?:{'|'.join(ATTRIBUTES)}):)")
_GLOB = re.compile(r"[*?\[]")
_LISTED = 6


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector as it was written, and what it names."""

    text: str
    patterns: tuple[tuple[str, str], ...]

    def fits(self, credential: Mapping[str, str]) -> bool:
        """Tell whether all that it names fits."""
        return all(_fits(pattern, credential[name]) for name, pattern in self.patterns)

    def names(self, attribute: str) -> str:
        """Return what it names of an attribute, `*` where it names nothing of it."""
        return dict(self.patterns).get(attribute, "*")

    @property
    def closeness(self) -> tuple[int, ...]:
        """Rank it: a whole name before one with a wildcard before none, for each attribute in their order."""
        named = dict(self.patterns)
        return tuple(0 if name not in named else 1 if _GLOB.search(named[name]) else 2 for name in ATTRIBUTES)


def selector(text: str, where: str) -> Selector:
    """Read a selector. Raises BadInput for what is none."""
    patterns: dict[str, str] = {}
    for part in _BETWEEN.split(text.strip()):
        name, colon, pattern = part.partition(":")
        if not colon or not pattern or name not in ATTRIBUTES:
            close = f"did you mean `{near[0]}:{pattern}`?" if (near := get_close_matches(name, ATTRIBUTES, n=1)) else ""
            ways = f"write {', '.join(f'{each}:…' for each in ATTRIBUTES)}, a comma between several"
            raise BadInput(f"`{part}` is no selector", where, close if close and pattern else ways)
        if name in patterns:
            raise BadInput(f"`{text}` names {name} twice", where, "give it once, or two selectors")
        patterns[name] = pattern
    return Selector(text.strip(), tuple(patterns.items()))


def attributes(credential: Scoped | Unresolved) -> dict[str, str]:
    """Return what selectors compare; of what nobody could name only its kind and its key are known."""
    if isinstance(credential, Unresolved):
        return dict.fromkeys(ATTRIBUTES, "") | {"id": credential.key, "provider": credential.kind or ""}
    return {
        "id": credential.ref.id,
        "owner": credential.ref.owner,
        "environment": credential.custody.environment or "",
        "connection": credential.ref.connection,
        "provider": credential.kind,
    }


def fits_nothing(each: Selector, credentials: Sequence[Mapping[str, str]], where: str) -> BadInput:
    """Return the one line that says what would fit instead."""
    for name, pattern in each.patterns:
        if not any(_fits(pattern, known[name]) for known in credentials):
            there = sorted({known[name] for known in credentials if known[name]})
            what = f"`{each.text}` fits nothing: no credential here has the {name} `{pattern}`"
            return BadInput(what, where, _meant(pattern, there) if there else f"none of them has any {name}")
    return BadInput(f"`{each.text}` fits nothing: each part fits some, none fits them all", where, "leave a part out")


def _meant(pattern: str, known: Sequence[str]) -> str:
    if len(known) <= _LISTED or get_close_matches(pattern, known, n=1):
        return meant(pattern, known)
    return f"one of {', '.join(known[:_LISTED])} and {len(known) - _LISTED:,} more"


def _fits(pattern: str, value: str) -> bool:
    return pattern == value or fnmatchcase(value, pattern)


def which(selectors: Iterable[Selector], credential: Mapping[str, str]) -> list[Selector]:
    """Return those that fit and that none is closer than: more than one where they are as close as each other."""
    found = [each for each in selectors if each.fits(credential)]
    closest = max((each.closeness for each in found), default=())
    return [each for each in found if each.closeness == closest]
