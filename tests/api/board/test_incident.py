"""The page of an incident: what waits stands on top, each act where it may be done, lists come from the service."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from rotator.credential import Leaked, Secret
from rotator.flow.approval import Role
from rotator.flow.exposure import Exposure
from rotator.flow.scope import Unresolved
from rotator.report.count_line import count_line
from rotator.report.plain import plain
from rotator.shown.incidents import report
from rotator.shown.live import live
from tests.api.board.pages import page
from tests.api.calling import V1, api
from tests.fakes.company import CONSUMER, founded
from tests.fakes.deployment import scoped, sqlite

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e&quot;"
KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
PATH = "/incidents/inc-1"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the API on a ledger in which most is dead, one is held for its wrong secret, and one is a person's."""
    folder = tmp_path_factory.mktemp("board")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    company.world.wait_until(time.time() - 600)
    ref, _ = company.plant(KEY, HOSTILE)
    found = [company.stolen(kind, owner)[0] for kind in (KEY, TOKEN) for owner in ("ci", "web", "ops")]
    found.append(scoped(ref, Secret("not-its-secret"), consumers=(CONSUMER,)))
    sighted = (Exposure("list", "stripe", Leaked(id="sk_1"), path="laptop/.env", line=1),)
    task = Unresolved(None, "stripe-key", sighted, "no playbook answers `stripe`", "revoke it at its vendor")
    plan = deployment.declare(found, [task], footholds=("web-1",))
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    deployment.stops.stop("aws", "bo", "asked by the vendor", ["aws", "acme"])
    with database.write() as connection:
        connection.execute(text("update incident set title = :title"), {"title": HOSTILE})
    found = api(folder, database)
    live(found.parts).of("inc-1", None)
    yield found
    live(found.parts).close()
    database.close()


def test_what_others_named_is_shown_and_never_read_as_markup(served):
    for path in ("/incidents", PATH):
        found = page(served, path)
        assert "<script>alert" not in found.source
        assert "<img" not in found.source
        assert plain(HOSTILE).replace("&quot;", "") in found.text.replace("&quot;", "")
    assert page(served, f"{PATH}?q=%3Cscript%3E").status == 200


def test_the_count_line_is_the_one_of_the_terminal_and_each_count_a_filter(served):
    found = page(served, PATH)
    line = count_line(served.parts.reading.progress("inc-1", time.time())).partition(" · connection")[0]
    assert line in found.text
    assert found.links["?state=held#credentials"] == "1 held"
    assert page(served, f"{PATH}?state=held").text.count("1 in all") == 1


def test_what_keeps_the_whole_incident_waiting_stands_on_top_with_its_button(served):
    found = page(served, PATH, Role.ADMIN)
    assert "STOPPED: connection aws, by bo: asked by the vendor" in found.text
    assert "FOOTHOLD web-1: the attacker may still be there" in found.text
    assert found.text.index("FOOTHOLD") < found.text.index("Waits for a person") < found.text.index("Timeline")
    acts = found.acts()
    assert acts[f"{V1}/connections/aws/continue"].fields == {"reason": "Why? It becomes evidence."}
    assert set(acts[f"{V1}/incidents/inc-1/hosts/web-1/isolate"].fields) == {"reason"}
    assert set(acts[f"{V1}/incidents/inc-1/stop"].fields) == {"reason"}


def test_every_field_of_every_form_has_a_label(served):
    for path in ("/incidents", PATH):
        forms = page(served, path, Role.ADMIN).forms
        assert not [each.attributes for each in forms if not all(each.fields.values())]


def test_what_needs_a_person_has_its_acts_the_safe_one_first(served):
    found = page(served, PATH, Role.ADMIN)
    run = next(each["run"] for each in report(served.parts, "inc-1")["credentials"] if each["state"] == "held")
    assert "held (mismatch" in found.text
    acts = [each for each in found.acts() if run in each]
    assert [each.rpartition("/")[2] for each in acts] == ["skip", "dismiss"]
    assert found.source.index("Declare it again") < found.source.index(acts[0])
    assert set(found.acts()[acts[1]].fields) == {"as", "reason"}


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, (), ("/stop", "/skip", "/dismiss", "/continue", "/close")),
        (Role.RESPONDER, ("/stop", "/continue", "/isolate"), ("/skip", "/dismiss", "/incidents/inc-1/close")),
        (Role.APPROVER, ("/stop", "/skip", "/dismiss", "/incidents/inc-1/close"), ()),
    ],
)
def test_who_may_not_is_shown_no_form_and_told_which_role_it_needs(served, role, may, may_not):
    found = page(served, PATH, role)
    for each in may:
        assert [path for path in found.acts() if path.endswith(each)], each
    for each in may_not:
        assert not [path for path in found.acts() if path.endswith(each)], each
    assert bool(found.disabled) == bool(may_not)
    assert ("needs the role" in found.text) == bool(may_not)


def test_the_list_is_filtered_sorted_and_paged_by_the_service(served):
    every = report(served.parts, "inc-1")["credentials"]
    ids = {each["id"] for each in every if each["id"]}

    def listed(query):
        source = page(served, f"{PATH}?{query}").source
        table = source[source.index('id="credentials"') : source.index('id="more"')]
        return [each for each in sorted(ids, key=lambda one: table.find(f">{one}<")) if f">{each}<" in table]

    assert set(listed("")) == ids
    assert set(listed(f"provider={KEY}")) == {each["id"] for each in every if each["provider"] == KEY}
    assert set(listed("q=web")) == {each["id"] for each in every if each["owner"] == "web"}
    assert listed("sort=id") == sorted(ids)
    assert listed("sort=-id") == sorted(ids, reverse=True)
    assert listed("q=nothing-is-called-so") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [("after=nonsense", 404), ("waiting=nonsense", 404), ("sort=secret", 404), ("state=undead", 422)],
)
def test_what_no_list_has_is_said_on_a_page(served, query, status):
    assert page(served, f"{PATH}?{query}").status == status


def test_the_curve_is_told_in_words_and_in_figures_and_the_timeline_names_what_has_not_come(served):
    found = page(served, PATH)
    assert 'role="img"' in found.source
    assert "Exposed credentials not proven dead: at most 8" in found.source
    assert "The curve in figures" in found.text
    for each in ("detected", "declared", "approved", "first dead", "last dead", "closed"):
        assert each in found.text
    assert "not yet, 2 missing" in found.text


def test_the_list_of_incidents_says_what_waits_and_leaves_out_what_is_over(served):
    found = page(served, "/incidents")
    assert "6 of 8 dead" in found.text
    assert "1 to be done by hand" in found.text
    assert PATH in found.links
    assert PATH not in page(served, "/incidents?show=closed").links
