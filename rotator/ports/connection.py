"""How the rotator itself reaches one account, and how long one exchange with the other side may last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotator.credential import Secret

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
CALL_DEADLINE_S = 25.0
"""No single call outlives this. The claim's lease is longer by a margin (see flow/step.py)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Say how the rotator itself reaches one account.

    `credential` reads the rotator's own credential at each call, so that a rotated one is picked up; it returns None
    when the vendor's default chain is meant. `settings` are the keys of `[[connections]]` that only the family knows
    (region, hosts, user). `settle_s` and `propagation_s` override the provider's own, in seconds. `kinds` are the
    playbooks that it serves, None for all of its family.
    """

    name: str
    family: str
    account: str | None = None
    endpoint_url: str | None = None
    credential: Callable[[], Secret | None] = lambda: None
    settings: Mapping[str, object] = field(default_factory=dict)
    settle_s: float | None = None
    propagation_s: float | None = None
    kinds: tuple[str, ...] | None = None
