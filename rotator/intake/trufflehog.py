"""Read the JSON reports of TruffleHog v3: one finding to a line, as `pkg/output/json.go` of its source prints them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.intake.fields import (
    aws_key_id,
    aws_session,
    line,
    mapping,
    material,
    server,
    twilio_key_id,
    without_login,
    word,
)
from rotator.intake.json_pieces import records
from rotator.intake.report import Head, Report

SOURCE = "trufflehog"
DESCRIPTION = "TruffleHog v3 (JSONL)"

_AWS = {"AWS", "AWSSessionKey"}
_GCP, _AUTH0, _AZURE = "GCP", "Auth0oauth", "Azure"
_TWILIO = {"Twilio", "TwilioApiKey"}
_ACCOUNT = re.compile(r"\d{12}")
_IAM_USER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/(?:.*/)?([^/]+)")
# Go prints a commit's time as "2022-06-16 10:17:40 -0700 PDT"; the zone's name says nothing that its offset does not.
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4})\b.*")


def claims(head: Head) -> bool:
    """Tell whether this is such a report, or its log, which `2>&1` puts before the findings."""
    return bool(head.keys & {"SourceMetadata", "DetectorName"}) or {"level", "logger", "msg"} <= head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each finding; lines of the scanner's own log are passed over."""
    for where, value in records(report):
        finding = mapping(value)
        if "DetectorName" not in finding and {"level", "msg"} <= finding.keys():
            continue
        detector, raw = word(finding, "DetectorName"), finding.get("Raw")
        if not detector or not isinstance(raw, str):
            raise report.bad(
                "this is not a TruffleHog finding", where, "give the report as `trufflehog --json` wrote it"
            )
        yield _exposure(finding, detector, raw)


def _exposure(finding: Mapping[str, object], detector: str, raw: str) -> Exposure:
    extra = mapping(finding.get("ExtraData"))
    # One member: the kind of source (Git, Filesystem, S3), which holds what is known of the place.
    found_in = next(iter(mapping(mapping(finding.get("SourceMetadata")).get("Data")).values()), None)
    source = mapping(found_in)
    if detector == "CustomRegex" and word(extra, "name"):
        detector = f"CustomRegex:{word(extra, 'name')}"
    return Exposure(
        source=SOURCE,
        rule=detector,
        leaked=_leaked(finding, detector, raw, extra),
        path=_path(source),
        line=line(source, "line"),
        commit=word(source, "commit") or None,
        seen_at=_time(word(source, "timestamp")),
        # Not verified may mean not tried, so only the yes is passed on.
        scanner_says="active" if finding.get("Verified") is True else None,
    )


def _leaked(finding: Mapping[str, object], detector: str, raw: str, extra: Mapping[str, object]) -> Leaked:
    parts = mapping(finding.get("SecretParts"))
    joined = finding.get("RawV2")
    joined = joined if isinstance(joined, str) else ""
    if detector in _AWS and aws_key_id(raw):
        account, owner = word(extra, "account"), _IAM_USER.fullmatch(word(extra, "arn"))
        return Leaked(
            id=raw,
            secret=_aws_material(parts, raw, joined),
            owner=owner[1] if owner else None,
            account=account if _ACCOUNT.fullmatch(account) else None,
        )
    if detector == _GCP and joined.startswith("{"):
        # The whole key file; `Raw` is its account's address alone.
        project = word(extra, "project")
        return Leaked(secret=material(joined), owner=raw if "@" in raw else None, account=project or None)
    if pair := _pair(detector, raw, joined, parts):
        return Leaked(id=pair[0], secret=material(pair[1]))
    url = parts.get("url") or (joined[len(raw) + 1 :] if raw and joined.startswith(f"{raw}:http") else "")
    return Leaked(secret=material(raw), address=server(url) if isinstance(url, str) else None)


def _pair(detector: str, raw: str, joined: str, parts: Mapping[str, object]) -> tuple[str, str] | None:
    """Return (id, secret) where the detector finds both, each in a way of its own."""
    name, secret = parts.get("client_id"), parts.get("client_secret")
    if isinstance(name, str) and isinstance(secret, str) and name and secret:
        return name, secret
    if detector in _TWILIO and twilio_key_id(raw):
        # `Raw` is the key's id, which is no secret; new releases call the secret `sid`.
        return raw, joined.removeprefix(raw)
    if detector == _AUTH0 and raw and joined.endswith(raw) and joined != raw:
        return joined.removesuffix(raw), raw
    if detector == _AZURE and joined.startswith("{"):
        try:
            name = mapping(json.loads(joined)).get("clientId")
        except (ValueError, RecursionError):
            return None
        return (name, raw) if isinstance(name, str) and name else None
    return None


def _aws_material(parts: Mapping[str, object], key_id: str, joined: str) -> Secret | None:
    """Return the secret access key, or all three parts of a session: the token is the last of them in `RawV2`."""
    secret, token = _aws_secret(parts, key_id, joined), parts.get("session_token")
    if not isinstance(token, str):
        token = joined.removeprefix(key_id).removeprefix(":").partition(":")[2]
    return aws_session(key_id, secret, token) or material(secret)


def _aws_secret(parts: Mapping[str, object], key_id: str, joined: str) -> str:
    """Return the secret access key: a part of its own in new releases, behind the id in `RawV2` in all."""
    part = parts.get("secret_access_key")
    if isinstance(part, str):
        return part
    if not joined.startswith(key_id):
        return ""
    # With or without a colon between; a session token may follow. No secret access key holds a colon.
    return joined.removeprefix(key_id).removeprefix(":").split(":", 1)[0]


def _path(source: Mapping[str, object]) -> str:
    """Return the most telling name of the place."""
    file = word(source, "file") or word(source, "path") or word(source, "filename")
    container = word(source, "repository") or word(source, "bucket") or word(source, "image")
    if file and container:
        return f"{without_login(container).rstrip('/')}/{file}"
    return file or without_login(word(source, "link") or container)


def _time(text: str) -> datetime | None:
    found = _GO_TIME.fullmatch(text)
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3]}" if found else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
