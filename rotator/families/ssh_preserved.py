"""Keep, as plain facts, how an exposed key stood on each host; give its replacement the same restrictions."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.errors import Rejected, RotatorError
from rotator.families.authorized_keys import Entry, entries

_KEY, _LISTED, _OPTIONS, _COMMENT = "fingerprint", "listed@", "options@", "comment@"
_YES, _NO, _UNTOLD = "yes", "no", "yes, with options that may hold a secret"


def facts_of(name: str, listed: Mapping[str, list[Entry]], failed: Mapping[str, RotatorError]) -> dict[str, str]:
    """Return the facts of one key: for each host whether it is listed, its options and comments, one line each.

    Options that set variables are not kept, since they may hold a secret; that there are some is.
    """
    facts = {_KEY: name}
    for host, lines in listed.items():
        mine = [entry for entry in lines if entry.fingerprint == name]
        if not mine:
            facts[_LISTED + host] = _NO
        elif not all(entry.tellable() for entry in mine):
            facts[_LISTED + host] = _UNTOLD
        else:
            facts[_LISTED + host] = _YES
            facts[_OPTIONS + host] = "\n".join(entry.options.decode() for entry in mine)
            facts[_COMMENT + host] = "\n".join(entry.comment.decode("utf-8", "replace") for entry in mine)
    for host, error in failed.items():
        facts[_LISTED + host] = f"unknown: {error.reason}"
    return facts


def options_for(host: str, text: bytes, preserved: Mapping[str, str]) -> list[bytes]:
    """Return the options of the replacement's lines: the exposed key's, as they stand in the file, or as preserved.

    Raises Rejected when the exposed key never stood there, or nobody knows under which options it did.
    """
    if not preserved:
        return [b""]
    standing = [entry.options for entry in entries(text) if entry.fingerprint == preserved.get(_KEY)]
    if standing:
        return standing
    told = preserved.get(_LISTED + host, "unknown")
    if told == _NO:
        raise Rejected("never_listed_here", f"{host} did not list the exposed key, so its replacement is not let in")
    if told != _YES:
        raise Rejected("options_unknown", f"{host}: under which options the exposed key stood is {told}")
    return [line.encode() for line in preserved.get(_OPTIONS + host, "").split("\n")]
