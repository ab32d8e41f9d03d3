"""Exposures: one credential seen where it must not be, where and when; and how many of them are one credential."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.credential import Leaked, Secret


class Certainty(StrEnum):
    """How sure it is that the credential was within reach."""

    SEEN = "seen"
    REACHABLE = "reachable"
    INFERRED = "inferred"


class Disposition(StrEnum):
    """What a person, or the issuer, has decided about an exposure."""

    OPEN = "open"
    FALSE_POSITIVE = "false_positive"
    CANARY = "canary"
    NOT_OURS = "not_ours"
    ALREADY_DEAD = "already_dead"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One finding of one report.

    `source` is the report's format, `rule` the name it gives to the kind. `scanner_says` is the scanner's own
    validation ("active", "inactive"), which is a hint and never proof.
    """

    source: str
    rule: str
    leaked: Leaked
    path: str = ""
    line: int | None = None
    commit: str | None = None
    seen_at: datetime | None = None
    scanner_says: str | None = None
    certainty: Certainty = Certainty.SEEN

    @property
    def where(self) -> str:
        """Return `path:line`, as editors and people write it."""
        return f"{self.path}:{self.line}" if self.line is not None else self.path


@dataclass(frozen=True, slots=True)
class Suspect:
    """One leaked credential, not yet named by its issuer, with every place it was seen.

    `kind` is the playbook that answers it, None when no playbook recognises it. `key` tells suspects apart without
    holding material: the id, or a keyed fingerprint of the secret.
    """

    kind: str | None
    key: str
    leaked: Leaked
    exposures: tuple[Exposure, ...]


def group(
    exposures: Iterable[Exposure],
    recognises: Mapping[tuple[str, str], str],
    fingerprint: Callable[[Secret], str],
) -> list[Suspect]:
    """Make one suspect of all exposures of one credential, in the order in which they were first seen.

    `recognises` maps (source, rule) to a playbook's name. Where some exposures of an id carry material and others
    do not, the suspect has it; where they disagree, the one the scanner validated wins, then the first.
    """
    grouped: dict[tuple[str, str], list[Exposure]] = {}
    for exposure in exposures:
        kind = recognises.get((exposure.source, exposure.rule))
        grouped.setdefault((kind or f"?{exposure.source}/{exposure.rule}", _key(exposure, fingerprint)), []).append(
            exposure
        )
    return [
        Suspect(None if kind.startswith("?") else kind, key, _fullest(found), tuple(found))
        for (kind, key), found in grouped.items()
    ]


def _key(exposure: Exposure, fingerprint: Callable[[Secret], str]) -> str:
    if exposure.leaked.id:
        return exposure.leaked.id
    if exposure.leaked.secret is not None:
        return fingerprint(exposure.leaked.secret)
    return f"{exposure.source}:{exposure.rule}:{exposure.where}"


def _fullest(found: list[Exposure]) -> Leaked:
    with_material = [each for each in found if each.leaked.secret is not None]
    validated = [each for each in with_material if each.scanner_says == "active"]
    best = (validated or with_material or found)[0].leaked
    return Leaked(
        id=best.id or _first(found, "id"),
        secret=best.secret,
        owner=best.owner or _first(found, "owner"),
        account=best.account or _first(found, "account"),
        address=best.address or _first(found, "address"),
    )


def _first(found: list[Exposure], name: str) -> str | None:
    return next((value for each in found if (value := getattr(each.leaked, name))), None)
