"""How long the intake of a report with 50,000 findings takes, and how much of that is not JSON."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import random
import string
import time
from collections.abc import Callable, Iterator

from rotator.credential import Secret
from rotator.flow.exposure import group
from rotator.intake.reading import read

FINDINGS = 50_000
CREDENTIALS = 10_000
TARGET_S = 10.0
TARGET_RATIO = 10.0
RECOGNISES = {
    ("kingfisher", "betterleaks.aws-access-token"): "aws_iam_access_key",
    ("trufflehog", "AWS"): "aws_iam_access_key",
    ("gitleaks", "aws-access-token"): "aws_iam_access_key",
    ("kingfisher", "betterleaks.private-key"): "ssh_authorized_key",
    ("trufflehog", "PrivateKey"): "ssh_authorized_key",
    ("gitleaks", "private-key"): "ssh_authorized_key",
}

Credential = tuple[str, str]


def measure(findings: int = FINDINGS, credentials: int = CREDENTIALS) -> list[dict[str, object]]:
    """Return seconds for reading and grouping each format, and the ratio to `json.loads` over the same bytes."""
    planted = list(plant(findings, credentials))
    results: list[dict[str, object]] = []
    for name, write, lines in (
        ("kingfisher JSON", kingfisher_json, False),
        ("kingfisher JSONL", kingfisher_jsonl, True),
        ("TruffleHog JSONL", trufflehog_jsonl, True),
        ("gitleaks JSON", gitleaks_json, False),
    ):
        text = write(planted)
        bare = seconds(lambda text=text, lines=lines: bare_loop(text, lines=lines))
        whole = seconds(lambda text=text: intake(text, findings, credentials))
        what = f"intake of {findings:,} findings, {name}"
        results += [
            {"name": what, "value": round(whole, 4), "unit": "s", "target": TARGET_S},
            {"name": f"{what} / json.loads", "value": round(whole / bare, 1), "unit": "ratio", "target": TARGET_RATIO},
        ]
    return results


def intake(text: bytes, findings: int, credentials: int) -> None:
    found = list(read("report", io.BytesIO(text)))
    suspects = group(found, RECOGNISES, lambda secret: fingerprint(secret, b"k" * 32))
    if (len(found), len(suspects)) != (findings, credentials):
        raise RuntimeError(f"{len(found)} findings of {len(suspects)} credentials were read")


def bare_loop(text: bytes, *, lines: bool) -> None:
    for each in text.splitlines() if lines else [text]:
        json.loads(each)


def fingerprint(secret: Secret, key: bytes) -> str:
    return hmac.new(key, secret.reveal().encode(), hashlib.sha256).hexdigest()


def seconds(work: Callable[[], None]) -> float:
    """Return the better of two runs: the first one also pays for what only happens once."""
    took = []
    for _ in range(2):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def plant(findings: int, credentials: int) -> Iterator[tuple[int, Credential]]:
    """Yield made-up credentials, each several times: four AWS keys to one private key (which has no id)."""
    chance = random.Random(1)
    letters = string.ascii_letters + string.digits
    made: list[Credential] = []
    for number in range(credentials):
        if number % 5:
            key_id = "AKIA" + "".join(chance.choices(string.ascii_uppercase + "234567", k=16))
            made.append((key_id, "".join(chance.choices(letters, k=40))))
        else:
            rows = "\n".join("".join(chance.choices(letters, k=70)) for _ in range(5))
            made.append(("", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{rows}\n-----END OPENSSH PRIVATE KEY-----\n"))
    for number in range(findings):
        yield number, made[number % credentials]


def kingfisher(number: int, credential: Credential) -> dict[str, object]:
    key_id, secret = credential
    rule = "aws-access-token" if key_id else "private-key"
    finding: dict[str, object] = {
        "snippet": key_id or secret,
        "fingerprint": str(number),
        "confidence": "high",
        "entropy": "3.92",
        "validation": {"outcome": "not_attempted", "status": "Not Attempted", "response": ""},
        "language": "Unknown",
        "line": number % 900 + 1,
        "column_start": 20,
        "column_end": 39,
        "path": f"home/code/project-{number % 700}/.env",
    }
    if key_id:
        command = f"--rule 'betterleaks.aws-access-token' --var AWS_SECRET_ACCESS_KEY='{secret}' '{key_id}'"
        finding["dependent_captures"] = {"AWS_SECRET_ACCESS_KEY": secret}
        finding["validate_command"] = f"kingfisher validate {command}"
        finding["blast_radius_command"] = f"kingfisher blast-radius {command}"
    return {
        "rule": {"title": rule, "name": rule, "id": f"betterleaks.{rule}", "description": "Identified. " * 10},
        "finding": finding,
    }


def kingfisher_json(found: list[tuple[int, Credential]]) -> bytes:
    return json.dumps({"findings": [kingfisher(*each) for each in found], "audit": {}, "metadata": {}}).encode()


def kingfisher_jsonl(found: list[tuple[int, Credential]]) -> bytes:
    return "\n".join([*(json.dumps(kingfisher(*each)) for each in found), '{"audit":{}}']).encode()


def trufflehog_jsonl(found: list[tuple[int, Credential]]) -> bytes:
    return "\n".join(
        json.dumps(
            {
                "SourceMetadata": {"Data": {"Filesystem": {"file": f"home/{number % 700}/.env", "line": number % 900}}},
                "SourceType": 15,
                "SourceName": "trufflehog - filesystem",
                "DetectorName": "AWS" if key_id else "PrivateKey",
                "DetectorDescription": "A description. " * 10,
                "Verified": False,
                "Raw": key_id or secret,
                "RawV2": f"{key_id}:{secret}" if key_id else "",
                "Redacted": key_id,
                "ExtraData": {"account": "123456789012", "resource_type": "Access key"} if key_id else {},
                "StructuredData": None,
            }
        )
        for number, (key_id, secret) in found
    ).encode()


def gitleaks_json(found: list[tuple[int, Credential]]) -> bytes:
    return json.dumps(
        [
            {
                "RuleID": "aws-access-token" if key_id else "private-key",
                "Description": "Identified a pattern. " * 6,
                "StartLine": number % 900 + 1,
                "Match": key_id or secret,
                "Secret": key_id or secret,
                "File": f"home/code/project-{number % 700}/.env",
                "Commit": "eb7d38e33889e715013e3bbbdde38a4d760c2603",
                "Entropy": 3.9,
                "Date": "2026-01-02T02:04:05Z",
                "Tags": [],
                "Fingerprint": str(number),
            }
            for number, (key_id, secret) in found
        ],
        indent=1,
    ).encode()
