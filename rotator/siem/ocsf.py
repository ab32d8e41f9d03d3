"""A record of the evidence as OCSF events, JSON objects of the schema's version that `classes.py` names.

`metadata.uid` is the record's own hash: the same event has it however often it is sent, and an auditor finds the record
in a pack by it. Texts of others stand short, on one line, and not where they look like material.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rotator import __version__
from rotator.notices.phrases import shown
from rotator.siem import classes
from rotator.siem.classes import ENTITY, INCIDENT, Sort
from rotator.siem.objects import CREDENTIAL, LONGEST, ROTATOR, of_class, programmatic, routine
from rotator.siem.told import About, Credential, Told

MOST_BYTES = 8000
"""How long an event may be: receivers of syslog must take 2,048 bytes, and cut what is beyond 8,192 as they come."""
_NAMED = 20
"""How many of a list are told."""
INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
_OF_INCIDENT = {"low": 2, "medium": 3, "high": 4, "critical": 5}
_CREDENTIAL_ID = {"type_id": 19, "type": "User Credential ID"}
_USER_NAME = {"type_id": 4, "type": "User Name"}
_ENVELOPE = frozenset({"at", "chain", "seq", "previous", "act"})


def events(told: Told) -> list[dict[str, Any]]:
    """Return the events of a record: one, or one for each credential where it enrols several."""
    runs = told.body.get("runs") if told.body.get("act") == "enrolled" else None
    if not isinstance(runs, list):
        return [_event(told)]
    rest = {name: value for name, value in told.body.items() if name not in {"runs", "tasks"}}
    tasks = told.body.get("tasks", [])
    found = [(rest | each, Credential(*(str(each[name]) for name in _RUN))) for each in runs]
    found += [(rest | each, Credential(*(str(each[name] or "") for name in _TASK))) for each in tasks]
    made = [Told(f"{told.hash}.{number}", told.at, body, told.about, of) for number, (body, of) in enumerate(found, 1)]
    return [_event(each, record=told.hash) for each in made]


_RUN, _TASK = ("kind", "connection", "owner", "credential"), ("kind", "connection", "key", "key")


def trial(uid: str, at: float) -> dict[str, Any]:
    """Return an event that says it is a test; nothing has happened."""
    made = _made(classes.UNKNOWN, at, INFORMATIONAL, {"uid": uid, "event_code": "test"})
    return made | {"activity_name": "Test", "message": f"rotator tries this channel; nothing has happened ({uid})"}


def written(event: Mapping[str, Any]) -> str:
    """Return an event as one line of JSON, ASCII alone.

    One that is too long loses what is not mapped, and then the ends of its texts, and says so.
    """
    line = _line(event)
    if len(line) <= MOST_BYTES:
        return line
    metadata = {**event["metadata"], "is_truncated": True, "untruncated_size": len(line)}
    kept = {name: value for name, value in event.items() if name not in {"unmapped", "metadata"}}
    if "observables" in kept:
        kept["observables"] = [each for each in kept["observables"] if not each["name"].startswith("unmapped.")]
    line = _line({**kept, "metadata": metadata})
    # A letter that is not ASCII's has up to twelve there.
    return line if len(line) <= MOST_BYTES else _line({**_cut(kept), "metadata": metadata})


def _cut(value: Any) -> Any:
    """Return it with each text no longer than LONGEST as it is written."""
    if isinstance(value, Mapping):
        return {name: _cut(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cut(each) for each in value]
    if not isinstance(value, str) or len(_line(value)) <= LONGEST:
        return value
    text = value
    while len(_line(f"{text}…")) > LONGEST:
        text = text[:-1]
    return f"{text}…"


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _event(told: Told, record: str = "") -> dict[str, Any]:
    body, about, service = told.body, told.about, told.body.get("chain") == "service"
    is_step = "do" in body
    word = str(body["do"] if is_step else body.get("act", ""))
    sort = classes.of_step(word) if is_step else classes.of_act(word, service=service)
    if about is not None and about.routine and sort.of is INCIDENT:
        sort = Sort(ENTITY, 1 if sort.activity == 1 else 3)
        made = _made(sort, told.at, INFORMATIONAL, _named(told, word, record)) | {"entity": routine(about)}
    else:
        made = _made(sort, told.at, _severity(sort, about, body), _named(told, word, record)) | of_class(sort, told)
    made |= {"message": _message(told, word), "actor": _actor(body)}
    reason = body.get("reason")
    if isinstance(reason, str) and reason:
        made["status_detail"] = shown(reason, LONGEST)
    more = {name: _shown(value) for name, value in body.items() if name not in _ENVELOPE and value not in _NOTHING}
    if told.credential is not None:
        more["credential"] = shown(told.credential.id, LONGEST)
    made["unmapped"] = more
    return made | _observables(made)


_NOTHING: tuple[object, ...] = (None, "", {}, [])


def _made(sort: Sort, at: float, severity: int, metadata: Mapping[str, Any]) -> dict[str, Any]:
    of = sort.of
    product = {"name": ROTATOR, "vendor_name": ROTATOR, "version": __version__}
    return {
        "activity_id": sort.activity,
        "activity_name": of.activities[sort.activity],
        "category_uid": of.category_uid,
        "category_name": of.category,
        "class_uid": of.uid,
        "class_name": of.caption,
        "type_uid": of.uid * 100 + sort.activity,
        "type_name": f"{of.caption}: {of.activities[sort.activity]}",
        "time": round(at * 1000),
        "severity_id": severity,
        "severity": _SEVERITIES[severity],
        "metadata": {
            "version": classes.VERSION,
            "product": product,
            "log_provider": ROTATOR,
            **({"profiles": list(of.profiles)} if of.profiles else {}),
            **metadata,
        },
    }


def _named(told: Told, word: str, record: str) -> dict[str, Any]:
    """Return by which names the record is found again: its own, its chain's, its incident's."""
    more: dict[str, Any] = {"original_event_uid": record} if record else {}
    if told.about is not None:
        more |= {"correlation_uid": told.about.id, **({"labels": ["drill"]} if told.about.drill else {})}
    chain, seq = str(told.body.get("chain", "")), told.body.get("seq", 0)
    return {"uid": told.hash, "log_name": chain, "sequence": seq, "event_code": shown(word), **more}


def _severity(sort: Sort, about: About | None, body: Mapping[str, Any]) -> int:
    if sort.of is INCIDENT and about is not None:
        return _OF_INCIDENT.get(about.severity, _MEDIUM)
    if body.get("state") == "failed":
        return _MEDIUM
    return _LOW if body.get("act") == "refused" else INFORMATIONAL


def _actor(body: Mapping[str, Any]) -> dict[str, Any]:
    by = str(body.get("by", ""))
    if not by or by == ROTATOR:
        return {"app_name": ROTATOR}
    token = body.get("token")
    own = programmatic(token, "API Token") if isinstance(token, str) and token else {}
    return {"app_name": ROTATOR, "user": {"name": shown(by), **own}}


def _message(told: Told, word: str) -> str:
    body, where = told.body, told.credential.id if told.credential is not None else ""
    chain = str(body.get("chain", ""))
    if "do" in body:
        return shown(f"{chain}: {word} {where}: {body.get('from', '')} -> {body.get('state', '')}", LONGEST)
    by = f" by {body['by']}" if body.get("by") else ""
    by += f": dead, {body.get('evidence')}" if body.get("dead_at") is not None else ""
    return shown(f"{chain}: {word}{f' {where}' if where else ''}{by}", LONGEST)


def _observables(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people search by, each with the attribute that it stands in."""
    entity, user = event.get("entity", {}), event.get("user", {})
    ids = {
        "entity.uid": entity.get("uid") if entity.get("type") == CREDENTIAL else None,
        "entity_result.uid": event.get("entity_result", {}).get("uid"),
        "user.programmatic_credentials[0].uid": user.get("programmatic_credentials", [{}])[0].get("uid"),
        "unmapped.credential": event["unmapped"].get("credential"),
    }
    names = {"user.name": user.get("name"), "actor.user.name": event["actor"].get("user", {}).get("name")}
    found: dict[str, dict[str, Any]] = {}
    for sort, values in ((_CREDENTIAL_ID, ids), (_USER_NAME, names)):
        for path, value in values.items():
            if isinstance(value, str) and value and value not in found:
                found[value] = {"name": path, "value": value, **sort}
    return {"observables": list(found.values())} if found else {}


def _shown(value: object) -> Any:
    """Return what is not mapped as it may be shown: short texts, and of a long list the beginning."""
    if isinstance(value, str):
        return shown(value, LONGEST)
    if isinstance(value, Mapping):
        return {shown(str(name)): _shown(each) for name, each in list(value.items())[:_NAMED]}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value[:_NAMED]]
    return value if value is None or isinstance(value, bool | int | float) else shown(str(value))
