"""The evidence of an incident as a signed pack, for who downloads it: nobody has to believe the service to check it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.evidence import pack
from rotator.evidence.verify import verify
from rotator.ledger.covered import covered

_CHUNK = 1 << 16


def file(parts: Rotator, incident: str) -> Iterator[bytes]:
    """Return the pack of an incident and of all merged into it; what has grown is signed first, so that all is covered.

    Raises BadInput where no key signs here, the evidence was deleted, or is not the one that was signed.
    """
    key = parts.settings.signing_key()
    if key is None:
        raise BadInput("no key signs evidence here", "evidence.signing_key", "name one; docs/evidence.md says how")
    _, altered = parts.checkpoints.sign(key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.zip"
        with covered(parts.database, [incident]) as found:
            under = found.checkpoints
            pack.write(path, key, found.of, under, found.records, clock.now(), parts.witnesses.stamps(len(under)))
        wrong = [f"record {each.number} of {each.chain}" for each in altered if each.chain.startswith(incident)]
        wrong += [f"{each.where}: {each.what}" for each in verify(pack.Pack(path)).findings]
        if wrong:
            what = f"ALTERED: {wrong[0]} is not as it was signed"
            raise BadInput(what, incident, "`rotator evidence export` tells all that is wrong, and packs it")
        opened = path.open("rb")
    return _read(opened)  # it has no name any more: whoever goes away in the middle leaves no file


def _read(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while some := opened.read(_CHUNK):
            yield some
