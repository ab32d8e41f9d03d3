"""The report as a file: it stands alone, commands nothing, and says what is open and what is not shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.flow.standing import CredentialState
from rotator.report import html_form
from rotator.report.incident import build

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
EVIL = "<script>alert(1)</script><img src=http://evil>"


class Seen(HTMLParser):
    """Which tags and attributes a page has."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


@pytest.fixture
def report(house):
    company, deployment = house
    found = [company.stolen(KEY, owner=EVIL)[0], company.stolen(TOKEN)[0], company.stolen(KEY, owner="bait")[0]]
    left = [Unresolved(None, EVIL, (), "nobody knows it", "ask its owner")]
    plan = deployment.declare(found, left, Strategy.REVOKE_ONLY)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.dismissing.dismiss("inc-1", "inc-1.r3", Disposition.CANARY, "ann", EVIL)
    deployment.rest()
    return build(deployment.record())


def test_it_loads_nothing_and_runs_nothing_whatever_things_are_called(report):
    text = html_form.text(report, 2e9)
    seen = Seen(text)
    assert not seen.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href", "style"}]
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import", text)


def test_it_tells_every_credential_its_state_and_what_the_evidence_does_not_show(report):
    text = html_form.text(report, 2e9)
    assert all(each["run"] in text for each in report["credentials"])
    assert all(means in text.replace("&#39;", "'") for means in html_form.MEANS.values())
    said = " ".join(html_form.unshown(report))
    assert "1 of 4 are not dead by any evidence" in said
    assert "1 were left alone" in said
    assert "checkpoints sign them" in said
    assert {*html_form.MEANS} == {*CredentialState}


def test_its_curve_begins_with_all_that_counts_and_ends_with_what_is_open(report):
    whole, *_ = html_form.survival(report)
    assert whole.points[0][1] == 3
    assert whole.at(2e9) == report["time_to_revoke"]["still_open"]


def test_its_milestones_come_in_order(report):
    found = html_form.milestones(report)
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert found[0][1] == "detected"
    assert {"the first credential is proven dead", "revision 1 approved by test"} <= {what for _, what in found}


def test_a_curve_ends_soon_after_its_last_change_and_says_so(report):
    lines = html_form.survival(report)
    changed = lines[0].points[-1][0]
    assert changed < html_form.drawn_until(lines, 2e9) <= changed + max(changed - lines[0].points[0][0], 60.0)
    assert html_form.drawn_until(lines, changed + 1.0) == changed + 1.0
    assert "Nothing of it changed from" in html_form.text(report, 2e9)
