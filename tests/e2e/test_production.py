"""PostgreSQL and Redis by two settings: the same end as everything in one process. What may die: tests/faults/."""

from __future__ import annotations

import base64
import json

import pytest

from tests.e2e.canaries import betrayed
from tests.e2e.commands import until
from tests.e2e.company import KINDS, company
from tests.e2e.production import production, running_backends, truth


@pytest.fixture(scope="module")
def backends(tmp_path_factory):
    """Run a PostgreSQL and a Redis."""
    with running_backends(tmp_path_factory.mktemp("production")) as found:
        yield found


@pytest.fixture
def produced(backends, servers, tmp_path):
    """Stand up a company whose rotator runs on PostgreSQL and Redis, each empty."""
    with production(tmp_path / "company", servers, backends, *KINDS) as found:
        yield found


def everything_in(produced):
    """Return every cell of every table, as PostgreSQL writes it out."""
    names = [name for (name,) in produced.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert {"evidence", "step", "sealed", "exposure"} <= set(names)
    return "\n".join(str(row) for name in names for row in produced.ask(f'SELECT t::text FROM "{name}" t'))


def test_a_message_is_an_id_and_an_emptied_broker_loses_nothing(produced):
    found, broker = produced.company, produced.backends.redis
    leak = found.leak()
    with produced.several("beat", "beat"):
        respond = found.rotator.start("respond", leak, "--yes", "-o", "json")
        until(lambda: broker.client.llen("contain") == len(KINDS))
        branches = {name for (name,) in produced.ask("SELECT id FROM branch WHERE state = 'open'")}
        messages = [json.loads(each) for each in broker.client.lrange("contain", 0, -1)]
        assert {json.loads(base64.b64decode(each["body"]))[0][0] for each in messages} == branches
        assert betrayed(found.secrets, "the broker", broker.dump()) == []
        broker.client.flushall()
        with produced.several("worker", "worker"):
            report = respond.end().ended(0).report
            assert betrayed(found.secrets, "the broker", broker.dump()) == []
    assert report["totals"]["proven_dead"] == report["converged"] == len(KINDS)
    assert truth(found, report) == []
    assert betrayed(found.secrets, "the ledger", everything_in(produced)) == []
    assert betrayed(found.secrets, "what was printed", "\n".join(found.rotator.said)) == []

    # The same as everything in one process.
    with company(found.folder.parent / "embedded", found.servers, *KINDS) as other:
        embedded = other.rotator("respond", other.leak(), "--yes", "-o", "json").ended(0).report
    assert outline(report) == outline(embedded)


def outline(report):
    """Return what two reports on two companies have in common when all went the same way."""
    credentials = {
        each["provider"]: (
            each["state"],
            each["evidence"],
            each["strategy"],
            each["open"],
            [(step["id"], step["target"], step["state"]) for step in each["steps"]],
        )
        for each in report["credentials"]
    }
    return report["totals"], report["replaced"], report["converged"], credentials
