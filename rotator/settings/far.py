"""The service that the command line speaks to instead of a ledger of its own, and the token that it shows there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from rotator import secret_reference


class FarAway(BaseModel):
    """`url`: the address of a service, "" where the ledger is here; `token`: where its token is kept."""

    url: str = ""
    token: str | None = Field(None, description="a reference to an API token; in ROTATOR_TOKEN also the token itself")

    @field_validator("url")
    @classmethod
    def _sound(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("not an address: write https://HOST") from None
        if parts.scheme not in {"https", "http"} or not host or parts.query or parts.fragment:
            raise ValueError("not an address: write https://HOST")
        if parts.username or parts.password:
            raise ValueError("no login belongs there: the token is let in")
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValueError("the token would go over the line in the clear: write https://")
        return value.rstrip("/")

    @field_validator("token")
    @classmethod
    def _refers(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "token")
        return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
