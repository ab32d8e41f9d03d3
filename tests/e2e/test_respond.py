"""`rotator respond`, embedded: what it prints, how it ends, and whether the world is as its report says."""

from __future__ import annotations

import json

import pytest

from rotator.practice.doors import Answer
from rotator.practice.honesty import lies, unfinished
from tests.e2e.canaries import betrayed, betrayed_by_files, betrayed_by_tables, watching_argv
from tests.e2e.company import KINDS, company


@pytest.fixture(scope="module")
def responded(servers, tmp_path_factory):
    """Respond once to a leak of all four kinds, and watch the processes meanwhile."""
    with company(tmp_path_factory.mktemp("respond") / "company", servers, *KINDS) as acme, watching_argv() as argv:
        assert [victim.answers for victim in acme.victims] == [{Answer.OPENED}] * 4
        done = acme.rotator("respond", acme.leak(), "--yes", "--title", "Stolen laptop", "-o", "json")
        yield acme, done, argv


def test_all_is_dead_proven_and_replaced_and_the_doors_agree(responded):
    acme, done, _ = responded
    report = done.ended(0).report
    assert report["totals"]["proven_dead"] == report["replaced"] == report["converged"] == 4
    tried, used = [each.tried for each in acme.victims], [each.in_use for each in acme.victims]
    assert lies(report, tried, used) == unfinished(report, tried, used) == []


def test_standard_output_is_the_report_and_progress_goes_to_standard_error(responded):
    _, done, _ = responded
    assert json.loads(done.out)["incident"]["title"] == "Stolen laptop"
    assert "4 dead · 0 settling · 0 held · 0 manual · 0 failed" in done.err
    assert "\x1b" not in done.out + done.err


def test_no_secret_is_shown_logged_kept_or_passed_to_a_process(responded):
    acme, _, argv = responded
    known = acme.secrets
    assert len(known) >= 4 + 4 + 4
    assert betrayed(known, "what was printed", "\n".join(acme.rotator.said)) == []
    assert betrayed(known, "a command line", argv.everything) == []
    assert betrayed_by_tables(known, acme.ledger) == []
    kept = [path for path in acme.data_dir.iterdir() if path.name != "seal.key"]
    assert {"ledger.db", "up.log"} <= {path.name for path in kept}
    assert betrayed_by_files(known, kept) == []
