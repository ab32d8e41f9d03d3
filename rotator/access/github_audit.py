"""Read GitHub's audit log, exported as JSON or JSONL: what each token did, by the hash that also names it here.

`hashed_token` is the SHA-256 of the token in base64, as GitHub's page "Identifying audit log events performed by an
access token" says; fields as in its REST schema of an audit log event, times in milliseconds since 1970. An address is
told only where the organisation has switched that on, and it is not where the actor was a machine of GitHub's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.access.event import Event, Unread, beginning
from rotator.access.records import identity, told, values
from rotator.intake.fields import mapping, word
from rotator.intake.report import Head, Report

_EXAMPLE = "export the audit log as JSON"
_LONGEST = 200
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999: what is beyond is no time."""


def claims(head: Head) -> bool:
    """Tell whether this is such a log."""
    return "action" in head.keys and bool(head.keys & {"@timestamp", "created_at"})


def events(report: Report) -> Iterator[Event | Unread]:
    """Yield what tokens did; what people did on the web is left out.

    A record that is none comes as Unread. Raises BadInput where all are so, and where an array is cut off.
    """
    return told((_event(report.name, number, each) for number, each in enumerate(values(report), start=1)), _EXAMPLE)


def _event(file: str, number: int, value: object) -> Event | Unread | None:
    said = mapping(value)
    at = said.get("@timestamp", said.get("created_at"))
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at <= _LATEST_MS or not word(said, "action"):
        return Unread(file, number, "it has no action and @timestamp")
    if not (key_id := _text(said, "hashed_token")):
        return None
    return Event(
        key_id=key_id,
        at=at / 1000,
        name=_text(said, "action"),
        region="",
        address=_text(said, "actor_ip"),
        agent=beginning(word(said, "user_agent"), _LONGEST),
        who="",
        account="",
        error="",
        asked=said,
        answered=_deploy_key(said),
        file=file,
        record=number,
        request=_text(said, "request_id"),
        identity=identity(_text(said, "_document_id"), said),
    )


def _deploy_key(said: Mapping[str, object]) -> Mapping[str, object]:
    """Return the deploy key that was added, in the form of `access/lasting.py`; a key without a repository is a user's.

    One is named by its SHA256 fingerprint; of an older form, or where none is told, a person must look.
    """
    repository, fingerprint = _text(said, "repo"), _text(said, "fingerprint")
    if not (repository and fingerprint.startswith("SHA256:")):
        return {}
    return {"deploy_key": {"fingerprint": fingerprint, "userName": repository}}


def _text(record: Mapping[str, object], key: str) -> str:
    return word(record, key)[:_LONGEST]
