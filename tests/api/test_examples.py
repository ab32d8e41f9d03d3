"""Each operation's example is true: asked as one story, in the order in which they stand, each is answered as shown."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from sqlalchemy import update

from rotator import datasets
from rotator.api.v1 import events, examples
from rotator.datasets import Asked
from rotator.errors import Rejected
from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, Asks, Gate, frozen
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.run import ASKED, StepState
from rotator.flow.scope import Unresolved
from rotator.flow.vendor import Software
from rotator.ledger import drills, pauses, segmentation, tables
from rotator.ledger.drills import DrillRow
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.ledger.pauses import Pause
from rotator.manifests.hashing import Meter
from rotator.practice.token_server import token_server
from rotator.triggers.message import Trigger
from tests.api.calling import V1, api
from tests.api.signing_in import browser
from tests.fakes import channels
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

INCIDENT = "inc-20261123-a1b2c3"
PAUSE = "inc-20261123-b3e4f5"
CONFIGURATION = """
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{issuer}"
credential = "file:admin"
[[notices]]
name = "oncall"
slack = "file:hook"
"""
NAMES = {"incident", "digest", "id", "into"}
"""What is called otherwise in each ledger: where the story goes on with it, it is taken as it was answered."""


@pytest.fixture
def house(tmp_path):
    """Give a service with an incident of four keys: an issuer refused to stop three, one waits to be destroyed."""
    with ExitStack() as ends, pytest.MonkeyPatch.context() as patient:
        patient.setattr(events, "LASTS_S", 0.2)
        server, hook = ends.enter_context(token_server()), ends.enter_context(channels.slack())
        server.plant("ci")
        for name, secret in (("admin", server.admin.reveal()), ("hook", hook.url)):
            (tmp_path / name).write_text(secret)
            (tmp_path / name).chmod(0o600)
        database = sqlite(tmp_path / "ledger.db")
        ends.callback(database.close)
        company, deployment = founded(tmp_path, database=database)
        badge = Unresolved(None, "the feed's badge", (), "no machine can take it back", "ask at the door")
        deployment.declare([], [badge], incident=PAUSE)
        deployment.world.wait_until(deployment.world.now() + 1)
        tries = itertools.count()

        def refuse(phase, what, _changes):
            if (phase, what) == ("before", "issuer.suspend") and next(tries) < 3:
                raise Rejected("access_denied")

        company.world.meet = refuse
        stolen = [company.stolen("aws_iam_access_key", owner)[0] for owner in ("ci", "web", "app", "shop")]
        deployment.start(stolen, wanted=Strategy.REVOKE_ONLY, incident=INCIDENT, footholds=["build-7"])
        deployment.rest(patience_s=3600)
        steps = (step for run in deployment.record(INCIDENT).runs for step in run.steps)
        failed = [step for step in steps if step.state is StepState.FAILED]
        assert len(failed) == 3
        asked = {"state": "held", "reason": f"{ASKED}stop it in the console"}
        with database.write() as connection:
            connection.execute(update(tables.step).where(tables.step.c.id == failed[2].id).values(**asked))
        found = api(tmp_path, database, CONFIGURATION.format(issuer=server.address))
        found.parts.triggers.keep("github", Trigger("1 leaked token"), b"")
        checked(found, tmp_path / "training")
        registered(found)
        drilled(found)
        measured(database)
        paused(found)
        browser(found, Role.VIEWER, "vi")
        yield found


def measured(database: Any) -> None:
    """Keep what was measured on a day, as the example has it."""
    [day] = examples.EXAMPLES["GET /segmentation/trend"]["answer"]["items"]
    figures = {name: value for name, value in day.items() if name not in {"day", "at", "change"}}
    segmentation.note(database, datetime(2026, 11, 23, tzinfo=UTC).timestamp(), figures)


def drilled(found):
    """Keep of a drill that it was begun and given up."""
    at = datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp()
    with found.parts.database.write() as connection:
        drills.begin(connection, DrillRow("inc-20261123-d5e6f7", "weekly", "scanner", "ana", at))
        drills.end(connection, "inc-20261123-d5e6f7", "abandoned", at + 60)


def registered(house: Any) -> None:
    """Register a vendor that holds a token, with what it runs and what is attested of it."""
    attested = {"kind": "SOC 2 Type II", "issuer": "EY", "scope": "EU region", "sha256": "0" * 64}
    told = {
        "title": "Acme Data",
        "criticality": "critical",
        "owner": "ana",
        "contacts": ["security@acme.example"],
        "accounts": ["999988887777"],
        "systems": ["feature store"],
        "holds": [{"provider": "vault_token", "owner": "feed", "id": "accessor-7"}],
        "datasets": ["patients"],
        "sub_processors": ["litellm-cloud"],
        "attestations": [{**attested, "valid_from": "2026-01-01", "valid_to": "2099-12-31"}],
        "breaches": [{"on": "2025-03-01", "what": "a mailbox was read", "source": "its own notice"}],
        "user_impact": {"level": "high", "why": "its feed is read each hour"},
        "cost_of_change": {"level": "medium", "why": "another feed is half built"},
    }
    row = Said(Sort.VENDOR, "acme-data", told, "vendors.yaml, line 2")
    described = Said(Sort.DATASET, "patients", {"sensitivity": "critical", "manifest": "training-2026"}, "vendors.yaml")
    key = {"provider": "aws_iam_access_key", "connection": "aws", "owner": "crawler", "id": "AKIAIOSFODNN7EXAMPLE"}
    crawler = Said(Sort.VENDOR, "crawler", {"holds": [key]}, "vendors.yaml, line 20")
    house.parts.vendors.take([row, described, crawler], "ana")
    software = (Software("PyPI", "litellm", "1.82.9", "acme.cdx.json"),)
    house.parts.vendors.runs("acme-data", Listed("acme.cdx.json", "0" * 64, software, None, 0), "ana")
    affected = [{"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.9"]}]
    ordinary = {"id": "GHSA-p7mv-2q8x-c4w9", "affected": affected, "database_specific": {"cwe_ids": ["CWE-79"]}}
    KeptAdvisories(house.parts.database).keep_given(str(ordinary["id"]), ordinary, "ana")


def paused(house: Any) -> None:
    """Pause a vendor that holds what only a person can take back, by a checklist of one gate beside that."""
    house.parts.vendors.take([Said(Sort.VENDOR, "feed", {"criticality": "low"}, "vendors.yaml, line 30")], "ana")
    at = datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()
    checklist = frozen([CUT, Gate("forensics", Asks.DOCUMENT)])
    with house.parts.database.write() as connection:
        pauses.begin(connection, Pause("feed", 0, PAUSE, at, "ben", "its news of a breach", checklist), {})


def checked(house: Any, folder: Any) -> None:
    """Record a dataset, and check it once a file of it is another."""
    folder.mkdir()
    for name in ("a.bin", "b.bin"):
        (folder / name).write_bytes(b"00")
    datasets.record(house.parts, "training-2026", Asked(str(folder), "ana"), Meter())
    (folder / "a.bin").write_bytes(b"11")
    datasets.verify(house.parts, "training-2026", Asked("", "ben", incident=INCIDENT), Meter())


def test_what_is_shown_of_each_operation_is_what_is_answered(house):
    described, token = house.described, house.token(Role.ADMIN, "ana")
    operations = {f"{method.upper()} {path}" for path, how in described["paths"].items() for method in how}
    assert set(examples.EXAMPLES) == operations
    real: dict[str, str] = {}
    for operation, shown in examples.EXAMPLES.items():
        answer = asked(house, operation, shown, real, token)
        if operation.endswith("/events"):
            assert events_in(answer.text) <= events_in(shown["answer"])
            continue
        if operation.endswith(".zip"):
            assert all(name in shown["answer"] for name in zipfile.ZipFile(io.BytesIO(answer.content)).namelist())
            continue
        content = described_as(described, operation)["content"]["application/json"]
        assert content["example"] == shown["answer"]
        jsonschema.validate(shown["answer"], {**content["schema"], "components": described["components"]})
        assert differs(shown["answer"], answer.json()) == "", f"{operation} answered {answer.text}"
        learn(shown["answer"], answer.json(), real)


def asked(house: Any, operation: str, shown: Any, real: dict[str, str], token: str) -> Any:
    """Ask as it is shown, with this ledger's own names."""
    told = json.dumps({each: shown.get(each, {}) for each in ("path", "query", "body")})
    for name, here in real.items():
        told = told.replace(json.dumps(name)[1:-1], here)
    given = json.loads(told)
    method, path = operation.split(" ")
    body = {"content": given["body"]} if isinstance(given["body"], str) else {"json": given["body"]}
    body = body if "body" in shown else {}
    at, query = path.format(**given["path"]), given["query"]
    if path.endswith(("/events", ".zip")):  # neither is JSON
        answer = house.client.get(V1 + at, params=query, headers={"Authorization": f"Bearer {token}"})
    else:
        answer = house.asks(method, at, token, params=query, **body)
    assert answer.status_code in {200, 201}, f"{operation}: {answer.text}"
    return answer


def described_as(described: Any, operation: str) -> Any:
    """Return how a good answer is described."""
    method, path = operation.split(" ")
    answers = described["paths"][path][method.lower()]["responses"]
    return answers.get("201") or answers["200"]


def differs(shown: Any, real: Any, where: str = "$") -> str:
    """Tell where what is shown was not answered so: other keys, another type, an item that none of the list is like."""
    if isinstance(shown, dict) and isinstance(real, dict):
        if unknown := set(shown) - set(real):
            return f"{where}: nobody answers {sorted(unknown)}"
        return next(filter(None, (differs(shown[each], real[each], f"{where}.{each}") for each in shown)), "")
    if isinstance(shown, list) and isinstance(real, list):
        if bool(shown) != bool(real):
            return f"{where}: {len(shown)} are shown, {len(real)} were answered"
        return next((f"{where}: none is like {each}" for each in shown if all(differs(each, one) for one in real)), "")
    forms = (bool, int | float, str, type(None), dict, list)
    kind = next(each for each in forms if isinstance(shown, each))
    return "" if isinstance(real, kind) and bool(shown) == bool(real) else f"{where}: {shown!r} is shown, not {real!r}"


def learn(shown: Any, answered: Any, real: dict[str, str]) -> None:
    """Note what is called otherwise here than in the example."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        for key in shown.keys() & answered.keys():
            if key in NAMES and isinstance(shown[key], str) and shown[key] != answered[key]:
                real[shown[key]] = answered[key]
            learn(shown[key], answered[key], real)
    elif isinstance(shown, list) and isinstance(answered, list):
        for one, other in zip(shown, answered, strict=False):
            learn(one, other, real)


def events_in(stream: str) -> set[str]:
    """Return which events a stream has."""
    return {line for line in stream.splitlines() if line.startswith("event: ")}
