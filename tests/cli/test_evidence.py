"""Evidence at the command line: a pack that holds, one that does not, and the keys that sign."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing


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
    called("token", "create", "other", "--role", "viewer").ended(0)
    called("evidence", "export", "--to", "two.zip").ended(0)
    keys = json.loads(called("evidence", "key", "-o", "json").ended(0).out)
    assert (keys["key"], keys["signs_now"] == first["key"]) == (first["key"], False)
    called("evidence", "verify", "two.zip", "--key", keys["key"]).ended(0)

    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE evidence SET body = replace(body, 'viewer', 'admin') WHERE seq = 1")
    altered = called("evidence", "export", "--to", "three.zip").ended(1)
    assert "ALTERED: service 1: it was altered" in altered.err
