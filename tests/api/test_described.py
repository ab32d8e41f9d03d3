"""Whatever is sent, the API answers as it describes itself: schemathesis asks every operation, with all its checks."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from rotator.api import callers
from rotator.api.v1 import acts, events
from rotator.flow.approval import Role
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

MAY_REFUSE_THE_BODY = {
    "POST /incidents",
    "POST /incidents/{incident}/reports",
    "POST /intake",
    "POST /inventory/import",
    "POST /vendors/triage",
    "POST /vendors/{name}/pause",
}
"""A report is of eighteen forms, which no schema tells: most bytes are none. Nor does one say who is registered."""
MAY_REFUSE_THE_QUERY = {"GET /compliance.{form}"}
"""A period may end before it begins."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Give the description of an API with an incident at rest, and what each request shows of who asks."""
    folder = tmp_path_factory.mktemp("described")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    deployment.rest(patience_s=3600)
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(callers, "WRONG_A_MINUTE", 10**6)  # each operation is asked without a token, or with wrong ones
        patient.setattr(events, "LASTS_S", 0.2)
        found = api(folder, database)
        headers = {"Authorization": f"Bearer {found.token(Role.ADMIN)}"}
        yield schemathesis.openapi.from_asgi("/openapi.json", found.client.app), headers
    database.close()


def test_every_answer_is_one_that_is_described(served):
    described, headers = served
    operations = [found.ok() for found in described.get_all_operations()]
    statuses = {operation.label: asked(operation, headers) for operation in operations}
    assert 200 in statuses["GET /incidents"]
    assert not [label for label, seen in statuses.items() if 401 in seen]
    assert 200 in statuses["GET /events"]
    assert len(statuses) > 45


def asked(operation, headers):
    """Ask one operation a few times, whatever it may be sent; return how it answered."""
    seen = set()
    left_out = (
        [schemathesis.checks.positive_data_acceptance]
        if operation.label in MAY_REFUSE_THE_BODY | MAY_REFUSE_THE_QUERY
        else []
    )

    @given(case=operation.as_strategy())
    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def answers(case):
        seen.add(case.call_and_validate(headers=headers, excluded_checks=left_out).status_code)

    answers()
    return seen


def test_a_description_tells_nothing_of_a_deployment(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    configured = ("", 'concurrency = 3\n[[connections]]\nname = "aws-prod"\nfamily = "aws"\n')
    told = [api(tmp_path, database, text).client.get("/openapi.json").content for text in configured]
    assert told[0] == told[1]
    database.close()


def test_what_an_act_must_be_given_is_shown_by_an_example_that_is_taken():
    shapes = [each for each in vars(acts).values() if isinstance(each, type) and issubclass(each, acts._Given)]
    for shape in shapes:
        described = shape.model_json_schema()["properties"]
        shape.model_validate(
            {name: described[name]["examples"][0] for name in shape.model_json_schema().get("required", ())}
        )
