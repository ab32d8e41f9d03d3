"""Advisories: which versions of which packages are bad, from an OSV record or from what somebody types.

The OSV schema (1.7): a version is affected that is listed, or that lies within a range.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from rotator.errors import BadInput
from rotator.intake.fields import mapping, word
from rotator.intake.report import PIECE_CAP, Report
from rotator.intake.shapes import holds_material
from rotator.packages.advisory_record import aliases as other_names
from rotator.packages.affected import Affected, Range
from rotator.packages.names import NPM, PYPI, Package, ecosystem, known, package, purl
from rotator.packages.nature import SILENT, Nature, Sign, gravest, is_malicious, sign_of
from rotator.packages.versions import order

_SPEC = re.compile(r"(?:([A-Za-z. ]{1,40}):)?(@?[\w.-][\w./:-]{0,200})\s*(==|@)\s*(\S.{0,2000})")
_SPACE = re.compile(r"\s*")
_EVENTS = ("introduced", "fixed", "last_affected", "limit")
_MEND = "write `litellm==1.82.7,1.82.8`, `npm:chalk==5.6.1` or a purl; `==*` means every version"
_OSV = "give one OSV record, an array of them, or one on each line"
_SHOWN, _SUMMARY = 80, 200


@dataclass(frozen=True, slots=True)
class Advisory:
    """One event: its id, its other names, what is bad, and a line of what happened.

    `published` and `withdrawn` are the record's own times. `says` is what its fields tell of, but for its other names;
    `gone` are those of its names whose records were withdrawn.
    """

    id: str
    aliases: frozenset[str] = frozenset()
    affected: tuple[Affected, ...] = ()
    published: datetime | None = None
    withdrawn: datetime | None = None
    summary: str = ""
    says: Sign = SILENT
    gone: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Return every name it goes by."""
        return self.aliases | {self.id}

    @property
    def sign(self) -> Sign:
        """Return what it tells of. A name of the malicious packages' database tells it, unless its record is gone."""
        if self.withdrawn is not None:
            return Sign(Nature.WITHDRAWN, "withdrawn", self.withdrawn.date().isoformat())
        named = sorted(each for each in self.aliases - self.gone if is_malicious(each))
        if named and self.says.nature is not Nature.COMPROMISE:
            return Sign(Nature.COMPROMISE, "aliases", named[0])
        return self.says


def spec(text: str) -> Advisory:
    """Return what somebody types as an advisory: `litellm==1.82.7,1.82.8`, `npm:chalk==5.6.1`, `pkg:npm/chalk@5.6.1`.

    Its id is the text itself. Raises BadInput for what names no version: every one of them is `==*`.
    """
    given = text.strip()
    found = _of_purl(given) if given.startswith("pkg:") else _of_words(given)
    if found is None or not given.isprintable():
        raise BadInput(f"{_quoted(given)} names no package with its bad versions", "--package", _MEND)
    of, written = found
    versions = tuple(each.strip().removeprefix("==") for each in written.split(",") if each.strip())
    if versions == ("*",):
        return Advisory(given, affected=(Affected(of, every=True),))
    to_key = order(of.ecosystem)
    bad = [each for each in versions if (to_key(each) is None if to_key else "*" in each)]
    if bad or not versions:
        what = f"{_quoted(bad[0])} is no version" if bad else "no version is named"
        raise BadInput(f"{what} of {of}", "--package", _MEND)
    return Advisory(given, affected=(Affected(of, versions),))


def read(name: str, stream: BinaryIO) -> tuple[Advisory, ...]:
    """Return the advisories of a file: one OSV record, an array of them, or one on each line; `name` is its name.

    Raises BadInput for what is none, and for a record that names no package: nobody could look for it.
    """
    report = Report(name, stream)
    found = tuple(_record(report, each) for each in _records(report))
    if not found:
        raise report.bad("there is no advisory in it", mend=_OSV)
    return found


def records(name: str, stream: BinaryIO) -> tuple[Mapping[str, object], ...]:
    """Return the records of a file as they stand in it. Raises BadInput for what is no JSON."""
    return tuple(_records(Report(name, stream)))


def merged(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """Make one of all advisories that name each other: one event has several names, and is told under the first."""
    groups: dict[int, list[Advisory]] = {}
    of: dict[str, int] = {}
    for number, each in enumerate(advisories):
        same = sorted({of[name] for name in each.names if name in of})
        groups[number] = [*(one for group in same for one in groups.pop(group)), each]
        of |= dict.fromkeys((name for one in groups[number] for name in one.names), number)
    return tuple(map(_one, groups.values()))


def _one(every: Sequence[Advisory]) -> Advisory:
    """Make one of records that name each other; what is bad, and what it is, those tell that were not withdrawn."""
    standing = [each for each in every if each.withdrawn is None]
    published = [each.published for each in every if each.published]
    return replace(
        every[0],
        aliases=frozenset().union(*(each.names for each in every)) - {every[0].id},
        affected=_together(one for each in standing or every for one in each.affected),
        published=min(published, default=None),
        withdrawn=None if standing else every[0].withdrawn,
        summary=next((each.summary for each in every if each.summary), ""),
        says=gravest(each.says for each in standing or every),
        gone=frozenset(one for each in every for one in (each.gone if each.withdrawn is None else {each.id})),
    )


def _together(affected: Iterable[Affected]) -> tuple[Affected, ...]:
    """Make one of all that speak of the same package: what one of them calls bad is bad."""
    found: dict[Package, Affected] = {}
    for each in affected:
        before = found.get(each.package, Affected(each.package))
        found[each.package] = Affected(
            each.package,
            tuple(dict.fromkeys(before.versions + each.versions)),
            tuple(dict.fromkeys(before.ranges + each.ranges)),
            before.every or each.every,
        )
    return tuple(found.values())


def moment(value: object) -> datetime | None:
    """Return a time with its zone from RFC 3339 text, None for what is none."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
        # Zones of a day or a year before the first make no moment.
        return when.astimezone(UTC) if when is not None and when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _of_words(text: str) -> tuple[Package, str] | None:
    found = _SPEC.fullmatch(text)
    if found is None:
        return None
    prefix, name, sign, versions = found.groups()
    where = ecosystem(prefix) if prefix else NPM if name.startswith("@") else PYPI
    if where not in known():
        raise BadInput(f"{_quoted(prefix)} is no ecosystem", "--package", f"one of {', '.join(known())}")
    # `chalk@5.6.1` is how npm writes it, but not npm alone.
    return (package(where, name), versions) if sign == "==" or prefix else None


def _of_purl(text: str) -> tuple[Package, str] | None:
    found = purl(text)
    return found if found and found[1] else None


def _quoted(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])
    return f"`{shown}`" if len(text) <= _SHOWN else f"`{shown}…`"


def _records(report: Report) -> Iterator[Mapping[str, object]]:
    text, decode = report.whole(PIECE_CAP).rstrip(), json.JSONDecoder().raw_decode
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        try:
            value, at = decode(text, at)
        except (ValueError, RecursionError):
            raise report.bad("this is not JSON, or it is cut off", f"character {at}", _OSV) from None
        vulns = mapping(value).get("vulns", value)
        for each in vulns if isinstance(vulns, list) else [vulns]:
            yield mapping(each)


def _record(report: Report, record: Mapping[str, object]) -> Advisory:
    name = word(record, "id")
    if not name:
        raise report.bad("this is no OSV record: it has no id", mend=_OSV)
    affected = tuple(one for each in _list(record, "affected") if (one := _affected(mapping(each))) is not None)
    if not affected:
        raise report.bad("it names no package whose versions could be looked for", name, "say it with --package")
    aliases = frozenset(each.strip() for each in other_names(record) if isinstance(each, str) and each.isprintable())
    published, withdrawn = (moment(record.get(each)) for each in ("published", "withdrawn"))
    summary = " ".join(word(record, "summary").split())[:_SUMMARY]
    summary = "" if holds_material(summary) else summary
    return Advisory(name, aliases, affected, published, withdrawn, summary, sign_of(record))


def _affected(each: Mapping[str, object]) -> Affected | None:
    said = mapping(each.get("package"))
    found = purl(word(said, "purl"))
    where, name = ecosystem(word(said, "ecosystem")), word(said, "name")
    of = package(where, name) if where and name else found[0] if found else None
    if of is None:
        return None
    versions = tuple(one for one in _list(each, "versions") if isinstance(one, str))
    ranges = [_range(mapping(one)) for one in _list(each, "ranges")]
    # Commits are no versions: nothing that is installed tells them.
    told = tuple(one for one in ranges if one.type != "GIT" and one.events)
    return Affected(of, versions, told) if versions or told else None


def _range(said: Mapping[str, object]) -> Range:
    events = (
        (event, value)
        for each in _list(said, "events")
        for event in _EVENTS
        if isinstance(value := mapping(each).get(event), str)
    )
    return Range(word(said, "type"), tuple(events))


def _list(record: Mapping[str, object], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []
