"""Read what people give of vendors: the registry's files, lists of what a vendor runs, attestations' documents."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.paths import mounts_of
from rotator.flow.registry import Listed, Said
from rotator.flow.vendor import Software
from rotator.intake.shapes import holds_material
from rotator.inventory_file import Known
from rotator.packages import evidence
from rotator.packages.component import About, Unread
from rotator.plain_rows import MAX_TEXT
from rotator.vendor_file import read

MOST_BYTES = 256 << 20
"""Of one list: it is read whole, so that its digest is of what was read."""
LONGEST_SOURCE = 128
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Rows:
    """What the registry's files say, and what is wrong with each row that is bad: with one, none is to be believed."""

    said: Sequence[Said]
    bad: Sequence[BadInput]


def rows(parts: Rotator, files: Iterable[tuple[str, bytes]]) -> Rows:
    """Return what these files say, each with the name that errors call it."""
    known = Known(list(parts.playbooks), mounts_of(parts.connections))
    said: list[Said] = []
    bad: list[BadInput] = []
    for name, raw in files:
        found, problems = read(name, raw, known)
        said += found
        bad += problems
    return Rows(said, bad)


def lists(paths: Iterable[Path]) -> list[Listed]:
    """Read lists of software, all whole before any is believed. Raises BadInput for the first that is not one.

    A list is called as its file is, without the folder: a later file of this name replaces it.
    """
    found: dict[str, Listed] = {}
    for path in paths:
        if path.name in found:
            raise BadInput("two lists are called so, and the later would replace the earlier", path.name, "rename one")
        found[path.name] = listed(path.name, _whole(path), str(path))
    return list(found.values())


def listed(name: str, raw: bytes, where: str) -> Listed:
    """Return what a list of software says, which is called `name`. Raises BadInput, which says `where`, for none."""
    if len(name) > LONGEST_SOURCE:
        raise BadInput("this name is too long to be kept", name, f"{LONGEST_SOURCE} letters at most")
    [document] = evidence.walk([(name, io.BytesIO(raw))])
    if isinstance(document, Unread):
        raise BadInput(document.why, where, "give an SBOM, a freeze, a lock file or an installer's log")
    software: dict[Software, None] = {}
    made, left_out = None, 0
    for each in document.parts:
        if isinstance(each, About):
            made = _epoch(each.made) if each.made is not None else made
        elif holds_material(each.package.name):
            left_out += 1
        else:
            version = "" if holds_material(each.version) else each.version
            software[Software(each.package.ecosystem, each.package.name, version, name)] = None
    if not software:
        raise BadInput("it names no package: a list of nothing would say that nothing runs", where, "is it whole?")
    return Listed(name, hashlib.sha256(raw).hexdigest(), tuple(software), made, left_out)


def _epoch(at: datetime) -> float:
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _whole(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", str(path), "give a list of what the vendor runs") from None
    if len(raw) > MOST_BYTES:
        raise BadInput(f"more than {MOST_BYTES >> 20} MB", str(path), "give it in parts")
    return raw


def refuse_words(given: Mapping[str, str], may_be_empty: Collection[str]) -> None:
    """Raise BadInput, which repeats nothing, for words that are a secret or no plain text, or are missing."""
    for name, words in given.items():
        if not words.strip() and name not in may_be_empty:
            raise BadInput("it is empty", name, "say it in a few words")
        if holds_material(words):
            raise BadInput("a secret seems to stand in it", name, "the registry holds names alone")
        if not words.isprintable() or len(words) > MAX_TEXT:
            raise BadInput("this is no plain text", name, f"words of {MAX_TEXT} letters at most")


def digest(document: Path) -> str:
    """Return the SHA-256 of a document, of which nothing is kept. Raises BadInput for none, or an empty one."""
    found, length = hashlib.sha256(), 0
    try:
        with document.open("rb") as file:
            while some := file.read(_CHUNK):
                found.update(some)
                length += len(some)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", str(document), "give the document itself") from None
    if not length:
        raise BadInput("there is nothing in it", str(document), "give the document itself")
    return found.hexdigest()
