"""Evidence at the command line: a pack that holds, one that does not, and the keys that sign."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from rotator import clock
from tests.servers.timestamps import time_stamps


def test_a_pack_holds_until_the_ledger_is_altered_and_the_first_key_opens_all_of_them(called, tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    called("token", "create", "pager", "--role", "viewer").ended(0)
    called("evidence", "export", "--to", "one.zip").ended(0)
    first = json.loads(called("evidence", "key", "-o", "json").ended(0).out)
    assert first["key"] == first["signs_now"]
    assert "a file is there already" in called("evidence", "export", "--to", "one.zip").ended(2).err
    assert "it holds: 1 records of 1 chains" in called("evidence", "verify", "one.zip").ended(0).out

    (tmp_path / "next").write_text(base64.b64encode(bytes(32)).decode())
    called("evidence", "new-key", "file:next").ended(0)
    for command in (("key",), ("export", "--to", "two.zip")):
        assert "bring that key back" in called("evidence", *command).ended(2).err
    with (tmp_path / "rotator.toml").open("a") as file:
        file.write('\n[evidence]\nsigning_key = "file:next"\n')
    # Nothing was done since but that.
    called("evidence", "export", "--to", "passed-on.zip").ended(0)
    assert "it holds: 2 records" in called("evidence", "verify", "passed-on.zip", "--key", first["key"]).ended(0).out
    called("token", "create", "other", "--role", "viewer").ended(0)
    called("evidence", "export", "--to", "two.zip").ended(0)
    keys = json.loads(called("evidence", "key", "-o", "json").ended(0).out)
    assert (keys["key"], keys["signs_now"] == first["key"]) == (first["key"], False)
    for pack in ("one.zip", "two.zip"):
        called("evidence", "verify", pack, "--key", keys["key"]).ended(0)

    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE evidence SET body = replace(body, 'viewer', 'admin') WHERE seq = 1")
    altered = called("evidence", "export", "--to", "three.zip").ended(1)
    assert "ALTERED: service 1: it was altered" in altered.err


@pytest.fixture
def witnessed(called, tmp_path):
    """Return the command line, with a folder and an authority as witnesses."""
    (tmp_path / "worm").mkdir()
    with time_stamps(tmp_path / "tsa") as authority:
        (tmp_path / "rotator.toml").write_text(
            f'data_dir = "data"\n[evidence]\nkeep = ["worm"]\ntimestamps = "{authority.url}"\n'
            'timestamps_ca = "tsa/ca.pem"\n'
        )
        called("token", "create", "pager", "--role", "viewer").ended(0)
        called.authority = authority
        yield called


def test_what_is_kept_and_stamped_outside_shows_a_past_that_was_made_anew(witnessed, tmp_path):
    told = json.loads(witnessed("evidence", "keep", "-o", "json").ended(0).out)["witnesses"]
    assert [(each["new"], each["until"], each["behind"], each["why"]) for each in told] == [(1, 1, 0, "")] * 2
    witnessed("evidence", "export", "--to", "one.zip").ended(0)
    verified = ("evidence", "verify", "one.zip", "--against", "worm", "--tsa-ca", "tsa/ca.pem")
    said = witnessed(*verified).ended(0).out
    assert "kept there and the same: 1 checkpoints, until 1" in said
    assert "checkpoint 1, and so all before it, existed before" in said
    machine = json.loads(witnessed(*verified, "-o", "json").ended(0).out)
    assert (machine["holds"], machine["kept"]["count"], machine["stamped"][0]["checkpoint"]) == (True, 1, 1)
    assert "worm: checkpoints until 1" in witnessed("evidence", "keep", "one.zip").ended(0).out
    assert (tmp_path / "worm" / "one.zip").read_bytes() == (tmp_path / "one.zip").read_bytes()

    # Who owns the ledger and the key takes all that was signed back, and signs another past.
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        for table in ("checkpoint", "signed", "stamp", "evidence"):
            ledger.execute(f"DELETE FROM {table}")
    witnessed("token", "create", "other", "--role", "viewer").ended(0)
    witnessed("evidence", "export", "--to", "two.zip").ended(0)
    witnessed("evidence", "verify", "two.zip").ended(0)
    assert (
        "checkpoint 1: another one is kept there"
        in witnessed("evidence", "verify", "two.zip", "--against", "worm").ended(1).out
    )
    witnessed("evidence", "keep").ended(0)
    assert "is not the one that" in witnessed("doctor").out


def test_a_witness_that_fails_is_said_and_does_its_part_later(witnessed, tmp_path):
    (tmp_path / "worm").rename(tmp_path / "away")
    witnessed.authority.status = 500
    told = witnessed("evidence", "keep").ended(1).out
    assert "FAILED: not_there" in told
    assert "FAILED: authority_refused: http 500" in told
    doctor = witnessed("doctor").out
    assert "not kept in" in doctor
    assert "is it mounted?" in doctor
    (tmp_path / "away").rename(tmp_path / "worm")
    witnessed.authority.status = 200
    witnessed("evidence", "keep").ended(0)
    assert len(list((tmp_path / "worm").glob("checkpoint-*"))) == 1
    assert "not kept in" not in witnessed("doctor").out


def test_a_pack_that_does_not_hold_is_kept_nowhere(witnessed, tmp_path):
    (tmp_path / "bad.zip").write_text("no pack")
    assert "no whole evidence pack" in witnessed("evidence", "keep", "bad.zip").ended(2).err
    assert list((tmp_path / "worm").iterdir()) == []


def test_nothing_is_kept_where_no_witness_is_configured(called, tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    assert "name a folder or a bucket" in called("evidence", "keep").ended(2).err


def test_what_a_stolen_key_signed_is_in_doubt_unless_it_was_kept_before(witnessed, tmp_path):
    (tmp_path / "next").write_text(base64.b64encode(bytes(32)).decode())
    witnessed("evidence", "keep").ended(0)
    stolen = ("evidence", "new-key", "file:next", "--old-is-stolen")
    assert "is in the future" in witnessed(*stolen, "2099-01-01T00:00:00Z").ended(2).err
    first = json.loads(witnessed("evidence", "key", "-o", "json").ended(0).out)["key"]
    after = datetime.fromtimestamp(clock.now(), UTC).isoformat()
    said = witnessed(*stolen, after).ended(0).out
    assert "tell whoever checks packs the new key" in said
    with (tmp_path / "rotator.toml").open("a") as file:
        file.write('signing_key = "file:next"\n')
    witnessed("token", "create", "other", "--role", "viewer").ended(0)
    witnessed("evidence", "export", "--to", "one.zip").ended(0)
    doubted = witnessed("evidence", "verify", "one.zip", "--key", first).ended(3)
    assert "IN DOUBT: checkpoints 1 to 2, which sign 1 records" in doubted.out
    thiefs = witnessed("evidence", "new-key", "file:data/signing.key").ended(2)
    assert "this key has signed before" in thiefs.err
    witnessed("evidence", "verify", "one.zip", "--key", first, "--against", "worm").ended(0)
