"""Who may send an alarm, each by the name that `[[triggers]]` calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rotator.triggers import aws_health, generic, gitguardian, github, github_partner, gitlab, pagerduty
from rotator.triggers.message import Received, Told, Trust


class Sender(Protocol):
    """What each module of this package that knows a sender has. `KINDS`: those of the sender's types that we know."""

    SOURCE: str
    KINDS: dict[str, str]
    CONTENT_TYPES: tuple[str, ...]

    def verify(self, request: Received, trust: Trust, now: float, /) -> None: ...
    def read(self, request: Received, /) -> Told: ...


class OfPublicKeys(Sender, Protocol):
    """One whose messages name the public key that signed them."""

    def key_wanted(self, request: Received, trust: Trust, /) -> str: ...


SENDERS: Mapping[str, Sender] = {
    "github": github,
    "github-partner": github_partner,
    "gitguardian": gitguardian,
    "pagerduty": pagerduty,
    "aws-health": aws_health,
    "generic": generic,
    "gitlab": gitlab,
}
OF_PUBLIC_KEYS: Mapping[str, OfPublicKeys] = {"github-partner": github_partner, "aws-health": aws_health}


def kinds_of(sender: str, more: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return which of our kinds answers what a sender calls (source, type); `more` are the operator's words."""
    module = SENDERS[sender]
    return {(module.SOURCE, rule): kind for rule, kind in {**module.KINDS, **more}.items()}
