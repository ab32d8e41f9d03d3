"""Work goes on whatever becomes of who started it: Ctrl-C, a runtime that is killed in a call, a second runtime."""

from __future__ import annotations

import json
import os
import signal

import pytest

from rotator.practice import doors
from rotator.practice.doors import Answer
from rotator.practice.honesty import lies, unfinished
from rotator.practice.process import free_port
from tests.e2e.canaries import betrayed, betrayed_by_files, betrayed_by_tables
from tests.e2e.commands import at_work, runtime_of, until
from tests.e2e.company import ACME, AWS, KINDS
from tests.e2e.holding_proxy import holding_proxy


@pytest.fixture
def aws_proxy(servers):
    with holding_proxy(servers.aws.endpoint_url) as proxy:
        yield proxy


def truth(found):
    """Return what the report says that the world denies, and what is not finished."""
    report = found.rotator("report", "last", "-o", "json").report
    tried, used = [each.tried for each in found.victims], [each.in_use for each in found.victims]
    return lies(report, tried, used) + unfinished(report, tried, used)


def active_keys(found):
    """Return the ids of the AWS user's keys that open the door, as the account itself lists them."""
    listed = found.servers.aws.iam.list_access_keys(UserName=found.victim(AWS).use.owner)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def test_ctrl_c_detaches_and_the_work_goes_on(found_company, aws_proxy):
    found = found_company(AWS)
    found.connection("aws", endpoint_url=aws_proxy.address)
    aws_proxy.hold(b"UpdateAccessKey", "after")
    respond = found.rotator.start("respond", found.leak(), "--yes", "-o", "json")
    aws_proxy.until_held()
    left = respond.interrupt().end().ended(130)
    assert left.out == ""
    assert " incident watch inc-" in left.err.splitlines()[-1]
    aws_proxy.let_go()
    watched = found.rotator("incident", "watch", "last", "-o", "json").ended(0)
    assert watched.report["totals"]["proven_dead"] == 1
    assert truth(found) == []


def test_ctrl_c_before_anything_is_declared_changes_nothing(found_company, aws_proxy):
    found = found_company(AWS)
    found.connection("aws", endpoint_url=aws_proxy.address)
    aws_proxy.hold(b"GetAccessKeyLastUsed", "before")
    respond = found.rotator.start("respond", found.leak(), "--yes")
    aws_proxy.until_held()
    respond.interrupt()
    aws_proxy.let_go()
    assert "Traceback" not in respond.end().ended(130).err
    assert found.rotator("incident", "list", "-o", "json").report == []
    assert found.victim(AWS).answers == {Answer.OPENED}


@pytest.mark.parametrize(
    ("call", "when", "kinds"),
    [
        (b"CreateAccessKey", "after", KINDS),  # minted, and nobody heard which
        (b"PutSecretValue", "before", (AWS,)),  # minted, and its secret died with the process
        (b"PutSecretValue", "after", (AWS,)),  # staged, and nobody knows
        (b"UpdateSecretVersionStage", "after", (AWS,)),  # promoted, and nobody knows
        (b"UpdateAccessKey", "after", (AWS,)),  # contained, and nobody knows
    ],
)
def test_a_runtime_killed_in_the_middle_of_a_call_leaves_no_orphan_and_the_end_is_right(
    found_company, aws_proxy, call, when, kinds
):
    found = found_company(*kinds)
    found.connection("aws", endpoint_url=aws_proxy.address)
    aws_proxy.hold(call, when)
    found.approve()
    aws_proxy.until_held()
    os.kill(runtime_of(found.data_dir), signal.SIGKILL)
    until(lambda: runtime_of(found.data_dir) is None)
    aws_proxy.let_go()

    watched = found.rotator("incident", "watch", "last", "-o", "json").ended(0)
    assert watched.report["totals"]["proven_dead"] == watched.report["converged"] == len(kinds)
    assert truth(found) == []
    [entry] = [each for each in watched.report["credentials"] if each["provider"] == AWS]
    assert active_keys(found) == {entry["id"]: "Inactive", entry["replacement"]: "Active"}
    # What was minted and thrown away counts as a secret too.
    minted = [
        part.split(b"<")[0].decode() for body in aws_proxy.bodies for part in body.split(b"<SecretAccessKey>")[1:]
    ]
    known = found.secrets + minted
    assert len(minted) == (2 if when == "before" or call == b"CreateAccessKey" else 1)
    assert betrayed(known, "what was printed", "\n".join(found.rotator.said)) == []
    assert betrayed_by_tables(known, found.ledger) == []
    assert betrayed_by_files(known, [path for path in found.data_dir.iterdir() if path.name != "seal.key"]) == []


def test_one_runtime_for_each_ledger_and_its_web_tells_how_it_is(found_company):
    found = found_company(ACME)
    port = free_port()
    with at_work(found.rotator.start("up", "--port", str(port))) as up:
        up.until_said("rotator is up")
        assert "another rotator runs on this ledger" in found.rotator("up").ended(2).one_line
        found.rotator("respond", found.leak(), "--yes", "-q", "-o", "json").ended(0)
        assert runtime_of(found.data_dir) == up.process.pid
        assert web(port, "/healthz") == web(port, "/readyz") == (200, {"status": "ok"})
        status, metrics = web(port, "/metrics")
        assert (status, 'rotator_credentials{kind="acme_api_token",evidence="proven"} 1' in metrics) == (200, True)
        assert betrayed(found.secrets, "/metrics", metrics) == []
        said = up.interrupt().end().ended(0).err
        assert said.startswith("rotator is up on http://127.0.0.1:")
        assert len(said.splitlines()) == 1


def test_a_port_that_is_taken_is_said_in_one_line(found_company, servers):
    found = found_company(ACME)
    taken = servers.acme.address.rpartition(":")[2]
    for command in ("up", "serve"):
        assert taken in found.rotator(command, "--port", taken).ended(2).one_line


def web(port, path):
    """Ask the rotator's web; return the status and what was said, read as JSON where it is."""
    status, body = doors.http("GET", f"http://127.0.0.1:{port}{path}", {})
    return status, json.loads(body) if body.startswith("{") else body
