"""Every figure of a compliance report follows from the exported evidence alone, by a program that shares no code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from rotator.evidence import pack
from rotator.evidence.signing import SigningKey
from rotator.flow.target import Target
from rotator.ledger import responses, tables
from rotator.ledger.checkpoints import Checkpoints
from rotator.ledger.database import Database
from rotator.report import compliance
from tests.evidence import recompute
from tests.fakes.deployment import sqlite
from tests.fakes.world import START
from tests.soak.night import LONGEST_S, Night

KEY = SigningKey(bytes(32))
AIMS = [Target("proven_dead", 95, 900.0), Target("contained", 50, 60.0, "high"), Target("replaced", 99, 60.0, "low")]


def exported(database: Database, path: Path) -> Path:
    """Write a pack of all that there is."""
    with database.write() as connection:
        if connection.execute(tables.epoch.select()).first() is None:
            connection.execute(insert(tables.epoch).values(name="here"))
    checkpoints = Checkpoints(database, lambda: START)
    checkpoints.sign(KEY)
    pack.write(path, KEY, (), checkpoints.all(), checkpoints.records(), START)
    return path


def reported(database: Database, begin: float, end: float, made_at: float) -> dict:
    """Return a report as it is printed, and read again."""
    found = compliance.build(responses.find(database, begin, end), begin, end, made_at, AIMS)
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("seed", ["quarter/1"])
def test_every_figure_of_a_nights_history_follows_from_its_pack(tmp_path, seed):
    database = sqlite(tmp_path / "ledger.db")
    night = Night(seed, database, range(1, 7))
    night.play()
    night.dismiss()
    made_at = START + LONGEST_S
    report = reported(database, START - 86400.0, made_at, made_at)
    assert report["population"]["incidents"] >= 5
    assert report["clocks"]["proven_dead"]["ended"] > 0
    assert recompute.compared(recompute.records_of(exported(database, tmp_path / "pack.zip")), report) == []
