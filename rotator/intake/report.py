"""A report as its text comes in: read once, never held whole, refused in one clear line that quotes none of it."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from rotator.errors import BadInput

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
HEAD_LINES = 40
PIECE_CAP = 16 << 20
"""Characters that one line or one finding may have. A private key with all its context has a few thousand."""

_SPACE = re.compile(r"[ \t\r\n]*")
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True)
class Head:
    """What the first 64 KB tell: by what a format is known.

    `opens` is the first character that is no space: `{` or `[` of JSON, anything else of a table. `keys` are those of
    the first JSON object, as far as the head shows them; `then` is what stands in its place in an array of others.
    """

    opens: str
    keys: frozenset[str]
    then: str
    first_line: str
    lines: tuple[str, ...] = ()


class Report:
    """Text that arrives in chunks from a stream which need not be seekable."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self._stream = stream
        self._first = self._read_head()
        self.starts_at = len(codecs.BOM_UTF8) if self._first.startswith(codecs.BOM_UTF8) else 0
        self.head = self._look()

    def bad(self, what: str, where: str = "", mend: str = "") -> BadInput:
        """Return the error to raise; `where` is a place in the report: `line 3`, `finding 7`, `byte 120`."""
        return BadInput(what, where=f"{self.name}, {where}" if where else self.name, mend=mend)

    def chunks(self) -> Iterator[str]:
        """Yield the whole text once, a byte-order mark left out. Raises BadInput where it is not UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        taken = 0
        chunk = self._first
        while chunk:
            waiting = len(decoder.getstate()[0])
            try:
                yield decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise self._not_utf8(taken - waiting + error.start) from None
            taken += len(chunk)
            chunk = self._stream.read(CHUNK_BYTES)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise self._not_utf8(taken - waiting) from None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line with its number, from 1; blank ones are left out. Raises BadInput on one without end."""
        number, rest = 0, ""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split("\n")
            for line in whole:
                number += 1
                if line and not line.isspace():
                    yield number, line
            if len(rest) > PIECE_CAP:
                raise self.bad(
                    f"line {number + 1} is longer than {PIECE_CAP >> 20} MB",
                    mend="give one report, as the scanner wrote it",
                )
        if rest and not rest.isspace():
            yield number + 1, rest

    def whole(self, most: int) -> str:
        """Return the text of a report that cannot come in pieces. Raises BadInput past `most` characters."""
        pieces: list[str] = []
        for chunk in self.chunks():
            pieces.append(chunk)
            if sum(map(len, pieces)) > most:
                raise self.bad(f"it is longer than {most >> 20} MB", mend="give the file as its program wrote it")
        return "".join(pieces)

    def _read_head(self) -> bytes:
        """Read until the head is full: a pipe gives less than it is asked for."""
        head = b""
        while len(head) < HEAD_BYTES and (chunk := self._stream.read(HEAD_BYTES - len(head))):
            head += chunk
        return head

    def _look(self) -> Head:
        if self._first.startswith(_OTHER_ENCODINGS):
            raise self.bad("the text is not in UTF-8", mend="save it as UTF-8; PowerShell's `>` writes UTF-16")
        if b"\0" in self._first:
            raise self.bad("this is binary data, not a report", mend="give the JSON or CSV that the scanner wrote")
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(self._first)
        except UnicodeDecodeError as error:
            raise self._not_utf8(error.start) from None
        start = _after_space(text, 0)
        if start == len(text):
            raise self.bad(
                "the report is empty", mend="if the scanner found something, run it again and keep its output"
            )
        opens = text[start]
        inner = _after_space(text, start + 1) if opens == "[" else start
        first_line = text[start:].split("\n", 1)[0]
        return Head(opens, _keys(text, inner), text[inner : inner + 1], first_line, tuple(_telling(text[start:])))

    def _not_utf8(self, at: int) -> BadInput:
        return self.bad(
            "the text is not in UTF-8", f"byte {at}", "give the JSON or CSV that the scanner wrote, as UTF-8"
        )


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _telling(text: str) -> Iterator[str]:
    """Yield the first lines that are neither blank nor a comment."""
    lines = (line.strip() for line in text.splitlines())
    return islice((line for line in lines if line and line[0] not in "#;"), HEAD_LINES)


def _keys(text: str, at: int) -> frozenset[str]:
    """Return the keys of the object that begins here, as far as the text goes."""
    keys: set[str] = set()
    decode = json.JSONDecoder().raw_decode
    separator = "{"
    try:
        while text[at] == separator:
            key, at = decode(text, _after_space(text, at + 1))
            keys.add(str(key))
            _, at = decode(text, _after_space(text, _after_space(text, at) + 1))
            at, separator = _after_space(text, at), ","
    except (ValueError, IndexError, RecursionError):
        pass  # cut off by the head's end, or not JSON: what was seen decides, and the reader tells what is wrong
    return frozenset(keys)
