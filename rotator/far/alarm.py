"""What an alarm is made of, as it is sent: standard input as it is, files as an archive, by their names."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rotator.errors import BadInput

_STDIN = "-"


def body(files: Sequence[str], evidence: Sequence[str], access: Sequence[str], advisories: Sequence[str]) -> bytes:
    """Return the body of the request. Raises BadInput for a file that cannot be read."""
    if not (evidence or access or advisories or any(each != _STDIN for each in files)):
        return b"".join(map(_read, files))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in files:
            _add(archive, f"reports/{_called(name, files)}", _read(name))
        for folder, given in (("evidence", evidence), ("access", access), ("advisories", advisories)):
            for name, path in _inside(given):
                _add(archive, f"{folder}/{name}", _read(str(path)))
    return packed.getvalue()


def _called(name: str, files: Sequence[str]) -> str:
    """Return what a report is called there: two of one name, in two folders, are two."""
    short = "standard input" if name == _STDIN else Path(name).name
    return short if [Path(each).name for each in files].count(short) < 2 else f"{files.index(name) + 1}-{short}"  # noqa: PLR2004


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _inside(given: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield each file of the folders, with its path from there on; links are not followed out of them."""
    for each in given:
        top = Path(each)
        if not top.exists():
            raise BadInput("there is no such folder or file", each, "give one that is there")
        if not top.is_dir():
            yield top.name, top
            continue
        for path in sorted(one for one in top.rglob("*") if one.is_file() and not one.is_symlink()):
            yield str(path.relative_to(top)), path


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", name, "give a report's file") from None
