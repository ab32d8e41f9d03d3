"""Against the script that one would write in the night: boto3, one key after the other, the same emulator.

The script asks whose each key is, knocks, makes it inactive, denies its user's older sessions and knocks again; after
the settle time it knocks once more. Ours is everything from the report to the last proof: intake, triage, plan,
declaration, execution. Neither counts the start of its process.

Measured twice: beside the emulator, where both wait for nothing but its processor, and from where a call takes as long
as one to the other side of a country.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from benchmarks import aws_keys, respond
from benchmarks.aws_keys import CONNECTION, KIND, Planted
from benchmarks.distance import at_distance
from rotator.practice.ministack import Ministack

KEYS = 200
TARGET = 1.0
DISTANCES = (0.0, 0.05)
"""Seconds that a request takes to arrive."""


def measure(
    keys: int = KEYS, settle_s: float | None = None, distances: Sequence[float] = DISTANCES
) -> list[dict[str, object]]:
    """Return our time over the script's at each distance, over fresh keys."""
    return [_measured(keys, settle_s, distance) for distance in distances]


def _measured(keys: int, settle_s: float | None, distance: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name, aws_keys.emulator(Path(name)) as near:
        planted = aws_keys.plant(near, 2 * keys)
        with at_distance(near, Path(name), distance) as aws:
            parts = aws_keys.rotator(Path(name) / "rotator", aws, settle_s)
            settle = parts.outside.provider_of(KIND, CONNECTION).settle_s
            took = respond.by_rotator(parts, planted[:keys])
            parts.database.close()
            ours, theirs = took.seconds + sum(took.around.values()), script(aws, planted[keys:], settle)
    where = f"{distance * 1e3:g} ms away"
    print(f"  {keys} keys {where}, settle time {settle:g} s: rotator {ours:.2f} s, script {theirs:.2f} s", flush=True)
    what = f"{keys} AWS keys proven dead {where} / serial boto3 script"
    return {"name": what, "value": round(ours / theirs, 3), "unit": "ratio", "target": TARGET}


def script(aws: Ministack, keys: Sequence[Planted], settle_s: float) -> float:
    """Return the seconds until the script has seen every key refused twice."""
    iam, start = aws.client("iam"), time.perf_counter()
    refused_at = 0.0
    for key in keys:
        owner = iam.get_access_key_last_used(AccessKeyId=key.id)["UserName"]
        listed = {each["AccessKeyId"]: each["Status"] for each in _listed(iam, owner)}
        if listed[key.id] != "Active" or not _accepted(aws, key):
            raise RuntimeError(f"{key.id} was dead before")
        iam.update_access_key(UserName=owner, AccessKeyId=key.id, Status="Inactive")
        iam.put_user_policy(UserName=owner, PolicyName="deny-older-sessions", PolicyDocument=_deny_older())
        if _accepted(aws, key):
            raise RuntimeError(f"{key.id} lives")
        refused_at = time.perf_counter()
    time.sleep(max(0.0, refused_at + settle_s - time.perf_counter()))
    if any(_accepted(aws, key) for key in keys):
        raise RuntimeError("a key came back")
    return time.perf_counter() - start


def _listed(iam: object, owner: str) -> list[dict[str, str]]:
    return iam.list_access_keys(UserName=owner)["AccessKeyMetadata"]


def _accepted(aws: Ministack, key: Planted) -> bool:
    sts = boto3.client(
        "sts",
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret.reveal(),
    )
    try:
        sts.get_caller_identity()
    except ClientError:
        return False
    return True


def _deny_older() -> str:
    older = {"DateLessThan": {"aws:TokenIssueTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
    return json.dumps({"Version": "2012-10-17", "Statement": [deny]})
