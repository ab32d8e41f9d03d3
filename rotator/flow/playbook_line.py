"""One step as a playbook writes it: `{id: dead, do: verify exposed, expect: rejected, retry_for: 5m}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from rotator.flow.duration import Duration
from rotator.flow.mistake import wrong
from rotator.flow.playbook_words import (
    ALLOWED,
    AT_TARGETS,
    BY_HAND,
    ONLY_AT_TARGETS,
    UNDO,
    Expect,
    Strategy,
    Subject,
    Until,
    Verb,
    meant,
)
from rotator.rest_template import Strict

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Action(Strict):
    """A verb and its subject: `suspend exposed`."""

    verb: Verb
    subject: Subject

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


def _action(value: object) -> object:
    if not isinstance(value, str) or len(words := value.split()) != 2:  # noqa: PLR2004 - a verb and a subject
        raise wrong(f"`{value}` is not a verb and a subject", "like `suspend exposed`")
    verb, subject = words
    if verb not in ALLOWED:
        raise wrong(f"unknown verb `{verb}`", meant(verb, ALLOWED))
    if subject not in set(Subject):
        raise wrong(f"unknown subject `{subject}`", meant(subject, Subject))
    if subject not in ALLOWED[Verb(verb)]:
        raise wrong(f"`{verb}` does not act on `{subject}`", f"it acts on {' or '.join(sorted(ALLOWED[Verb(verb)]))}")
    return {"verb": verb, "subject": subject}


Do = Annotated[
    Action,
    BeforeValidator(_action),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "enum": [f"{verb} {subject}" for verb in ALLOWED for subject in sorted(ALLOWED[verb])]}
    ),
]


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
