"""An alarm as text, to be sealed until it is declared, and back; and what tells that two alarms are one."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote

from rotator import api_token
from rotator.credential import REDACTED, Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.triggers.message import LONGEST, Missing, Trigger

_KEPT = ("source", "rule", "path", "line")
_OPENS = re.compile("(secret|secret_access_key|session_token|token|password|private_key|api_key)$")
_IN_PROSE, _IN_NAMES = 4, 16
"""Letters of material that is looked for in what people read, and in names that we go by: a password may be a name."""


def written(trigger: Trigger) -> Secret:
    """Return what the alarm names, material included."""
    exposures = [
        {**{name: getattr(each, name) for name in _KEPT}, "leaked": _leaked(each.leaked)} for each in trigger.exposures
    ]
    missing = [asdict(each) for each in trigger.missing]
    return Secret(json.dumps({"exposures": exposures, "missing": missing, "advisories": trigger.advisories}))


def read_back(kept: Secret) -> tuple[tuple[Exposure, ...], tuple[Missing, ...]]:
    """Return what it named."""
    told: Mapping[str, list[dict[str, Any]]] = json.loads(kept.reveal())
    exposures = tuple(Exposure(**{**each, "leaked": _read(each["leaked"])}) for each in told["exposures"])
    return exposures, tuple(Missing(**each) for each in told["missing"])


def advisories(kept: Secret) -> tuple[str, ...]:
    """Return the records of advisories that it carried; what an earlier release kept has none."""
    return tuple(json.loads(kept.reveal()).get("advisories", ()))


def same_alarm(trigger: Trigger) -> Secret:
    """Return what two messages about one alarm have in common: its credentials, and what stands for others."""
    named = [[each.source, each.rule, *map(str, _leaked(each.leaked).values())] for each in trigger.exposures]
    numbered = [[each.source, each.rule, each.key, each.where] for each in trigger.missing]
    return Secret(json.dumps([*sorted(map(json.dumps, named + numbered)), *sorted(trigger.advisories)]))


def without_secrets(trigger: Trigger) -> Trigger:
    """Return the alarm with its material in the secrets alone: a sender's address, or his title, may hold it too."""
    clean = cleaner(trigger.exposures)
    return replace(
        trigger,
        title=clean(trigger.title),
        exposures=tuple(
            replace(each, rule=clean(each.rule, _IN_NAMES), path=clean(each.path), leaked=_cleaned(each.leaked, clean))
            for each in trigger.exposures
        ),
        missing=tuple(
            replace(each, **{name: clean(told) for name, told in asdict(each).items()}) for each in trigger.missing
        ),
    )


def cleaner(exposures: Iterable[Exposure]) -> Callable[..., str]:
    """Return what takes the material out of a text, as it is or as addresses write it, and then makes it short."""
    words = {word for each in exposures if each.leaked.secret for word in _spellings(each.leaked.secret)}
    lengths = sorted({len(word) for word in words}, reverse=True)

    def clean(told: str, shortest: int = _IN_PROSE) -> str:
        # By length, so that a thousand tokens in a thousand addresses are not a million searches.
        for length in (each for each in lengths if each >= shortest):
            for found in {told[at : at + length] for at in range(len(told) - length + 1)} & words:
                told = told.replace(found, REDACTED)
        return api_token.redacted(told)[:LONGEST]

    return clean


def _spellings(secret: Secret) -> set[str]:
    word = secret.reveal().strip()
    parts = {word}
    if word.startswith("{"):  # a document, such as a session's: its ids and addresses are no material
        with contextlib.suppress(ValueError, RecursionError):
            parts |= {told for key, told in json.loads(word).items() if _OPENS.search(key) and isinstance(told, str)}
    return {spelt for each in parts if len(each) >= _IN_PROSE for spelt in (each, quote(each, safe=""), quote(each))}


def _cleaned(leaked: Leaked, clean: Callable[..., str]) -> Leaked:
    def told(value: str | None) -> str | None:
        return value and clean(value, _IN_NAMES)

    own_id = told(leaked.id)
    return Leaked(
        # An id that is the material tells nothing apart: the material's fingerprint does.
        id=own_id if leaked.secret is None or own_id == leaked.id else None,
        secret=leaked.secret,
        owner=told(leaked.owner),
        account=told(leaked.account),
        address=told(leaked.address),
        connection=told(leaked.connection),
    )


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
