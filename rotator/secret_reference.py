"""Read the rotator's own credentials, which configuration names only: env:NAME, file:PATH, vault:PATH#KEY."""

from __future__ import annotations

import os
from pathlib import Path

from rotator.credential import Secret
from rotator.errors import BadInput, Unavailable
from rotator.ports.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S

_MEND = "write env:NAME, file:PATH or vault:PATH#KEY"


def is_one(text: str) -> bool:
    """Tell whether this is a reference."""
    scheme, _, rest = text.partition(":")
    return scheme in {"env", "file", "vault"} and bool(rest) and (scheme != "vault" or "#" in rest)


def check(reference: str, where: str) -> None:
    """Raise BadInput unless this is a reference: material itself has no place in a configuration file."""
    if not is_one(reference):
        raise BadInput("not a reference to a secret", where, _MEND)


def read(reference: str, folder: Path) -> Secret:
    """Return what the reference names; relative files are meant from `folder`, the configuration's own.

    Raises BadInput when there is nothing, Unavailable when the Vault at VAULT_ADDR does not answer.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        if rest not in os.environ:
            raise BadInput("is not set", reference, "set it where the rotator starts, or mend the name")
        value = os.environ[rest]
    elif scheme == "file":
        try:
            value = (folder / Path(rest).expanduser()).read_text()
        except FileNotFoundError:
            raise BadInput("there is no such file", reference, "mend the path, or put the file there") from None
        except UnicodeDecodeError:
            raise BadInput("is not text", reference, "write it as text: raw bytes in base64") from None
        except (OSError, ValueError, RuntimeError) as error:  # the last for a home that is nobody's
            raise BadInput(f"cannot be read ({type(error).__name__})", reference, "does the rotator own it?") from None
    else:
        value = _from_vault(*rest.split("#", 1))
    if not value.strip():
        raise BadInput("is empty", reference, "put the rotator's own credential there")
    return Secret(value if "PRIVATE KEY" in value else value.strip())


def _from_vault(path: str, key: str) -> str:
    import httpx2  # noqa: PLC0415 - most deployments never need it here

    address, token = os.environ.get("VAULT_ADDR", ""), os.environ.get("VAULT_TOKEN", "")
    if not address or not token:
        raise BadInput("VAULT_ADDR and VAULT_TOKEN are not set", f"vault:{path}#{key}", "set both, or use file:")
    mount, _, name = path.partition("/")
    try:
        answer = httpx2.get(
            f"{address.rstrip('/')}/v1/{mount}/data/{name}",
            headers={"X-Vault-Token": token},
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            trust_env=False,  # a proxy that the environment names would see the token
        )
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, ValueError) as error:
        raise BadInput(
            f"VAULT_ADDR or VAULT_TOKEN cannot be used ({type(error).__name__})", f"vault:{path}#{key}", "mend them"
        ) from None
    except httpx2.HTTPError as error:
        raise Unavailable("vault_unreachable", type(error).__name__) from None
    try:
        return str(answer.raise_for_status().json()["data"]["data"][key])
    except (httpx2.HTTPError, KeyError, TypeError, ValueError):
        raise BadInput(f"no such secret (status {answer.status_code})", f"vault:{path}#{key}", _MEND) from None
