"""`[[notices]]`: who is told what happens to incidents, and how he is reached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference
from rotator.flow.incident import Severity
from rotator.notices.event import BY_DEFAULT, Event

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
_RANKS = {each: rank for rank, each in enumerate(Severity)}


class SmtpSettings(BaseModel):
    """Where mail is handed over."""

    model_config = ConfigDict(extra="forbid")
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None
    sender: str
    to: Annotated[list[str], Field(min_length=1)]

    @field_validator("password")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "notices: smtp: password")
        return value

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for each in [value] if isinstance(value, str) else value:
            if not _ADDRESS.fullmatch(each):
                raise ValueError("must be a mail address, such as oncall@example.com")
        return value

    @model_validator(mode="after")
    def _whole(self) -> SmtpSettings:
        if (self.user is None) != (self.password is None):
            raise ValueError("a login needs `user` and `password`, both or neither")
        if self.password is not None and self.security == "none" and not _LOOPBACK.fullmatch(self.host):
            raise ValueError('a password is not sent in the clear: set security to "starttls" or "tls"')
        return self

    @property
    def door(self) -> int:
        """Return the port: the usual one where none is named."""
        return self.port or _PORTS[self.security]


class NoticeSettings(BaseModel):
    """One `[[notices]]` entry: a channel."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9#@][A-Za-z0-9#@_.-]{0,63}$")]
    slack: str | None = None
    smtp: SmtpSettings | None = None
    events: list[Event] | None = None
    severity: Severity = Severity.LOW

    @field_validator("slack")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None and not secret_reference.is_one(value):
            # Whoever has the address can write there: it is a secret, and none of its letters is shown.
            raise ValueError("a webhook's address is a secret: write env:NAME, file:PATH or vault:PATH#KEY")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> NoticeSettings:
        if (self.slack is None) == (self.smtp is None):
            raise ValueError(f"the channel {self.name} needs `slack` or `smtp`, one of them")
        return self

    @property
    def references(self) -> tuple[str, ...]:
        """Return where its secrets are."""
        password = self.smtp.password if self.smtp is not None else None
        return tuple(each for each in (self.slack, password) if each is not None)

    def wants(self, event: Event, severity: Severity) -> bool:
        """Tell whether it is to hear of such an event of an incident that is so bad."""
        among = BY_DEFAULT if self.events is None else self.events
        return event in among and _RANKS[severity] >= _RANKS[self.severity]


def check_together(entries: Sequence[NoticeSettings]) -> None:
    """Raise ValueError where two are one."""
    names = [each.name for each in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two channels of [[notices]] are called {name}")
