"""A report says which datasets were looked at, what was found, and which nobody has looked at."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rotator.ledger.datasets import Source
from rotator.ledger.manifests import Manifests
from rotator.manifests import comparing
from rotator.manifests.entry import Entry, Kind
from rotator.report import html_form
from rotator.report.incident import build
from rotator.report.terminal import incident_text

FILE, OTHER = (Entry("a", Kind.FILE, 1, digit * 64) for digit in "01")


def printed(shown):
    screen = Console(file=io.StringIO(), width=400)
    with screen.capture() as captured:
        screen.print(shown)
    return captured.get()


@pytest.fixture
def reported(house):
    """Give what reports of an incident with these datasets, each with what is there now; None where nobody looks."""
    company, deployment = house
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    manifests = Manifests(deployment.database)

    def report(**there):
        for name, now in there.items():
            recording = manifests.begin(name, Source(f"/data/{name}", "lab-1"), "ana", "inc-1")
            found = manifests.end(name, recording, manifests.keep(recording, [FILE]))
            if now is not None:
                compared = comparing.compare([FILE], now)
                manifests.checked(found, found.source, compared, "0" * 64, by="ben", incident="inc-1")
        return build(deployment.record())

    return report


def test_each_dataset_of_an_incident_is_told_with_its_result(reported):
    report = reported(good=[FILE], bad=[OTHER], never=None)
    told = {each["name"]: each["result"] for each in report["incident"]["datasets"]}
    assert told == {"good": "as recorded", "bad": "differs", "never": "not checked"}
    for text in (printed(incident_text(report)), html_form.text(report, 2e9).replace("&#39;", "'")):
        assert "good (/data/good on lab-1): as recorded, checked at " in text
        assert "bad (/data/bad on lab-1): DIFFERS: 1 altered, 0 as recorded, checked at " in text
        assert "never (/data/never on lab-1): NOT CHECKED since it was recorded at " in text


def test_an_incident_without_datasets_says_nothing_of_them(reported):
    report = reported()
    assert report["incident"]["datasets"] == []
    assert "Datasets" not in printed(incident_text(report)) + html_form.text(report, 2e9)


def test_the_incidents_own_chain_has_what_was_done(house, reported):
    reported(bad=[OTHER])
    acts = [each.get("act") for each in house[1].evidence("inc-1")]
    assert acts[-2:] == ["dataset_recorded", "dataset_checked"]
