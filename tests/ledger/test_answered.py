"""One replacement is enough: consumers of an owner hold what an earlier run delivered to the same places."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from rotator.credential import CredentialRef
from rotator.ledger import rows, tables
from rotator.ledger.reading import Reading
from rotator.ports.store import Place

PLACE = (Place("vault_kv", "vault", "ci/aws"),)
OTHER = (Place("vault_kv", "vault", "data/aws"),)


def key(name, owner="ci"):
    return CredentialRef("aws_iam_access_key", "aws", owner, name)


def replaced(database, exposed, replacement, places):
    """Write an earlier incident's run that replaced `exposed`."""
    incident = {
        "id": "inc-1",
        "title": "t",
        "severity": "high",
        "detected_at": 1.0,
        "declared_at": 1.0,
        "plan_digest": "d",
        "length": 0,
        "head": "",
    }
    run = {
        "id": "inc-1.r1",
        "incident": "inc-1",
        "provider": exposed.provider,
        "connection": exposed.connection,
        "owner": exposed.owner,
        "credential": exposed.id,
        "generation": 0,
        "kind": exposed.provider,
        "strategy": "contain_first",
        "why": "",
        "priority": 1.0,
        "deliver": rows.places_text(places),
        "consumers": "[]",
        "requested_at": 1.0,
        "evidence": "proven",
        "replacement": replacement,
    }
    with database.write() as connection:
        connection.execute(insert(tables.incident).values(incident))
        connection.execute(insert(tables.run).values(run))


@pytest.mark.parametrize(
    ("asked", "places", "also_leaked", "is_answered"),
    [
        (key("OLD"), PLACE, (), True),
        (key("OLD"), OTHER, (), True),  # the very same credential, wherever it is delivered now
        (key("SECOND"), PLACE, (), True),  # its owner's consumers hold NEW
        (key("SECOND"), OTHER, (), False),
        (key("SECOND", owner="data"), PLACE, (), False),
        (key("NEW"), PLACE, (), False),  # what was delivered has leaked itself
        (key("SECOND"), PLACE, (key("NEW"),), False),
    ],
)
def test_a_replacement_that_consumers_hold_is_not_made_again(database, asked, places, also_leaked, is_answered):
    replaced(database, key("OLD"), "NEW", PLACE)
    deliver = {asked: places} | dict.fromkeys(also_leaked, PLACE)
    assert (Reading(database).answered(deliver).get(asked) == "inc-1.r1") is is_answered
