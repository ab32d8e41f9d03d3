"""Paths: which names a `CONNECTION:PATH` of `reads` and `administers` means, found among many thousands at once.

A `*` stands for any letters, also for none and for `/`. A path without one means the name itself and all beneath it
(`kv/payments` and `kv/payments/aws`, not `kv/payments-old`); no path, or `*`, means all of the connection. A `/` that a
path or a name begins with says nothing.

AWS's policies name a secret by its ARN, and so may `reads` and `deliver`: the name in it counts, nothing beneath it.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from rotator.ports.connection import Connection
from rotator.ports.store import Place

_BEFORE = {"vault": ("mount", "secret", ("{}", "{}/data")), "file": ("folder", "", ("{}",))}
"""Of these families: the setting that may stand before a place's name, what it is unless set, and how people write it.

Vault's policies name a secret of its key-value store MOUNT/data/NAME.
"""
_ARN = re.compile(r"arn:[^:]*:(?:(secretsmanager):[^:]*:[^:]*:secret:|ssm:[^:]*:[^:]*:parameter/)(.+)", re.DOTALL)
_ANY_ARN = re.compile(r"arn:[^:]*:(?:secretsmanager|ssm):(?:[^:]*:){0,2}\*")
_RANDOM = re.compile(r"-(?:[A-Za-z0-9?]{6}|\*)$")
"""What Secrets Manager puts behind the name, or a policy in its stead."""

_OF_REPOSITORIES = frozenset({"github_actions_secret", "gitlab_variable"})
"""Stores whose names are REPOSITORY:NAME: who reads a repository reads what is beneath it."""
CASELESS = frozenset({"github_actions_secret"})
"""Stores in whose names capitals and small letters are one. GitHub's documentation, "Using secrets": naming."""

Roots = Mapping[str, tuple[str, ...]]


def roots_of(connections: Iterable[Connection]) -> Roots:
    """Return for each connection what people may write before the names of its places."""
    found: dict[str, tuple[str, ...]] = {}
    for each in connections:
        if each.family == "gcp" and each.account:
            found[each.name] = (f"projects/{each.account}/secrets",)
        if each.family in _BEFORE:
            setting, unless_set, forms = _BEFORE[each.family]
            root = str(each.settings.get(setting) or unless_set).strip("/").removeprefix("./")
            found[each.name] = tuple(form.format(root) for form in forms) if root else ()
    return found


def mounts_of(connections: Iterable[Connection]) -> dict[str, str]:
    """Return the name of each connection, and the mount of the secrets of each that is a Vault, "" for any other."""
    found = list(connections)
    roots = roots_of(found)
    return {each.name: (*roots.get(each.name, ()), "")[0] if each.family == "vault" else "" for each in found}


def unmeant(entry: str, mount: str) -> str:
    """Say how else to write what would match nothing, as Vault's policies and addresses have it; "" for all else.

    `mount` is that of the entry's connection.
    """
    path = split(entry)[1]
    if not mount:
        return ""
    if "+" in path.split("/"):
        return "write `*` for the `+` of a policy"
    if path.startswith("v1/"):
        return f"leave out the v1/ of an address; a secret that is called so is {mount}/{path}"
    if f"{path}/".startswith(f"{mount}/metadata/"):
        return f"{mount}/metadata shows no secret: leave it out, or write {mount}/data/NAME"
    return ""


def names_of(place: Place, roots: Roots) -> tuple[str, ...]:
    """Return every name under which people know the place."""
    before = roots.get(place.connection, ())
    bare = place.name.lstrip("/")
    if place.store in _OF_REPOSITORIES:
        return bare, bare.replace(":", "/", 1)
    for root in before[:1]:
        bare = bare.removeprefix(f"{root}/")
    return bare, *_addressed(bare), *(f"{root}/{bare}" for root in before)


def split(entry: str) -> tuple[str, str]:
    """Return the connection and the path of an entry; a whole connection is `*`."""
    connection, _, path = entry.partition(":")
    return connection, path.lstrip("/") or "*"


def _patterns(path: str) -> tuple[str, ...]:
    """Return what a path means, each as a name or with `*`."""
    if by_address := _addressed(path):
        return path, *by_address
    name = path.rstrip("/")
    return (path,) if "*" in path else (name, f"{name}/*")


def _addressed(text: str) -> tuple[str, ...]:
    """Return the names that an ARN may stand for, none for what is no ARN of a secret or parameter.

    Whether a hyphen and six letters are the name's own end or AWS's, nobody can tell. Secrets Manager's user guide,
    "Find a secret from a partial ARN".
    """
    if _ANY_ARN.fullmatch(text):
        return ("*",)
    found = _ARN.fullmatch(text)
    if found is None:
        return ()
    name = found[2].lstrip("/")
    return (name, _RANDOM.sub("", name)) if found[1] else (name,)


class Names:
    """Names of one connection, and what each stands for. What was found once is not looked at again.

    `caseless`: capitals and small letters are one, as in the stores of that name.
    """

    def __init__(self, named: Iterable[tuple[str, int]], *, caseless: bool = False) -> None:
        self._spelled = str.lower if caseless else str
        pairs = sorted((self._spelled(name), what) for name, what in named)
        self._names = [name for name, _ in pairs]
        self._what = [what for _, what in pairs]
        self._next = list(range(len(pairs) + 1))

    def untaken(self) -> Names:
        """Return the same names, none of them taken: to sort them again would cost more than to look."""
        found = copy.copy(self)
        found._next = list(range(len(self._names) + 1))  # noqa: SLF001 - of its own class
        return found

    def take(self, path: str) -> Iterator[tuple[str, int]]:
        """Yield what the path means and was not yielded before, each under the name that it was found by."""
        for pattern in _patterns(self._spelled(path)):
            yield from self._fitting(pattern) if "*" in pattern else self._called(pattern)

    def meant(self, path: str) -> Iterator[tuple[str, int]]:
        """Yield all that the path means, each name once; it is not taken."""
        seen: set[int] = set()
        for pattern in _patterns(self._spelled(path)):
            head, *more = pattern.split("*")
            at = bisect_left(self._names, head)
            while at < len(self._names) and self._names[at].startswith(head):
                name = self._names[at]
                if at not in seen and (_follow(name, len(head), more[:-1], more[-1]) if more else name == head):
                    seen.add(at)
                    yield name, self._what[at]
                elif not more and name != head:
                    break
                at += 1

    def _called(self, name: str) -> Iterator[tuple[str, int]]:
        at = self._left(bisect_left(self._names, name))
        while at < len(self._names) and self._names[at] == name:
            yield self._take(at)
            at = self._left(at)

    def left(self) -> Iterator[int]:
        """Yield what nobody has taken."""
        return (self._what[at] for at in range(len(self._names)) if self._left(at) == at)

    def _fitting(self, path: str) -> Iterator[tuple[str, int]]:
        head, *between, tail = path.split("*")
        at = self._left(bisect_left(self._names, head))
        while at < len(self._names) and self._names[at].startswith(head):
            if _follow(self._names[at], len(head), between, tail):
                yield self._take(at)
                at = self._left(at)
            else:
                at = self._left(at + 1)

    def _take(self, at: int) -> tuple[str, int]:
        self._next[at] = at + 1
        return self._names[at], self._what[at]

    def _left(self, at: int) -> int:
        """Return the first place from here on that is not taken."""
        after = self._next
        while after[at] != at:
            after[at] = at = after[after[at]]
        return at


def _follow(name: str, start: int, between: Iterable[str], tail: str) -> bool:
    """Tell whether the parts of a path follow each other in the name, which they do first where they first can."""
    for part in between:
        found = name.find(part, start)
        if found < 0:
            return False
        start = found + len(part)
    return len(name) - len(tail) >= start and name.endswith(tail)
