"""Leak canaries as credentials really leak: each trigger is a document of its own form, read by the way that it comes.

Nothing of it is written down. What the documents name is whatever their readers find in them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence

from rotator import clock
from rotator.credential import Issued, Secret
from rotator.errors import BadInput
from rotator.flow.exercise import Trigger
from rotator.flow.exposure import Exposure
from rotator.flow.inventory import Entry
from rotator.flow.playbook import Playbook
from rotator.flow.reach import reachable
from rotator.flow.scope import Custody
from rotator.flow.site import site
from rotator.intake import reading
from rotator.packages import advisory
from rotator.packages.evidence import walk
from rotator.packages.matching import match
from rotator.triggers import generic
from rotator.triggers import message as triggers

WHERE = "rotator-drill/leaked.env"
_BAD, _SITE = "rotator-drill-canary==1.0", "host:rotator-drill"
_CUSTOM = "CustomRegex"


def leak(trigger: Trigger, playbook: Playbook, canaries: Sequence[Issued]) -> list[Exposure]:
    """Return what a leak of these is read as. Raises BadInput for a kind that leaks in no such way."""
    match trigger:
        case Trigger.SCANNER:
            return _read(_scanned(playbook, canaries))
        case Trigger.ALARM:
            return _alarmed(playbook.playbook, canaries)
        case Trigger.ADVISORY:
            return _within_reach(canaries)
        case Trigger.MANUAL:
            return _read(_pairs(playbook.playbook, canaries))


def _read(lines: Iterable[Mapping[str, object]]) -> list[Exposure]:
    text = "\n".join(json.dumps(each) for each in lines)
    return list(reading.read("the drill's report", io.BytesIO(text.encode())))


def _scanned(playbook: Playbook, canaries: Sequence[Issued]) -> list[Mapping[str, object]]:
    """Return the findings of a scanner that knows the kind."""
    for source, finding in (("trufflehog", _trufflehog), ("gitleaks", _gitleaks)):
        if rules := playbook.recognises.get(source):
            return [finding(rules[0], each, line) for line, each in enumerate(canaries, start=1)]
    what = f"no report of a scanner names {playbook.playbook}"
    raise BadInput(what, "--trigger scanner", "practise it with --trigger manual, or alarm")


def _trufflehog(rule: str, canary: Issued, line: int) -> Mapping[str, object]:
    material, name = canary.secret.reveal(), canary.ref.id
    detector, _, custom = rule.partition(":")
    has_id = detector == "AWS"
    return {
        "SourceMetadata": {"Data": {"Filesystem": {"file": WHERE, "line": line}}},
        "DetectorName": detector,
        "Verified": True,
        "Raw": name if has_id else material,
        "RawV2": f"{name}:{material}" if has_id else "",
        "ExtraData": {"name": custom} if detector == _CUSTOM else {},
    }


def _gitleaks(rule: str, canary: Issued, line: int) -> Mapping[str, object]:
    return {"RuleID": rule, "Secret": canary.secret.reveal(), "File": WHERE, "StartLine": line}


def _pairs(kind: str, canaries: Sequence[Issued]) -> list[Mapping[str, object]]:
    """Return what a person writes who has found them."""
    return [{"provider": kind, **_named(each), "secret": each.secret.reveal(), "path": WHERE} for each in canaries]


def _named(canary: Issued) -> dict[str, object]:
    ref = canary.ref
    return {"id": ref.id, "owner": ref.owner, "connection": ref.connection}


def _alarmed(kind: str, canaries: Sequence[Issued]) -> list[Exposure]:
    """Return what an alarm names, signed by a key that nobody else has, and believed as any is."""
    listed = [{"kind": kind, **_named(each), "secret": each.secret.reveal(), "path": WHERE} for each in canaries]
    body = json.dumps({"title": "drill", "severity": "low", "credentials": listed}).encode()
    key, now, name = secrets.token_bytes(32), clock.now(), secrets.token_hex(8)
    signed = hmac.digest(key, f"{name}.{int(now)}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    received = triggers.Received(headers, body)
    generic.verify(received, triggers.Trust((Secret(base64.b64encode(key).decode()),)), now)
    told = generic.read(received)
    return list(told.exposures) if isinstance(told, triggers.Trigger) else []


def _within_reach(canaries: Sequence[Issued]) -> list[Exposure]:
    """Return what was within reach of a bad package, on a machine where nothing but the canaries lies."""
    frozen = io.BytesIO(f"{_BAD}\n".encode())
    hits = match([advisory.spec(_BAD)], walk([("host/rotator-drill/pip-freeze.txt", frozen)])).hits
    names = ("provider", "connection", "owner", "id")
    lying = [
        Entry(
            Custody({name: getattr(each.ref, name) for name in names}, reachable_from=(site(_SITE),)),
            "the drill itself",
        )
        for each in canaries
    ]
    return list(reachable(hits, lying, [each.ref for each in canaries]).exposures)
