"""Plant the home directory of a stolen laptop, and have a real scanner report what leaked from it."""

from __future__ import annotations

import os
import secrets
import string
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rotator.credential import Secret

RULES = Path(__file__).with_name("scanner_rules.yaml")
_FOUND_NOTHING, _FOUND_SOMETHING = 0, 200
_SCAN_DEADLINE_S = 120


@dataclass(frozen=True, slots=True)
class AwsKey:
    """An access key as the issuer minted it."""

    id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Loot:
    """What lies on the laptop. The secret of `backup` was cut off when it was written down."""

    ci: AwsKey
    data: AwsKey
    backup: AwsKey
    ssh_key: Secret
    vault_token: Secret
    acme_token: Secret


def plant(home: Path, loot: Loot) -> Secret:
    """Write the home directory; return the one token that no connection of the rotator knows.

    The same values stand in several places, as on a real laptop. In `.aws/credentials` kingfisher 2.14 leaves `data`
    without a secret, as two stand near, and gives `backup` the secret of `data`: a report that pairs wrongly is part
    of the exercise. The `data` key stands whole in the warehouse's `.env`.
    """
    stray = Secret("ghp_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(36)))
    ci, data, backup = loot.ci, loot.data, loot.backup
    for path, lines in {
        ".aws/credentials": [
            *("[ci]", f"aws_access_key_id = {ci.id}", f"aws_secret_access_key = {ci.secret.reveal()}", ""),
            *("[data]", f"aws_access_key_id = {data.id}", f"aws_secret_access_key = {data.secret.reveal()}", ""),
            *("[backup]", f"aws_access_key_id = {backup.id}", f"aws_secret_access_key = {backup.secret.reveal()[:12]}"),
        ],
        ".bash_history": [
            "cd code/payments",
            f"export AWS_ACCESS_KEY_ID={ci.id} AWS_SECRET_ACCESS_KEY={ci.secret.reveal()}",
            "aws s3 ls s3://acme-builds",
            "ssh deploy@web-1 uptime",
        ],
        "code/payments/.env": [
            f"AWS_ACCESS_KEY_ID={ci.id}",
            f"AWS_SECRET_ACCESS_KEY={ci.secret.reveal()}",
            f"ACME_API_TOKEN={loot.acme_token.reveal()}",
        ],
        "code/warehouse/.env": [
            f"AWS_ACCESS_KEY_ID={data.id}",
            f"AWS_SECRET_ACCESS_KEY={data.secret.reveal()}",
        ],
        ".git-credentials": [f"https://dev:{stray.reveal()}@github.com"],
        ".vault-token": [loot.vault_token.reveal()],
        ".ssh/id_ed25519": [loot.ssh_key.reveal().strip()],
        ".ssh/config": ["Host web-*", "  User deploy"],
    }.items():
        _write(home / path, lines)
    return stray


def scan(home: Path, report: Path, rule_cache: Path) -> Path:
    """Run kingfisher over the home directory, offline and without validation; return its JSON report.

    Every place is wanted, so its own deduplication is off. The report holds the secrets: only its owner may read it.
    All paths are absolute. `rule_cache` spares the next scan about 5 seconds of compiling.
    Raises RuntimeError when the scanner fails.
    """
    report.touch(mode=0o600)
    command = [str(Path(sys.executable).with_name("kingfisher")), "scan", home.name, "--rules-path", str(RULES)]
    quiet = ["--no-update-check", "--no-validate", "--no-dedup", "--quiet", "--format", "json", "--output", str(report)]
    done = subprocess.run(
        [*command, *quiet],
        cwd=home.parent,  # so that the report's paths begin at the laptop
        env={**os.environ, "KF_RULE_CACHE_DIR": str(rule_cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SCAN_DEADLINE_S,
    )
    if done.returncode not in (_FOUND_NOTHING, _FOUND_SOMETHING):
        raise RuntimeError(f"kingfisher ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return report


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
