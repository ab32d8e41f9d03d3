"""An alarm as text, to be sealed until it is declared, and back; and what tells that two alarms are one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.triggers.message import Missing, Trigger

_KEPT = ("source", "rule", "path", "line")


def written(trigger: Trigger) -> Secret:
    """Return what the alarm names, material included."""
    exposures = [
        {**{name: getattr(each, name) for name in _KEPT}, "leaked": _leaked(each.leaked)} for each in trigger.exposures
    ]
    return Secret(json.dumps({"exposures": exposures, "missing": [asdict(each) for each in trigger.missing]}))


def read_back(kept: Secret) -> tuple[tuple[Exposure, ...], tuple[Missing, ...]]:
    """Return what it named."""
    told: Mapping[str, list[dict[str, Any]]] = json.loads(kept.reveal())
    exposures = tuple(Exposure(**{**each, "leaked": _read(each["leaked"])}) for each in told["exposures"])
    return exposures, tuple(Missing(**each) for each in told["missing"])


def same_alarm(trigger: Trigger) -> Secret:
    """Return what two messages about one alarm have in common: its credentials, the sender's numbers of the others."""
    named = [[each.source, each.rule, *map(str, _leaked(each.leaked).values())] for each in trigger.exposures]
    numbered = [[each.source, each.key] for each in trigger.missing]
    return Secret(json.dumps(sorted(map(json.dumps, named + numbered))))


def without_secrets(trigger: Trigger, told: str) -> str:
    """Return a sender's words without what it names as secret."""
    for each in trigger.exposures:
        if each.leaked.secret and (word := each.leaked.secret.reveal().strip()):
            told = told.replace(word, "[secret]")
    return told


def _leaked(leaked: Leaked) -> dict[str, str | None]:
    return {
        "id": leaked.id,
        "secret": leaked.secret.reveal() if leaked.secret is not None else None,
        "owner": leaked.owner,
        "account": leaked.account,
        "address": leaked.address,
        "connection": leaked.connection,
    }


def _read(told: Mapping[str, Any]) -> Leaked:
    secret = told["secret"]
    return Leaked(**{**told, "secret": None if secret is None else Secret(secret)})
