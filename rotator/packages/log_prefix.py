"""Take away what programs put before lines that they pass on: Jenkins, docker compose, kubectl, syslog, BuildKit."""

from __future__ import annotations

import re

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_PREFIX = re.compile(
    rf"(?:\[?\d{{4}}-\d\d-\d\d[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?\]?"  # a time
    rf"|\[?{_CLOCK}\]?"  # Jenkins
    rf"|[A-Z][a-z]{{2}} [ \d]\d {_CLOCK} [\w.-]{{1,100}} [\w./-]{{1,100}}(?:\[\d{{1,10}}\])?:"  # syslog
    r"|[A-Za-z0-9][\w.-]{0,100} {0,60}\|"  # docker compose
    r"|\[[\w./:-]{1,200}\]"  # kubectl, a level, a branch
    r"|#\d{1,6}(?: \d{1,9}\.\d{1,9})?"  # BuildKit
    r")(?: |$)"
)
_MOST = 4


def bare(text: str) -> str:
    """Return the line without the prefixes that are known, four at most; what is indented keeps its indent."""
    for _ in range(_MOST):
        found = _PREFIX.match(text)
        if found is None:
            break
        text = text[found.end() :]
    return text
