"""PostgreSQL dies at once and comes back in the middle of an incident: workers and dispatchers live through it."""

from __future__ import annotations

from tests.e2e.commands import until
from tests.e2e.company import ACME, AWS
from tests.faults.world import asked, wrong_in_production


def test_a_ledger_that_dies_while_a_call_is_out_is_gone_on_with_when_it_is_back(produced, aws_proxy):
    found = produced(AWS, ACME)
    aws_proxy.hold(b"CreateAccessKey", "after")
    with found.several("worker", "beat") as running:
        worker, beat = running
        found.company.approve()
        aws_proxy.until_held()
        found.backends.postgres.crash()
        aws_proxy.let_go()
        # Both have met the dead ledger: each has said something more than that it is up.
        until(lambda: all(len(each.said) > 1 for each in (worker, beat)))
        found.backends.postgres.start()
        report = found.company.rotator("incident", "watch", "last", "-o", "json").ended(0).report
        assert [each.process.poll() for each in running] == [None, None]
    assert wrong_in_production(found, report) == []
    # The answer could not be written down: the key is found where it was staged, and kept.
    assert asked(aws_proxy, "CreateAccessKey", "DeleteAccessKey") == {"CreateAccessKey": 1}
    assert "Traceback" not in "\n".join(found.company.rotator.said)
