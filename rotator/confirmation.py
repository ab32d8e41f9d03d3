"""The words that are to be typed before something is done, where the configuration asks: `revoke 3 production`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef


def words_for(parts: Rotator, refs: Iterable[CredentialRef], verb: str = "revoke") -> str:
    """Return what is to be typed before this is done to these, "" where the configuration asks for nothing."""
    policy = parts.settings.policy
    if policy is None or not policy.confirm:
        return ""
    environments = (parts.custodies.of(ref).environment for ref in refs)
    return phrase(verb, Counter(each for each in environments if each and each in policy.confirm))


def phrase(verb: str, counts: Mapping[str, int]) -> str:
    """Return what is to be typed before something is done in environments that ask for it; "" where none does."""
    return " ".join([verb, *(f"{count} {name}" for name, count in sorted(counts.items()))]) if counts else ""
