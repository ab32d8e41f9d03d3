"""Read a dataset where no ledger is, and check it by that where the ledger is: as good as who read it, and who gave it.

What was read is a file. A person gives it, in whose name the check stands, beside who made it, where and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rotator import clock, datasets
from rotator.bootstrap import Rotator
from rotator.datasets import LIST, Asked
from rotator.errors import BadInput, NotAllowed
from rotator.flow.roles import misread
from rotator.ledger import acts
from rotator.ledger.datasets import Check, Manifest, Source
from rotator.manifests import comparing, reading
from rotator.manifests.comparing import Compared
from rotator.manifests.entry import Written
from rotator.manifests.hashing import Meter
from rotator.manifests.reading import Reading
from rotator.settings.configuration import Settings


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reading says of a dataset, held against its manifest: `source` is where it was read, by its own word."""

    manifest: Manifest
    reading: Reading
    source: Source
    compared: Compared
    digest: str
    incident: str

    @property
    def warnings(self) -> list[str]:
        """Say what the check does not tell."""
        there = self.manifest.source
        if there.is_at(self.source):
            return []
        was = f"{there.place} on {there.host}"
        return [f"it was read in {self.source.place} on {self.source.host}, and tells nothing of {was}: no gate opens"]


def write(settings: Settings, asked: Asked, to: Path, meter: Meter) -> Written:
    """Read a dataset, and write what is there to a file that is not there yet; return what that comes to.

    Raises BadInput, or RotatorError where a bucket cannot be listed.
    """
    source, found = datasets.source(settings, asked), datasets.found(settings, asked)
    made = Reading(asked.by, source.place, source.host, source.connection, clock.now())
    try:
        with datasets.in_order(found, meter) as entries, to.open("x", encoding="utf-8", newline="\n") as file:
            try:
                written = reading.write(file, made, entries)
            except BaseException:
                to.unlink()  # half of it would be taken for nothing else
                raise
    except OSError as error:
        raise BadInput(f"it cannot be written ({error.strerror})", str(to), "name another file") from None
    return written


def look(parts: Rotator, name: str, given: BinaryIO, where: str, incident: str) -> Seen:
    """Hold a reading against a manifest; errors say `where` it stands.

    Raises BadInput for what is no whole reading, and where the manifest in the ledger was altered.
    """
    manifest = parts.manifests.one(name)
    incident = parts.reading.named(incident) if incident else ""
    said, entries = reading.read(given, where)
    acts.refuse_material(said.by, said.place, said.host, said.connection)
    written = Written()
    compared = comparing.compare(parts.manifests.entries(manifest), written.through(entries))
    return Seen(manifest, said, _source(manifest, said), compared, written.digest, incident)


def keep(parts: Rotator, seen: Seen, by: str) -> Check:
    """Keep what was found by a reading, which `by` gives: it is his word that it is what was read.

    Raises NotAllowed for a program, BadInput for what is older than the last check there.
    """
    if misread(by):
        what = f"{by} is a program, and what was read elsewhere is believed by a person's word alone"
        raise NotAllowed(what, seen.manifest.name, "ask somebody to give it")
    told = (seen.reading.by, seen.reading.began_at)
    return parts.manifests.checked(
        seen.manifest, seen.source, seen.compared, seen.digest, by=by, incident=seen.incident, read=told
    )


def _source(manifest: Manifest, said: Reading) -> Source:
    # A list tells of what is on another machine, whichever it is given on.
    if said.place == manifest.source.place == LIST:
        return manifest.source
    return Source(said.place, said.host, said.connection)
