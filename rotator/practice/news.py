"""Send the practice range the alarm with which the vendor's story begins: its advisory, signed as a sender would.

`python -m rotator.practice.news`, in the vendor's folder, while `rotator up --port 8420` runs there, or is about to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from contextlib import closing
from pathlib import Path

from rotator.errors import RotatorError, Unavailable
from rotator.families.http_wire import Wire

NAME = "news"
USUAL = "http://127.0.0.1:8420"
_KEY, _ADVISORY = "news-whsec", "advisory.json"
_TRIES, _BETWEEN_S = 60, 0.5


def arrange(config: Path, folder: Path) -> None:
    """Let a sender in whose key lies in the vendor's folder."""
    key = folder / _KEY
    key.touch(mode=0o600)
    key.write_text(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}", encoding="utf-8")
    entry = {"sender": "generic", "name": NAME, "secret": f"file:{key}"}
    lines = (f"{name} = {json.dumps(value)}" for name, value in entry.items())
    with config.open("a", encoding="utf-8") as file:
        file.write("\n".join(["", "[[triggers]]", *lines, ""]))


def send(folder: Path, address: str = USUAL) -> tuple[int, object]:
    """Send the advisory of a folder; return what was answered. Raises RotatorError where nobody answers."""
    body = (folder / _ADVISORY).read_bytes()
    key = base64.b64decode((folder / _KEY).read_text(encoding="utf-8").removeprefix("whsec_"))
    name, at = f"msg_{secrets.token_hex(8)}", str(int(time.time()))
    signed = hmac.digest(key, f"{name}.{at}.".encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    with closing(Wire(address)) as wire:
        reply = wire.send("POST", f"{address}/hooks/generic/{NAME}", headers, content=body)
    return reply.status, reply.content


def _send_once_up(folder: Path) -> tuple[int, object]:
    # What the range prints is pasted whole: the service of the line before is still starting.
    for _ in range(_TRIES):
        try:
            return send(folder)
        except Unavailable:
            time.sleep(_BETWEEN_S)
    return send(folder)


def main() -> int:
    """Send it, as soon as the service is up; say what was answered."""
    try:
        status, said = _send_once_up(Path())
    except (OSError, RotatorError) as error:
        print(f"news: {error}; in the vendor's folder, while `rotator up --port 8420` runs", file=sys.stderr)  # noqa: T201
        return 1
    print(status, json.dumps(said))  # noqa: T201
    return 0 if status == 200 else 1  # noqa: PLR2004 - what HTTP calls done


if __name__ == "__main__":
    sys.exit(main())
