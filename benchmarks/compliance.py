"""How long the compliance report of a million steps takes, on SQLite and on PostgreSQL.

The ledger is filled row by row as plans and workers leave it: runs of many owners over a quarter, their branches, steps
and proofs. What is timed is all that the command does once it has started: to ask, to compute, and to write the page.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from rotator.flow.objective import Objective
from rotator.ledger import responses, tables
from rotator.ledger.database import Database
from rotator.report import compliance, compliance_page
from tests.servers.postgres import postgres

STEPS = 1_000_000
OF_A_RUN = 10
INCIDENTS, OWNERS, CONNECTIONS = 60, 5_000, 40
KINDS = ("aws_iam_access_key", "github_token", "vault_token", "ssh_authorized_key", "ldap_password")
SEVERITIES = ("low", "medium", "high", "critical")
BEGUN, QUARTER_S = 1_790_000_000.0, 90 * 86400.0
AIMS = (Objective("proven_dead", 95, 900.0), Objective("proven_dead", 99, 300.0, "critical"))
DEAD, REPLACED, DATED = 0.97, 0.9, 0.5
"""Which share is proven dead, is replaced, and is known to be exposed since when."""
AT_ONCE = 20_000
TARGET_S = 10.0


def measure(steps: int = STEPS) -> list[dict[str, object]]:
    """Return the seconds that the report took on each ledger."""
    gc.set_threshold(20_000)  # as the command line has it
    with tempfile.TemporaryDirectory() as name:
        found = [_measured(f"sqlite:///{Path(name) / 'ledger.db'}", steps, "SQLite")]
    with postgres() as url:
        return [*found, _measured(url, steps, "PostgreSQL")]


def _measured(url: str, steps: int, called: str) -> dict[str, object]:
    database = Database(url)
    try:
        database.migrate()
        _fill(database, steps)
        begun = time.perf_counter()
        found = responses.find(database, BEGUN, BEGUN + QUARTER_S)
        asked = time.perf_counter()
        report = compliance.build(found, BEGUN, BEGUN + QUARTER_S, BEGUN + QUARTER_S, AIMS)
        computed = time.perf_counter()
        page = compliance_page.text(report, found, BEGUN + QUARTER_S)
        took = time.perf_counter() - begun
    finally:
        database.close()
    assert report["population"]["credentials"] == steps // OF_A_RUN
    assert page
    parts = f"{asked - begun:.2f} s asked, {computed - asked:.2f} s computed"
    what = f"compliance report of {steps:,} steps on {called}"
    print(f"  {what}: {took:.2f} s ({parts})", flush=True)
    return {"name": what, "value": round(took, 3), "unit": "s", "target": TARGET_S}


def _fill(database: Database, steps: int) -> None:
    chance = random.Random(1)
    incidents = [f"inc-{number}" for number in range(INCIDENTS)]
    came = {each: BEGUN + chance.random() * QUARTER_S * 0.9 for each in incidents}
    _write(database, tables.incident, (_incident(each, came[each], chance) for each in incidents))
    _write(database, tables.plan, (_plan(each, came[each]) for each in incidents))
    runs = [f"{chance.choice(incidents)}.r{number}" for number in range(steps // OF_A_RUN)]
    _write(database, tables.run, (_run(each, came[each.partition(".")[0]], chance) for each in runs))
    _write(database, tables.branch, (_branch(each) for each in runs))
    _write(database, tables.step, (_step(each, number) for each in runs for number in range(OF_A_RUN)))


def _incident(name: str, at: float, chance: random.Random) -> dict[str, Any]:
    exposed_at = at - chance.expovariate(1 / 86400.0) if chance.random() < DATED else None
    times = {"exposed_at": exposed_at, "detected_at": at - 60.0, "declared_at": at}
    return {"id": name, "title": name, "severity": chance.choice(SEVERITIES), "plan_digest": name, **times}


def _plan(name: str, at: float) -> dict[str, Any]:
    times = {"made_at": at, "detected_at": at - 60.0}
    return {"incident": name, "digest": name, "basis": "{}", "document": b"", "number": 1, "by": "", "why": "", **times}


def _run(name: str, at: float, chance: random.Random) -> dict[str, Any]:
    stopped = at + chance.expovariate(1 / 300.0)
    is_dead, is_replaced = chance.random() < DEAD, chance.random() < REPLACED
    return {
        "id": name,
        "incident": name.partition(".")[0],
        "provider": "aws",
        "connection": f"connection-{chance.randrange(CONNECTIONS)}",
        "owner": f"owner-{chance.randrange(OWNERS)}",
        "credential": f"key-{name}",
        "kind": chance.choice(KINDS),
        "strategy": "contain_first",
        "why": "[]",
        "priority": 1.0,
        "weight": chance.choice((1.0, 3.0, 9.0, 27.0)),
        "deliver": "[]",
        "consumers": '[["webhook","http://consumer"]]',
        "evidence": "proven" if is_dead else "none",
        "requested_at": at + 30.0,
        "acknowledged_at": stopped,
        "contained_at": stopped + 5.0,
        "dead_at": stopped + 5.0 if is_dead else None,
        "replaced_at": stopped + 10.0 if is_replaced else None,
        "converged_at": stopped + 40.0 if is_replaced else None,
    }


def _branch(run: str) -> dict[str, Any]:
    of = {"run": run, "incident": run.partition(".")[0], "segment": 0, "target": "", "quorum": 100}
    return {"id": f"{run}.0.0", "state": "done", "lane": "contain", "priority": 1.0, **of}


def _step(run: str, number: int) -> dict[str, Any]:
    of = {"run": run, "branch": f"{run}.0.0", "position": number, "name": f"s{number}", "target": "", "state": "done"}
    return {"id": f"{run}.0.0.s{number}", "verb": "verify", "subject": "exposed", "lane": "contain", **of}


def _write(database: Database, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    with database.write() as connection:
        for each in rows:
            batch.append(each)
            if len(batch) == AT_ONCE:
                connection.execute(insert(table), batch)
                batch = []
        if batch:
            connection.execute(insert(table), batch)
