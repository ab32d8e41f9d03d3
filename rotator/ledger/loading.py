"""A run as a claim sees it, read from its rows."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from rotator.flow.proof import Proof
from rotator.flow.run import Run, Step
from rotator.ledger import rows, statements


class Loaded(NamedTuple):
    """A run with all that belongs to it, its sealed secret, and why a person stopped it."""

    run: Run
    steps: tuple[Step, ...]
    proofs: dict[str, Proof]
    sealed: bytes | None
    stopped: str | None


def load(connection: Connection, run: str, lane: str = "") -> Loaded:
    key = {"run_id": run, "of_lane": lane}
    row = connection.execute(statements.FIND_RUN, key).mappings().one()
    steps = tuple(rows.step_of(each) for each in connection.execute(statements.FIND_STEPS, key).mappings())
    proofs = {
        each["target"]: rows.proof_of(each) for each in connection.execute(statements.FIND_PROOFS, key).mappings()
    }
    return Loaded(rows.run_of(row), steps, proofs, row["blob"], row["stopped"])
