"""Playbooks: the agreed answer to one kind of leak, as data. `playbook_file.py` reads them from disk.

Their steps are in `playbook_line.py`, the words of those in `playbook_words.py`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from rotator.flow.exposure import LIST
from rotator.flow.mistake import wrong
from rotator.flow.playbook_line import Line, Name
from rotator.flow.playbook_words import REPLACING, Strategy
from rotator.flow.short_life import Act, ShortLived
from rotator.rest_kind import RestKind
from rotator.rest_template import Strict


class Grade(StrEnum):
    """What a kind was tested against, the best that was tried."""

    LIVE_ACCOUNT = "live_account"
    REAL_SERVER = "real_server"
    EMULATOR = "emulator"
    FAKE = "fake"


class Tested(Strict):
    """How a kind was tested: a fake is ours, of the published behaviour; an emulator is somebody else's."""

    grade: Grade
    with_: str = Field(alias="with", description="what it was: `OpenBao 2.7`")


class Playbook(Strict):
    """The agreed answer to one kind of leak."""

    playbook: Name
    provider: Name
    summary: str
    strategies: Annotated[list[Strategy], Field(min_length=1)] = Field(
        default=[Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY],
        description="what the kind allows, the preferred one first",
    )
    recognises: dict[str, list[str]] = Field(
        default_factory=dict,
        description="scanner: the names it gives to this kind; a list of ids may always name it by its own",
    )
    tested: Tested | None = Field(None, description="absent: nobody says that it was")
    short_lived: ShortLived | None = Field(None, description="absent: nobody knows of a way to have it expire soon")
    http: RestKind | None = None
    steps: Annotated[list[Line], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Playbook:
        seen: set[str] = set()
        for number, line in enumerate(self.steps):
            if line.id in seen:
                raise wrong(f"two steps are called `{line.id}`", "rename one", ("steps", number, "id"))
            seen.add(line.id)
        if self.provider == "http" and self.http is None:
            raise wrong("`provider: http` has no `http:` section", "describe the service's calls in one", ("provider",))
        if self.provider != "http" and self.http is not None:
            raise wrong("an `http:` section without `provider: http`", "drop the one or mend the other", ("http",))
        replaces = REPLACING & set(self.strategies)
        if replaces and Strategy.REVOKE_ONLY not in self.strategies:
            # What cannot be replaced (no place to deliver, replaced already) must still be revocable.
            raise wrong("`strategies` lacks revoke_only", "a kind that is replaced needs it too", ("strategies",))
        moves = self.short_lived.moves if self.short_lived is not None else []
        if Strategy.REVOKE_ONLY not in self.strategies and any(each.machine is Act.RETIRE for each in moves):
            raise wrong(
                "`retire` needs revoke_only", "add it to `strategies`, or leave it to a person", ("short_lived",)
            )
        # A kind that nobody could name would never run.
        self.recognises.setdefault(LIST, [self.playbook])
        return self

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that it says of an answer, in hex."""
        return hashlib.sha256(self.model_dump_json(by_alias=True, exclude={"short_lived"}).encode()).hexdigest()

    def path(self, strategy: Strategy) -> tuple[Line, ...]:
        """Return the lines of one strategy, in order."""
        return tuple(line for line in self.steps if line.applies(strategy))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema that editors and linters use."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Playbook.model_json_schema(by_alias=True),
    }
