"""What is given of a paused vendor as a file: hashed as it comes, believed by what it is, and refused with one line."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import UTC, datetime

import pytest

from rotator.flow.approval import Role
from rotator.flow.checklist import DEFAULT, frozen
from tests.api.calling import Api
from tests.fakes.vendors_paused import pause
from tests.shown.vendors import ADVISORY, RECORD, filled

GATES = "/vendors/beta/gates"
TODAY = str(datetime.now(UTC).date())
REPORT = {"name": "report.pdf", "reason": "they are out", "from": "Forensics Ltd", "dated": TODAY}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    parts = filled(tmp_path_factory.mktemp("documents"))
    pause(parts, "beta", checklist=frozen(DEFAULT))
    yield Api(parts)
    parts.database.close()


def gives(served, path, body, **query):
    return served.asks("POST", path, served.token(Role.RESPONDER, "ana"), params=query, content=body)


def test_a_report_opens_its_gate_by_its_hash_and_no_copy_of_it_is_kept(served):
    told = gives(served, f"{GATES}/forensics/document", b"\x00never kept", **REPORT).json()
    assert told["is_open"]
    assert hashlib.sha256(b"\x00never kept").hexdigest() in told["evidence"][0]
    with served.parts.database.read() as connection:
        assert "never kept" not in "\n".join(connection.connection.driver_connection.iterdump())


@pytest.mark.parametrize(("body", "changed", "status"), [(b"", {}, 422), (b"x", {"dated": "1969-12-31"}, 409)])
def test_no_file_and_one_from_before_the_pause_are_refused(served, body, changed, status):
    answer = gives(served, f"{GATES}/forensics/document", body, **{**REPORT, **changed})
    assert answer.status_code == status
    assert answer.json()["mend"]


def test_an_advisory_is_read_and_what_it_runs_is_held_against_it(served):
    given = gives(served, f"{GATES}/software/document", RECORD, name="advisory.json", reason="what it was")
    assert given.status_code == 200
    runs = gives(served, "/vendors/beta/software", b"litellm==1.82.7\n", name="freeze.txt").json()
    assert (runs["source"], runs["components"], runs["left_out"]) == ("freeze.txt", 1, 0)
    gate = gives(served, f"{GATES}/software/document", RECORD, name="advisory.json", reason="again").json()
    assert any("1.82.7" in each for each in gate["shut_by"])
    gives(served, "/vendors/beta/software", b"litellm==1.82.9\n", name="freeze.txt")
    gate = gives(served, f"{GATES}/software/document", RECORD, name="advisory.json", reason="again").json()
    assert gate["is_open"]
    assert any(ADVISORY in each for each in gate["evidence"])


TERM = {"kind": "SOC 2", "issuer": "EY", "from": TODAY, "to": "2099-12-31"}


def test_an_attestation_is_kept_by_its_documents_hash_once_and_opens_no_gate(served):
    kept = gives(served, "/vendors/beta/attestations", b"\x00what they looked at", **TERM).json()
    assert (kept["valid"], kept["is_new"], kept["warnings"]) == (True, True, [])
    [told] = served.asks("GET", "/vendors/beta", served.token(Role.VIEWER)).json()["attestations"]
    assert (told["sha256"], told["age_days"]) == (hashlib.sha256(b"\x00what they looked at").hexdigest(), 0)
    assert not gives(served, "/vendors/beta/attestations", b"\x00what they looked at", **TERM).json()["is_new"]
    over = gives(
        served, "/vendors/beta/attestations", b"x", **{**TERM, "from": "2020-01-01", "to": "2020-12-31"}
    ).json()
    assert "NOT VALID: it ended on 2020-12-31" in over["warnings"][0]
    gates = served.asks("GET", GATES, served.token(Role.VIEWER)).json()["gates"]
    assert "attestations" in {each["gate"] for each in gates if not each["is_open"]}


SECRET = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    ("vendor", "body", "changed", "status"),
    [
        ("nobody", b"x", {}, 404),
        ("beta", b"", {}, 422),
        ("beta", b"x", {"to": "2020-01-01"}, 422),
        ("beta", b"x", {"to": "2099-02-30"}, 422),
        ("beta", b"x", {"kind": " "}, 422),
        ("beta", b"x", {"scope": SECRET}, 422),
    ],
)
def test_what_is_no_attestation_is_refused_and_repeats_no_secret(served, vendor, body, changed, status):
    answer = gives(served, f"/vendors/{vendor}/attestations", body, **{**TERM, **changed})
    assert answer.status_code == status
    assert SECRET not in answer.text


def test_who_lets_it_in_too_early_is_told_each_gate_that_is_shut(served):
    token = served.token(Role.APPROVER, "bo")
    refused = served.asks("POST", "/vendors/beta/restore", token, json={"reason": "they say it is over", "yes": True})
    assert refused.status_code == 403
    assert {each.partition(":")[0] for each in refused.json()["each"]} >= {"attestations", "approval"}


def test_a_pack_is_downloaded_signed_and_with_what_checks_it(served):
    headers = {"Authorization": f"Bearer {served.token(Role.VIEWER)}"}
    answer = served.client.get("/api/v1/incidents/inc-9/evidence.zip", headers=headers)
    assert answer.status_code == 200
    assert {"pack.json", "records.jsonl", "verify_evidence.py"} <= {
        *zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    }


def test_a_memo_is_made_of_a_notice_that_is_a_file(served):
    token = served.token(Role.RESPONDER, "ana")
    given = {"records": {"advisory.json": RECORD}}
    answer = served.client.post(
        "/api/v1/vendors/beta/memo.md", json=given, headers={"Authorization": f"Bearer {token}"}
    )
    assert ADVISORY in answer.text
