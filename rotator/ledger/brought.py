"""What people brought since a pause that its gates rest on, by whom: the chains and the inventory's history tell it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from rotator.credential import CredentialRef
from rotator.flow.gate_facts import Brought
from rotator.flow.inventory import Fitting
from rotator.ledger import service, tables
from rotator.ledger.pauses import Pause
from rotator.ledger.vendors import ATTESTED, CHAIN, DATASET, REGISTERED, SOFTWARE

_REACHES = ("vendor", "reads", "administers", "datasets")
"""What an entry of the inventory says that gates ask for."""
_evidence, _history = tables.evidence, tables.inventory_history


def lists_and_papers(connection: Connection, pause: Pause, pipelines: Collection[str]) -> Iterator[Brought]:
    """Yield each list of software and attestation; what a build of its own (`pipelines`) sends opens nothing."""
    for record in _records(connection, CHAIN + pause.vendor, pause.at, SOFTWARE, ATTESTED, REGISTERED):
        act = record["act"]
        if act == SOFTWARE and record["source"] not in pipelines:
            yield _brought(record, f"the list {record['source']}")
        elif act == ATTESTED:
            yield _brought(record, f"the {record['kind']} by {record['issuer']}")
        elif act == REGISTERED and "attestations" in record["after"]:
            yield _brought(record, "attestations in the registry")


def manifests(connection: Connection, pause: Pause, datasets: Collection[str]) -> Iterator[Brought]:
    """Yield who named which manifest tells of one of these datasets."""
    for record in _records(connection, service.CHAIN, pause.at, DATASET):
        if record["dataset"] in datasets and "manifest" in {*record["before"], *record["after"]}:
            yield _brought(record, f"which manifest is that of {record['dataset']}")


def entries(connection: Connection, pause: Pause, refs: Iterable[CredentialRef]) -> Iterator[Brought]:
    """Yield who said in the inventory what one of these credentials reaches, or whose it is."""
    query = select(_history.c.match, _history.c.at, _history.c.by, _history.c.before, _history.c.after)
    of, fitting = query.where(_history.c.at > pause.at).order_by(_history.c.id), Fitting(refs)
    for match, at, by, was, now in connection.execute(of):
        before, after = json.loads(was) if was else {}, json.loads(now)
        says_more = any(before.get(each) != after.get(each) for each in _REACHES)
        if says_more and (found := fitting.of(json.loads(match))):
            yield Brought(at, by, f"what the inventory says of {found[0]}")


def _records(connection: Connection, chain: str, since: float, *acts: str) -> Iterator[Mapping[str, Any]]:
    named = or_(*(_evidence.c.body.contains(f'"{each}"', autoescape=True) for each in acts))
    query = select(_evidence.c.body).where(_evidence.c.chain == chain, named).order_by(_evidence.c.seq)
    told = map(json.loads, connection.execute(query).scalars())
    return (each for each in told if each["act"] in acts and each["at"] > since)


def _brought(record: Mapping[str, Any], what: str) -> Brought:
    return Brought(record["at"], record["by"], what)
