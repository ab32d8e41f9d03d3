"""Record an attestation of a vendor: what a person says of it, and what is answered, here and over HTTP."""

from __future__ import annotations

from datetime import date

from rotator import registering
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.vendor import Attestation
from rotator.operations.operation import Answer
from rotator.shown.vendors import today


def made(kind: str, issuer: str, scope: str, begins: str, ends: str, digest: str) -> Attestation:  # noqa: PLR0917
    """Return an attestation as a person said it. Raises BadInput, which repeats no words that may be a secret."""
    words = {"KIND": kind, "--issuer": issuer, "--scope": scope}
    registering.refuse_words(words, may_be_empty={"--scope"})
    first, last = _day(begins, "--from"), _day(ends, "--to")
    if last < first:
        raise BadInput(f"it would end on {last}, before it begins", "--to", "give the last day of its term")
    return Attestation(kind.strip(), issuer.strip(), scope.strip(), first, last, digest)


def keep(parts: Rotator, by: str, vendor: str, paper: Attestation) -> Answer:
    """Keep it once; return it as it is kept. Raises BadInput for no such vendor."""
    is_new, day = parts.vendors.attest(vendor, paper, by), today()
    warnings = []
    if day > paper.valid_to:
        warnings = [f"NOT VALID: it ended on {paper.valid_to}: ask {vendor} for the one that follows it"]
    elif day < paper.valid_from:
        warnings = [f"NOT VALID yet: it begins on {paper.valid_from}, and counts from then on"]
    return {
        "vendor": vendor,
        "kind": paper.kind,
        "issuer": paper.issuer,
        "scope": paper.scope,
        "valid_from": paper.valid_from.isoformat(),
        "valid_to": paper.valid_to.isoformat(),
        "sha256": paper.digest,
        "is_new": is_new,
        "valid": paper.is_valid(day),
        "warnings": warnings,
    }


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("this is no day", option, "write it as 2026-01-31") from None
