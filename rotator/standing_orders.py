"""Declare what an alarm names, and let standing orders begin with what they cover of it, in one transaction.

What they cover is a part of the incident of its own, to be reviewed; the rest waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from rotator import clock, response
from rotator.actor import actor
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.exposure import Certainty
from rotator.flow.incident import Incident
from rotator.flow.scope import Scoped
from rotator.flow.standing_order import Part, split
from rotator.ledger.enrolment import both, nothing_more
from rotator.ledger.growing import More
from rotator.ledger.ordering import Covered, Ordered
from rotator.ports.provider import State
from rotator.response import Prepared

_WAITS = "no standing order covers it: it waits for a person"


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared: how many credentials which orders let begin, and how many wait for a person's yes."""

    incident: Incident
    covered: int = 0
    orders: tuple[str, ...] = ()
    waiting: int = 0


def declare(parts: Rotator, prepared: Prepared, sender: str, **told: Any) -> Declared:
    """Write the incident; what standing orders cover of it begins at once. `told` is as for `response.declare`.

    Raises what that raises; with nothing written.
    """
    found = _split(parts, prepared, sender)
    if not found[0].orders:
        return Declared(response.declare(parts, prepared, **told), waiting=len(prepared.plan.runs))
    pieces = [response.part_of(parts, prepared, each.plan) for each in found]
    others = [(_more(each, told), _covered(part)) for each, part in zip(pieces[1:], found[1:], strict=True)]
    ordered = Ordered(_covered(found[0]), others, told.get("by") or actor())
    begin = both(partial(ordered.begin, parts.enrolment), told.get("then", nothing_more))
    incident = response.declare(parts, pieces[0], **{**told, "shown": None, "then": begin})
    parts_covered = [each for each in found if each.orders]
    return Declared(
        incident,
        sum(len(each.plan.runs) for each in parts_covered),
        tuple(sorted({name for each in parts_covered for name in each.orders})),
        sum(len(each.plan.runs) for each in found if not each.orders),
    )


def _split(parts: Rotator, prepared: Prepared, sender: str) -> tuple[Part, ...]:
    orders = parts.settings.orders
    if not orders:
        return (Part(prepared.plan),)
    agreed = {each.ref for each in prepared.scoped if _may_be_covered(each)}
    return split(
        prepared.plan,
        orders,
        sender,
        lambda ref: parts.custodies.of(ref).environment if ref in agreed else None,
        partial(_living, parts),
        clock.now(),
    )


def _may_be_covered(each: Scoped) -> bool:
    """Tell whether the sender named it, and nobody doubts that it is not what the rotator itself uses.

    What is only within reach of something named was inferred, or was made with it: a person looks at that first.
    """
    return not each.uncompared and any(one.certainty is Certainty.SEEN for one in each.exposures)


def _covered(part: Part) -> Covered:
    return Covered(part.orders, part.scopes)


def _more(piece: Prepared, told: Mapping[str, Any]) -> More:
    """Return what is added to the incident of the first part."""
    return More(
        plan=piece.plan,
        materials=piece.materials,
        exposures=piece.exposures,
        seen={},
        answers={},
        footholds=(),
        document=piece.document(),
        detected_at=told["detected_at"],
        why=_WAITS,
    )


def _living(parts: Rotator, refs: Sequence[CredentialRef]) -> frozenset[CredentialRef]:
    """Ask the issuers; return those that they call active now. Who does not answer says nothing."""

    def lives(ref: CredentialRef) -> bool:
        try:
            return parts.outside.provider(ref).inspect(ref).state is State.ACTIVE
        except Exception:  # noqa: BLE001 - a defect of ours must not keep the others; its words may hold material
            return False

    with ThreadPoolExecutor(parts.settings.concurrency, thread_name_prefix="verifying") as pool:
        return frozenset(ref for ref, alive in zip(refs, pool.map(lives, refs), strict=True) if alive)
