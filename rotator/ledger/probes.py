"""Our own uses of exposed credentials, as evidence tells them: what a reader of access logs takes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import select

from rotator.access.own import Probe
from rotator.flow.playbook_words import Subject
from rotator.ledger import revisions, tables
from rotator.ledger.database import Database

_EXPOSED = f" {Subject.EXPOSED.value}"
_AT_ONCE = 500
_run, _branch, _evidence = tables.run, tables.branch, tables.evidence


def probes(database: Database, incident: str) -> Iterator[Probe]:
    """Yield each act with an exposed credential, of an incident and what was merged into it, run by run.

    It began when it was intended, and ended when what came of it was written. One that nothing came of ended then too.
    """
    with database.read() as connection:
        family = [incident, *revisions.merged(connection, incident)]
        runs = connection.execute(
            select(_run.c.id, _run.c.credential).where(_run.c.incident.in_(family)).order_by(_run.c.incident, _run.c.id)
        ).all()
    for run in runs:
        of = select(_branch.c.id).where(_branch.c.run == run.id)
        query = select(_evidence.c.body).where(_evidence.c.chain.in_(of)).order_by(_evidence.c.chain, _evidence.c.seq)
        with database.read() as connection:
            bodies = list(connection.execute(query).scalars())
        yield from _of_run(run.id, run.credential, map(json.loads, bodies))


def of_credentials(database: Database, ids: Iterable[str]) -> Iterator[Probe]:
    """Yield each act with these credentials, exposed in whatever incident."""
    every = sorted(set(ids))
    for start in range(0, len(every), _AT_ONCE):
        named = _run.c.credential.in_(every[start : start + _AT_ONCE])
        query = (
            select(_run.c.id, _run.c.credential, _evidence.c.body)
            .join(_branch, _branch.c.run == _run.c.id)
            .join(_evidence, _evidence.c.chain == _branch.c.id)
            .where(named, _evidence.c.body.contains(f'{_EXPOSED}"', autoescape=True))
            .order_by(_run.c.id, _evidence.c.chain, _evidence.c.seq)
        )
        with database.read() as connection:
            rows = connection.execute(query).all()
        for (run, credential), of in groupby(rows, key=lambda row: (row[0], row[1])):
            yield from _of_run(run, credential, (json.loads(body) for _, _, body in of))


def _of_run(run: str, credential: str, records: Iterator[Mapping[str, Any]]) -> Iterator[Probe]:
    begun: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for each in records:
        if not str(each.get("do", "")).endswith(_EXPOSED):
            continue
        key = each["chain"], each["step"], each["target"]
        if each["state"] == "running":
            if key in begun:
                yield _probe(run, credential, begun[key], begun[key])
            begun[key] = each
        elif (intent := begun.pop(key, None)) is not None:
            yield _probe(run, credential, intent, each)
    for intent in begun.values():
        yield _probe(run, credential, intent, intent)


def _probe(run: str, credential: str, intent: Mapping[str, Any], outcome: Mapping[str, Any]) -> Probe:
    facts = outcome.get("facts") or {}
    return Probe(
        credential=credential,
        run=run,
        step=intent["step"],
        do=intent["do"],
        target=intent["target"],
        begun_at=intent["at"],
        ended_at=outcome["at"],
        answer=str(facts.get("answer", "")),
        request=str(facts.get("request_id", "")),
    )
