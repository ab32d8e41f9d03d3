"""The text of an AuthorizedPrincipalsFile: who among the holders of certificates may come in as an account. Pure.

Lines are read the way sshd reads them (`process_principals` and `check_principals_line` in OpenSSH's
auth2-pubkeyfile.c): a NUL ends the text of a line, everything behind a `#` is a comment, what stands behind the last
space is the principal, and before it are the options of authorized_keys. A line that sshd takes and we overlook would
be a door left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rotator.errors import Rejected, RotatorError

_PRINCIPAL, _LISTED, _OPTIONS = "principal", "listed@", "options@"
_YES, _NO, _UNTOLD = "yes", "no", "yes, with options that may hold a secret"
_TELLABLE = re.compile(r"[\x20-\x7e]*")
_NAME = re.compile(r"[^\s#\x00-\x1f\x7f]{1,256}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that lets a principal in, under options or none."""

    principal: str
    options: bytes

    def tellable(self) -> bool:
        """Tell whether the options may be kept as evidence: plain text, and no variable that may hold a secret."""
        text = self.options.decode("latin-1")
        return _TELLABLE.fullmatch(text) is not None and "environment=" not in text.lower()


def is_principal(text: str) -> bool:
    """Tell whether it can be one: sshd knows none with a space in it, and none with a `#`."""
    return _NAME.fullmatch(text) is not None


def lines(text: bytes) -> list[Line]:
    """Return the lines that let a principal in, in order."""
    return [line for each in text.split(b"\n") if (line := _line(each)) is not None]


def without(text: bytes, principal: str) -> bytes:
    """Take away every line of that principal, and leave every other byte alone."""
    kept = [each for each in re.findall(rb"[^\n]*\n|[^\n]+", text) if not _is_of(each, principal)]
    return b"".join(kept)


def restored(text: bytes, target: str, preserved: Mapping[str, str], principal: str) -> bytes:
    """Put back the lines as they were kept of this host; already there counts as done.

    Raises Rejected where the principal never was let in there, or nobody knows under which options.
    """
    if any(each.principal == principal for each in lines(text)):
        return text
    told = preserved.get(_LISTED + target) if preserved.get(_PRINCIPAL) == principal else None
    if told is None:
        raise Rejected("nothing_preserved", f"{target}: whether it let {principal} in is not known")
    if told == _NO:
        raise Rejected("never_listed_here", f"{target} did not let {principal} in")
    if told != _YES:
        raise Rejected("options_unknown", f"{target}: under which options {principal} was let in is {told}")
    back = [f"{each} {principal}".strip() for each in preserved.get(_OPTIONS + target, "").split("\n")]
    start = text if not text or text.endswith(b"\n") else text + b"\n"
    return start + b"".join(each.encode() + b"\n" for each in back)


def facts_of(
    principal: str, listed: Mapping[str, Iterable[Line]], failed: Mapping[str, RotatorError]
) -> dict[str, str]:
    """Return for each host whether it lets the principal in, and under which options, one line each."""
    facts = {_PRINCIPAL: principal}
    for host, found in listed.items():
        mine = [each for each in found if each.principal == principal]
        if not mine:
            facts[_LISTED + host] = _NO
        elif not all(each.tellable() for each in mine):
            facts[_LISTED + host] = _UNTOLD
        else:
            facts[_LISTED + host] = _YES
            facts[_OPTIONS + host] = "\n".join(each.options.decode() for each in mine)
    for host, error in failed.items():
        facts[_LISTED + host] = f"unknown: {error.reason}"
    return facts


def _is_of(line: bytes, principal: str) -> bool:
    found = _line(line.removesuffix(b"\n"))
    return found is not None and found.principal == principal


def _line(line: bytes) -> Line | None:
    text = line.split(b"\0", 1)[0].lstrip(b" \t").split(b"#", 1)[0].rstrip(b" \t\n")
    if not text:
        return None
    last = text.rfind(b" ") if b" " in text else text.rfind(b"\t")
    name = text[last + 1 :].lstrip(b" \t")
    return Line(name.decode("utf-8", "surrogateescape"), text[: last + 1].strip(b" \t"))
