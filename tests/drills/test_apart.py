"""A drill names nothing that it did not mint, and nothing counts it among what was real."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.canary import Canary
from rotator.errors import BadInput
from rotator.flow.scope import Unresolved
from rotator.ledger import drills, measures, responses
from rotator.ledger.drills import DrillRow, Minted
from rotator.notices.event import Event
from rotator.ports.store import Place
from tests.fakes.deployment import emptied
from tests.ledger.test_revisions import added

KEY, DRILL = "aws_iam_access_key", "inc-drill"
PLACE = Place("fake", "kv", "drill/key")


@pytest.fixture
def drilled(house):
    """Begin a drill that has minted one canary; give the company, its deployment and the canary."""
    return begun(*house)


def begun(company, deployment, page=False, owner="drill"):
    canary, _ = company.stolen(KEY, owner)
    now = deployment.world.now()
    with deployment.database.write() as connection:
        drills.begin(connection, DrillRow(DRILL, "weekly", "scanner", "jana", now, page=page))
    kept = Minted(deployment.database, DRILL)
    kept.intend(Canary(KEY, canary.ref.connection, canary.ref.owner, "m-1", now))
    kept.made("m-1", canary.ref.id)
    return company, deployment, canary


def notices(deployment):
    return [each["event"] for each in deployment.rows("notice")]


def test_a_drill_is_declared_with_its_own_canary_and_with_nothing_else(drilled):
    company, deployment, canary = drilled
    other, _ = company.stolen(KEY, canary.ref.owner)
    with pytest.raises(BadInput, match=f"names .*{other.ref.id}"):
        deployment.declare([canary, other], incident=DRILL)
    assert deployment.rows("run") == []
    deployment.declare([canary], incident=DRILL)
    assert [each["credential"] for each in deployment.rows("run")] == [canary.ref.id]


def test_a_drill_grows_by_nothing_that_it_did_not_mint(drilled):
    company, deployment, canary = drilled
    deployment.declare([canary], incident=DRILL)
    real, _ = company.stolen(KEY, "ci")
    with pytest.raises(BadInput, match=f"names .*{real.ref.id}"):
        added(deployment, real, incident=DRILL)
    assert [each["credential"] for each in deployment.rows("run")] == [canary.ref.id]


def test_a_drill_leaves_no_task_to_anybody(drilled):
    _, deployment, canary = drilled
    unknown = Unresolved("github_token", "ghp-real", (), "nobody knows whose it is", "look")
    with pytest.raises(BadInput, match="ghp-real"):
        deployment.declare([canary], [unknown], incident=DRILL)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_a_report_names_beside_the_canaries_refuses_the_plan(house, data):
    company, deployment = house
    emptied(deployment.database)
    _, _, canary = begun(company, deployment)
    kinds = st.sampled_from([KEY, "acme_api_token", "vault_token"])
    owners = st.sampled_from([canary.ref.owner, "ci", ""])
    real = [company.stolen(*each)[0] for each in data.draw(st.lists(st.tuples(kinds, owners), max_size=3))]
    ways = ({"id": canary.ref.id.lower()}, {"owner": "ci"}, {"connection": "aws-2"}, {"generation": 1})
    drawn = data.draw(st.lists(st.sampled_from(ways), max_size=1))
    real += [replace(canary, ref=replace(canary.ref, **changed)) for changed in drawn]
    own = data.draw(st.booleans())
    named = data.draw(st.permutations([*real, *([canary] if own else [])]))
    plan = SimpleNamespace(runs=named, manual=(), excluded=())  # of a plan its references alone are looked at
    with deployment.database.write() as connection:
        if real:
            with pytest.raises(BadInput, match="what it minted and nothing else"):
                drills.refuse_foreign(connection, DRILL, plan)
        else:
            drills.refuse_foreign(connection, DRILL, plan)
        drills.refuse_foreign(connection, "inc-real", plan)


def test_nothing_is_merged_with_a_drill(drilled):
    company, deployment, canary = drilled
    deployment.declare([canary], incident=DRILL)
    deployment.declare([company.stolen(KEY, "ci")[0]], incident="inc-real")
    for pair in ((DRILL, "inc-real"), ("inc-real", DRILL)):
        with pytest.raises(BadInput, match="it is the drill weekly"):
            deployment.enrolment.merge(*pair, by="jana")


def test_nobody_is_woken_by_a_drill_unless_it_pages(drilled):
    _, deployment, canary = drilled
    deployment.start([canary], incident=DRILL)
    deployment.rest()
    assert notices(deployment) == []


def test_a_drill_that_pages_tells_as_an_incident_does(house):
    _, deployment, canary = begun(*house, page=True)
    deployment.start([canary], incident=DRILL)
    assert Event.DECLARED.value in notices(deployment)


def test_no_figure_of_real_incidents_counts_a_drill_and_no_real_plan_leans_on_it(drilled):
    company, deployment, canary = drilled
    deployment.start([canary], incident=DRILL)
    deployment.rest(patience_s=3600.0)
    assert deployment.rows("run")[0]["replacement"]
    now = deployment.world.now()
    assert responses.find(deployment.database, 0.0, now + 1.0).responses == []
    with deployment.database.read() as connection:
        found = measures.measure(connection, now)
    assert (found.revoked_total, found.live_exposed, found.oldest_live) == (0, {}, None)
    real, _ = company.stolen(KEY, canary.ref.owner)
    asked = {real.ref: canary.custody.deliver}
    assert deployment.reading.answered(asked, "") == {}
