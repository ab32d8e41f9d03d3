"""The text of an evidence file, whatever bytes are in it: one odd byte must not hide what stands beside it.

Logs hold what programs wrote, in any encoding, and `pip freeze > freeze.txt` makes UTF-16 in Windows PowerShell.
What is no text is left out rather than replaced, so that it breaks neither a name nor the document's own signs.
"""

from __future__ import annotations

import codecs
from io import BufferedIOBase
from typing import BinaryIO, cast

from rotator.errors import BadInput

# What UTF-32 begins with begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    b"\x1f\x8b",  # gzip
    b"PK\x03\x04",  # zip, a wheel
    b"\x28\xb5\x2f\xfd",  # Zstandard
    b"\xfd7zXZ\x00",
    b"BZh91AY&SY",
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",  # Mach-O
    b"\xca\xfe\xba\xbe",  # Java, and Mach-O of several machines
    b"MZ\x90\x00",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",  # JPEG
    b"%PDF-",
    b"SQLite format 3\x00",
)
"""How archives, programs, pictures and databases begin, as libmagic knows them."""
_FEW = 8


def utf8(stream: BinaryIO) -> BinaryIO:
    """Return the stream with its text in UTF-8, without NULs and whatever else is no text, as a terminal shows it.

    A mark at the beginning says that it is UTF-16 or UTF-32; the ASCII of UTF-16 that has none is what is left of it
    without its NULs. Reading raises BadInput for binary data: it begins as such, or most of it is NULs.
    """
    return cast("BinaryIO", _Recoded(stream))


class _Recoded(BufferedIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        while True:
            chunk = self._stream.read(-1 if size is None else size)
            if self._decoder is None:
                self._decoder = _decoder(chunk)
            text = self._decoder.decode(chunk, final=not chunk).replace("\0", "").encode()
            if text or not chunk:
                return text


def _decoder(first: bytes) -> codecs.IncrementalDecoder:
    nuls = first.count(0)
    # What a package is called is ASCII, every second byte of which is a NUL: without them, the mark is two odd bytes.
    marked = (encoding for mark, encoding in _MARKS if first.startswith(mark) and _FEW * nuls > len(first))
    encoding = next(marked, "")
    if not encoding and (first.startswith(_BINARY) or 2 * nuls > len(first)):
        raise BadInput("this is binary data, not a report", mend="give the text that its program wrote")
    return codecs.getincrementaldecoder(encoding or "utf-8")("ignore")
