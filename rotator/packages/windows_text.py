"""Text as Windows PowerShell's `>` writes it: `pip freeze > freeze.txt` makes UTF-16 there."""

from __future__ import annotations

import codecs
from io import BufferedIOBase
from typing import BinaryIO, cast

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def utf8(stream: BinaryIO) -> BinaryIO:
    """Return the stream with its text in UTF-8 where a mark at its beginning says that it is in UTF-16."""
    return cast("BinaryIO", _Recoded(stream))


class _Recoded(BufferedIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self._stream.read(-1 if size is None else size)
        if not self._begun:
            self._begun = True
            # What UTF-32 begins with begins like UTF-16; the reader refuses it.
            if chunk.startswith(_UTF16) and not chunk.startswith(codecs.BOM_UTF32_LE):
                self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        if self._decoder is None:
            return chunk
        while True:
            text = self._decoder.decode(chunk, final=not chunk).encode("utf-8", "replace")
            if text or not chunk:
                return text
            chunk = self._stream.read(-1 if size is None else size)
