"""The report as a page to print: on paper nothing can be scrolled to, and no word may fall into its letters."""

from __future__ import annotations

import pytest

from rotator.flow.playbook_words import Strategy
from rotator.flow.punctuality import BUCKETS
from rotator.flow.scope import Unresolved
from rotator.ledger.duties import Survey
from rotator.ledger.responses import Found
from rotator.report import compliance, compliance_page, html_form
from rotator.report.incident import build
from tests.fakes.company import founded
from tests.report.test_compliance import BEGUN, DAY, dead, due

KINDS = ("kubernetes_service_account_token", "aws_service_specific_credential", "kubernetes_client_certificate",
         "vault_database_static_role", "github_app_installation", "gcp_service_account_key")  # fmt: skip
KEY, LONG = "aws_iam_access_key", "SHA256:43OsehSPySzYE+70q2sekINuSxZOaQw/wRVIt6+RMp4"
_CELLS = """() => [...document.querySelectorAll("table.each th, table.each td")].map((each) => {
  const { left, right, width } = each.getBoundingClientRect(); return { left, right, width }; })"""
_BEYOND = """() => [...document.querySelectorAll("table.each th, table.each td, table.each dd")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1).length"""

_WIDER = """() => [...document.querySelectorAll("table")].filter((each) =>
  each.getBoundingClientRect().right > each.parentElement.getBoundingClientRect().right + 1).length"""


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


@pytest.fixture(scope="module")
def period():
    """Return the page of a period with policies of the longest names that there can be, and counts of five digits."""
    names = ["aws-keys", "passwords-of-the-payments-team-in-the-west-of-europe-for-production"[:63], "x" * 63]
    aged = [
        {"policy": each, "max_age_s": 90 * DAY, "credentials": 54_321, "unknown": 9_999, "over_max_age": 9_999}
        | dict.fromkeys(BUCKETS, 12_345)
        for each in names
    ]
    late = [due(number, 60.0, policy=each) for number, each in enumerate(names)]
    died = [dead(number, 100.0, provider=each) for number, each in enumerate(KINDS)]
    found = Found(died, [], duties=late, survey=Survey(BEGUN + 1.0, aged))
    return compliance_page.text(
        compliance.build(found, BEGUN, BEGUN + DAY, BEGUN + 400 * DAY), found, BEGUN + 400 * DAY
    )


@pytest.mark.parametrize(("medium", "width", "scheme"), [("print", 688, "light"), ("screen", 400, "dark")])
def test_no_table_of_a_period_overhangs_paper_and_on_a_small_screen_its_figures_begin_beside_its_names(
    chromium, period, medium, width, scheme
):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(media=medium, color_scheme=scheme)
    page.set_content(period)
    beyond = page.evaluate(_WIDER)
    names = page.evaluate("[...document.querySelectorAll('th.name')].map((each) => each.getBoundingClientRect())")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert (beyond == 0) == (medium == "print")
    assert max(each["width"] for each in names) <= width / 2 or medium == "print"
    assert light == {"print": "rgb(255, 255, 255)", "screen": "rgb(20, 22, 26)"}[medium]
