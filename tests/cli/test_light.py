"""A command that only looks waits for nothing that it does not use: each heavy module is a part of its half second."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = frozenset(
    {
        "alembic",
        "celery",
        "jinja2",
        "rotator.engine",
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
"""What declares, plans, asks or writes, and what only another command shows."""
LEDGER = frozenset({"pydantic", "rich", "rotator.ledger", "sqlalchemy"})
"""What help needs nothing of."""
LOOKS = """
import json, sys
import rotator.cli.main
help_has = set(sys.modules)
import rotator.cli.here, rotator.cli.watching
import rotator.operations.views.incidents, rotator.report.tables, rotator.settings.file
print(json.dumps([sorted(help_has), sorted(sys.modules)]))
"""


def test_help_and_a_look_at_incidents_import_nothing_that_other_commands_need():
    done = subprocess.run([sys.executable, "-c", LOOKS], capture_output=True, check=True)
    help_has, look_has = map(frozenset, json.loads(done.stdout))
    assert help_has & (LEDGER | HEAVY) == frozenset()
    assert look_has & HEAVY == frozenset()


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
