"""A log of AWS as the practice range's vendor leaves it: its key works each night, and today for somebody else too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NAME = "cloudtrail.json"
_NIGHTS = 20
_ACCOUNT = "000000000000"


def write(folder: Path, iam: Any, user: str) -> Path:
    """Write the log of each key that a user has now; return where."""
    keys = [each["AccessKeyId"] for each in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]
    now = datetime.now(UTC)
    told = []
    for key in keys:
        told += [
            _call(user, key, now - timedelta(days=days), "GetObject", "198.51.100.7") for days in range(1, _NIGHTS)
        ]
        his = {"agent": "aws-cli/2.15.0", "region": "ap-southeast-1"}
        told += [
            _call(user, key, now - timedelta(hours=2), name, "203.0.113.66", **his)
            for name in ("ListBuckets", "GetObject")
        ]
    path = folder / NAME
    path.write_text(json.dumps({"Records": told}, indent=1) + "\n", encoding="utf-8")
    return path


def _call(  # noqa: PLR0917 - one record
    user: str,
    key: str,
    at: datetime,
    name: str,
    address: str,
    agent: str = "Boto3/1.34.0",
    region: str = "eu-central-1",
) -> dict[str, object]:
    """Return one record with the fields that a reader of access looks at."""
    return {
        "eventVersion": "1.10",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{_ACCOUNT}:user/{user}",
            "accountId": _ACCOUNT,
            "accessKeyId": key,
            "userName": user,
        },
        "requestParameters": None,
        "responseElements": None,
        "recipientAccountId": _ACCOUNT,
    }
