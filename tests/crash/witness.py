"""What must be so at every moment of a response, not only in its end; whoever breaks it is noted in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rotator.flow.playbook_words import Strategy
from rotator.ports.provider import State
from tests.crash.case import Scene

MADE = frozenset({"issuer.issue", "issuer.set_secret"})
"""What makes a new one that opens doors, of kinds without any of their own."""


class Witness:
    """Looks at the world after each change and before each effect. Deaf to what any ledger claims, but for intents."""

    def __init__(self, scene: Scene, file: Path) -> None:
        self._scene, self._file = scene, file

    def look(self, phase: str, what: str, changes: bool) -> None:
        """Look at this moment; `what` is about to be done, or was."""
        if not changes or what.startswith("ledger"):
            return
        if phase == "before" and not what.startswith("person") and not self._intended():
            self._note(f"{what} of {self._scene.company.world.about} had no intent in the ledger")
        if phase == "after":
            with self._scene.company.world.open() as state:
                for wrong in self._at_once(state, what):
                    self._note(f"after {what}: {wrong}")

    def _intended(self) -> bool:
        return any(row["state"] in {"running", "uncertain"} for row in self._scene.deployment.rows("step"))

    def _at_once(self, state: dict[str, Any], what: str) -> Iterator[str]:
        scene, credentials = self._scene, state["credentials"]
        mints = [name for name in credentials if name not in scene.planted]
        living = [name for name in mints if lives(credentials[name])]
        if len(living) > len(scene.thefts):
            yield f"{living} live at once"
        if what in MADE | {"issuer.install"} and not scene.case.replaces:
            yield "nothing was to be made"
        stopped = [theft for theft in scene.thefts if not lives(credentials[theft.ref.id])]
        if what in MADE and scene.case.strategy is Strategy.CONTAIN_FIRST and not stopped:
            yield "a new one was made while a thief could still come for it"
        if what == "consumer.reload":
            held = state["consumers"].get(scene.company.world.about)
            if held in mints and held not in living:
                yield f"a consumer was told of {held}, which is dead"
        if scene.case.strategy is Strategy.REPLACE_FIRST:
            for theft in stopped:
                if state["consumers"].get(theft.consumer) not in living:
                    yield f"{theft.ref.id} was stopped before its consumer had another"

    def _note(self, wrong: str) -> None:
        with self._file.open("a") as file:
            file.write(wrong + "\n")


def lives(credential: dict[str, Any]) -> bool:
    """Tell whether the issuer would let somebody in with it, now or as soon as the change is felt."""
    doors = credential["doors"].values()
    return credential.get("state") == State.ACTIVE.value or any(door["open"] for door in doors)
