"""Read what people wrote down of vendors and datasets: YAML, JSON or CSV, believed as a whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from rotator import model_errors
from rotator.errors import BadInput
from rotator.flow.inventory import NAMES
from rotator.flow.playbook_words import meant
from rotator.flow.registry import Said, Sort
from rotator.inventory_file import Known
from rotator.inventory_rows import Row
from rotator.plain_rows import refuse, wrong
from rotator.settings.credentials import Match
from rotator.vendor_rows import rows

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAMES: dict[Sort, tuple[re.Pattern[str], str]] = {
    Sort.VENDOR: (NAME, "take letters, digits, `.`, `_` and `-`, 64 at most: what the inventory calls `vendor`"),
    Sort.DATASET: (re.compile(r"\S.{0,127}"), "128 letters at most: what the inventory calls it in `datasets`"),
}
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Levels = Literal["low", "medium", "high", "critical"]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Judged(_Said):
    level: _Levels
    why: _Text


class _Attestation(_Said):
    kind: _Text
    issuer: _Text
    scope: _Text | None = None
    valid_from: date
    valid_to: date
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> _Attestation:
        if self.valid_to < self.valid_from:
            raise ValueError(f"valid_to, {self.valid_to}, is before valid_from, {self.valid_from}")
        return self


class _Breach(_Said):
    on: date
    what: _Text
    source: _Text | None = None


class VendorRow(_Said):
    """What a file may say of a vendor."""

    name: str
    title: _Text | None = None
    criticality: _Levels | None = None
    owner: _Text | None = None
    contacts: list[_Text] | None = None
    holds: list[Match] | None = None
    accounts: list[_Text] | None = None
    systems: list[_Text] | None = None
    datasets: list[_Text] | None = None
    sub_processors: list[_Text] | None = None
    attestations: list[_Attestation] | None = None
    breaches: list[_Breach] | None = None
    user_impact: _Judged | None = None
    cost_of_change: _Judged | None = None


class DatasetRow(_Said):
    """What a file may say of a dataset."""

    name: str
    sensitivity: _Levels
    manifest: Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")] | None = None
    why: _Text | None = None


MODELS: dict[Sort, type[VendorRow | DatasetRow]] = {Sort.VENDOR: VendorRow, Sort.DATASET: DatasetRow}


def read(name: str, raw: bytes, known: Known) -> tuple[list[Said], list[BadInput]]:
    """Return what each row says, or what is wrong with each that is bad. `name` is what errors call the file."""
    said: dict[tuple[Sort, str], Said] = {}
    bad: list[BadInput] = []
    try:
        for sort, row in rows(name, raw):
            try:
                found = _said(sort, row, known)
                earlier = said.setdefault((sort, found.name), found)
                if earlier.keys != found.keys:
                    at = earlier.where.rpartition(", ")[2]
                    raise wrong(row, f"the {sort} {found.name} is told otherwise at {at}", "join the two")
            except BadInput as problem:
                bad.append(problem)
    except BadInput as problem:
        bad.append(problem)
    return list(said.values()), bad


def _said(sort: Sort, row: Row, known: Known) -> Said:
    model = MODELS[sort]
    if not isinstance(row.value, dict):
        raise wrong(row, "a row is a table of keys", "begin it with `name:`")
    refuse(row, row.value, model.model_fields)
    stated = {name: value for name, value in row.value.items() if value is not None}
    try:
        found = model.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = model_errors.place(first["loc"], stated)
        raise wrong(row, f"{at}{': ' if at else ''}{model_errors.in_words(first)}", _mend(first["loc"])) from None
    pattern, mend = _NAMES[sort]
    if not pattern.fullmatch(found.name):
        raise wrong(row, f"a {sort} is not called {found.name[:80]}", mend)
    if isinstance(found, VendorRow):
        for match in found.holds or ():
            _check(row, match, known)
    keys = found.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"name"})
    return Said(sort, found.name, {**keys, **dict.fromkeys(row.value.keys() - stated.keys())}, row.where)


def _check(row: Row, match: Match, known: Known) -> None:
    """Raise BadInput for a match that names nothing, or what is not there."""
    named = match.model_dump(exclude_none=True)
    if not named or not all(value.strip() == value and value for value in named.values()):
        raise wrong(row, "`holds` does not say which credentials", f"a match names one of {', '.join(NAMES)}")
    for name, words in (("provider", known.providers), ("connection", known.connections)):
        if name in named and named[name] not in words:
            mend = meant(named[name], words) if words else "there is none: see docs/configuration.md"
            raise wrong(row, f"holds: no {name} is called {named[name]}", mend)


def _mend(location: Sequence[str | int]) -> str:
    return f"see `{location[0]}` in docs/vendors.md" if location else "see docs/vendors.md"
