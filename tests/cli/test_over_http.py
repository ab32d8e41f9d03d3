"""Each command is an operation of the API, or there is a reason why it is none; and each operation is a command's."""

from __future__ import annotations

import pytest
from typer.main import get_command

from rotator.cli.main import app
from tests.api.calling import api
from tests.fakes.deployment import sqlite

OPERATIONS = {
    "whoami": ["GET /whoami"],
    "intake": ["POST /intake"],
    "respond": ["POST /incidents", "POST /incidents/{incident}/approve"],
    "incident list": ["GET /incidents"],
    "incident show": ["GET /incidents/{incident}"],
    "incident declare": ["POST /incidents"],
    "incident add": ["POST /incidents/{incident}/reports"],
    "incident merge": ["POST /incidents/{incident}/merge"],
    "incident watch": ["GET /incidents/{incident}/events"],
    "incident close": ["POST /incidents/{incident}/close"],
    "incident reopen": ["POST /incidents/{incident}/reopen"],
    "plan": ["GET /incidents/{incident}/plan"],
    "report": [
        "GET /incidents/{incident}",
        "GET /incidents/{incident}/credentials",
        "GET /incidents/{incident}/report.{form}",
        "GET /compliance.{form}",
    ],
    "approve": ["POST /incidents/{incident}/approve"],
    "review": ["POST /incidents/{incident}/review"],
    "exposure list": ["GET /incidents/{incident}/exposures"],
    "exposure dismiss": ["POST /incidents/{incident}/exposures/{name}/dismiss"],
    "exposure reopen": ["POST /incidents/{incident}/exposures/{name}/reopen"],
    "stop": ["POST /stop", "POST /incidents/{incident}/stop", "POST /connections/{connection}/stop"],
    "continue": ["POST /continue", "POST /incidents/{incident}/continue", "POST /connections/{connection}/continue"],
    "run retry": ["POST /runs/{run}/steps/{step}/retry"],
    "run skip": ["POST /runs/{run}/steps/{step}/skip"],
    "run done": ["POST /runs/{run}/steps/{step}/done"],
    "run undo": ["POST /runs/{run}/steps/{step}/undo"],
    "hold release": ["POST /runs/{run}/steps/{step}/release"],
    "gate open": ["POST /incidents/{incident}/gates/{gate}/open"],
    "gate close": ["POST /incidents/{incident}/gates/{gate}/close"],
    "gate list": ["GET /incidents/{incident}/gates"],
    "host isolate": ["POST /incidents/{incident}/hosts/{host}/isolate"],
    "playbook lint": ["POST /playbooks/lint"],
    "playbook list": ["GET /playbooks"],
    "playbook show": ["GET /playbooks/{name}"],
    "playbook schema": ["GET /playbooks/schema"],
    "provider list": ["GET /providers"],
    "provider check": ["POST /providers/check"],
    "provider certificates": ["GET /certificates"],
    "doctor": ["POST /doctor"],
    "config show": ["GET /config"],
    "inventory import": ["POST /inventory/import"],
    "inventory list": ["GET /inventory"],
    "inventory history": ["GET /inventory/history"],
    "inventory discover": ["POST /connections/{connection}/discover"],
    "inventory coverage": ["POST /inventory/coverage"],
    "manifest list": ["GET /manifests", "GET /manifests/{name}"],
    "manifest verify": ["POST /manifests/{name}/checks"],
    "manifest show": ["GET /manifests/{name}/checks"],
    "vendor list": ["GET /vendors"],
    "vendor show": ["GET /vendors/{name}"],
    "vendor attest": ["POST /vendors/{vendor}/attestations"],
    "vendor sbom": ["POST /vendors/{vendor}/software"],
    "vendor triage": ["POST /vendors/triage"],
    "vendor assess": ["POST /vendors/{vendor}/terms/{term}"],
    "vendor escalate": ["POST /advisories/{advisory}/escalate"],
    "vendor memo": ["GET /vendors/{vendor}/memo.{form}", "GET /vendor-memo.{form}"],
    "vendor pause": ["POST /vendors/{name}/pause"],
    "vendor gates": ["GET /vendors/{vendor}/gates"],
    "vendor meet": ["POST /vendors/{vendor}/gates/{gate}/meet"],
    "vendor override": ["POST /vendors/{vendor}/gates/{gate}/override"],
    "vendor risk": ["GET /vendor-risks"],
    "vendor uses": ["POST /vendors/{name}/uses"],
    "vendor restore": ["POST /vendors/{vendor}/restore"],
    "hygiene due": ["GET /hygiene"],
    "segmentation show": ["GET /segmentation", "GET /segmentation/whole", "GET /segmentation/reached"],
    "segmentation edges": ["GET /segmentation/edges"],
    "segmentation trend": ["GET /segmentation/trend"],
    "segmentation short-lived": ["GET /segmentation/short-lived"],
    "drill list": ["GET /drills"],
    "drill show": ["GET /drills/{incident}"],
    "drill trend": ["GET /drills/trend"],
    "schedule list": ["GET /schedules"],
    "trigger list": ["GET /triggers"],
    "notice list": ["GET /notices"],
    "notice test": ["POST /notices/{name}/test"],
}
AT_HOME = {
    "up": "it is what serves",
    "worker": "it is a process of its own",
    "beat": "it is a process of its own",
    "serve": "it is what serves",
    "ledger": "a backup has all that is sealed, and a restore takes the ledger away from who serves it",
    "playbook new": "it writes files of a checkout",
    "completion": "it is for a shell",
    "manifest record": "what it reads is on the machine where it is called, and the ledger there keeps it",
    "manifest read": "it reads where it is called, and needs no ledger and no service",
    "manifest export": "an auditor takes its lines from the ledger itself",
    "vendor import": "the registry is kept where the ledger is, from files that are reviewed there",
    "vendor export": "the registry is kept where the ledger is, from files that are reviewed there",
    "drill run": "it mints and takes away where the rotator runs, and whoever stops it has that done by the next one",
    "drill clean": "it is done where the drill was held",
    "segmentation convert": "who makes a role sits where its issuers are configured; it asks for no role there",
    "hygiene run": "the dispatcher does it each minute",
    "hygiene lint": "policies are files beside the configuration",
    "hygiene schema": "policies are files beside the configuration",
    "provider certify": "it waits for minutes with a canary in hand, and whoever stops it has that taken away",
    "provider verify": "who checks a certificate must not have to believe the service",
    "siem": "the doctor and /metrics tell of it; who tries or replays a channel sits where the service is configured",
    "evidence": "who checks the evidence must not have to believe the service",
}
"""Commands, or groups of them, that no operation does, and why."""
OF_DOORS = ("token", "session")
"""What is done to tokens and sessions is named alike."""
NO_COMMAND = {
    "GET /events",
    "GET /incidents/{incident}/evidence",
    "GET /service/evidence",
    "GET /incidents/{incident}/evidence.zip",
    "POST /vendors/{vendor}/memo.{form}",
    "POST /vendors/{vendor}/gates/{gate}/document",
}
"""What programs ask and people read in the report; and what a browser gives or takes away as a file."""


def commands(group, before=()):
    """Yield the path of each command."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*before, name))
        else:
            yield " ".join((*before, name))


@pytest.fixture(scope="module")
def operations(tmp_path_factory):
    folder = tmp_path_factory.mktemp("over-http")
    database = sqlite(folder / "ledger.db")
    described = api(folder, database).described["paths"]
    yield {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    database.close()


def is_at_home(command):
    return any(command == each or command.startswith(f"{each} ") for each in (*AT_HOME, *OF_DOORS))


def test_each_command_is_an_operation_or_stays_at_home_for_a_reason():
    every = set(commands(get_command(app)))
    assert {each for each in every if not is_at_home(each)} == set(OPERATIONS)
    assert not [each for each in OPERATIONS if is_at_home(each)]


def test_each_operation_is_there_and_is_a_commands(operations):
    wanted = {one for each in OPERATIONS.values() for one in each}
    assert wanted <= operations
    doors = {each for each in operations if each.split("/")[1].rstrip("s") in OF_DOORS}
    assert operations - wanted - NO_COMMAND - doors == set()
