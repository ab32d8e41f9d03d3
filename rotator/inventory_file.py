"""Read what people wrote down of their credentials: YAML, JSON or CSV, with the keys of `[[credentials]]`.

A file is believed as a whole or not at all, and no secret is wanted in it: what seems to be one is refused unread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from rotator import model_errors
from rotator.errors import BadInput
from rotator.flow.inventory import NAMES, Key, Said, key, named
from rotator.flow.playbook_words import meant
from rotator.inventory_rows import Row, rows
from rotator.plain_rows import refuse, wrong
from rotator.settings.credentials import CredentialSettings


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
                    raise wrong(row, f"{named(found.match)} is told otherwise at {at}", "join the two")
            except BadInput as problem:
                bad.append(problem)
    except BadInput as problem:
        bad.append(problem)
    return list(said.values()), bad


def _said(row: Row, known: Known) -> Said:
    if not isinstance(row.value, Mapping):
        raise wrong(row, "an entry is a table of keys", "begin it with match")
    refuse(row, row.value, CredentialSettings.model_fields)
    stated = {name: value for name, value in row.value.items() if value is not None}
    try:
        entry = CredentialSettings.model_validate(stated)
        entry.check_names(known.connections)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = model_errors.place(first["loc"], stated)
        raise wrong(row, f"{at}{': ' if at else ''}{model_errors.in_words(first)}", _mend(first["loc"])) from None
    except ValueError as error:
        raise wrong(row, str(error), "mend it, or the configuration") from None
    match = {name: value.strip() for name, value in entry.match.model_dump(exclude_none=True).items()}
    if not match or not all(match.values()):
        raise wrong(row, "it does not say of which credentials", f"`match` names one of {', '.join(NAMES)}")
    for name, words in (("provider", known.providers), ("connection", known.connections)):
        if name in match and match[name] not in words:
            mend = meant(match[name], words) if words else "there is none: see docs/configuration.md"
            raise wrong(row, f"no {name} is called {match[name]}", mend)
    keys = entry.model_dump(mode="json", exclude_unset=True, exclude={"match"})
    taken_back = {name: None for name, value in row.value.items() if value is None}
    return Said(match, {**keys, **taken_back}, row.where)


def _mend(location: Sequence[str | int]) -> str:
    return f"see `{location[0]}` in docs/configuration.md" if location else "see docs/configuration.md"
