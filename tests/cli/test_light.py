"""A command that only looks waits for nothing that it does not use: each heavy module is a part of its half second."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import pytest

from rotator.ledger import tables
from tests.fakes.deployment import sqlite

LEDGER = frozenset({"pydantic", "rich", "rotator.ledger", "sqlalchemy"})
"""What help needs nothing of."""
HEAVY = frozenset(
    {
        "alembic",
        "celery",
        "cryptography",
        "jinja2",
        "rotator.access.reading",
        "rotator.alarm",
        "rotator.canary",
        "rotator.engine",
        "rotator.held",
        "rotator.hygiene_file",
        "rotator.ledger.enrolment",
        "rotator.outside",
        "rotator.own_secrets",
        "rotator.playbook_file",
        "rotator.report.files",
        "rotator.response",
        "rotator.rest_calls",
        "rotator.shown.compliance",
        "rotator.shown.drills",
        "rotator.shown.hygiene",
        "rotator.shown.segmentation",
        "rotator.shown.vendors",
        "rotator.triage",
        "rotator.vendors_risk",
        "ruamel",
        "structlog",
    }
)
"""What declares, plans, asks, seals or writes, and what only another command shows: no report needs it either."""
OF_A_REPORT = frozenset(
    {
        "rotator.flow.drill",
        "rotator.flow.order",
        "rotator.ledger.counting",
        "rotator.ledger.notices",
        "rotator.ledger.other_runs",
        "rotator.ledger.revisions",
        "rotator.ledger.whole",
        "rotator.report.incident",
        "rotator.shown.incidents",
    }
)
"""What a list of incidents needs nothing of."""
MOST = {"help": 68, "list": 168, "report": 258}
"""Modules of ours: a few more than are needed now. It was 280 for a list before each was asked what it is for."""
LOOKS = """
import gc, json, sys
import rotator.cli.main
has = [sorted(sys.modules)]
looks = gc.get_stats()[0]["collections"]
class Ring:
    def __del__(self):
        print("was looked through", file=sys.stderr)
ring = Ring()
ring.itself = ring
for words in (["incident", "list"], ["report", "last"]):
    sys.argv[1:] = words
    try:
        rotator.cli.main.main()
    except SystemExit as ended:
        assert ended.code in (None, 0, 3), ended.code
    has.append(sorted(sys.modules))
print(json.dumps([has, gc.get_stats()[0]["collections"] - looks]), file=sys.stderr)
"""


@pytest.fixture
def data(tmp_path):
    """Return the data folder of a deployment in which one incident stands."""
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "seal.key").write_bytes(base64.b64encode(bytes(32)))
    database = sqlite(folder / "ledger.db")
    told = {"title": "CI log", "severity": "high", "detected_at": 1.0, "declared_at": 2.0, "plan_digest": "0" * 64}
    with database.write() as connection:
        connection.execute(tables.incident.insert().values(id="inc-1", **told))
    database.close()
    return folder


def test_help_a_list_and_a_report_import_what_they_show_and_leave_a_whole_file(data):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ROTATOR_", "XDG_"))}
    asked = [sys.executable, "-c", LOOKS]
    done = subprocess.run(asked, cwd=data.parent, env=environment, capture_output=True, check=True)
    assert done.stdout.count(b"CI log") == 2
    modules_of, looks = json.loads(done.stderr)  # what ends is not looked through: no more is said
    assert looks == 0
    has = dict(zip(MOST, modules_of, strict=True))
    assert set(has["help"]) & (LEDGER | HEAVY | OF_A_REPORT) == set()
    assert set(has["list"]) & (HEAVY | OF_A_REPORT) == set()
    assert set(has["report"]) & HEAVY == set()
    ours = {of: len([each for each in modules if each.startswith("rotator.")]) for of, modules in has.items()}
    assert {of: count for of, count in ours.items() if count > MOST[of]} == {}
    assert {each.name for each in data.iterdir()} == {"ledger.db", "seal.key"}  # people copy a ledger that rests


def test_only_what_is_called_is_made_and_else_everything():
    from rotator.cli.main import _narrowed, app  # noqa: PLC0415

    for words, groups, commands in (
        (["incident", "list"], ["incident"], []),
        (["--config", "vendor", "-q", "report", "last"], [], ["report"]),
        (["--config=drill", "--no-color", "drill", "list"], ["drill"], []),
    ):
        found = _narrowed(words)
        assert ([each.name for each in found.registered_groups], [each.name for each in found.registered_commands]) == (
            groups,
            commands,
        )
    for words in ([], ["--help"], ["--version"], ["incidnet", "list"], ["--config", "incident"]):
        assert _narrowed(words) is app
