"""How a playbook describes a REST service in YAML, so that a plain API token needs no Python.

Read by `flow/playbook.py` (which validates it) and by `providers/http.py` (which carries it out).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Call = Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]
"""A method and a path under the connection's `endpoint_url`. `{id}`, `{owner}`, `{marker}` and `{exposed.FIELD}` are
filled in, percent-encoded in a path; `exposed.FIELD` is a field of the listed entry of the exposed credential.
Which of them a section knows is checked when the playbook is loaded. `{secret}` stands in `identify` alone."""

FieldPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
"""A dotted path into the answer's JSON: `data.token`."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
EXPOSED = "exposed."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def placeholders(template: object) -> Iterator[str]:
    """Yield what stands in braces anywhere in a call or a body."""
    if isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
    elif isinstance(template, dict):
        for each in template.values():
            yield from placeholders(each)
    elif isinstance(template, list):
        for each in template:
            yield from placeholders(each)


def _refuse_unknown(templates: list[object], known: set[str]) -> None:
    for name in placeholders(templates):
        if name not in known and not (EXPOSED in known and re.fullmatch(r"exposed\.[A-Za-z0-9_.-]+", name)):
            choices = ", ".join(f"{{{each}FIELD}}" if each == EXPOSED else f"{{{each}}}" for each in sorted(known))
            raise ValueError(f"unknown placeholder {{{name}}}: this section knows {choices or 'none'}")


class IssueCall(_Strict):
    """Mint a credential; the answer holds its id and its secret."""

    call: Call
    body: dict[str, object] = Field(default_factory=dict)
    id: FieldPath
    secret: FieldPath

    @model_validator(mode="after")
    def _fillable(self) -> IssueCall:
        _refuse_unknown([self.call, self.body], {"id", "owner", "marker", EXPOSED})
        return self

    @property
    def copied(self) -> tuple[str, ...]:
        """Return the fields of the exposed credential that a replacement takes over."""
        named = placeholders([self.call, self.body])
        return tuple(sorted({name.removeprefix(EXPOSED) for name in named if name.startswith(EXPOSED)}))


class ListCall(_Strict):
    """List the account's credentials: the issuer's view, and the way to find a lost one."""

    call: Call
    each: FieldPath | None = Field(None, description="where the list stands in the answer; absent: it is the answer")
    id: FieldPath
    owner: FieldPath | None = None
    marker: FieldPath | None = Field(None, description="the field that carries the marker given at issue")
    suspended: FieldPath | None = Field(None, description="a field that is true while the credential is suspended")
    next: FieldPath | None = Field(None, description="where the answer names the next page, by its path or URL")
    keep: list[FieldPath] = Field(default_factory=list, description="fields kept as evidence before any effect")

    @model_validator(mode="after")
    def _fillable(self) -> ListCall:
        _refuse_unknown([self.call], set())
        return self


class IdentifyCall(_Strict):
    """Ask the issuer which credential a secret belongs to: as that credential, or as the rotator with `{secret}`."""

    call: Call
    as_: Literal["subject", "rotator"] = Field("subject", alias="as")
    body: dict[str, object] = Field(default_factory=dict)
    id: FieldPath
    owner: FieldPath | None = None

    @model_validator(mode="after")
    def _fillable(self) -> IdentifyCall:
        if "{secret}" in self.call:
            raise ValueError("a secret in a path ends in every log: put {secret} into the body")
        _refuse_unknown([self.call, self.body], {"secret"} if self.as_ == "rotator" else set())
        return self


class VerifyCall(_Strict):
    """Knock with the credential itself; any answer not named is inconclusive."""

    call: Call
    as_: Literal["subject"] = Field("subject", alias="as")
    accepted: Annotated[list[int], Field(min_length=1)]
    rejected: Annotated[list[int], Field(min_length=1)]
    id: FieldPath | None = Field(None, description="where an accepting answer names the credential it let in")

    @model_validator(mode="after")
    def _fillable(self) -> VerifyCall:
        _refuse_unknown([self.call], {"id", "owner"})
        if both := set(self.accepted) & set(self.rejected):
            raise ValueError(f"{min(both)} cannot mean both accepted and rejected")
        return self


class ChangeCall(_Strict):
    """Suspend, resume or revoke; a status in `done` means that it holds, an absent credential included."""

    call: Call
    body: dict[str, object] = Field(default_factory=dict)
    done: Annotated[list[int], Field(min_length=1)]

    @model_validator(mode="after")
    def _fillable(self) -> ChangeCall:
        _refuse_unknown([self.call, self.body], {"id", "owner"})
        return self


class Authenticate(_Strict):
    """Say where a credential stands in a request."""

    header: str = "Authorization"
    prefix: str = Field(
        default_factory=lambda told: "Bearer " if told.get("header", "").lower() == "authorization" else "",
        description='what stands before the secret; absent: "Bearer " in Authorization, nothing in any other header',
    )


class RestKind(_Strict):
    """The `http:` section of a playbook."""

    authenticate: Authenticate = Authenticate()
    settle_s: float = Field(5.0, ge=0, le=3600, description="seconds a refusal must hold")
    propagation_s: float = Field(
        0.0, ge=0, le=3600, description="seconds after a stop before a first knock makes sense"
    )
    secret_field: str = "token"  # noqa: S105 - the name of a field
    format: str | None = Field(None, description="a regular expression of a whole secret: what differs is truncated")
    issue: IssueCall | None = None
    list: ListCall
    identify: IdentifyCall | None = None
    verify: VerifyCall
    suspend: ChangeCall | None = None
    resume: ChangeCall | None = None
    revoke: ChangeCall

    @field_validator("format")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"`format` is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _both_ways(self) -> RestKind:
        if (self.suspend is None) != (self.resume is None):
            raise ValueError("`suspend` and `resume` go together: what nobody can undo is `revoke`")
        return self

    @model_validator(mode="after")
    def _marked(self) -> RestKind:
        sends = self.issue is not None and "marker" in placeholders([self.issue.call, self.issue.body])
        if self.issue is not None and self.list.marker is not None and not sends:
            raise ValueError("`list` reads a `marker` that `issue` never sends: put {marker} into its body")
        return self
