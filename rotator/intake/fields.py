"""What a scanner's fields mean: an id, material, a private key, a word for people to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rotator.credential import Secret

# The access key ids that AWS documents, long-term and temporary. Such a text names a key; it is not its secret.
_AWS_KEY_ID = re.compile(r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}")
# Twilio's: an API key's id, which scanners find for the key; its secret has no form.
_TWILIO_KEY_ID = re.compile(r"SK[0-9a-fA-F]{32}")
_PRIVATE_KEY = re.compile(r"\s*-----\s*BEGIN[ A-Z0-9_-]*PRIVATE KEY", re.IGNORECASE)
_NEWLINE_WRITTEN_OUT = re.compile(r"\\r\\n|\\n|\\r")


def mapping(value: object) -> Mapping[str, object]:
    """Return the value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def word(record: Mapping[str, object], key: str) -> str:
    """Return a text for people to read, or "". What a terminal would obey and a database refuse is replaced."""
    value = record.get(key)
    if not isinstance(value, str) or value.isprintable():
        return value if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)


def line(record: Mapping[str, object], key: str) -> int | None:
    """Return a line's number, or None where it has none."""
    value = record.get(key)
    # What is beyond fits no database, and is no line of any file.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else None


def aws_key_id(text: str) -> str | None:
    """Return the text if it is an AWS access key's id."""
    return text if _AWS_KEY_ID.fullmatch(text) else None


def twilio_key_id(text: str) -> str | None:
    """Return the text if it is a Twilio API key's id."""
    return text if _TWILIO_KEY_ID.fullmatch(text) else None


def aws_session(key_id: str, secret: str, token: str) -> Secret | None:
    """Return the three parts of a session as one material: none of them opens anything without the others."""
    parts = {"aws_access_key_id": key_id, "aws_secret_access_key": secret, "aws_session_token": token}
    return material(json.dumps(parts)) if secret and token and key_id.startswith("ASIA") else None


def material(text: str) -> Secret | None:
    """Return the text as material, or None when there is none.

    A private key's newlines, which scanners write as they found them, become real ones, so that one key found in two
    files is one key. Nothing is mended: what was cut off stays cut off.
    """
    if not text:
        return None
    if _PRIVATE_KEY.match(text):
        rows = _NEWLINE_WRITTEN_OUT.sub("\n", text).splitlines()
        text = "\n".join(row.strip() for row in rows if row.strip()) + "\n"
    # A lone surrogate is valid in JSON and in no other encoding.
    return Secret(text if text.isascii() else text.encode("utf-8", "replace").decode())


def without_login(place: str) -> str:
    """Return an address without the user name and password that clone URLs carry."""
    return re.sub(r"(?<=//)[^/@\s]*@", "", place)


def server(url: str) -> str | None:
    """Return scheme, host and port of a web address, or None."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable():
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}" if port else f"{parts.scheme}://{host}"
