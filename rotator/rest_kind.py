"""How a playbook describes a REST service in YAML, so that a plain API token needs no Python.

Read by `flow/playbook.py` (which validates it) and by `providers/http.py` (which carries it out).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Call = Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE) /\S*$")]
"""A method and a path under the connection's `endpoint_url`. `{id}`, `{owner}`, `{marker}` and `{exposed.FIELD}` are
filled in, percent-encoded in a path; `exposed.FIELD` is a field of the listed entry of the exposed credential."""

FieldPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
"""A dotted path into the answer's JSON: `data.token`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IssueCall(_Strict):
    """Mint a credential; the answer holds its id and its secret."""

    call: Call
    body: dict[str, object] = Field(default_factory=dict)
    id: FieldPath
    secret: FieldPath


class ListCall(_Strict):
    """List the account's credentials: the issuer's view, and the way to find a lost one."""

    call: Call
    each: FieldPath | None = Field(None, description="where the list stands in the answer; absent: it is the answer")
    id: FieldPath
    owner: FieldPath | None = None
    marker: FieldPath | None = Field(None, description="the field that carries the marker given at issue")
    suspended: FieldPath | None = Field(None, description="a field that is true while the credential is suspended")


class IdentifyCall(_Strict):
    """Ask the issuer which credential a secret belongs to."""

    call: Call
    as_: Literal["subject", "rotator"] = Field("subject", alias="as")
    body: dict[str, object] = Field(default_factory=dict)
    id: FieldPath
    owner: FieldPath | None = None


class VerifyCall(_Strict):
    """Knock with the credential itself; any answer not named is inconclusive."""

    call: Call
    as_: Literal["subject"] = Field("subject", alias="as")
    accepted: list[int]
    rejected: list[int]


class ChangeCall(_Strict):
    """Suspend, resume or revoke; a status in `done` means that it holds, an absent credential included."""

    call: Call
    body: dict[str, object] = Field(default_factory=dict)
    done: list[int]


class Authenticate(_Strict):
    """Say where a credential stands in a request."""

    header: str = "Authorization"
    prefix: str = "Bearer "


class RestKind(_Strict):
    """The `http:` section of a playbook."""

    authenticate: Authenticate = Authenticate()
    settle_s: float = Field(5.0, ge=0, le=3600, description="seconds a refusal must hold")
    secret_field: str = "token"  # noqa: S105 - the name of a field
    issue: IssueCall | None = None
    list: ListCall
    identify: IdentifyCall | None = None
    verify: VerifyCall
    suspend: ChangeCall | None = None
    resume: ChangeCall | None = None
    revoke: ChangeCall
