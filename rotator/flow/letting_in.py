"""Letting a vendor in again: how each gate of its checklist stands, from what is so now.

No answer is stored. What people gave is kept; whether it opens a gate is asked anew each time, beside what was found.
What keeps a gate shut is told apart by a key: who overrides a gate does so for what kept it shut then, and for no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rotator.flow import gates_found, gates_given
from rotator.flow.checklist import Asks, Gate
from rotator.flow.gate_facts import Did, Facts, Found, Given, Shut, said_of


@dataclass(frozen=True, slots=True)
class GateStanding:
    """How a gate stands: why, what to do next, and on what evidence. `overrides` are told whether it needs them or not.

    `shut` is what keeps it shut but for the overrides.
    """

    gate: Gate
    shut: tuple[Shut, ...]
    evidence: tuple[str, ...]
    overrides: tuple[Given, ...] = ()

    @property
    def left(self) -> tuple[Shut, ...]:
        """Return what keeps it shut and nobody has overridden."""
        over = frozenset().union(*(each.of for each in self.overrides))
        return tuple(each for each in self.shut if each.key not in over)

    @property
    def is_open(self) -> bool:
        """Tell whether nothing keeps it shut."""
        return not self.left

    @property
    def is_overridden(self) -> bool:
        """Tell whether it is open by a person's word against what was found."""
        return self.is_open and bool(self.shut)

    @property
    def seen_as(self) -> str:
        """Return six digits that stand for what keeps it shut: who overrides it types them, and has seen that."""
        return hashlib.sha256("\n".join(sorted(each.key for each in self.left)).encode()).hexdigest()[:6]

    @property
    def todo(self) -> str:
        """Return what to do next."""
        return self.left[0].todo if self.left else ""


def standing(gates: Sequence[Gate], facts: Facts) -> list[GateStanding]:
    """Return how each gate stands."""
    return [_stands(gate, facts) for gate in gates]


def _stands(gate: Gate, facts: Facts) -> GateStanding:
    shut, evidence = _ASKED[gate.asks](gate, facts)
    overrides = tuple(said_of(gate, facts, Did.OVERRIDDEN))
    return GateStanding(gate, tuple(shut), tuple(evidence), overrides)


_ASKED: Mapping[Asks, Callable[[Gate, Facts], Found]] = {
    Asks.CUT: gates_found.cut,
    Asks.DOCUMENT: gates_given.document,
    Asks.ATTESTATIONS: gates_given.attestations,
    Asks.SOFTWARE: gates_found.software,
    Asks.DATASETS: gates_found.datasets,
    Asks.CREDENTIALS: gates_found.credentials,
    Asks.APPROVAL: gates_given.approval,
}
