"""Read what people wrote down of their credentials: YAML, JSON or CSV, with the keys of `[[credentials]]`.

A file is believed as a whole or not at all, and no secret is wanted in it: what seems to be one is refused unread.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from rotator import model_errors
from rotator.errors import BadInput
from rotator.flow.inventory import NAMES, Key, Said, key, named
from rotator.flow.playbook_words import meant
from rotator.intake.shapes import holds_material
from rotator.inventory_rows import Row, rows
from rotator.settings.credentials import CredentialSettings

MAX_TEXT = 1000
"""Characters of one value. The longest that is any use is an address."""
_FORBIDDEN = re.compile(r"secret|passw|passphrase|token|private|material", re.IGNORECASE)
_NO_SECRETS = "an inventory holds names alone: leave it out, or refer to it as env:NAME or file:PATH"

_looks_secret = functools.lru_cache(maxsize=1 << 16)(holds_material)


@dataclass(frozen=True, slots=True)
class Known:
    """What a match may name: the kinds and the connections of this deployment, these with their mounts."""

    providers: Collection[str]
    connections: Mapping[str, str]


def read(name: str, raw: bytes, known: Known) -> tuple[list[Said], list[BadInput]]:
    """Return what each row says, or what is wrong with each that is bad. `name` is what errors call the file."""
    said: dict[Key, Said] = {}
    bad: list[BadInput] = []
    try:
        for row in rows(name, raw):
            try:
                found = _said(row, known)
                earlier = said.setdefault(key(found.match), found)
                if earlier.keys != found.keys:
                    at = earlier.where.rpartition(", ")[2]
                    raise _bad(row, f"{named(found.match)} is told otherwise at {at}", "join the two")
            except BadInput as problem:
                bad.append(problem)
    except BadInput as problem:
        bad.append(problem)
    return list(said.values()), bad


def _said(row: Row, known: Known) -> Said:
    if not isinstance(row.value, Mapping):
        raise _bad(row, "an entry is a table of keys", "begin it with match")
    _refuse_secrets(row, row.value)
    stated = {name: value for name, value in row.value.items() if value is not None}
    try:
        entry = CredentialSettings.model_validate(stated)
        entry.check_names(known.connections)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = model_errors.place(first["loc"], stated)
        raise _bad(row, f"{at}{': ' if at else ''}{model_errors.in_words(first)}", _mend(first["loc"])) from None
    except ValueError as error:
        raise _bad(row, str(error), "mend it, or the configuration") from None
    match = {name: value.strip() for name, value in entry.match.model_dump(exclude_none=True).items()}
    if not match or not all(match.values()):
        raise _bad(row, "it does not say of which credentials", f"`match` names one of {', '.join(NAMES)}")
    for name, words in (("provider", known.providers), ("connection", known.connections)):
        if name in match and match[name] not in words:
            mend = meant(match[name], words) if words else "there is none: see docs/configuration.md"
            raise _bad(row, f"no {name} is called {match[name]}", mend)
    keys = entry.model_dump(mode="json", exclude_unset=True, exclude={"match"})
    taken_back = {name: None for name, value in row.value.items() if value is None}
    return Said(match, {**keys, **taken_back}, row.where)


def _refuse_secrets(row: Row, value: Mapping[str, Any]) -> None:
    """Raise BadInput, which repeats nothing of it, where a key or a value is one that no inventory needs."""
    known = CredentialSettings.model_fields
    for name in value:
        if name in known:
            continue
        if holds_material(name) or not name.isprintable() or len(name) > MAX_TEXT:
            raise _bad(row, "a key that is no plain word", f"there are {', '.join(known)}")
        if _FORBIDDEN.search(name):
            raise _bad(row, f"a key for secrets: {name}", _NO_SECRETS)
        close = get_close_matches(name, known, n=1)
        mend = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(known)}"
        raise _bad(row, f"unknown key {name}", mend)
    for top, inside in value.items():
        for text in _texts(inside):
            if _looks_secret(text):
                raise _bad(row, f"a secret seems to stand under `{top}`", _NO_SECRETS)
            if not text.isprintable() or len(text) > MAX_TEXT:
                raise _bad(row, f"`{top}` has what is no plain text", f"words of {MAX_TEXT} letters at most")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _mend(location: Sequence[str | int]) -> str:
    return f"see `{location[0]}` in docs/configuration.md" if location else "see docs/configuration.md"


def _bad(row: Row, what: str, mend: str) -> BadInput:
    return BadInput(what, row.where, mend)
