"""The calls of a playbook's `http:` section, one class for each thing that is asked of a service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from rotator.rest_answers import Answers, Refusals, Where, an_answer, refuse_unnamed, refuse_untellable
from rotator.rest_pages import Turning
from rotator.rest_template import EXPOSED, Asking, Call, FieldPath, Strict, placeholders, refuse_unknown

Granted = Annotated[
    Answers | None, Field(description="which answers mean yes, where a service says no with a 2xx too; absent: any 2xx")
]


ASKING = ("GET", "POST")
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def refuse_method(call: str | None, allowed: tuple[str, ...]) -> None:
    """Raise ValueError for a method that does not do such a thing: GET changes nothing, DELETE asks nothing."""
    method = (call or allowed[0]).partition(" ")[0]
    if method not in allowed:
        raise ValueError(f"{method} is no method for this: {', '.join(allowed)}")


def _names_it(asking: Asking) -> None:
    """Raise ValueError for a call that does not say which credential it is about."""
    if not any(name == "id" or name.startswith(EXPOSED) for name in placeholders(asking.templates)):
        raise ValueError(f"`{asking.call}` does not say which credential: write {{id}} into it, or into its body")


def copied(asking: Asking | None) -> tuple[str, ...]:
    """Return the fields of the exposed credential that a call takes over, or looks at."""
    named = placeholders(asking.templates) if asking is not None else ()
    looked_at = asking.only_if or () if isinstance(asking, IssueCall) else ()
    return tuple(sorted({*looked_at, *(name.removeprefix(EXPOSED) for name in named if name.startswith(EXPOSED))}))


class IssueCall(Asking):
    """Mint a credential; the answer holds its id and its secret."""

    id: FieldPath
    secret: FieldPath
    granted: Granted = None
    full: Answers | None = Field(None, description="which answers mean that there are as many as may be")
    only_if: Where | None = Field(
        None, description="what the entry says of one that is replaced; of others the holder makes his own"
    )

    @model_validator(mode="after")
    def _fillable(self) -> IssueCall:
        refuse_unknown(self.templates, {"id", "owner", "marker", EXPOSED})
        refuse_method(self.call, _CHANGING)
        return self


def _flag(value: object) -> object:
    return {value: (True,)} if isinstance(value, str) else value


Flag = Annotated[
    Where,
    BeforeValidator(_flag),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1}]}),
]
"""The name of a field that is true, or `{FIELD: VALUE}`."""


class EntryFields(Strict):
    """What the service shows of one credential, and where."""

    owner: FieldPath | None = None
    marker: FieldPath | None = Field(None, description="the field that carries the marker given at issue")
    suspended: Flag | None = Field(None, description="what an entry says while the credential is suspended")
    gone: Flag | None = Field(None, description="what an entry says that is still shown although it is revoked")
    created_at: FieldPath | None = None
    last_used_at: FieldPath | None = None
    keep: list[FieldPath] = Field(default_factory=list, description="fields kept as evidence before any effect")


class ListCall(Asking, EntryFields):
    """List an account's credentials, or with {owner} one owner's: the issuer's view, and how a lost one is found."""

    each: FieldPath | None = Field(None, description="where the list stands in the answer; absent: it is the answer")
    id: FieldPath
    pages: Turning = Field(description="how it goes on; `none`: one answer always holds all")
    granted: Granted = None

    @model_validator(mode="after")
    def _fillable(self) -> ListCall:
        turns = self.pages is not None and self.pages.cursor is not None and self.pages.parameter is None
        refuse_unknown(self.templates, {"owner", "cursor"} if turns else {"owner"})
        refuse_method(self.call, ASKING)
        refuse_untellable(self.granted or (), "granted", of_asker=False)
        if turns and "cursor" not in placeholders(self.templates):
            raise ValueError("the cursor goes nowhere: name its `parameter`, or write {cursor} into the call")
        return self

    @property
    def per_owner(self) -> bool:
        """Tell whether it lists one owner's alone."""
        return "owner" in placeholders(self.templates)


class ReadCall(Asking, EntryFields):
    """Read one credential by its id; fields that are not named stand where `list` says.

    A 404 that is not named further counts once the `list` has been read to its end without it.
    """

    at: FieldPath | None = Field(None, description="where it stands in the answer; absent: it is the answer")
    absent: Answers = Field(default_factory=lambda: [an_answer(404)])
    granted: Granted = None

    @model_validator(mode="after")
    def _fillable(self) -> ReadCall:
        refuse_unknown(self.templates, {"id", "owner"})
        refuse_method(self.call, ASKING)
        _names_it(self)
        refuse_untellable(self.absent, "absent", of_asker=True)
        refuse_untellable(self.granted or (), "granted", of_asker=False)
        return self


class IdentifyCall(Strict):
    """Tell which credential a secret is.

    `answer`: the call says it, made as that credential, or as the rotator with `{secret}`. `format`: it stands in the
    secret, where the group `(?P<id>…)` of `format` is. `sha256`: the id is the secret's SHA-256, in hex. `hint`: a
    field of the list shows the secret's ends. `report`: the report names it, and the call confirms the pair.
    """

    by: Literal["answer", "format", "sha256", "hint", "report"] = "answer"
    call: Call | None = None
    as_: Literal["subject", "rotator"] = Field("subject", alias="as")
    body: dict[str, object] = Field(default_factory=dict)
    form: dict[str, str] = Field(default_factory=dict)
    id: FieldPath | None = None
    owner: FieldPath | None = None
    granted: Granted = None
    unknown: Answers | None = Field(
        None, description="which answers mean that it knows no such credential; absent: what `verify` rejects, or 404"
    )
    field: FieldPath | None = None
    shows: Literal["ends", "start", "end"] = Field("ends", description="of a `hint`: what is left of the secret")

    @model_validator(mode="after")
    def _whole(self) -> IdentifyCall:
        if (self.by == "hint") != (self.field is not None):
            raise ValueError("a `hint` names its `field`, and nothing else does")
        if self.by == "answer" and (self.call is None or self.id is None):
            raise ValueError("an answer is had by a `call`, and has the `id` somewhere")
        if self.by == "report" and self.call is None:
            raise ValueError("what a report says is confirmed by a `call`")
        if self.by != "answer" and self.id is not None:
            raise ValueError(f"by {self.by}, no answer names the `id`: drop it")
        if self.call is None and (self.body or self.form or self.owner or self.unknown or self.granted):
            raise ValueError("there is no `call` to which this belongs")
        refuse_method(self.call, ASKING)
        refuse_untellable(self.unknown or (), "unknown", of_asker=self.as_ == "rotator")
        refuse_untellable(self.granted or (), "granted", of_asker=False)
        if self.call is not None:
            refuse_unknown([self.call], {"id", "secret"})
            if self.as_ == "rotator" and "secret" in placeholders(self.call):
                raise ValueError("a secret in a path ends in every log: put {secret} into the body")
            refuse_unknown([self.body, self.form], {"id", "secret"})
        return self

    @property
    def asking(self) -> Asking | None:
        """Return the call, None when nothing is asked."""
        return None if self.call is None else Asking(call=self.call, body=self.body, form=self.form)


class VerifyCall(Asking):
    """Knock with the credential itself; any answer not named is inconclusive."""

    as_: Literal["subject"] = Field("subject", alias="as")
    accepted: Answers
    rejected: Refusals = Field(description="how a dead one is refused; `none`: with nothing of the service's own")
    id: FieldPath | None = Field(None, description="where an accepting answer names the credential it let in")

    @model_validator(mode="after")
    def _fillable(self) -> VerifyCall:
        refuse_unknown(self.templates, {"id", "owner", "secret"})
        refuse_method(self.call, ASKING)
        refuse_untellable(self.accepted, "accepted", of_asker=False)
        refuse_untellable(self.rejected, "rejected", of_asker=False)
        for yes in self.accepted:
            for no in self.rejected:
                if both := yes.shares(no):
                    raise ValueError(f"{min(both)} cannot mean both accepted and rejected")
        refuse_unnamed(self.rejected)
        return self


class ChangeCall(Asking):
    """Suspend, resume or revoke; an answer in `done` means that it holds, an absent credential included.

    A 404 alone counts once the `list` has been read to its end without it.
    """

    done: Answers

    @model_validator(mode="after")
    def _fillable(self) -> ChangeCall:
        refuse_unknown(self.templates, {"id", "owner", "secret", EXPOSED})
        as_rotator = getattr(self, "as_", "rotator") == "rotator"
        refuse_method(self.call, _CHANGING)
        if as_rotator:
            _names_it(self)
        refuse_untellable(self.done, "done", of_asker=as_rotator)
        return self


class RevokeCall(ChangeCall):
    """Revoke, as the rotator, or as the credential itself where a service knows it by its material alone."""

    as_: Literal["subject", "rotator"] = Field("rotator", alias="as")
    suspended_first: bool = Field(False, description="the service destroys only what is suspended")
