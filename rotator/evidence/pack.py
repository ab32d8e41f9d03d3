"""The pack that an auditor gets: a ZIP file with the records as they were hashed, the checkpoints, and what it is of.

    pack.json           {"body": "...", "signature": "..."}: which incidents, made when, how much of everything
    checkpoints.jsonl   {"body": "...", "signature": "..."}: each, from the first one on
    records.jsonl       the bodies of the records, one in a line: these very bytes were hashed; chain by chain, in order
    timestamps.jsonl    {"checkpoint": 7, "answer": "..."}: what an authority answered, where checkpoints were stamped
    verify_evidence.py  checks it with the standard library and `cryptography`, and knows nothing of this program

Canonical JSON has no line breaks, so a line is a body.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import rfc8785

from rotator.errors import BadInput
from rotator.evidence import signing
from rotator.evidence.checkpoint import Checkpoint
from rotator.evidence.signing import SigningKey
from rotator.evidence.timestamp import Stamp

FORMAT = "rotator evidence pack 1"
PACK, CHECKPOINTS, RECORDS, VERIFIER = "pack.json", "checkpoints.jsonl", "records.jsonl", "verify_evidence.py"
TIMESTAMPS = "timestamps.jsonl"
MOST_BYTES = 8 << 30
"""How much a pack may hold once it is unpacked: more is no pack of ours."""
MOST_LINE = 256 << 20
"""How long a line may be: the first checkpoint of a large ledger names a million chains."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What reading a ZIP file raises that is none, or was changed."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: how many `records` of how many chains, under which checkpoint."""

    records: int
    chains: int
    checkpoint: int


def write(  # noqa: PLR0917 - a pack
    path: Path,
    key: SigningKey,
    of: Sequence[str],
    checkpoints: Sequence[Checkpoint],
    records: Iterable[tuple[str, str]],
    at: float,
    stamps: Iterable[Stamp] = (),
) -> Made:
    """Write a pack of the incidents in `of`, of everything where it is empty; `records` are pairs of chain and body.

    They come chain by chain, each from its first record to where the last checkpoint has it. Of the `stamps` those are
    in it that are of its checkpoints. Raises BadInput where the
    file cannot be written, or another is there already: evidence replaces no evidence.
    """
    if path.exists():
        raise BadInput("a file is there already", str(path), "name another, or remove it")
    draft = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(draft, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
            written, chains = 0, set[str]()
            with pack.open(_entry(RECORDS), "w", force_zip64=True) as lines:
                for chain, body in records:
                    lines.write(body.encode() + b"\n")
                    written += 1
                    chains.add(chain)
            pack.writestr(_entry(CHECKPOINTS), "".join(line_of(each) for each in checkpoints))
            told: dict[str, Any] = {
                "format": FORMAT,
                "of": list(of),
                "made_at": round(at, 3),
                "key": key.public,
                "records": written,
                "chains": len(chains),
                "checkpoint": len(checkpoints),
                "checkpoint_hash": checkpoints[-1].hash if checkpoints else "",
            }
            if lines_of_stamps := _stamped(stamps, checkpoints):
                pack.writestr(_entry(TIMESTAMPS), lines_of_stamps)
                told["timestamps"] = hashlib.sha256(lines_of_stamps.encode()).hexdigest()
            body = rfc8785.dumps(told).decode()
            pack.writestr(_entry(PACK), line_of(Checkpoint(body, key.sign(signing.PACK, body))))
            pack.writestr(_entry(VERIFIER), resources.files("rotator.evidence").joinpath(VERIFIER).read_bytes())
        draft.replace(path)
    except FileExistsError:
        raise BadInput("a file is there already", str(draft), "is another export at work? Else remove it") from None
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise BadInput(f"the pack cannot be kept there ({error.strerror})", str(path), "name another place") from None
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return Made(written, len(chains), len(checkpoints))


class Pack:
    """A pack that is read. Raises BadInput for what is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
            names = [each.filename for each in self._zip.infolist()]
            if sorted(names) != sorted({*names, PACK, CHECKPOINTS, RECORDS}):
                raise self._no("a file of it is missing, or there twice")
            if sum(each.file_size for each in self._zip.infolist()) > MOST_BYTES:
                raise self._no("it is larger than any pack of ours")
        except OSError as error:
            raise BadInput(f"cannot be read ({error.strerror})", str(path), "name a pack") from None
        except _DAMAGED:
            raise self._no("it is no ZIP file") from None

    def pack(self) -> Checkpoint:
        """Return what the pack says of itself, with its signature."""
        found = list(self._signed(PACK))
        if len(found) != 1:
            raise self._no(f"{PACK} is not one line")
        return found[0]

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Return the checkpoints, in the order of the file."""
        yield from self._signed(CHECKPOINTS)

    def records(self) -> Iterator[bytes]:
        """Return the records' bodies, in the order of the file."""
        yield from self._lines(RECORDS)

    def stamps(self) -> Iterator[tuple[int, str]]:
        """Return the time stamps: of which checkpoint, and the answer in base64. None of it has been checked."""
        for number, line in enumerate(self._lines(TIMESTAMPS) if self._has_stamps else (), 1):
            try:
                found: Any = json.loads(line)
                of, answer = int(found["checkpoint"]), str(found["answer"])
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                raise self._no(f"line {number} of {TIMESTAMPS} is not as it was written") from None
            yield of, answer

    def stamps_hash(self) -> str:
        """Return the SHA-256 of the time stamps as they stand there, "" where there are none."""
        if not self._has_stamps:
            return ""
        found = hashlib.sha256()
        for line in self._lines(TIMESTAMPS):
            found.update(line + b"\n")
        return found.hexdigest()

    @property
    def _has_stamps(self) -> bool:
        return TIMESTAMPS in self._zip.namelist()

    def _signed(self, name: str) -> Iterator[Checkpoint]:
        for number, line in enumerate(self._lines(name), 1):
            found = signed_in(line)
            if found is None:
                raise self._no(f"line {number} of {name} is not as it was written")
            yield found

    def _lines(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as lines:
                while line := lines.readline(MOST_LINE + 1):
                    if not line.endswith(b"\n"):
                        what = "has a longer line than any of ours" if len(line) > MOST_LINE else "ends within a line"
                        raise self._no(f"{name} {what}")
                    yield line[:-1]
        except _DAMAGED:
            raise self._no(f"{name} cannot be unpacked") from None

    def _no(self, what: str) -> BadInput:
        return BadInput(
            f"this is no whole evidence pack: {what}", str(self._path), "fetch it again, or ask who gave it"
        )


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry that says nothing of when and by whom: two exports of the same are the same."""
    found = zipfile.ZipInfo(name, _EARLIEST)
    found.compress_type, found.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return found


def signed_in(line: bytes) -> Checkpoint | None:
    """Return what a line has; None for any other bytes, even such as would read the same."""
    try:
        found: Any = json.loads(line)
        read = Checkpoint(str(found["body"]), str(found["signature"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return read if line_of(read).encode() == line + b"\n" else None


def _stamped(stamps: Iterable[Stamp], checkpoints: Sequence[Checkpoint]) -> str:
    hashes = [each.hash for each in checkpoints]
    mine = [each for each in stamps if each.hash in hashes[each.number - 1 : each.number]]
    return "".join(json.dumps({"checkpoint": each.number, "answer": each.answer}) + "\n" for each in mine)


def line_of(each: Checkpoint) -> str:
    """Return what is signed as a line."""
    return json.dumps({"body": each.body, "signature": each.signature}, ensure_ascii=False) + "\n"
