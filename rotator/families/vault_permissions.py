"""What the rotator's own token may do on a Vault server, as that reads the token's policies: `sys/capabilities-self`.

The policy `default` lets every token ask it, and nothing is changed or tried. It answers for a path as it stands and
knows no patterns: one that is asked about with `+` in it is a path of that name. So where no owner is given, those are
asked about that are there now. What a policy's rule adds to a path (`allowed_parameters`, a wrapping time, a control
group), and a quota or a lock, is looked at only in the call itself: said with each grant, but of a root token. A token
of limited uses is asked nothing (`vault_uses.py`).

seen on OpenBao 2.7: `sudo` stands beside `list` and `update`; a root token gets `root` alone, a path that no rule
names `deny` alone. A path is asked about with a slash at its end where it is listed: so does a list itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias
from urllib.parse import quote

from rotator.errors import Rejected, Unavailable
from rotator.families.vault import BEGINS_S, Vault
from rotator.families.vault_mounts import at, mount_at, mounts, names
from rotator.families.vault_uses import spends
from rotator.permissions import Permission

QUESTION = "sys/capabilities-self"
ANY_NAME = "0123456789abcdef"
"""Stands for the digits of a name that rotator is yet to make, in a place's `any`; shown as `*`."""

_AT_ONCE = 400
"""Paths in one question: OpenBao 2.7 takes no JSON of more than 1,000 texts."""
_MOST = 100
"""Owners that are asked about where none is named."""
_MORE = "there are more than could be asked about: name an owner"
_AS_FAR_AS = "to the path: which parameters its policies allow there, and which wrapping, shows only in the call"
_NONE_THERE = "there is none to ask about"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a path cannot be told."""

    why: str = "which path it is stands where the token may not read"


Place: TypeAlias = Mapping[str, str | Unknown]
"""What goes into a path's braces. One that has no such key does not need that path."""


@dataclass(frozen=True, slots=True)
class Need:
    """What verbs need on paths, all of them. `paths` hold the keys of a place in braces.

    `otherwise`: what is true where it is lacking, when that does not mean that the verb is refused.
    """

    verbs: tuple[str, ...]
    allowed: tuple[str, ...]
    paths: tuple[str, ...]
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """What the needs are asked about. `unknown` says why these are not all; `named`: they are one owner's."""

    found: tuple[Place, ...]
    unknown: str = ""
    named: bool = False
    stand_in: str = "+"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one kind needs, and where its owners are: in the folder `listing` of each mount of one type.

    Without a folder a mount is its own owner. `told` adds to a place what its paths need, and may make several of it.
    """

    needs: tuple[Need, ...]
    table: str
    engine: str
    listing: str | None
    told: Callable[[Vault, Place], Iterable[Place]] = lambda _vault, place: (place,)


def permissions_of(vault: Vault, asked: Asked, whose: str | None) -> list[Permission]:
    """Return what the policies of the rotator's own token grant for one owner, or for all that are there.

    Raises Rejected("not_this_account") for what cannot be an owner's name.
    """
    begun = vault.exchange()
    place = None if whose is None else _place(asked, whose)
    if why := spends(begun):
        return unasked(asked.needs, Places((place,) if place else (), named=place is not None), why)
    if place is None:
        return granted(begun, asked.needs, _everywhere(begun, asked))
    return granted(begun, asked.needs, Places(tuple(asked.told(begun, place)), named=True))


def unasked(needs: Sequence[Need], places: Places, why: str) -> list[Permission]:
    """Return that nobody can tell of any of it."""
    return [Permission(need.verbs, _worded(need, places), None, why) for need in needs]


def granted(vault: Vault, needs: Sequence[Need], places: Places) -> list[Permission]:
    """Ask about all of it at once. Raises Unavailable, or Rejected where the server does not know the token."""
    asked = [list(dict.fromkeys(_paths(need, places))) for need in needs]
    try:
        may = _capabilities(vault, sorted({path for paths in asked for path in paths if isinstance(path, str)}))
    except Rejected as refused:
        if refused.reason != "permission_denied":
            raise
        return unasked(needs, places, f"asking needs update on {QUESTION}")
    told = zip(needs, asked, strict=True)
    return [_answer(need, paths, places, may) for need, paths in told if paths or not places.named]


def _place(asked: Asked, whose: str) -> Place:
    if asked.listing is None:
        mount_at(whose)
        return {"mount": whose}
    at(whose)
    mount, _, name = whose.rpartition("/")
    return {"mount": mount, "name": name}


def _everywhere(vault: Vault, asked: Asked) -> Places:
    until = time.monotonic() + BEGINS_S
    found: list[Place] = []
    count = 0
    try:
        for mount in mounts(vault, asked.table, asked.engine):
            found.append({"mount": mount})
            for place in _owners(vault, mount, asked.listing):
                if count == _MOST or time.monotonic() > until:
                    return Places(tuple(found), _MORE)
                found += asked.told(vault, place)
                count += 1
    except Rejected as refused:
        return Places(tuple(found), f"which there are was not told: {refused.reason}")
    return Places(tuple(found))


def _owners(vault: Vault, mount: str, listing: str | None) -> Iterator[Place]:
    if listing is None:
        yield {"mount": mount}
        return
    for name in names(vault, listing.format(mount=quote(mount))):
        yield {"mount": mount, "name": name.rstrip("/")}


def _capabilities(vault: Vault, paths: Sequence[str]) -> Mapping[str, frozenset[str]]:
    told: dict[str, frozenset[str]] = {}
    for first in range(0, len(paths), _AT_ONCE):
        some = paths[first : first + _AT_ONCE]
        data = vault.read("POST", QUESTION, {"paths": list(some)}).accepted().data
        told |= {path: _texts(data[path]) for path in some}
    return told


def _texts(capabilities: object) -> frozenset[str]:
    if not isinstance(capabilities, list):
        raise Unavailable("answer_unreadable", f"{QUESTION} gave no list")
    return frozenset(map(str, capabilities))


def _keys(path: str) -> set[str]:
    return {key for _, key, _, _ in Formatter().parse(path) if key}


def _paths(need: Need, places: Places) -> Iterator[str | Unknown]:
    """Yield each path that the need is about."""
    end = "/" if "list" in need.allowed else ""
    for path in need.paths:
        keys = _keys(path)
        if not keys:
            yield path + end
        for place in places.found if keys else ():
            if keys <= place.keys():
                unknown = [value for key in keys if isinstance(value := place[key], Unknown)]
                yield unknown[0] if unknown else path.format(**place) + end


def _answer(
    need: Need, paths: Sequence[str | Unknown], places: Places, may: Mapping[str, frozenset[str]]
) -> Permission:
    words = _worded(need, places)
    known = [path for path in paths if isinstance(path, str)]
    lacking = {path: may[path] for path in known if not _covers(may[path], need.allowed)}
    if lacking:
        path, has = min(lacking.items(), key=lambda each: (ANY_NAME in each[0], each[0]))
        why = need.otherwise or f"granted there: {', '.join(sorted(has - {'deny'})) or 'nothing'}"
        if len(paths) > 1:
            why += f" (on {path.rstrip('/').replace(ANY_NAME, '*')}" + (
                f" and {len(lacking) - 1} more)" if len(lacking) > 1 else ")"
            )
        return Permission(need.verbs, words, None if need.otherwise else False, why)
    why = next((each.why for each in paths if isinstance(each, Unknown)), "")
    if any(_keys(path) for path in need.paths):
        why = why or places.unknown or ("" if paths else _NONE_THERE)
    if why:
        return Permission(need.verbs, words, None, why)
    return Permission(need.verbs, words, True, "" if all("root" in may[path] for path in known) else _AS_FAR_AS)


def _covers(has: frozenset[str], allowed: tuple[str, ...]) -> bool:
    return "root" in has or has.issuperset(allowed)


def _worded(need: Need, places: Places) -> str:
    paths = dict.fromkeys(path.format_map(_shown(path, places)) for path in need.paths)
    return f"{' and '.join(need.allowed)} on {' and '.join(paths)}"


def _shown(path: str, places: Places) -> Mapping[str, str]:
    """Return what stands in a path for people: a policy's own sign for what is of several, or not known."""
    shown = {}
    for key in _keys(path):
        values = {place.get(key) for place in places.found if key in place} if places.named else set()
        value = values.pop() if len(values) == 1 else None
        shown[key] = "*" if key == "any" else value if isinstance(value, str) else places.stand_in
    return shown
