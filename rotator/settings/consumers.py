"""`consumers` of `[[credentials]]`: who uses a secret and must hear that it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference
from rotator.flow.scope import ConsumerAddress, host_name

_WAYS = ("webhook", "command", "ssh_command", "systemd_unit", "kubernetes_rollout", "ecs_deployment")
_OF_A_CONNECTION = {"ssh_command": True, "systemd_unit": False, "kubernetes_rollout": True, "ecs_deployment": True}
"""The ways that go through a connection, and whether each must."""
_AT_A_HOST = frozenset({"ssh_command", "systemd_unit"})


class ConsumerSettings(BaseModel):
    """Who must hear of it, in exactly one way."""

    model_config = ConfigDict(extra="forbid")
    webhook: str | None = None
    command: list[str] | None = None
    ssh_command: list[str] | None = None
    systemd_unit: str | None = None
    kubernetes_rollout: str | None = None
    ecs_deployment: str | None = None
    connection: str | None = None
    host: str | None = Field(None, description="the machine it lives on, as `--foothold` names it")

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None or secret_reference.is_one(value):
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("a webhook is an http or https address, or a reference to one (env:NAME, file:PATH)")
        if "@" in parts.netloc:
            raise ValueError("a webhook's address holds no password: refer to it with env:NAME or file:PATH")
        return value

    @model_validator(mode="after")
    def _one(self) -> ConsumerSettings:
        if len(given := [way for way in _WAYS if getattr(self, way) is not None]) != 1:
            raise ValueError(f"a consumer has exactly one of {', '.join(f'`{way}`' for way in _WAYS)}")
        [way] = given
        if self.connection is None and _OF_A_CONNECTION.get(way):
            raise ValueError(f"`{way}` needs a `connection`, by its name")
        if self.connection is not None and way not in _OF_A_CONNECTION:
            raise ValueError(f"`{way}` goes through no `connection`")
        if self.connection is not None and way in _AT_A_HOST and not self.host:
            raise ValueError(f"`{way}` needs the `host`, as its connection names it")
        return self

    def address(self) -> ConsumerAddress:
        """Return it as the flow's noun."""
        return address_of(self.model_dump(exclude_none=True))


def address_of(told: Mapping[str, Any]) -> ConsumerAddress:
    """Return a consumer that was validated before as the flow's noun."""
    host = host_name(told.get("host") or "")
    way = next(each for each in _WAYS if told.get(each) is not None)
    if way == "webhook":
        return ConsumerAddress(way, told[way], host)
    words = (told[way],) if isinstance(told[way], str) else tuple(told[way])
    at = (host,) if way in _AT_A_HOST else ()
    through = (told.get("connection") or "",) if way in _OF_A_CONNECTION else ()
    return ConsumerAddress(way, (*through, *at, *words), host)
