"""What somebody writes past the service into the rows of vendors is found: their chains tell what was so."""

from __future__ import annotations

import pytest
from sqlalchemy import Float, Integer, and_, delete, insert, select, update

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger import tables
from rotator.ledger.assessments import Assessments
from rotator.ledger.vendor_chains import altered
from rotator.ledger.vendors import CHAIN
from tests.fakes.vendors_paused import override
from tests.ledger.test_restoring import KEY, acme  # noqa: F401 - a fixture
from tests.ledger.test_vendor_uses import at, read

TABLES = [tables.vendor, tables.software, tables.term, tables.pause, tables.pause_gate, tables.dataset]
TABLES += [tables.vendor_log, tables.vendor_use, tables.pause_held]


@pytest.fixture
def told(acme):  # noqa: F811 - it is the fixture
    """Give a vendor of whom all that there is was said and done, and who was let in again."""
    [scoped] = acme.pause(KEY)
    read(acme, at(clock.now() - 60, scoped.ref))
    acme.cut()
    acme.verify()
    acme.report()
    acme.believes()
    acme.software("1.82.7")
    override(acme.parts, "cid", "acme", "software", "they run it where nobody comes in")
    acme.meet("approval", "bob")
    terms = Assessments(acme.parts.database)
    for notice in ("", "OSV-1"):
        terms.set("acme", Judged(Name.LIKELIHOOD, 0.5, "ana", 0.0, "they told us", notice))
    terms.set("acme", Judged(Name.SENSITIVITY, 0.5, "ana", 0.0, "they told us", ""))
    terms.clear("acme", Judged(Name.SENSITIVITY, 0.5, "ana", 0.0, "it is not so", ""))
    return acme


def write(database, statement):
    with database.write() as connection:
        connection.execute(statement)


def rows(database, table):
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def other(column, value):
    """Return another value of its column."""
    if isinstance(column.type, Float | Integer):
        return (value or 0) + 1
    return (
        f"x{(value or '')[1:]}"
        if column.name not in {"told", "checklist", "notices", "datasets", "reach"}
        else '{"owner": "eve"}'
    )


def changes(database, table):
    """Return each way to alter a row of a table, and what takes it back."""
    own = {*table.primary_key.columns, *(column for key in table.foreign_keys for column in [key.parent])}
    for row in rows(database, table):
        is_it = and_(*(column == row[column.name] for column in table.primary_key.columns))
        for column in table.columns:
            if column not in own:
                yield (
                    update(table).where(is_it).values({column: other(column, row[column.name])}),
                    update(table).where(is_it).values({column: row[column.name]}),
                )
        if table not in (tables.vendor, tables.pause, tables.vendor_log):  # others hang on these
            yield delete(table).where(is_it), insert(table).values(row)


def test_every_altered_column_row_and_record_is_found(told):
    database, evidence = told.parts.database, tables.evidence
    told.restore()
    assert altered(database) == []
    assert all(rows(database, table) for table in TABLES)
    unseen = []
    for table in reversed(TABLES):
        for change, back in changes(database, table):
            write(database, change)
            if len(altered(database)) != 1:
                unseen.append(str(change))
            write(database, back)
    assert unseen == []
    assert altered(database) == []

    [vendor], [dataset] = rows(database, tables.vendor), rows(database, tables.dataset)
    write(database, insert(tables.vendor).values(vendor | {"name": "eve"}))
    write(database, insert(tables.dataset).values(dataset | {"name": "more"}))
    first = next(row for row in rows(database, tables.pause_gate) if row["gate"] == "forensics")
    write(database, insert(tables.pause_gate).values(first | {"nth": 99}))
    unknown = ["vendor eve", "gate forensics of pause 1 of acme", "dataset more"]
    assert altered(database) == unknown

    first_of_it = and_(evidence.c.chain == f"{CHAIN}acme", evidence.c.seq == 1)
    with database.read() as connection:
        body = connection.execute(select(evidence.c.body).where(first_of_it)).scalar_one()
    write(database, update(evidence).where(first_of_it).values(body=body.replace("high", "low")))
    assert altered(database) == ["chain vendor.acme", "vendor eve", "dataset more"]


def test_nobody_is_let_in_on_a_pause_that_was_altered(acme):  # noqa: F811 - it is the fixture
    acme.pause()
    write(acme.parts.database, update(tables.pause).values(checklist="[]"))
    with pytest.raises(BadInput, match="somebody altered it in the ledger: pause 1 of acme"):
        acme.restore()
    with pytest.raises(BadInput, match="pause 1 of acme"):
        acme.believes()
    assert acme.is_paused()
