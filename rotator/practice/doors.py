"""Knock on the practice range's doors with clients that are not the product's own: the independent check."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncssh

from rotator.practice.sigv4 import signed_headers

_TIMEOUT_S = 15


class Answer(StrEnum):
    """What the door did. No clear answer is neither open nor shut."""

    OPENED = "opened"
    REFUSED = "refused"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Knock:
    """One door, its answer, and the door's own word for it."""

    door: str
    answer: Answer
    said: str


def aws(address: str, key_id: str, secret: str) -> Knock:
    """Ask STS who the key is. A wrong signature is unclear: it says nothing about the key's own secret."""
    status, said = aws_call(
        address, "sts", key_id, secret, form={"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    )
    if status == HTTPStatus.OK:
        return Knock("aws", Answer.OPENED, "STS answered")
    refused = status == HTTPStatus.FORBIDDEN and "InvalidClientTokenId" in said
    return Knock("aws", Answer.REFUSED if refused else Answer.UNCLEAR, _code(said) or f"HTTP {status}")


def vault(address: str, token: str) -> Knock:
    """Ask Vault what the token is."""
    status, _ = http("GET", f"{address}/v1/auth/token/lookup-self", {"X-Vault-Token": token})
    return Knock("vault", _plain(status, refused=HTTPStatus.FORBIDDEN), f"lookup-self {status}")


def acme(address: str, token: str) -> Knock:
    """Ask the token server who the token is."""
    status, _ = http("GET", f"{address}/me", {"Authorization": f"Bearer {token}"})
    return Knock("acme", _plain(status, refused=HTTPStatus.UNAUTHORIZED), f"GET /me {status}")


def ssh(name: str, address: str, port: int, login: tuple[str, str]) -> Knock:
    """Log in to a host with (account, private key): by the system's `ssh`, or by asyncssh where there is none."""
    door, (user, private_key) = f"ssh {name}", login
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "key")
        key.touch(mode=0o600)
        key.write_text(private_key.strip() + "\n", encoding="utf-8")
        client = shutil.which("ssh")
        if client is None:
            return Knock(door, *_asyncssh_login(address, port, user, key))
        options = ("BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=no")
        files = (f"UserKnownHostsFile={os.devnull}", f"ConnectTimeout={_TIMEOUT_S}", "LogLevel=ERROR")
        done = subprocess.run(
            [client, "-F", os.devnull, "-T", "-i", str(key), "-p", str(port), "-l", user]
            + [part for option in (*options, *files) for part in ("-o", option)]
            + [address, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S * 2,
        )
    if done.returncode == 0:
        return Knock(door, Answer.OPENED, "logged in")
    said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"ssh ended with {done.returncode}"
    return Knock(door, Answer.REFUSED if "Permission denied (publickey" in said else Answer.UNCLEAR, said)


def aws_call(
    address: str,
    service: str,
    key_id: str,
    secret: str,
    *,
    form: dict[str, str] | None = None,
    target: str = "",
    fields: dict[str, Any] | None = None,
) -> tuple[int, str]:
    """Make one signed call: a query-protocol `form`, or JSON `fields` to a `target`; return status and body."""
    if form is not None:
        body, extra = urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    else:
        body, extra = (
            json.dumps(fields).encode(),
            {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target},
        )
    return http("POST", f"{address}/", signed_headers(address, service, body, (key_id, secret), extra), body)


def http(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, str]:
    """Make one request; return its status and body, status 0 when nobody answered."""
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""


def _plain(status: int, *, refused: int) -> Answer:
    return {HTTPStatus.OK: Answer.OPENED, refused: Answer.REFUSED}.get(status, Answer.UNCLEAR)


def _code(body: str) -> str:
    return body.partition("<Code>")[2].partition("</Code>")[0]


def _asyncssh_login(address: str, port: int, user: str, key: Path) -> tuple[Answer, str]:
    async def log_in() -> None:
        async with asyncssh.connect(
            address, port, username=user, client_keys=[str(key)], known_hosts=None, agent_path=None, config=None
        ) as connection:
            await connection.run("true", check=True)

    try:
        asyncio.run(asyncio.wait_for(log_in(), _TIMEOUT_S))
    except asyncssh.PermissionDenied:
        return Answer.REFUSED, "permission denied"
    except (OSError, asyncssh.Error, TimeoutError) as error:
        return Answer.UNCLEAR, type(error).__name__
    return Answer.OPENED, "logged in"
