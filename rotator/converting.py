"""Prepare that a credential gives way to short-lived ones: make what issues them, beside what is there.

Nothing that is in use changes by it. That it was begun is written before, and what came of it after, in the service's
own chain; who is cut off in between does it again.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.errors import BadInput
from rotator.flow.playbook_words import meant
from rotator.flow.short_life import Act
from rotator.ledger import service

BEGUN, PREPARED = "conversion_begun", "conversion_prepared"


def prepare(  # noqa: PLR0917 - which credential, and what is asked of whom
    parts: Rotator, kind: str, name: str, connection: str, asked: Mapping[str, str], by: str
) -> dict[str, Any]:
    """Return what was made, by name. Raises BadInput for what is missing; one of the three errors of its issuers."""
    playbook = parts.playbooks.get(kind)
    if playbook is None:
        raise BadInput(f"no kind is called {kind}", "KIND", meant(kind, parts.playbooks))
    short = playbook.short_lived
    if short is None or Act.PREPARE not in {each.machine for each in short.moves}:
        said = "its moves are a person's" if short is not None else "nobody knows of a short-lived way"
        raise BadInput(f"no machine prepares that for {kind}: {said}", kind, f"see `rotator playbook show {kind}`")
    module = importlib.import_module(f"rotator.conversions.{playbook.provider}")
    _must_be_whole(kind, asked, module.ASKS)
    ref = parts.outside.provider_of(kind, connection).identify(Leaked(id=name, connection=connection))
    told = {"kind": kind, "connection": ref.connection, "owner": ref.owner, "id": ref.id, "asked": dict(asked)}
    _note(parts, {"act": BEGUN, "by": by, **told})
    facts = module.prepare(parts.settings.connection(connection), ref, asked, parts.settings.connection)
    _note(parts, {"act": PREPARED, "by": by, **told, "facts": dict(facts)})
    return {**told, "facts": dict(facts), "moves": _left(short.moves), "retire": _retire(kind, ref.id)}


def _must_be_whole(kind: str, asked: Mapping[str, str], asks: Mapping[str, str]) -> None:
    for name in asked:
        if name not in asks:
            raise BadInput(f"nobody asks for {name}", "--with", meant(name, asks))
    if lacking := [f"{name} ({what})" for name, what in asks.items() if not asked.get(name)]:
        raise BadInput(f"to convert {kind}, say {'; '.join(lacking)}", "--with", "as --with NAME=VALUE")


def _left(moves: Any) -> list[str]:
    """Return what follows in words: a person's moves behind the machine's."""
    after = [each.machine for each in moves].index(Act.PREPARE) + 1
    return [each.person for each in moves[after:] if each.person is not None]


def _retire(kind: str, name: str) -> str:
    return f"rotator respond --strategy revoke_only FILE, where FILE is a list that names {kind} {name}"


def _note(parts: Rotator, told: Mapping[str, Any]) -> None:
    with parts.database.write() as connection:
        service.note(connection, {"at": clock.now(), **told})
