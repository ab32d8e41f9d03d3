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
WHILE_OPEN = (
    "While some are open the mean is an estimate, in which each of them counts for as long as it is open. It may stand "
    "far above the longest, which is of those that have ended, and change either way until all have."
)
"""What stands beside the figures of clocks that are not over."""
BUCKETS: Mapping[str, str] = {
    "under_30d": "under 30 days",
    "under_60d": "30 to 60",
    "under_90d": "60 to 90",
    "under_180d": "90 to 180",
    "under_365d": "180 to 365",
    "older": "older",
    "unknown": "not known",
}
"""Ages, as the page heads them."""
WORDS: Mapping[str, str] = {
    "Exposed credential": (
        "a key, token, password or certificate that a report, an alarm or a person says was where it must not be. One "
        "that two incidents answer is counted in each, but for one that nobody had begun when they were merged."
    ),
    "Incident": "exposures that are handled together, under one plan that people approve.",
    "Run, task": (
        "a run is what machines do for one credential, step by step; a task is a credential that is left to a person, "
        "since no machine here can answer it."
    ),
    "Issuer, connection": (
        "the system that made the credential and can end it; and the account there through which the rotator acts."
    ),
    "Kind, owner, vendor": (
        "what sort of credential it is; whose it is, as its issuer says; and who holds it beside us, as the inventory "
        "says."
    ),
    "Proven dead": (
        "the secret itself was accepted, and then refused without a break for its issuer's settle time: for as long as "
        "that issuer may take until a stop is felt everywhere. The clock stops at the first of these refusals."
    ),
    "p50, p95": (
        "the time within which half of the credentials, or 95 in 100, came to that end. One that has not is counted as "
        "open for as long as it is (right-censored), so that no response looks fast by being left undone."
    ),
    "Hygiene, policy": (
        "credentials that nobody stole, replaced before they are old, as a policy says that people agreed to."
    ),
    "Risk": (
        "criticality times reach, times how sure the exposure is and what signs of use there are, as the plan had it."
    ),
    "Record, checkpoint, pack": (
        "each question, answer and decision is a record that names the hash of the one before; a checkpoint signs "
        "(Ed25519) how many records each chain has and what its last one is; a pack is a file of both."
    ),
}
"""The words of the page, for who has never seen the rotator."""
NOT_SHOWN = (
    "Exposures that nobody reported: the population is what was reported to the rotator, and nothing else.",
    "Whether a credential was abused before it was stopped: a death says only that it is refused from then on.",
    (
        "When a secret was exposed, where nobody said: such credentials have no time to detect, and weigh from their "
        "detection on."
    ),
    (
        "How old credentials are, and whether they change on a schedule, where no policy of hygiene selects them; "
        "and ages that neither their issuer nor the rotator knows."
    ),
    (
        "Whether what came due and was left to a person was replaced in time, or what was replaced elsewhere: both are "
        "counted, and stand in no share."
    ),
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
