"""What somebody writes past the service into the rows of advisories is found: their chain tells what was so."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from sqlalchemy import Float, Integer, delete, insert, select, update

from rotator.errors import BadInput
from rotator.ledger import service, tables
from rotator.ledger.advisories import Advisories, Arrived
from rotator.ledger.advisory_chain import CHAIN
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.ledger.vendor_chains import altered, refuse_altered
from rotator.packages.nature import Nature, Sign
from tests.fakes.vendors_paused import pause
from tests.ledger.test_advisories import ACME, advisories  # noqa: F401 - a fixture
from tests.ledger.test_vendors import chain
from tests.shown.vendors import ADVISORY, RECORD, filled

DAY = 86400.0
ORDINARY = Sign(Nature.ORDINARY, "cwe_ids", "CWE-79")
CAME = Arrived("GHSA-1-2-3", frozenset({"GHSA-1-2-3"}), "Bad packages", "siem", 1000.5, None, (ACME,), 2, ORDINARY)
TABLES = (tables.kept_advisory, tables.arrived_advisory)
MODIFIED = {**json.loads(RECORD), "modified": "2026-03-24T00:00:00Z"}


class Clock:
    at = 1_780_000_000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(database, clock):
    return KeptAdvisories(database, clock)


def write(database, statement):
    with database.write() as connection:
        connection.execute(statement)


def rows(database, table):
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_each_altered_column_and_each_row_too_many_or_too_few_is_found(database, kept, advisories):  # noqa: F811
    kept.keep(ADVISORY, json.loads(RECORD))
    advisories.settle(replace(CAME, escalated_by="ana", escalated_why="it is exploited"))
    assert altered(database) == []
    for table in TABLES:
        for row in rows(database, table):
            is_it = table.c.name == row["name"]
            for column in table.columns:
                if column.name == "name":
                    continue
                other = (row[column.name] or 0) + 1 if isinstance(column.type, Float | Integer) else '["x"]'
                write(database, update(table).where(is_it).values({column: other}))
                assert len(altered(database)) == 1, column
                write(database, update(table).where(is_it).values({column: row[column.name]}))
            write(database, delete(table).where(is_it))
            assert len(altered(database)) == 1
            write(database, insert(table).values(row))
            write(database, insert(table).values(row | {"name": "GHSA-x"}))
            assert altered(database)[0].endswith(" GHSA-x")
            write(database, delete(table).where(table.c.name == "GHSA-x"))
    assert altered(database) == []
    first = (tables.evidence.c.chain == CHAIN) & (tables.evidence.c.seq == 1)
    write(database, update(tables.evidence).where(first).values(body='{"act": "advisory_kept"}'))
    assert altered(database) == [f"chain {CHAIN}"]


def test_what_arrived_before_its_chain_is_held_against_the_services(database):
    row = {"name": "MAL-1", "names": '["MAL-1"]', "title": "t", "sender": "siem", "at": 1.5, "published_at": None}
    of_it = {"touched": json.dumps([asdict(ACME)]), "unknown": 2}
    told = {"at": 2.0, "by": "siem", "advisory": "MAL-1", "arrived_at": 1.5, "act": "advisory_arrived", "new": 1}
    with database.write() as connection:
        connection.execute(insert(tables.arrived_advisory).values(row | of_it))
        service.note(
            connection, told | {"names": ["MAL-1"], "published_at": None, "unknown": 2, "touches": [ACME.vendor]}
        )
    assert altered(database) == []
    [there] = Advisories(database).since(0.0)
    assert (there.sign.nature, there.is_ordinary) == (Nature.UNKNOWN, False)
    other = ({"touched": "[]"}, {"sender": "eve"}, {"at": 1.0}, {"names": '["MAL-2"]'}, {"nature": "ordinary"})
    for change in other:
        write(database, update(tables.arrived_advisory).values(change))
        assert altered(database) == ["what arrived as MAL-1"]
        write(database, update(tables.arrived_advisory).values(row | of_it | {"nature": "unknown"}))


def test_what_an_earlier_release_settles_beside_this_one_is_not_taken_for_altered(database, advisories):  # noqa: F811
    advisories.settle(CAME)
    write(database, update(tables.arrived_advisory).values(unknown=7))
    told = {"by": CAME.sender, "advisory": CAME.name, "arrived_at": CAME.at, "act": "advisory_arrived", "new": 0}
    told |= {"names": sorted(CAME.names), "published_at": None, "unknown": 7, "touches": [ACME.vendor]}
    for at, wrong in ((4999.0, ["what arrived as GHSA-1-2-3"]), (5001.0, [])):
        with database.write() as connection:
            service.note(connection, told | {"at": at})
        assert altered(database) == wrong


def test_what_one_process_keeps_every_other_reads_and_the_chain_says_who_told_it(database, kept):
    kept.keep_newer(ADVISORY, MODIFIED, "siem webhook")
    [[found], how] = KeptAdvisories(database).read(ADVISORY, fetched=True)
    assert (found.id, how.startswith("received at 2026-")) == (ADVISORY, True)
    [record] = chain(database, CHAIN)
    assert (record["act"], record["by"], record["advisory"], record["how"]) == (
        *("advisory_kept", "siem webhook"),
        *(ADVISORY, "received"),
    )


def test_what_is_had_again_is_kept_anew_once_a_day(database, kept, clock):
    kept.keep(ADVISORY, MODIFIED)
    before = kept.mark()
    clock.at += DAY - 1
    kept.keep(ADVISORY, MODIFIED)
    assert kept.mark() == before
    clock.at += 2
    kept.keep(ADVISORY, MODIFIED)
    assert kept.mark() == before + 1
    assert len(rows(database, tables.kept_advisory)) == 1


def test_an_older_or_a_given_record_takes_no_fetched_ones_place(kept):
    kept.keep_given(ADVISORY, MODIFIED, "ana")
    assert kept.read(ADVISORY, fetched=True) is None
    assert kept.keep_newer(ADVISORY, {**MODIFIED, "modified": None}, "siem")  # a given one says nothing of when
    assert kept.keep_newer(ADVISORY, MODIFIED, "siem")
    assert not kept.keep_newer(ADVISORY, {**MODIFIED, "modified": "2026-03-23T00:00:00Z"}, "siem")
    before = kept.mark()
    kept.keep_given(ADVISORY, {**MODIFIED, "affected": []}, "ana")
    assert kept.mark() == before


def test_nobody_is_let_in_on_an_advisory_of_the_pause_that_was_altered(tmp_path):
    house = filled(tmp_path)
    there, table = KeptAdvisories(house.database), tables.kept_advisory
    there.keep(ADVISORY, json.loads(RECORD))
    there.keep("GHSA-1-2-3", {**json.loads(RECORD), "id": "GHSA-1-2-3", "aliases": []})
    pause(house, "acme", notices=(ADVISORY,))
    write(house.database, update(table).where(table.c.name == "GHSA-1-2-3").values(record="{}"))
    with house.database.write() as connection:
        refuse_altered(connection, "acme")  # it is not paused for that one
    write(house.database, update(table).where(table.c.name == ADVISORY).values(record="{}"))
    with (
        pytest.raises(BadInput, match=f"somebody altered it in the ledger: the record of {ADVISORY}"),
        house.database.write() as connection,
    ):
        refuse_altered(connection, "acme")
    house.database.close()
