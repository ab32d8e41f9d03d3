"""Playbooks: the agreed answer to one kind of leak, as data. `playbook_file.py` reads them from disk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rotator.flow.exposure import LIST
from rotator.rest_kind import RestKind

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def meant(word: str, known: Iterable[str]) -> str:
    """Say which known word a mistyped one stands for, or list them all."""
    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"one of {', '.join(names)}"


def _wrong(what: str, mend: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """Make an error that tells `playbook_file.py` what, how to mend it, and which part of the document it is about."""
    return PydanticCustomError("playbook", "{what}", {"what": what, "mend": mend, "at": at})


class Strategy(StrEnum):
    """In which order containment and replacement go."""

    CONTAIN_FIRST = "contain_first"
    REPLACE_FIRST = "replace_first"
    REVOKE_ONLY = "revoke_only"
    CUT_ONLY = "cut_only"


class Verb(StrEnum):
    """What a step does."""

    PRESERVE = "preserve"
    SUSPEND = "suspend"
    RESUME = "resume"
    END_SESSIONS = "end_sessions"
    VERIFY = "verify"
    ISSUE = "issue"
    GENERATE = "generate"
    INSTALL = "install"
    UNINSTALL = "uninstall"
    PROMOTE = "promote"
    DEMOTE = "demote"
    RELOAD = "reload"
    REVOKE = "revoke"
    COMPARE = "compare"


class Subject(StrEnum):
    """What a step acts on."""

    EXPOSED = "exposed"
    REPLACEMENT = "replacement"
    CONSUMERS = "consumers"


ALLOWED: dict[Verb, frozenset[Subject]] = {
    Verb.PRESERVE: frozenset({Subject.EXPOSED}),
    Verb.SUSPEND: frozenset({Subject.EXPOSED}),
    Verb.RESUME: frozenset({Subject.EXPOSED}),
    Verb.END_SESSIONS: frozenset({Subject.EXPOSED}),
    Verb.VERIFY: frozenset({Subject.EXPOSED, Subject.REPLACEMENT, Subject.CONSUMERS}),
    Verb.ISSUE: frozenset({Subject.REPLACEMENT}),
    Verb.GENERATE: frozenset({Subject.REPLACEMENT}),
    Verb.INSTALL: frozenset({Subject.REPLACEMENT}),
    Verb.UNINSTALL: frozenset({Subject.EXPOSED, Subject.REPLACEMENT}),
    Verb.PROMOTE: frozenset({Subject.REPLACEMENT}),
    Verb.DEMOTE: frozenset({Subject.REPLACEMENT}),
    Verb.RELOAD: frozenset({Subject.CONSUMERS}),
    Verb.REVOKE: frozenset({Subject.EXPOSED, Subject.REPLACEMENT}),
}
"""What a playbook may ask for. `compare` is missing: the plan puts it into every run that makes a replacement."""


UNDO: dict[Verb, Verb] = {
    Verb.SUSPEND: Verb.RESUME,
    Verb.ISSUE: Verb.REVOKE,
    Verb.INSTALL: Verb.UNINSTALL,
    Verb.PROMOTE: Verb.DEMOTE,
}
"""What takes a step back. A verb that is not named here has no way back."""

AT_TARGETS = frozenset({Verb.VERIFY, Verb.END_SESSIONS, Verb.INSTALL, Verb.UNINSTALL})
"""What can be done at one target alone."""

ONLY_AT_TARGETS = frozenset({Verb.UNINSTALL})
"""What nothing but a target can do; a new secret is installed at the issuer where there are no targets."""

BY_HAND = frozenset({Verb.SUSPEND, Verb.END_SESSIONS, Verb.REVOKE, Verb.VERIFY})
"""What a person can do to an exposed credential in place of a machine."""


class Expect(StrEnum):
    """What a verification must answer; none given means: record whatever it answers."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Until(StrEnum):
    """What ends a hold, beside its time."""

    CONVERGED = "converged"
    NO_LEGAL_HOLD = "no_legal_hold"
    HOST_ISOLATED = "host_isolated"


GATES = frozenset({Until.NO_LEGAL_HOLD, Until.HOST_ISOLATED})
"""What a person says of an incident, and its steps wait for."""


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]{1,6})([smhd])", value)):
        return int(match[1]) * _UNITS[match[2]]
    raise _wrong(f"`{value}` is no duration", "a whole number and a unit: 30s, 5m, 12h or 7d")


Duration = Annotated[
    int,
    BeforeValidator(_seconds),
    PlainSerializer(lambda value: f"{value}s", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}),
]
"""Seconds, written as 30s, 5m, 12h or 7d."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Action(_Strict):
    """A verb and its subject: `suspend exposed`."""

    verb: Verb
    subject: Subject

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


def _action(value: object) -> object:
    if not isinstance(value, str) or len(words := value.split()) != 2:  # noqa: PLR2004 - a verb and a subject
        raise _wrong(f"`{value}` is not a verb and a subject", "like `suspend exposed`")
    verb, subject = words
    if verb not in ALLOWED:
        raise _wrong(f"unknown verb `{verb}`", meant(verb, ALLOWED))
    if subject not in set(Subject):
        raise _wrong(f"unknown subject `{subject}`", meant(subject, Subject))
    if subject not in ALLOWED[Verb(verb)]:
        raise _wrong(f"`{verb}` does not act on `{subject}`", f"it acts on {' or '.join(sorted(ALLOWED[Verb(verb)]))}")
    return {"verb": verb, "subject": subject}


Do = Annotated[
    Action,
    BeforeValidator(_action),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "enum": [f"{verb} {subject}" for verb in ALLOWED for subject in sorted(ALLOWED[verb])]}
    ),
]


class Hold(_Strict):
    """A wait before a step: for a time, until something is so, or both."""

    for_: Duration | None = Field(None, alias="for")
    until: Until | None = None

    @model_validator(mode="after")
    def _something(self) -> Hold:
        if self.for_ is None and self.until is None:
            raise _wrong("a hold without a reason to wait", "name `for`, `until` or both")
        return self


class OnlyIf(_Strict):
    """When a step belongs to the path: under these strategies."""

    strategy: Annotated[list[Strategy], Field(min_length=1)]


class Line(_Strict):
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
            raise _wrong(f"`expect` says nothing to `{verb}`", "it belongs to `verify` alone", ("expect",))
        if self.do.subject is Subject.CONSUMERS and (self.expect is not None or self.each is not None):
            raise _wrong("consumers are asked as they are", "drop `expect` and `each`", ("do",))
        if self.each is None and (verb in ONLY_AT_TARGETS or self.quorum is not None):
            wants = f"`{verb}`" if verb in ONLY_AT_TARGETS else "`quorum`"
            raise _wrong(f"{wants} works at targets", "add `each: target`", ("do",))
        if self.each is not None and verb not in AT_TARGETS:
            raise _wrong(f"`{verb}` is done once, not at each target", "drop `each`", ("each",))
        waits = self.hold is not None and self.hold.until is Until.CONVERGED
        if waits and (verb, self.do.subject) != (Verb.VERIFY, Subject.CONSUMERS):
            raise _wrong("only `verify consumers` waits until converged", "put that step before this one", ("hold",))
        if self.undo is not None and UNDO.get(verb) is not self.undo:
            mend = f"`{UNDO[verb]}` does" if verb in UNDO else "nothing does: drop `undo`"
            raise _wrong(f"`{self.undo}` does not take `{self.do}` back", mend, ("undo",))
        if self.by_hand is not None:
            self._done_by_hand()
        return self

    def _done_by_hand(self) -> None:
        if self.do.verb not in BY_HAND or self.do.subject is not Subject.EXPOSED or self.each is not None:
            allowed = ", ".join(f"`{verb} exposed`" for verb in sorted(BY_HAND))
            raise _wrong(f"`{self.do}` is not left to a person", f"that can be {allowed}, at no target", ("by_hand",))
        if self.undo is not None or self.retry_for is not None:
            raise _wrong("what a person does is neither undone nor retried by a machine", "drop it", ("by_hand",))
        if self.do.verb is Verb.VERIFY and self.expect is not Expect.REJECTED:
            raise _wrong("a person is asked to see it refused", "add `expect: rejected`", ("by_hand",))

    def applies(self, strategy: Strategy) -> bool:
        """Tell whether this line is on the strategy's path."""
        return self.only_if is None or strategy in self.only_if.strategy


class Grade(StrEnum):
    """What a kind was tested against, the best that was tried."""

    LIVE_ACCOUNT = "live_account"
    REAL_SERVER = "real_server"
    EMULATOR = "emulator"
    FAKE = "fake"


class Tested(_Strict):
    """How a kind was tested: a fake is ours, of the published behaviour; an emulator is somebody else's."""

    grade: Grade
    with_: str = Field(alias="with", description="what it was: `OpenBao 2.7`")


class Playbook(_Strict):
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
                raise _wrong(f"two steps are called `{line.id}`", "rename one", ("steps", number, "id"))
            seen.add(line.id)
        if self.provider == "http" and self.http is None:
            raise _wrong(
                "`provider: http` has no `http:` section", "describe the service's calls in one", ("provider",)
            )
        if self.provider != "http" and self.http is not None:
            raise _wrong("an `http:` section without `provider: http`", "drop the one or mend the other", ("http",))
        replaces = set(self.strategies) & {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
        if replaces and Strategy.REVOKE_ONLY not in self.strategies:
            # What cannot be replaced (no place to deliver, replaced already) must still be revocable.
            raise _wrong("`strategies` lacks revoke_only", "a kind that is replaced needs it too", ("strategies",))
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
