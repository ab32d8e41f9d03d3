"""Access evidence: who used a credential, from where and when, and what of that began after it was exposed.

It is what logs show, and no proof of abuse: a new network may be a new office. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Sign(StrEnum):
    """What changed in a credential's use after it was exposed."""

    FIRST_USE = "used for the first time after exposure"
    NEW_NETWORK = "used after exposure from a new network"
    NEW_CALL = "made new calls after exposure"
    NEW_REGION = "used after exposure in a new region"
    VOLUME = "used unusually much after exposure"


@dataclass(frozen=True, slots=True)
class Seen:
    """One sign, in plain words: what was seen, when first, and in which file."""

    sign: Sign
    words: str
    at: float
    file: str


@dataclass(frozen=True, slots=True)
class User:
    """One user of a credential, as far as a log tells them apart: a network and a program.

    `network` is the address's /24, of IPv6 its /48, or the name of the vendor's service that called; "" is unknown.
    """

    network: str
    agent: str
    calls: int
    first_at: float
    last_at: float

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self.agent or 'something'} at {self.network or 'an unknown address'}"


@dataclass(frozen=True, slots=True)
class Uses:
    """What access logs tell of one credential. `sources` are its users, whoever used it last first.

    `told_by` names what was read. `left_out` counts the sources, calls and regions beyond what is kept.
    """

    id: str
    calls: int
    first_used_at: float | None
    last_used_at: float | None
    sources: tuple[User, ...] = ()
    signs: tuple[Seen, ...] = ()
    told_by: tuple[str, ...] = ()
    left_out: int = 0


NO_USES: Mapping[str, Uses] = MappingProxyType({})
"""What is known where no access log was given."""
