"""Playbooks: the agreed answer to one kind of leak, as data. `playbook_file.py` reads them from disk.

The words of their steps are in `playbook_words.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StringConstraints,
    model_validator,
)

from rotator.flow.exposure import LIST
from rotator.flow.playbook_words import (
    ALLOWED,
    AT_TARGETS,
    BY_HAND,
    GATES,
    ONLY_AT_TARGETS,
    UNDO,
    Action,
    Do,
    Duration,
    Expect,
    Strategy,
    Subject,
    Until,
    Verb,
    meant,
    wrong,
)
from rotator.rest_kind import RestKind
from rotator.rest_template import Strict

__all__ = [
    "ALLOWED",
    "AT_TARGETS",
    "BY_HAND",
    "GATES",
    "ONLY_AT_TARGETS",
    "UNDO",
    "Action",
    "Expect",
    "Grade",
    "Hold",
    "Line",
    "OnlyIf",
    "Playbook",
    "Strategy",
    "Subject",
    "Tested",
    "Until",
    "Verb",
    "json_schema",
    "meant",
]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Hold(Strict):
    """A wait before a step: for a time, until something is so, or both."""

    for_: Duration | None = Field(None, alias="for")
    until: Until | None = None

    @model_validator(mode="after")
    def _something(self) -> Hold:
        if self.for_ is None and self.until is None:
            raise wrong("a hold without a reason to wait", "name `for`, `until` or both")
        return self


class OnlyIf(Strict):
    """When a step belongs to the path: under these strategies."""

    strategy: Annotated[list[Strategy], Field(min_length=1)]


class Line(Strict):
    """One step as the playbook writes it."""

    id: Name
    do: Do
    each: Literal["target"] | None = None
    expect: Expect | None = None
    retry_for: Duration | None = None
    hold: Hold | None = None
    undo: Verb | None = None
    by_hand: Annotated[str, StringConstraints(min_length=10, max_length=400)] | None = Field(
        None, description="what a person does there, since no machine can: the step waits until he says that it is done"
    )
    only_if: OnlyIf | None = None
    quorum: Annotated[int, Field(ge=1, le=100, description="per cent of the targets that must be through")] | None = (
        None
    )

    @model_validator(mode="after")
    def _fits(self) -> Line:
        verb = self.do.verb
        if self.expect is not None and verb is not Verb.VERIFY:
            raise wrong(f"`expect` says nothing to `{verb}`", "it belongs to `verify` alone", ("expect",))
        if self.do.subject is Subject.CONSUMERS and (self.expect is not None or self.each is not None):
            raise wrong("consumers are asked as they are", "drop `expect` and `each`", ("do",))
        if self.each is None and (verb in ONLY_AT_TARGETS or self.quorum is not None):
            wants = f"`{verb}`" if verb in ONLY_AT_TARGETS else "`quorum`"
            raise wrong(f"{wants} works at targets", "add `each: target`", ("do",))
        if self.each is not None and verb not in AT_TARGETS:
            raise wrong(f"`{verb}` is done once, not at each target", "drop `each`", ("each",))
        waits = self.hold is not None and self.hold.until is Until.CONVERGED
        if waits and (verb, self.do.subject) != (Verb.VERIFY, Subject.CONSUMERS):
            raise wrong("only `verify consumers` waits until converged", "put that step before this one", ("hold",))
        if self.undo is not None and UNDO.get(verb) is not self.undo:
            mend = f"`{UNDO[verb]}` does" if verb in UNDO else "nothing does: drop `undo`"
            raise wrong(f"`{self.undo}` does not take `{self.do}` back", mend, ("undo",))
        if self.by_hand is not None:
            self._done_by_hand()
        return self

    def _done_by_hand(self) -> None:
        if self.do.verb not in BY_HAND or self.do.subject is not Subject.EXPOSED or self.each is not None:
            allowed = ", ".join(f"`{verb} exposed`" for verb in sorted(BY_HAND))
            raise wrong(f"`{self.do}` is not left to a person", f"that can be {allowed}, at no target", ("by_hand",))
        if self.undo is not None or self.retry_for is not None:
            raise wrong("what a person does is neither undone nor retried by a machine", "drop it", ("by_hand",))
        if self.do.verb is Verb.VERIFY and self.expect is not Expect.REJECTED:
            raise wrong("a person is asked to see it refused", "add `expect: rejected`", ("by_hand",))

    def applies(self, strategy: Strategy) -> bool:
        """Tell whether this line is on the strategy's path."""
        return self.only_if is None or strategy in self.only_if.strategy


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
        replaces = set(self.strategies) & {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
        if replaces and Strategy.REVOKE_ONLY not in self.strategies:
            # What cannot be replaced (no place to deliver, replaced already) must still be revocable.
            raise wrong("`strategies` lacks revoke_only", "a kind that is replaced needs it too", ("strategies",))
        # A kind that nobody could name would never run.
        self.recognises.setdefault(LIST, [self.playbook])
        return self

    def path(self, strategy: Strategy) -> tuple[Line, ...]:
        """Return the lines of one strategy, in order."""
        return tuple(line for line in self.steps if line.applies(strategy))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema that editors and linters use."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Playbook.model_json_schema(by_alias=True),
    }
