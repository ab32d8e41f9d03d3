"""Grants that go by a name and a number: what may be said for which.

A login at GitHub may be changed, and is anybody's once its user has left it; an app may be called otherwise. The number
behind it stays, so it alone says who it is where it is known. Who wrote no number meant a name, and whoever has that
now need not be the same. Source: GitHub Docs, "Changing your username".
"""

from __future__ import annotations

import re

KINDS = frozenset({"github_collaborator", "github_app_installation"})

_ID = re.compile(r"(?P<name>(?P<place>.+)/[^/:]+):(?P<number>[0-9]+)")


def number_of(kind: str, name: str) -> str | None:
    """Return what an id of a grant is compared by where it tells a number; None where it tells none."""
    found = _ID.fullmatch(name) if kind in KINDS else None
    return None if found is None else f"{found['place']}/:{found['number']}".lower()


def name_of(kind: str, name: str) -> str:
    """Return an id without its number."""
    found = _ID.fullmatch(name) if kind in KINDS else None
    return name if found is None else found["name"]


def compared(kind: str, name: str) -> str:
    """Return by what an entry's id is compared: the number alone, else the name, which GitHub takes in either case."""
    return number_of(kind, name) or (name.lower() if kind in KINDS else name)


def answers_to(kind: str, name: str) -> tuple[str, ...]:
    """Return by what entries may mean what an issuer calls so: its number, and its name."""
    number = number_of(kind, name)
    return (compared(kind, name),) if number is None else (number, name_of(kind, name).lower())
