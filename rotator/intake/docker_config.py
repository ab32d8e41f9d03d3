"""Read `~/.docker/config.json` and containers' `auth.json`: `auths`, a login for each registry, in base64.

Most logins are a credential of another kind, and are listed as that. What is none stays a login of a registry. Where a
helper keeps them (`credsStore`), the file holds none: then it names no credential.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import mapping, material, word
from rotator.intake.json_pieces import END, opened
from rotator.intake.report import Head, Report
from rotator.intake.shapes import GCP_KEY, GITHUB_API, told

SOURCE = LIST
DESCRIPTION = "docker's config.json"

_LOGIN = "docker_registry_login"
_BESIDE = re.compile(r"(?:containers|docker|registry)\.(.+)")
"""Where a GitHub Enterprise Server, with subdomain isolation, and a GitLab have their registries: beside themselves."""


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    return bool(head.keys & {"auths", "credsStore", "credHelpers"})


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each registry with a login. Raises BadInput where one cannot be decoded."""
    number = 0
    for way, value in opened(report, {"auths": {}}):
        if value is END or way[:1] != ("auths",) or len(way) == 1:
            continue
        number += 1
        entry, registry = mapping(value), word({"registry": way[1]}, "registry")
        owner, secret = _login(report, f"registry {number}", entry)
        if not secret:
            continue
        if owner in {"_json_key", "_json_key_base64"}:
            source, rule, leaked = (
                LIST,
                GCP_KEY,
                Leaked(secret=material(_key(report, f"registry {number}", owner, secret))),
            )
        else:
            source, rule, leaked = told(LIST, _LOGIN, secret, owner=owner, address=_address(registry))
            if rule != _LOGIN and leaked.address:
                leaked = replace(leaked, address=_issuer(rule, registry))
        yield Exposure(source=source, rule=rule, leaked=leaked, path=f"{report.name} ({registry})")


def _login(report: Report, where: str, entry: Mapping[str, object]) -> tuple[str | None, str]:
    """Return user and password; an identity token is a password without a user."""
    token, auth = entry.get("identitytoken"), entry.get("auth")
    if isinstance(token, str) and token:
        return None, token
    if not isinstance(auth, str) or not auth:
        password = entry.get("password")
        return word(entry, "username") or None, password if isinstance(password, str) else ""
    owner, _, secret = _decoded(report, where, auth).partition(":")
    return word({"user": owner}, "user") or None, secret.rstrip("\0")


def _key(report: Report, where: str, owner: str, secret: str) -> str:
    return secret if owner == "_json_key" else _decoded(report, where, secret)


def _decoded(report: Report, where: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:  # base64 and UTF-8 each raise one of their own, and letters beyond ASCII a plain one
        raise report.bad("the login is not base64", where, "is the file cut short?") from None


def _address(registry: str) -> str | None:
    host = _host(registry)
    return f"https://{host}" if host else None


def _host(registry: str) -> str:
    return registry.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _issuer(kind: str, registry: str) -> str:
    """Return where the API of a token's issuer is, who does not answer where images lie."""
    host = _host(registry).partition(":")[0]
    if beside := _BESIDE.fullmatch(host):
        return f"https://{beside[1]}"
    return GITHUB_API if kind == "github_token" else f"https://{host}"
