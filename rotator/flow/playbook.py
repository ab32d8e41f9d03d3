"""Playbooks: the agreed answer to one kind of leak, as data. `playbook_file.py` reads them from disk."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from rotator.rest_kind import RestKind

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


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


class Expect(StrEnum):
    """What a verification must answer; none given means: record whatever it answers."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Until(StrEnum):
    """What ends a hold, beside its time."""

    CONVERGED = "converged"
    NO_LEGAL_HOLD = "no_legal_hold"
    APPROVED = "approved"


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)([smhd])", value)):
        return int(match[1]) * _UNITS[match[2]]
    raise ValueError("a duration is a whole number and a unit: 30s, 5m, 12h or 7d")


Duration = Annotated[
    int,
    BeforeValidator(_seconds, json_schema_input_type=Annotated[str, StringConstraints(pattern=r"^\d+[smhd]$")]),
    PlainSerializer(lambda value: f"{value}s", return_type=str),
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
    if not isinstance(value, str):
        return value
    words = value.split()
    if len(words) != 2:  # noqa: PLR2004
        raise ValueError("`do` is a verb and a subject: `suspend exposed`")
    verb, subject = words
    if verb not in set(Verb):
        raise ValueError(f"unknown verb `{verb}`: one of {', '.join(Verb)}")
    if subject not in ALLOWED[Verb(verb)]:
        raise ValueError(f"`{verb}` acts on {' or '.join(sorted(ALLOWED[Verb(verb)]))}, not on `{subject}`")
    return {"verb": verb, "subject": subject}


Do = Annotated[
    Action,
    BeforeValidator(_action, json_schema_input_type=Annotated[str, StringConstraints(pattern=r"^[a-z_]+ [a-z]+$")]),
    PlainSerializer(str, return_type=str),
]


class Hold(_Strict):
    """A wait before a step: for a time, until something is so, or both."""

    for_: Duration | None = Field(None, alias="for")
    until: Until | None = None

    @model_validator(mode="after")
    def _something(self) -> Hold:
        if self.for_ is None and self.until is None:
            raise ValueError("a hold names `for`, `until` or both")
        return self


class OnlyIf(_Strict):
    """When a step belongs to the path: under these strategies."""

    strategy: Annotated[list[Strategy], Field(min_length=1)]


class Line(_Strict):
    """One step as the playbook writes it."""

    id: Name
    do: Do
    each: Annotated[str, StringConstraints(pattern=r"^target$")] | None = None
    expect: Expect | None = None
    retry_for: Duration | None = None
    hold: Hold | None = None
    undo: Verb | None = None
    only_if: OnlyIf | None = None
    quorum: Annotated[int, Field(ge=1, le=100, description="per cent of the targets that must be through")] | None = (
        None
    )

    @model_validator(mode="after")
    def _fits(self) -> Line:
        if self.expect is not None and self.do.verb is not Verb.VERIFY:
            raise ValueError("`expect` belongs to `verify` alone")
        if self.quorum is not None and self.each is None:
            raise ValueError("`quorum` needs `each: target`")
        return self

    def applies(self, strategy: Strategy) -> bool:
        """Tell whether this line is on the strategy's path."""
        return self.only_if is None or strategy in self.only_if.strategy


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
        default_factory=dict, description="scanner: the names it gives to this kind"
    )
    http: RestKind | None = None
    steps: Annotated[list[Line], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Playbook:
        seen: set[str] = set()
        for line in self.steps:
            if line.id in seen:
                raise ValueError(f"two steps are called `{line.id}`")
            seen.add(line.id)
        if (self.provider == "http") != (self.http is not None):
            raise ValueError("an `http:` section and `provider: http` go together")
        return self

    def path(self, strategy: Strategy) -> tuple[Line, ...]:
        """Return the lines of one strategy, in order."""
        return tuple(line for line in self.steps if line.applies(strategy))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema that editors and linters use."""
    return Playbook.model_json_schema(by_alias=True)
