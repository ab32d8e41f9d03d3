"""Whose gate was opened against what was found is told for good: in each report of the incident, of a period, of it."""

from __future__ import annotations

import csv

import pytest
from rich.console import Console

from rotator import clock
from rotator.ledger import responses
from rotator.report import compliance, csv_form, html_form
from rotator.report.incident import build
from rotator.report.terminal import incident_text
from rotator.shown import vendors
from tests.evidence import recompute
from tests.evidence.test_recompute import exported
from tests.fakes.company import founded
from tests.fakes.vendors_paused import override
from tests.ledger.test_restoring import KEY, House, ticking

REASON, AGAINST = "the new file is our own export", "people is not as it was recorded"


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """Let a vendor in by an override; a day later nobody would know, were it not told."""
    folder = tmp_path_factory.mktemp("overridden")
    company, deployment = founded(folder)
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(clock, "now", ticking(deployment.world))
        found = House(folder, company, deployment)
        found.pause(KEY)
        found.meets_all()
        (folder / "people" / "b.csv").write_text("new\n")
        found.verify()
        override(found.parts, "cid", "acme", "datasets", REASON)
        found.meet("approval", "bob")
        found.restore()
        deployment.world.wait_until(clock.now() + 86400)
        yield found


def test_every_form_of_the_incidents_report_tells_it(acme):
    report = build(acme.parts.reading.incident("inc-9"))
    [told] = report["incident"]["overridden"]
    assert (told["vendor"], told["gate"], told["by"], told["reason"]) == ("acme", "datasets", "cid", REASON)
    assert told["against"] == [AGAINST]
    console = Console(width=10_000)
    with console.capture() as printed:
        console.print(incident_text(report))
    rows = list(csv.DictReader("".join(csv_form.text(report)).splitlines()))
    assert rows
    for text in (printed.get(), html_form.text(report, clock.now()), *(each["gates_overridden"] for each in rows)):
        assert all(each in text for each in ("datasets", "cid", REASON, AGAINST))


def test_the_compliance_report_of_every_later_period_tells_it_and_the_evidence_does_too(acme):
    end = clock.now()
    begin = end - 3600  # it came before the period, and stands in it all the same
    report = compliance.build(responses.find(acme.parts.database, begin, end), begin, end, end)
    listed = [each for each in report["exceptions"]["listed"] if each["sort"] == "gate_overridden"]
    assert [(each["incident"], each["of"], each["reason"]) for each in listed] == [
        ("inc-9", "vendor acme, gate datasets", f"cid: {REASON}")
    ]
    assert report["exceptions"]["counts"]["gate_overridden"] == 1
    records = recompute.records_of(exported(acme.parts.database, acme.folder / "pack.zip"))
    again = recompute.report(records, begin, end, end, [])
    assert again["exceptions"] == report["exceptions"]
    before = responses.find(acme.parts.database, 0.0, 1.0)
    assert before.overrides == []


def test_the_vendor_itself_is_shown_with_it(acme):
    [told] = vendors.one(acme.parts, "acme")["overridden"]
    assert (told["gate"], told["by"], told["reason"], told["against"]) == ("datasets", "cid", REASON, [AGAINST])
