"""PostgreSQL and Redis by two settings: several workers and dispatchers, any of which may die, and the same end."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets

import pytest
from sqlalchemy import create_engine, text

from rotator.practice.honesty import lies, unfinished
from tests.e2e.canaries import betrayed
from tests.e2e.commands import QUICKLY, at_work, until
from tests.e2e.company import AWS, KINDS, company
from tests.e2e.holding_proxy import holding_proxy
from tests.servers.postgres import postgres
from tests.servers.redis import redis_server


@pytest.fixture(scope="module")
def backends(tmp_path_factory):
    """Run a PostgreSQL and a Redis."""
    folder = tmp_path_factory.mktemp("production")
    with postgres() as url, redis_server(folder / "redis") as broker:
        yield url, broker


@pytest.fixture
def produced(backends, servers, tmp_path):
    """Stand up a company whose rotator runs on PostgreSQL and Redis, each empty."""
    url, broker = backends
    name = f"ledger_{secrets.token_hex(4)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    broker.client.flushall()
    with company(tmp_path / "company", servers, *KINDS) as found:
        key = found.write("seal.key", base64.b64encode(os.urandom(32)))
        two = {"database_url": url.replace("/postgres?", f"/{name}?"), "broker_url": broker.url}
        found.configure(lambda settings: settings.update(two, seal_key=f"file:{key}", concurrency=4))
        found.rotator.program = QUICKLY
        ledger = create_engine(two["database_url"])
        yield found, ledger, broker
        ledger.dispose()


def rows(ledger, query):
    with ledger.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def everything_in(ledger):
    """Return every cell of every table, as PostgreSQL writes it out."""
    names = [name for (name,) in rows(ledger, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert {"evidence", "step", "sealed", "exposure"} <= set(names)
    return "\n".join(str(row) for name in names for row in rows(ledger, f'SELECT t::text FROM "{name}" t'))


@contextlib.contextmanager
def several(rotator, *commands):
    """Run these commands until the block ends."""
    with contextlib.ExitStack() as up:
        yield [up.enter_context(at_work(rotator.start(each))) for each in commands]


def truth(found, report):
    tried, used = [each.tried for each in found.victims], [each.in_use for each in found.victims]
    return lies(report, tried, used) + unfinished(report, tried, used)


def test_a_message_is_an_id_and_an_emptied_broker_loses_nothing(produced):
    found, ledger, broker = produced
    leak = found.leak()
    with several(found.rotator, "beat", "beat"):
        respond = found.rotator.start("respond", leak, "--yes", "-o", "json")
        until(lambda: broker.client.llen("contain") == len(KINDS))
        branches = {name for (name,) in rows(ledger, "SELECT id FROM branch WHERE state = 'open'")}
        messages = [json.loads(each) for each in broker.client.lrange("contain", 0, -1)]
        assert {json.loads(base64.b64decode(each["body"]))[0][0] for each in messages} == branches
        assert betrayed(found.secrets, "the broker", broker.dump()) == []
        broker.client.flushall()
        with several(found.rotator, "worker", "worker"):
            report = respond.end().ended(0).report
            assert betrayed(found.secrets, "the broker", broker.dump()) == []
    assert report["totals"]["proven_dead"] == report["converged"] == len(KINDS)
    assert truth(found, report) == []
    assert betrayed(found.secrets, "the ledger", everything_in(ledger)) == []
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


def test_a_worker_and_the_leading_dispatcher_killed_in_the_middle_leave_no_orphan(produced):
    found, ledger, _ = produced
    with holding_proxy(found.servers.aws.endpoint_url) as proxy:
        found.connection("aws", endpoint_url=proxy.address)
        proxy.hold(b"CreateAccessKey", "after")
        with several(found.rotator, "worker", "worker", "beat", "beat") as running:
            respond = found.rotator.start("respond", found.leak(), "--yes", "-o", "json")
            proxy.until_held()
            at_aws = f"SELECT holder FROM branch WHERE run IN (SELECT id FROM run WHERE provider = '{AWS}')"
            holders = {name for (name,) in [*rows(ledger, at_aws), *rows(ledger, "SELECT holder FROM leader")]}
            doomed = [each for each in running if any(name.endswith(f":{each.process.pid}") for name in holders)]
            assert len(doomed) == 2
            for each in doomed:
                each.kill()
            proxy.let_go()
            report = respond.end().ended(0).report
    assert report["totals"]["proven_dead"] == report["converged"] == len(KINDS)
    assert truth(found, report) == []
    owner = found.victim(AWS).use.owner
    listed = found.servers.aws.iam.list_access_keys(UserName=owner)["AccessKeyMetadata"]
    [entry] = [each for each in report["credentials"] if each["provider"] == AWS]
    assert {key["AccessKeyId"] for key in listed} == {entry["id"], entry["replacement"]}
