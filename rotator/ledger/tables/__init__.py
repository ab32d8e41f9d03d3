"""The ledger's tables. Times are seconds since the epoch, UTC; structured values are canonical JSON text.

No column holds material in the clear: `sealed.blob` is AES-GCM under the deployment's key, everything else is names.
A change here comes with a migration in `migrations/versions/`.
"""

from __future__ import annotations

from rotator.ledger.tables.access import called, session, token
from rotator.ledger.tables.advisories import arrived_advisory, kept_advisory
from rotator.ledger.tables.datasets import manifest, manifest_check, manifest_part
from rotator.ledger.tables.deciding import approval, dismissal, plan
from rotator.ledger.tables.evidence import checkpoint, epoch, evidence, siem, signed, stamp, this_transaction, witness
from rotator.ledger.tables.exposed import exposure, manual, proof, sealed
from rotator.ledger.tables.inventory import inventory, inventory_history, listed
from rotator.ledger.tables.metadata import metadata
from rotator.ledger.tables.runs import (
    LIVES,
    LIVES_ON,
    MAY_BE_SENT,
    SET_ASIDE,
    accepted,
    awaits,
    branch,
    delivery,
    incident,
    late,
    mint,
    reach,
    run,
    stands,
    step,
)
from rotator.ledger.tables.standing import (
    canary,
    certificate,
    drill,
    duty,
    hygiene,
    segmented,
    surveyed,
    trial,
    watched,
)
from rotator.ledger.tables.steering import account, foothold, gate, leader, machine, stop
from rotator.ledger.tables.telling import hears, message, notice, noticed, trigger
from rotator.ledger.tables.vendors import (
    dataset,
    pause,
    pause_gate,
    pause_held,
    software,
    term,
    vendor,
    vendor_log,
    vendor_use,
)

__all__ = [
    "LIVES",
    "LIVES_ON",
    "MAY_BE_SENT",
    "SET_ASIDE",
    "accepted",
    "account",
    "approval",
    "arrived_advisory",
    "awaits",
    "branch",
    "called",
    "canary",
    "certificate",
    "checkpoint",
    "dataset",
    "delivery",
    "dismissal",
    "drill",
    "duty",
    "epoch",
    "evidence",
    "exposure",
    "foothold",
    "gate",
    "hears",
    "hygiene",
    "incident",
    "inventory",
    "inventory_history",
    "kept_advisory",
    "late",
    "leader",
    "listed",
    "machine",
    "manifest",
    "manifest_check",
    "manifest_part",
    "manual",
    "message",
    "metadata",
    "mint",
    "notice",
    "noticed",
    "pause",
    "pause_gate",
    "pause_held",
    "plan",
    "proof",
    "reach",
    "run",
    "sealed",
    "segmented",
    "session",
    "siem",
    "signed",
    "software",
    "stamp",
    "stands",
    "step",
    "stop",
    "surveyed",
    "term",
    "this_transaction",
    "token",
    "trial",
    "trigger",
    "vendor",
    "vendor_log",
    "vendor_use",
    "watched",
    "witness",
]
