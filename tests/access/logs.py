"""Logs as AWS writes them, with fields of its published examples, and what is planted in them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from rotator.access.reading import _read
from rotator.intake.report import Report

EXPOSED = datetime(2026, 3, 24, 10, tzinfo=UTC).timestamp()
HOUR = 3600.0
KEY = "AKIAIOSFODNN7EXAMPLE"


def record(hours: float, name: str = "ListBuckets", key: str = KEY, **given) -> dict:
    """Return an event so many hours after the exposure."""
    identity = {
        "type": "IAMUser",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE",
        "arn": "arn:aws:iam::123456789012:user/ci",
        "accountId": "123456789012",
        "accessKeyId": key,
        "userName": "ci",
    }
    return {
        "eventVersion": "1.10",
        "userIdentity": {**identity, **given.pop("userIdentity", {})},
        "eventTime": f"{datetime.fromtimestamp(EXPOSED + hours * HOUR, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "iam.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.34.0 md/Botocore#1.34.0",
        "requestParameters": None,
        "responseElements": None,
        "eventID": "b5e1c3a5-0000-4000-8000-000000000000",
        "eventType": "AwsApiCall",
        "recipientAccountId": "123456789012",
        **given,
    }


def log(*records: dict) -> bytes:
    return json.dumps({"Records": list(records)}).encode()


def looked_up(*records: dict) -> bytes:
    found = [{"EventId": each["eventID"], "CloudTrailEvent": json.dumps(each)} for each in records]
    return json.dumps({"Events": found}, indent=4).encode()


def lines(*records: dict) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def read(text: bytes, name: str = "trail.json") -> list:
    return list(_read(Report(name, io.BytesIO(text))))


def told(*records: dict) -> list:
    return read(log(*records))
