"""A worker freezes in the call that mints, others go on, and it dies: what lands then is in nobody's note."""

from __future__ import annotations

import contextlib
import signal

from tests.e2e.commands import until
from tests.e2e.company import ACME, AWS
from tests.e2e.holding_proxy import holding_proxy
from tests.faults.test_processes import BRIEFLY, holding
from tests.faults.world import acme_tokens, carried_out, keys, wrong_in_production

WORKING = "SELECT holder FROM branch WHERE holder IS NOT NULL"
COMPARED = "SELECT state, reason FROM step WHERE name = 'compare_lost'"


@contextlib.contextmanager
def landed_after_death(found, proxy, words):
    """Kill the worker that is in the mint once others are through; then let its call land, and others go on."""
    found.company.rotator.program = BRIEFLY
    proxy.hold(words, "late")
    with found.several("worker", "worker", "beat") as running:
        respond = found.company.rotator.start("respond", found.company.leak(), "--yes", "-o", "json")
        proxy.until_held()
        [frozen] = holding(found, running, WORKING)
        frozen.process.send_signal(signal.SIGSTOP)
        until(lambda: carried_out(proxy, words) == 1)
        assert found.ask(COMPARED) == [("held", "scheduled")]
        frozen.kill()
        proxy.let_go()
        until(lambda: carried_out(proxy, words) == 2)
        yield respond


def test_it_is_revoked_where_it_carries_our_marker(produced, servers):
    found = produced(ACME)
    with holding_proxy(servers.acme.address) as proxy:
        found.company.connection("acme", endpoint_url=proxy.address)
        with landed_after_death(found, proxy, b'"scopes"') as respond:
            until(lambda: [state for state, _ in found.ask(COMPARED)] == ["done"])
            report = respond.end().ended(0).report
    assert wrong_in_production(found, report) == []
    assert acme_tokens(found.company) == {report["credentials"][0]["replacement"]}


def test_it_is_shown_to_a_person_where_nothing_is_marked(produced, aws_proxy):
    found = produced(AWS)
    with landed_after_death(found, aws_proxy, b"CreateAccessKey"):
        until(lambda: "possible_persistence" in str(found.ask(COMPARED)))
        report = found.company.rotator("report", "last", "-o", "json").report
    [entry] = report["credentials"]
    [orphan] = set(keys(found.company)) - {entry["id"], entry["replacement"]}
    assert any("possible_persistence" in each and orphan in each for each in entry["open"])
