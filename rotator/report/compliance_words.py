"""The compliance report's figures in words: what each clock measures, and what the figures leave open."""

from __future__ import annotations

from collections.abc import Mapping

CLOCKS: Mapping[str, tuple[str, str]] = {
    "detected": ("Time to detect", "from the exposure, as far as anyone knows, to its detection"),
    "declared": ("Time to declare", "from the detection until it came to its incident"),
    "approved": ("Time to approve", "from the detection to the approval that let work on it begin"),
    "acknowledged": ("Time to acknowledged", "from the detection until its issuer took the first stop"),
    "contained": ("Time to contain", "from the detection until every door refused it for the settle time"),
    "proven_dead": ("Time to proven dead", "from the detection to the first refusal of the series that proves it"),
    "replaced": ("Time to replaced", "from the detection until another credential stood where consumers read"),
    "converged": ("Time to converged", "from the detection until every consumer held the new one"),
}
NOT_SHOWN = (
    "Exposures that nobody reported: the population is what was reported to the rotator, and nothing else.",
    "Whether a credential was abused before it was stopped: a death says only that it is refused from then on.",
    (
        "When a secret was exposed, where nobody said: such credentials have no time to detect, and weigh from their "
        "detection on."
    ),
    "The age of credentials that were not exposed, and changes on a schedule.",
    "Issuers' own times: every moment is by the clocks of the machines that ran the rotator.",
    (
        "Why work on an open one stands still: held, failed and waiting credentials all count as open. The incident's "
        "report tells which."
    ),
    (
        "Who could write the ledger and has the signing key could write another past, except against a copy of the "
        "evidence that somebody else keeps."
    ),
)
