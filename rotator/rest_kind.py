"""How a playbook describes a REST service in YAML, so that a plain API token needs no Python.

Read by `flow/playbook.py` (which validates it) and by `providers/http.py` (which carries it out). Its calls are in
`rest_calls.py` (a list's pages in `rest_pages.py`), what answers mean in `rest_answers.py`, the forms of authentication
in `rest_authentication.py`, what the rotator may do in `rest_permissions.py`, their words in `rest_template.py`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rotator.rest_answers import refuse_untold_absence
from rotator.rest_authentication import Authenticate, HeaderName
from rotator.rest_calls import ChangeCall, IdentifyCall, IssueCall, ListCall, ReadCall, RevokeCall, VerifyCall
from rotator.rest_permissions import Permissions
from rotator.rest_template import CREDENTIAL, RESERVED, Asking, Strict, knowing, placeholders, refuse_unknown

__all__ = ["Authenticate", "Budget", "RestKind"]

SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_GROUP = "(?P<id>"
_TOO_SHORT = ("", "a", "0", "aa", "00")
"""No service gives out such a secret."""
_CHANGES = ("issue", "suspend", "resume", "revoke")


class Budget(Strict):
    """What the vendor publishes as its limit: it holds where a connection has no `budget` of its own."""

    calls_per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(gt=0)] = 1


class RestKind(Strict):
    """The `http:` section of a playbook."""

    settings: dict[SettingName, str] = Field(
        default_factory=dict, description="what a connection must give in `settings`, and what that is"
    )
    headers: dict[HeaderName, str] = Field(default_factory=dict, description="sent with every call")
    authenticate: Authenticate = Field(default_factory=Authenticate, description="how the rotator shows its credential")
    subject: Authenticate | None = Field(None, description="how the kind itself is shown; absent: as the rotator's")
    budget: Budget | None = None
    settle_s: float = Field(5.0, ge=0, le=3600, description="seconds a refusal must hold")
    propagation_s: float = Field(
        0.0, ge=0, le=3600, description="seconds after a stop before a first knock makes sense"
    )
    secret_field: str = "token"  # noqa: S105 - the name of a field
    also_ends: str | None = Field(None, description="what ends with the exposed one, for people")
    own_id: str | None = Field(
        None,
        description="the field of the rotator's own document that names its id, where `id` there names somebody else",
    )
    format: str | None = Field(None, description="a regular expression of a whole secret: what differs is truncated")
    id_format: str | None = Field(None, description="a regular expression of an id: no other goes into a call")
    owner_format: str | None = Field(None, description="likewise, of an owner")
    issue: IssueCall | None = None
    list: ListCall | None = None
    read: ReadCall | None = None
    identify: IdentifyCall | None = None
    verify: VerifyCall
    suspend: ChangeCall | None = None
    resume: ChangeCall | None = None
    revoke: RevokeCall | None = None
    permissions: Permissions = Field(
        (), description="how the service is asked what the rotator's own credential may do"
    )

    @model_validator(mode="wrap")
    @classmethod
    def _knowing_its_settings(cls, data: Any, handler: ModelWrapValidatorHandler[RestKind]) -> RestKind:
        named = data.get("settings") if isinstance(data, dict) else None
        with knowing(each for each in named if isinstance(each, str)) if isinstance(named, dict) else knowing(()):
            return handler(data)

    @field_validator("settings")
    @classmethod
    def _own_words(cls, value: dict[str, str]) -> dict[str, str]:
        if taken := sorted(set(value) & RESERVED):
            raise ValueError(f"`{taken[0]}` has a meaning of its own: give the setting another name")
        return value

    @field_validator("headers")
    @classmethod
    def _plain(cls, value: dict[str, str]) -> dict[str, str]:
        refuse_unknown(value, set())
        return value

    @field_validator("format")
    @classmethod
    def _tells_cut_off_ones(cls, value: str | None) -> str | None:
        with contextlib.suppress(re.error):
            if value is not None and any(re.fullmatch(value, short) for short in _TOO_SHORT):
                raise ValueError(f"`{value}` fits what was cut off as well: say which letters a whole secret has")
        return value

    @field_validator("format", "id_format", "owner_format")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"`{value}` is no regular expression: {error}") from None
        return value

    @field_validator("permissions")
    @classmethod
    def _for_each_verb(cls, value: Permissions, info: ValidationInfo) -> Permissions:
        if not value or any(each not in info.data for each in _CHANGES):
            return value  # a call that is wrong itself is told of by itself
        named = {verb for call in value for verb in (*call.needs, *call.untold)}
        does = ["look", *(each for each in _CHANGES if info.data[each] is not None)]
        if odd := sorted(named - set(does)):
            raise ValueError(f"`{odd[0]}` needs nothing: the section has no such call")
        if missing := [each for each in does if each not in named]:
            raise ValueError(f"nothing says what `{missing[0]}` needs: name it in `needs`, or in `untold`")
        if f"{CREDENTIAL}{info.data.get('secret_field')}" in placeholders(tuple(call.call for call in value)):
            raise ValueError("a secret in a path ends in every log: ask by something else")
        return value

    @model_validator(mode="after")
    def _discards(self) -> RestKind:
        if self.issue is not None and self.revoke is not None and self.revoke.as_ == "subject":
            raise ValueError("what `issue` makes in vain could not be revoked: its secret is shown to nobody then")
        return self

    @model_validator(mode="after")
    def _both_ways(self) -> RestKind:
        if (self.suspend is None) != (self.resume is None):
            raise ValueError("`suspend` and `resume` go together: what nobody can undo is `revoke`")
        if self.revoke is not None and self.revoke.suspended_first and self.suspend is None:
            raise ValueError("`suspended_first` needs a `suspend`")
        return self

    @model_validator(mode="after")
    def _known_as_its_own(self) -> RestKind:
        if self.own_id is not None and self.format is None:
            raise ValueError("`own_id` needs a `format`: it tells whether the rotator's own is one of the kind")
        return self

    @model_validator(mode="after")
    def _marked(self) -> RestKind:
        sends = self.issue is not None and "marker" in placeholders(self.issue.templates)
        if self.issue is not None and self.list is not None and self.list.marker is not None and not sends:
            raise ValueError("`list` reads a `marker` that `issue` never sends: put {marker} into its body")
        if self.issue is not None and self.list is None:
            raise ValueError("`issue` needs a `list`: a mint whose answer is lost could not be found again")
        return self

    @model_validator(mode="after")
    def _told_by_its_list(self) -> RestKind:
        if self.list is None:
            told = [("absent", self.read.absent)] if self.read is not None else []
            changes = (self.suspend, self.resume, self.revoke)
            for what, answers in (*told, *(("done", each.done) for each in changes if each is not None)):
                refuse_untold_absence(answers, what)
        return self

    @model_validator(mode="after")
    def _named(self) -> RestKind:
        by = self.identify.by if self.identify is not None else None
        if not self.looks and by is None:
            raise ValueError("nothing names a credential: give a `list`, a `read` or an `identify`")
        if by == "hint" and self.list is None:
            raise ValueError("a `hint` stands in a `list`, and there is none")
        if self.identify is not None and self.identify.field in self._kept():
            raise ValueError("`keep` holds the `hint`: letters of a secret are no evidence to be kept")
        if by == "format" and _GROUP not in (self.format or ""):
            raise ValueError("by `format`, the id is its group: write (?P<id>…) into `format`")
        if by == "sha256" and not self.looks and (self.identify is None or self.identify.call is None):
            raise ValueError("half a secret has a digest as well: let a `call`, a `list` or a `read` confirm it")
        return self

    @model_validator(mode="after")
    def _copies_what_is_shown(self) -> RestKind:
        if not self.looks:
            for call in self._calls():
                if any(name.startswith("exposed.") for name in placeholders(call.templates)):
                    raise ValueError("`{exposed.…}` is copied from a `list` or a `read`, and there is neither")
        return self

    @model_validator(mode="after")
    def _shown_once(self) -> RestKind:
        shown = self.shown
        asked = self.identify.asking if self.identify is not None and self.identify.as_ == "subject" else None
        killed = self.revoke if self.revoke is not None and self.revoke.as_ == "subject" else None
        for name, call in (("verify", self.verify), ("identify", asked), ("revoke", killed)):
            if call is not None and ("secret" in placeholders(call.templates)) != shown.in_call:
                mend = "write {secret} into it" if shown.in_call else "say `subject: {in_call: true}`"
                raise ValueError(f"`{name}` and `subject` disagree on where the secret stands: {mend}")
        for call in (self.suspend, self.resume, None if killed else self.revoke):
            if call is not None and "secret" in placeholders(call.templates):
                raise ValueError(
                    f"unknown placeholder {{secret}} in `{call.call}`: the rotator does not hold it by then"
                )
        if self.authenticate.in_call:
            raise ValueError("`in_call` is for a `subject`: the rotator's own secret stands in no call")
        return self

    @property
    def shown(self) -> Authenticate:
        """Return how a credential of the kind is shown."""
        return self.subject or self.authenticate

    @property
    def looks(self) -> bool:
        """Tell whether the service shows its credentials to the rotator."""
        return self.list is not None or self.read is not None

    @property
    def uses_account(self) -> bool:
        """Tell whether any call names the connection's account."""
        return "account" in placeholders(self.model_dump(exclude={"settings"}))

    def _kept(self) -> set[str]:
        return {path for call in (self.list, self.read) if call is not None for path in call.keep}

    def _calls(self) -> Iterator[Asking]:
        yield from (each for each in (self.issue, self.suspend, self.resume, self.revoke) if each is not None)
