"""`[[siem]]`: where every record of the evidence is sent, in which format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference

_SYSLOG = re.compile(r"(tcp|tls|udp)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})")
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
_HIGHEST_PORT = 65535


class SiemSettings(BaseModel):
    """One `[[siem]]` entry: a channel."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    format: Literal["ocsf", "cef"] = "ocsf"
    file: str | None = None
    url: str | None = None
    token: str | None = None
    authorization: Literal["Bearer", "Splunk"] = "Bearer"
    syslog: str | None = None
    ca_file: str | None = None

    @field_validator("token")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None and not secret_reference.is_one(value):
            raise ValueError("not a reference to a secret: write env:NAME, file:PATH or vault:PATH#KEY")
        return value

    @field_validator("url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            found = urlsplit(value)
            if found.scheme not in {"http", "https"} or not found.hostname:
                raise ValueError("must be an http or https address")
            if found.password is not None or found.username is not None:
                raise ValueError("no login stands in an address: put the secret where `token` refers to")
        return value

    @field_validator("syslog")
    @classmethod
    def _receiver(cls, value: str | None) -> str | None:
        if value is not None:
            found = _SYSLOG.fullmatch(value)
            if found is None or not 0 < int(found[3]) <= _HIGHEST_PORT:
                raise ValueError("must be tcp://HOST:PORT or tls://HOST:PORT; over udp://HOST:PORT losses are unseen")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> SiemSettings:
        if sum(each is not None for each in (self.file, self.url, self.syslog)) != 1:
            raise ValueError(f"the channel {self.name} needs `file`, `url` or `syslog`, one of them")
        if self.token is not None:
            if self.url is None:
                raise ValueError("a `token` goes with a `url`")
            found = urlsplit(self.url)
            if found.scheme == "http" and not _LOOPBACK.fullmatch(found.hostname or ""):
                raise ValueError("a token is not sent in the clear: write https:// in `url`")
        return self

    @property
    def receiver(self) -> tuple[str, str, int]:
        """Return tcp, tls or udp, the host and the port. Raises ValueError where it is no syslog channel."""
        found = _SYSLOG.fullmatch(self.syslog or "")
        if found is None:
            raise ValueError(self.name)
        return found[1], found[2].strip("[]"), int(found[3])

    @property
    def kind(self) -> str:
        """Return file, http or syslog."""
        return "file" if self.file is not None else "http" if self.url is not None else "syslog"

    @property
    def references(self) -> tuple[str, ...]:
        """Return where its secrets are."""
        return (self.token,) if self.token is not None else ()


def check_together(entries: Sequence[SiemSettings]) -> None:
    """Raise ValueError where two are one: each has a place of its own in what it was sent."""
    names = [each.name for each in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two channels of [[siem]] are called {name}")
