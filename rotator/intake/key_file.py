"""Read a file that is one secret and nothing else: `~/.ssh/id_ed25519`, a service account's key, `~/.vault-token`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import material
from rotator.intake.report import Head, Report
from rotator.intake.shapes import kind_of, told

SOURCE = LIST
DESCRIPTION = "a private key, a service account's key or a token in a file of its own"

# As OpenBao and older Vaults make them: too little among other words, and enough where nothing else stands.
_VAULT = re.compile(r"s\.[A-Za-z0-9]{24}(?:\.[A-Za-z0-9]{1,10})?")
_MOST = 1 << 20
"""Characters: a key file has a few thousand."""


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    if head.opens == "{":
        return {"type", "private_key", "client_email"} <= head.keys
    first = head.lines[0] if head.lines else ""
    return (first.startswith("-----BEGIN") and first.endswith("PRIVATE KEY-----")) or (
        len(head.lines) == 1 and (kind_of(first) is not None or _VAULT.fullmatch(first.strip()) is not None)
    )


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield the one exposure. Raises BadInput where it is cut short, or more than one secret."""
    text = report.whole(_MOST)
    source, rule, leaked = told("", "", text)
    if _VAULT.fullmatch(text.strip()):
        source, rule, leaked = LIST, "vault_token", Leaked(secret=material(text.strip()))
    if source != LIST:
        raise report.bad("this is not one whole key", mend="is it cut short? Give each key as a file of its own")
    yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name)
