"""`[web]` and `[sign_in]`: where people reach the board, and how they say who they are."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference
from rotator.flow.approval import Role
from rotator.flow.duration import Duration

_LONGEST_S = 7 * 86400
_USUAL = {"http": ":80", "https": ":443"}


def origin_of(url: str) -> str:
    """Return an address without its path, as browsers name it in `Origin`: they leave the usual port out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower().removesuffix(_USUAL.get(parts.scheme, ""))


def is_private_line(url: str) -> bool:
    """Tell whether what is sent there is nobody else's to read: https, or this machine itself."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        return False
    return parts.scheme == "https" or _is_loopback(parts.hostname)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WebSettings(BaseModel):
    """The table `[web]`. `proxies` are believed what they say of whom they forward."""

    model_config = ConfigDict(extra="forbid")
    public_url: str | None = None
    proxies: list[str] = []

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        bare = value.rstrip("/").lower().removesuffix(_USUAL.get(urlsplit(value).scheme, ""))
        if not is_private_line(value) or origin_of(value) != bare or "@" in value:
            raise ValueError("public_url is https://HOST, without a path; http:// for this machine's own alone")
        return origin_of(value)

    @field_validator("proxies")
    @classmethod
    def _are_addresses(cls, proxies: list[str]) -> list[str]:
        for each in proxies:
            try:
                ipaddress.ip_network(each)
            except ValueError:
                raise ValueError(f"{each} is no address of a proxy: write 10.0.0.5 or 10.0.0.0/24") from None
        return proxies


class OidcSettings(BaseModel):
    """The table `[sign_in.oidc]`. `roles` says what a group may, where no [approval] says it of people."""

    model_config = ConfigDict(extra="forbid")
    issuer: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: str | None = None
    ca_file: Path | None = None
    scopes: list[str] = ["openid", "profile"]
    login_claim: Annotated[str, Field(min_length=1)] = "preferred_username"
    groups_claim: Annotated[str, Field(min_length=1)] = "groups"
    roles: dict[str, Role] = {}

    @field_validator("issuer")
    @classmethod
    def _is_private(cls, value: str) -> str:
        if not is_private_line(value) or urlsplit(value).query or urlsplit(value).fragment:
            raise ValueError("issuer is an https:// address, as the provider writes it")
        return value

    @field_validator("client_secret")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "sign_in.oidc: client_secret")
        return value

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, scopes: list[str]) -> list[str]:
        return scopes if "openid" in scopes else ["openid", *scopes]


class SignInSettings(BaseModel):
    """The table `[sign_in]`: for how long somebody is known who does nothing, and at most."""

    model_config = ConfigDict(extra="forbid")
    idle: Annotated[Duration, Field(ge=60, le=_LONGEST_S)] = 30 * 60
    longest: Annotated[Duration, Field(ge=60, le=_LONGEST_S)] = 12 * 3600
    oidc: OidcSettings | None = None


class SigningIn(BaseModel):
    """The keys of the top level that say how people come in."""

    web: WebSettings = WebSettings()
    sign_in: SignInSettings = SignInSettings()

    @model_validator(mode="after")
    def _comes_back(self) -> SigningIn:
        if self.sign_in.oidc is not None and self.web.public_url is None:
            raise ValueError("[sign_in.oidc] needs public_url in [web]: the provider sends people back there")
        return self
