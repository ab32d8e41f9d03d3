"""The ledger's disk is full in the middle of an incident: nothing is done that cannot be written down first.

What was done before its outcome could be written is looked for, and kept, once there is room again.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.e2e.commands import QUICKLY, at_work, until
from tests.e2e.company import AWS, company
from tests.e2e.production import Production
from tests.faults.world import asked, wrong_in_production
from tests.servers.small_disk import small_disk

ACTIONS = ("UpdateAccessKey", "CreateAccessKey", "DeleteAccessKey", "PutUserPolicy")


@contextlib.contextmanager
def on_sqlite(tmp_path, servers, aws_proxy):
    """Give a company whose ledger is SQLite, its disk, and the one process that works."""
    with (
        small_disk(tmp_path / "company" / "rotator-data", megabytes=16) as disk,
        company(tmp_path / "company", servers, AWS) as found,
    ):
        found.connection("aws", endpoint_url=aws_proxy.address)
        found.rotator.program = QUICKLY
        with at_work(found.rotator.start("up")) as up:
            up.until_said("rotator is up")
            ledger = create_engine(f"sqlite:///{found.ledger}")
            yield Production(found, ledger, None), disk, [up]
            ledger.dispose()


@contextlib.contextmanager
def on_postgresql(backends, produced):
    """Give a production whose ledger lies in a tablespace of its own, its disk, and who works."""
    server, name = backends.postgres, f"small_{secrets.token_hex(4)}"
    admin = create_engine(server.url, isolation_level="AUTOCOMMIT")
    owner = pwd.getpwnam(server.user).pw_uid if server.user else os.getuid()
    with small_disk(server.server.pgdata.parent / name, megabytes=64, owner=owner) as disk:
        space = disk.folder / "space"
        space.mkdir()
        os.chown(space, owner, -1)
        with admin.connect() as connection:
            connection.execute(text(f"CREATE TABLESPACE {name} LOCATION '{space}'"))
        found = produced(AWS, tablespace=name)
        with found.several("worker", "beat") as running:
            yield found, disk, running
        found.ledger.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {found.ledger.url.database} WITH (FORCE)"))
            connection.execute(text(f"DROP TABLESPACE {name}"))
    admin.dispose()


@pytest.fixture
def sqlite(tmp_path, servers, aws_proxy):
    with on_sqlite(tmp_path, servers, aws_proxy) as found:
        yield found


@pytest.fixture
def postgresql(backends, produced):
    with on_postgresql(backends, produced) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def small(request):
    """Return a company whose ledger has little room, its disk, and who works."""
    return request.getfixturevalue(request.param)


@contextlib.contextmanager
def no_room(ledger, disk):
    """Fill the disk for the block, and what room PostgreSQL has in the pages that it has already."""
    disk.fill()
    filler = text("INSERT INTO evidence VALUES ('filler', :seq, '', '')")
    with contextlib.suppress(OperationalError):
        for seq in range(100_000):
            with ledger.begin() as connection:
                connection.execute(filler, {"seq": seq})
    yield
    disk.give_back()  # before anything else: PostgreSQL may have had no room to open a connection
    with ledger.begin() as connection:
        connection.execute(text("DELETE FROM evidence WHERE chain = 'filler'"))


def test_without_room_nothing_is_done_and_with_room_it_goes_on_by_itself(small, aws_proxy):
    found, disk, running = small
    rotator = found.company.rotator
    aws_proxy.hold(b"CreateAccessKey", "after")
    found.company.approve()
    aws_proxy.until_held()
    done, said = asked(aws_proxy, *ACTIONS), [len(each.said) for each in running]
    with no_room(found.ledger, disk):
        aws_proxy.let_go()
        until(lambda: [len(each.said) for each in running] != said)
        leak = found.company.leak(name="second.jsonl")
        refused = rotator("incident", "declare", leak, "--title", "Second")
        assert refused.code in {1, 2}  # PostgreSQL may have no room even to be asked
        assert "the ledger" in refused.one_line
        assert asked(aws_proxy, *ACTIONS) == done
    report = rotator("incident", "watch", "last", "-o", "json").ended(0).report
    assert wrong_in_production(found, report) == []
    assert asked(aws_proxy, "CreateAccessKey", "DeleteAccessKey") == {"CreateAccessKey": 1}
    assert [each.process.poll() for each in running] == [None] * len(running)
    assert "Traceback" not in "\n".join(rotator.said)


def test_a_full_disk_is_told_in_one_line(sqlite):
    found, disk, [up] = sqlite
    before = len(up.said)
    disk.fill()
    until(lambda: len(up.said) > before)
    for _ in range(2):  # each takes longer than the dispatcher waits before it tries again
        found.company.rotator("incident", "declare", found.company.leak(), "--title", "Full").ended(1)
    [line] = up.said[before:]
    assert "ledger" in line
