"""Workers and dispatchers may die or freeze in the middle of a call: others go on, and what comes late does no harm."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import until
from tests.e2e.company import ACME, AWS, VAULT
from tests.faults.world import asked, keys, wrong_in_production

BRIEFLY = (sys.executable, str(Path(__file__).with_name("briefly.py")))
AT_AWS = f"SELECT holder FROM branch WHERE run IN (SELECT id FROM run WHERE provider = '{AWS}') AND holder IS NOT NULL"


def holding(found, running, query):
    """Return the processes that the ledger names there."""
    names = {name for (name,) in found.ask(query)}
    return [each for each in running if any(name.endswith(f":{each.process.pid}") for name in names)]


def test_all_workers_and_the_leading_dispatcher_killed_leave_no_orphan(produced, aws_proxy):
    found = produced(AWS, ACME, VAULT)
    aws_proxy.hold(b"CreateAccessKey", "after")
    with found.several("worker", "worker", "beat", "beat") as running:
        respond = found.company.rotator.start("respond", found.company.leak(), "--yes", "-o", "json")
        aws_proxy.until_held()
        [leader] = holding(found, running, "SELECT holder FROM leader")
        for each in (*running[:2], leader):
            each.kill()
        aws_proxy.let_go()
        with found.several("worker"):
            report = respond.end().ended(0).report
    assert wrong_in_production(found, report) == []
    # Nobody heard which key was minted: it is found, and goes.
    assert asked(aws_proxy, "CreateAccessKey", "DeleteAccessKey") == {"CreateAccessKey": 2, "DeleteAccessKey": 1}
    [entry] = [each for each in report["credentials"] if each["provider"] == AWS]
    assert keys(found.company) == {entry["id"]: "Inactive", entry["replacement"]: "Active"}


def found_and_revoked(aws_proxy, _respond):
    until(lambda: asked(aws_proxy, "DeleteAccessKey") == {"DeleteAccessKey": 1})


def minted_again(aws_proxy, _respond):
    until(lambda: asked(aws_proxy, "CreateAccessKey") == {"CreateAccessKey": 1})


def all_done(_aws_proxy, respond):
    respond.end().ended(0)


@pytest.mark.parametrize(
    ("call", "when", "gone_on"),
    [
        (b"CreateAccessKey", "after", found_and_revoked),
        (b"CreateAccessKey", "late", minted_again),
        (b"UpdateSecretVersionStage", "late", all_done),
    ],
)
def test_a_worker_that_was_frozen_in_a_call_writes_nothing_more_and_its_effect_is_settled(
    produced, aws_proxy, call, when, gone_on
):
    """The call is carried out before, or after, others have gone on without the frozen worker."""
    found = produced(AWS)
    found.company.rotator.program = BRIEFLY
    aws_proxy.hold(call, when)
    with found.several("worker", "worker", "beat") as running:
        respond = found.company.rotator.start("respond", found.company.leak(), "--yes", "-o", "json")
        aws_proxy.until_held()
        [frozen] = holding(found, running, AT_AWS)
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            gone_on(aws_proxy, respond)
            aws_proxy.let_go()
        finally:
            frozen.process.send_signal(signal.SIGCONT)
        frozen.until_said("claim_lost")
        report = found.company.rotator("incident", "watch", "last", "-o", "json").ended(0).report
        assert [each.process.poll() for each in running] == [None, None, None]
    assert wrong_in_production(found, report) == []
    assert "internal_error" not in "\n".join(found.company.rotator.said)
