"""Read a kubeconfig (`~/.kube/config`): each user's token, client certificate or password, and the server it opens."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import mapping, material, server, word
from rotator.intake.report import Head, Report

SOURCE = "kubeconfig"
DESCRIPTION = "kubeconfig"

_MOST = 4 << 20
"""Characters: one of 100 clusters with all their certificates has a few hundred thousand."""
_TOKEN, _CERTIFICATE = "kubernetes_service_account_token", "kubernetes_client_certificate"
_SERVICE_ACCOUNT = "system:serviceaccount:"


def claims(head: Head) -> bool:
    """Tell whether this is such a file, in YAML or in JSON."""
    if head.opens == "{":
        return {"apiVersion", "kind"} <= head.keys and bool(head.keys & {"clusters", "users", "contexts"})
    return "kind: Config" in head.lines and any(line.startswith("apiVersion:") for line in head.lines)


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each secret. Raises BadInput where the file is damaged."""
    document = _document(report)
    servers = _servers(document)
    for number, (name, user) in enumerate(_named(document, "users", "user"), start=1):
        where, place = f"user {number}", f"{report.name} ({name})"
        address = servers.get(name)
        token = user.get("token")
        if isinstance(token, str) and token:
            source, rule = (LIST, _TOKEN) if _is_of_service_account(token) else (SOURCE, "token")
            yield Exposure(source=source, rule=rule, leaked=Leaked(secret=material(token), address=address), path=place)
        if user.get("client-key-data"):
            pem = _decoded(report, where, user, "client-certificate-data") + _decoded(
                report, where, user, "client-key-data"
            )
            leaked = Leaked(secret=material(pem), address=address)
            yield Exposure(source=LIST, rule=_CERTIFICATE, leaked=leaked, path=place)
        password = user.get("password")
        if isinstance(password, str) and password:
            leaked = Leaked(secret=material(password), owner=word(user, "username") or None, address=address)
            yield Exposure(source=SOURCE, rule="password", leaked=leaked, path=place)
        config = mapping(mapping(user.get("auth-provider")).get("config"))
        for key in ("refresh-token", "access-token", "id-token"):
            if isinstance(text := config.get(key), str) and text:
                yield Exposure(source=SOURCE, rule=key, leaked=Leaked(secret=material(text)), path=place)


def _document(report: Report) -> Mapping[str, object]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only this format pays for it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    text = report.whole(_MOST)
    try:
        read: Any = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
    except (ValueError, TypeError, RecursionError):
        where = ""
    else:
        if isinstance(read, dict) and all(isinstance(each, str) for each in read):
            return read
        where = ""
    raise report.bad("this is not YAML, or it is damaged", where, "give the file as kubectl wrote it")


def _named(document: Mapping[str, object], several: str, one: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    entries = document.get(several)
    for each in map(mapping, entries if isinstance(entries, list) else ()):
        yield word(each, "name"), mapping(each.get(one))


def _servers(document: Mapping[str, object]) -> dict[str, str | None]:
    """Return the server of each user that contexts join with one, and no more than one."""
    clusters = {name: server(word(each, "server")) for name, each in _named(document, "clusters", "cluster")}
    joined: dict[str, set[str | None]] = {}
    for _, context in _named(document, "contexts", "context"):
        joined.setdefault(word(context, "user"), set()).add(clusters.get(word(context, "cluster")))
    return {user: next(iter(found)) for user, found in joined.items() if len(found) == 1}


def _is_of_service_account(token: str) -> bool:
    """Tell whether a token says so of itself; whoever signed in otherwise has one of another issuer."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, RecursionError):
        return False
    return word(mapping(payload), "sub").startswith(_SERVICE_ACCOUNT)


def _decoded(report: Report, where: str, user: Mapping[str, object], name: str) -> str:
    text = user.get(name)
    try:
        return base64.b64decode(text, validate=True).decode("ascii") if isinstance(text, str) else ""
    except (binascii.Error, ValueError):
        raise report.bad(f"`{name}` is not base64 of PEM", where, "is the file cut short?") from None
