"""The report as a page to print: on paper nothing can be scrolled to, and no word may fall into its letters."""

from __future__ import annotations

import pytest

from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.report import html_form
from rotator.report.incident import build
from tests.fakes.company import founded

KEY, LONG = "aws_iam_access_key", "SHA256:43OsehSPySzYE+70q2sekINuSxZOaQw/wRVIt6+RMp4"
_CELLS = """() => [...document.querySelectorAll("table.each th, table.each td")].map((each) => {
  const { left, right, width } = each.getBoundingClientRect(); return { left, right, width }; })"""
_BEYOND = """() => [...document.querySelectorAll("table.each th, table.each td, table.each dd")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1).length"""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    company, deployment = founded(tmp_path_factory.mktemp("paper"))
    left = [Unresolved(None, LONG, (), "no github connection", "add [[connections]] with family = 'github'")]
    plan = deployment.declare([company.stolen(KEY, owner="payments-deploy")[0]], left, Strategy.REVOKE_ONLY)
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    deployment.rest()
    report = build(deployment.record())
    for each in report["credentials"]:
        each["replaced_at"], each["replacement"] = each["detected_at"], LONG
    return html_form.text(report, 2e9)


@pytest.mark.parametrize(("medium", "width"), [("print", 720), ("screen", 1280)])
def test_every_credential_is_read_whole_in_columns_of_words(chromium, text, medium, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(media=medium)
    page.set_content(text)
    cells = page.evaluate(_CELLS)
    small = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    beyond = page.evaluate(_BEYOND)
    page.close()
    assert beyond == 0
    assert cells
    assert all(each["left"] >= 0 and each["right"] <= width and each["width"] >= 70 for each in cells)
    assert small == {"print": 11, "screen": 15}[medium]
