"""Read a file that is one secret and nothing else: `~/.ssh/id_ed25519`, a service account's key, `~/.vault-token`."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.flow.exposure import LIST, Exposure
from rotator.intake.report import Head, Report
from rotator.intake.shapes import kind_of, told

SOURCE = LIST
DESCRIPTION = "a private key, a service account's key or a token in a file of its own"

_MOST = 1 << 20
"""Characters: a key file has a few thousand."""


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    if head.opens == "{":
        return {"type", "private_key", "client_email"} <= head.keys
    first = head.lines[0] if head.lines else ""
    return (first.startswith("-----BEGIN") and first.endswith("PRIVATE KEY-----")) or (
        len(head.lines) == 1 and kind_of(first) is not None
    )


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield the one exposure. Raises BadInput where it is cut short, or more than one secret."""
    source, rule, leaked = told("", "", report.whole(_MOST))
    if source != LIST:
        raise report.bad("this is not one whole key", mend="is it cut short? Give each key as a file of its own")
    yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name)
