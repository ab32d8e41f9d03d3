"""The material of credentials that we deliver ourselves: read from where it lies, and believed by its issuer alone.

A knock that proves a death needs it. What is read goes into memory, and from there under the seal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import RotatorError
from rotator.held import Held
from rotator.ports.abilities import Unknockable
from rotator.ports.provider import Capability, Provider
from rotator.ports.store import Place, WriteOnly


@dataclass(frozen=True, slots=True)
class Read:
    """What came of reading one: its secret, None where it was not found; from where, and why not."""

    ref: CredentialRef
    place: str
    secret: Secret | None = None
    why: str = ""


def read_delivered(parts: Rotator, held: Sequence[Held]) -> list[Read]:
    """Read what places hold for these; one answer for each place that was looked at. Changes nothing anywhere."""
    wanted = [each for each in held if each.ref.id and each.custody.deliver and each.kind in parts.playbooks]
    if not wanted:
        return []
    with ThreadPoolExecutor(parts.settings.concurrency, thread_name_prefix="reading") as pool:
        return [one for found in pool.map(partial(_of, parts), wanted) for one in found]


def _of(parts: Rotator, held: Held) -> list[Read]:
    """Look at the places of one, until its secret is found."""
    found: list[Read] = []
    try:
        provider = parts.outside.provider(held.ref)
        if isinstance(provider, Unknockable) or provider.capability is Capability.MANUAL:
            return []  # nobody knocks with it
        for place in held.custody.deliver:
            if (one := _at(parts, provider, held.ref, place)) is not None:
                found.append(one)
                if one.secret is not None:
                    break
    except RotatorError as error:
        found.append(Read(held.ref, "", why=f"not read: {error.reason}"))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not keep the others; its words may hold material
        found.append(Read(held.ref, "", why=f"not read: internal error ({type(error).__name__})"))
    return found


def _at(parts: Rotator, provider: Provider, ref: CredentialRef, place: Place) -> Read | None:
    """Read one place; None for one that nobody can read back."""
    store = parts.outside.store(place)
    if isinstance(store, WriteOnly):
        return None
    try:
        version = store.current(place.name)
        if version is None:
            return Read(ref, str(place), why="nothing is there")
        fields = _fields(store.read(place.name, version))
        secret, named = fields.get(provider.secret_field), fields.get("id")
        if not isinstance(secret, str) or not secret:
            return Read(ref, str(place), why=f"it has no `{provider.secret_field}`")
        if _is_its(provider, ref, Secret(secret), None if named is None else str(named)):
            return Read(ref, str(place), Secret(secret))
    except RotatorError as error:
        return Read(ref, str(place), why=f"not read: {error.reason}")
    return Read(ref, str(place), why="what is there is another credential's, as far as its issuer tells")


def _is_its(provider: Provider, ref: CredentialRef, secret: Secret, named: str | None) -> bool:
    """Tell whether its issuer names this very credential by the secret, or by the id that stands beside it."""
    if named not in {None, ref.id}:
        return False
    owner = ref.owner or None
    try:
        return provider.identify(Leaked(secret=secret, owner=owner)) == ref
    except RotatorError:
        if named is None:
            return False
    try:
        return provider.identify(Leaked(id=named, secret=secret, owner=owner)) == ref
    except RotatorError:
        return False


def _fields(document: Secret) -> Mapping[str, object]:
    try:
        found = json.loads(document.reveal())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
