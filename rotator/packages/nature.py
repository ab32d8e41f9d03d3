"""What an advisory tells of: a compromise (malware, a poisoned release, leaked secrets), or an ordinary vulnerability.

Only the record's own fields tell it, never its prose. Sources: the OSV schema (`MAL` is the prefix of the malicious
packages' database), which GHSA fills with `database_specific.cwe_ids`, and OpenSSF's malicious packages with
`malicious-packages-origins` and `affected[].database_specific.cwes`; GitHub Docs, "Global security advisories"
(`type`: reviewed, unreviewed, malware) and "Webhook events and payloads" (`cwes[].cwe_id`). That something is
classified as general, or was reviewed, says nothing: poisoned releases were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rotator.intake.fields import mapping, word

MALICIOUS = "MAL-"
"""What the ids of malicious packages begin with, in OSV."""
MALWARE = "malware"
CODE_OF_A_THIEF = frozenset({"CWE-912", *(f"CWE-{number}" for number in range(506, 513))})
"""Embedded malicious code with its sorts (Trojan horse, worm, trapdoor, spyware), and hidden functionality."""
_MAY_BE = frozenset(
    f"CWE-{number}" for number in (0, 259, 312, 321, 494, 522, 532, 538, 540, 798, 829, 1357)
)  # secrets in releases, logs and files; code that comes from where nobody looks; 0 is what nobody can read
_CWE = re.compile(r"\s*CWE-([0-9]{1,5})(?![0-9]).*", re.IGNORECASE | re.DOTALL)
_NO_WORD = ("NVD-CWE-noinfo", "NVD-CWE-Other")
"""What NVD writes where it says nothing."""
_UNREAD = "unreadable"
_SHOWN = 3


class Nature(StrEnum):
    """What is told of. Unknown counts as a compromise."""

    COMPROMISE = "compromise"
    ORDINARY = "ordinary"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Sign:
    """What a record tells of, by which `field` of it, and by what stands there; both are "" where nothing tells it."""

    nature: Nature = Nature.UNKNOWN
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        by = f"its {self.field}: {self.value}"
        if self.nature is Nature.WITHDRAWN:
            return f"withdrawn {self.value}"
        if self.nature is Nature.COMPROMISE:
            return f"a compromise by {by}"
        if self.nature is Nature.ORDINARY:
            return f"an ordinary vulnerability by {by}"
        why = f"{by} may be one" if self.field else "nothing in its record says what it is"
        return f"taken for a compromise: {why}"


SILENT = Sign()
"""Of a record that says nothing of it."""


def sign_of(record: Mapping[str, object]) -> Sign:
    """Return what an OSV record tells of by itself; its other names are looked at apart."""
    own = mapping(record.get("database_specific"))
    if is_malicious(name := word(record, "id")):
        return Sign(Nature.COMPROMISE, "id", name)
    if (kind := type_of(record)) == MALWARE:
        return Sign(Nature.COMPROMISE, "type", MALWARE)
    if own.get("malicious-packages-origins"):
        return Sign(Nature.COMPROMISE, "database_specific", "malicious-packages-origins")
    named = list(dict.fromkeys(cwes(record)))
    for which, nature in ((CODE_OF_A_THIEF, Nature.COMPROMISE), (_MAY_BE, Nature.UNKNOWN), (named, Nature.ORDINARY)):
        if nature is not Nature.COMPROMISE and kind == _UNREAD:
            return Sign(Nature.UNKNOWN, "type", kind)
        if some := [each for each in named if each in which]:
            return Sign(nature, "cwe_ids", ", ".join(some[:_SHOWN]))
    return SILENT


def is_malicious(name: str) -> bool:
    """Tell whether a name is of the malicious packages' database, however it is written."""
    return name.strip().upper().startswith(MALICIOUS)


def type_of(record: Mapping[str, object]) -> str:
    """Return the type that a record says, one that is no text as a word of its own: it may be the gravest."""
    told = mapping(record.get("database_specific")).get("type")
    if told and not isinstance(told, str):
        return _UNREAD
    said = word(mapping(record.get("database_specific")), "type")
    return MALWARE if said.strip().lower() == MALWARE else said


def cwes(record: Mapping[str, object]) -> Iterator[str]:
    """Yield the weaknesses that a record names, as `CWE-79`, wherever a database writes them.

    `CWE-0` stands for what nobody can read: no record is ordinary by the half of its list that can be read.
    """
    listed = mapping(record.get("database_specific")).get("cwe_ids")
    yield from _known(listed if isinstance(listed, list) else [None, listed] if listed else ())
    affected = record.get("affected")
    for each in affected if isinstance(affected, list) else ():
        some = mapping(mapping(each).get("database_specific")).get("cwes")
        yield from _known(mapping(one).get("cweId") for one in (some if isinstance(some, list) else ()))


def _known(listed: Iterable[object]) -> Iterator[str]:
    told = (each for each in listed if each not in _NO_WORD)
    found = (_CWE.fullmatch(each) if isinstance(each, str) else None for each in told)
    yield from (f"CWE-{int(each[1]) if each is not None else 0}" for each in found)


def gravest(signs: Iterable[Sign]) -> Sign:
    """Return what is told of by records of one event: a compromise if one says so; one that is silent says nothing."""
    said = list(signs)
    for is_it in (
        lambda each: each.nature is Nature.COMPROMISE,
        lambda each: each.nature is Nature.UNKNOWN and each.field,
        lambda each: each.nature is Nature.ORDINARY,
    ):
        if found := next(filter(is_it, said), None):
            return found
    return SILENT
