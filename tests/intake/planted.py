"""A planted home directory, the real scanner that reads it, and the samples under samples/ that came of it.

`python -m tests.intake.planted` writes the kingfisher samples anew. Every secret is made up. gitleaks.json is what the
real gitleaks 8.30.1 said of the same home; trufflehog.jsonl is written by hand from the fields of its source.
"""

from __future__ import annotations

import os
import random
import string
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SAMPLES = Path(__file__).with_name("samples")
FOUND_SOMETHING = 200

RULES = r"""
rules:
  - name: Token of the practice range
    id: custom.range-token
    pattern: '\b(rt_live_[A-Za-z0-9]{32})\b'
    min_entropy: 3.0
    confidence: high
    examples: [rt_live_aKjIg8xNbe3nNyjOq9wMxEhh2FDEEtfj]
"""


@dataclass(frozen=True)
class Planted:
    """What stands in the home directory."""

    first: tuple[str, str]
    second: tuple[str, str]
    vault: str
    github: str
    custom: str
    ssh: str

    @property
    def secrets(self) -> list[str]:
        return [self.first[1], self.second[1], self.vault, self.github, self.custom, *self.ssh.splitlines()[1:-1]]


def plant(home: Path, seed: int = 7) -> Planted:
    """Write a home directory in which `first` stands in three files and is ambiguous in none."""
    chance = random.Random(seed)

    def word(letters: str, length: int) -> str:
        return "".join(chance.choice(letters) for _ in range(length))

    base32, base62 = string.ascii_uppercase + "234567", string.ascii_letters + string.digits
    pairs = [("AKIA" + word(base32, 16), word(base62 + "+/", 40)) for _ in range(2)]
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    planted = Planted(
        first=pairs[0],
        second=pairs[1],
        # The scanner passes over a token without a digit, as one in sixty is.
        vault="s." + word(base62, 23) + "4",
        github="ghp_" + word(base62, 36),
        custom="rt_live_" + word(base62, 32),
        ssh=key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
    )
    (one, one_secret), (two, two_secret) = pairs
    for path, text in {
        ".aws/credentials": (
            f"[default]\naws_access_key_id = {one}\naws_secret_access_key = {one_secret}\n\n"
            f"[ci]\naws_access_key_id = {two}\naws_secret_access_key = {two_secret}\n"
        ),
        ".env": (
            f"AWS_ACCESS_KEY_ID={one}\nAWS_SECRET_ACCESS_KEY={one_secret}\nGITHUB_TOKEN={planted.github}\n"
            f"RANGE_TOKEN={planted.custom}\nVAULT_TOKEN={planted.vault}\n"
        ),
        ".ssh/id_ed25519": planted.ssh,
        ".vault-token": planted.vault,
        "app/.env": f"SSH_KEY={planted.ssh!r}\n",
        "app/settings.py": f'AWS_KEY = "{two}"\nAWS_SECRET = "{two_secret}"\nAPI_TOKEN = "{planted.custom}"\n',
        "windows/id_ed25519": planted.ssh.replace("\n", "\r\n"),
    }.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(text.encode())
    return planted


def scan(home: Path, *options: str) -> bytes:
    """Return what the real scanner prints of the home directory, with validation off and nothing outside asked."""
    rules, cache = home.parent / "rules.yaml", home.parent / "rule-cache"
    rules.write_text(RULES)
    scanner = Path(sys.executable).with_name("kingfisher")
    done = subprocess.run(
        [scanner, "scan", "--no-update-check", "--no-validate", "--rules-path", rules.name, *options, home.name],
        cwd=home.parent,
        env={**os.environ, "KF_RULE_CACHE_DIR": str(cache), "HOME": str(home.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (0, FOUND_SOMETHING), done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.replace(str(scanner.parent.parent).encode(), b"/opt/venv")


def main(scratch: Path) -> None:
    plant(scratch / "home")
    for name, options in {
        "kingfisher.json": ("--no-dedup", "--format", "json"),
        "kingfisher.jsonl": ("--no-dedup", "--format", "jsonl"),
        "kingfisher_hidden.jsonl": ("--no-dedup", "--format", "jsonl", "--include-hidden-findings", "-c", "low"),
        "kingfisher_redacted.json": ("--redact", "--format", "json"),
        "kingfisher.sarif": ("--format", "sarif"),
    }.items():
        (SAMPLES / name).write_bytes(scan(scratch / "home", *options))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
