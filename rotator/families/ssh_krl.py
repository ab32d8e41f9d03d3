"""Key revocation lists of OpenSSH, as bytes: which keys one revokes, and the same list with one key more. Pure.

A key is revoked by the SHA256 of its public half, which is its fingerprint (understood since OpenSSH 7.9): sshd then
refuses the key itself and every certificate for it, whoever signed that. The format is OpenSSH's PROTOCOL.krl. A list
that cannot be read makes sshd refuse every key of everybody, so what is not wholly understood is never changed.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator

from rotator.errors import Rejected
from rotator.families.authorized_keys import is_fingerprint

_MAGIC = b"SSHKRL\n\0"
_FORMAT = 1
_FIXED = struct.Struct(">8sIQQQ")
"""Magic, format, the list's version, when it was made (seconds since 1970), flags."""
_KEYS, _SIGNATURE, _HASHES = 2, 4, 5
"""Types of section: whole public keys, a signature over all before it, SHA256 hashes of public keys."""


def revokes(krl: bytes, name: str) -> bool:
    """Tell whether the list revokes the key of that fingerprint, by it or by the key itself."""
    wanted = _digest(name)
    for kind, data in _sections(krl)[1]:
        found = _strings(data) if kind in (_KEYS, _HASHES) else iter(())
        if any((each if kind == _HASHES else hashlib.sha256(each).digest()) == wanted for each in found):
            return True
    return False


def with_revoked(krl: bytes, name: str, now: int) -> bytes:
    """Return the list with that key revoked, or the same list when it is. `now` is in seconds since 1970.

    Raises Rejected("krl_corrupt"), Rejected("krl_is_a_text_file") and Rejected("krl_is_signed").
    """
    if revokes(krl, name):
        return krl
    header, sections = _sections(krl)
    if any(kind == _SIGNATURE for kind, _ in sections):
        raise Rejected("krl_is_signed", "a change would break the signature: its signer must revoke the key")
    version, notes = (0, _string(b"") * 2) if not header else (_FIXED.unpack(header[: _FIXED.size])[2], _notes(header))
    hashes = b"".join(data for kind, data in sections if kind == _HASHES) + _string(_digest(name))
    body = [(kind, data) for kind, data in sections if kind != _HASHES] + [(_HASHES, hashes)]
    start = _FIXED.pack(_MAGIC, _FORMAT, version + 1, now, 0)
    return start + notes + b"".join(bytes([kind]) + _string(data) for kind, data in body)


def _digest(name: str) -> bytes:
    if not is_fingerprint(name):
        raise Rejected("unreadable", f"{name!r} is no fingerprint (SHA256:...)")
    return base64.b64decode(name.partition(":")[2] + "=")


def _sections(krl: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Return the header and the sections; nothing of either for a file that is empty."""
    if not krl.strip():
        return b"", []
    if not krl.startswith(_MAGIC):
        raise Rejected("krl_is_a_text_file", "make it a KRL first: ssh-keygen -k -f NEW OLD, then rename NEW")
    try:
        made, flags = _FIXED.unpack_from(krl)[1::3]
    except struct.error:
        raise _corrupt() from None
    if made != _FORMAT or flags:
        raise Rejected("krl_not_understood", "it has another format than OpenSSH's first")
    end = _FIXED.size
    for _ in ("reserved", "comment"):
        end = _taken(krl, end)[1]
    sections, at = [], end
    while at < len(krl):
        data, after = _taken(krl, at + 1)
        sections.append((krl[at], data))
        at = after
    return krl[:end], sections


def _notes(header: bytes) -> bytes:
    return header[_FIXED.size :]


def _strings(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        text, at = _taken(data, at)
        yield text


def _taken(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the string that begins there, and where it ends."""
    begin = at + 4
    end = begin + int.from_bytes(data[at:begin], "big")
    if begin > len(data) or end > len(data):
        raise _corrupt()
    return data[begin:end], end


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _corrupt() -> Rejected:
    return Rejected("krl_corrupt", "the list ends too early: sshd refuses every key until somebody mends it")
