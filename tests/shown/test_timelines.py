"""A report tells a thief's uses from our own, what was made, and what nobody knows."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.scope import Unresolved
from rotator.ledger import tables
from rotator.ledger.probes import probes
from rotator.report import html_form
from rotator.report.timeline import NO_EXPOSURE, NO_LOGS, NOBODY_ASKED, NOT_NAMED
from rotator.settings.file import load
from rotator.shown import accessed, incidents
from tests.access import logs
from tests.fakes.company import founded

HOUR = 3600.0
THIEF = {"sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2.15"}


@pytest.fixture
def house(tmp_path):
    """Give parts, and a stolen key that was exposed an hour before it was declared, and is dead."""
    company, deployment = founded(tmp_path)
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    parts = Rotator(load(tmp_path / "rotator.toml"))
    parts.__dict__["database"] = deployment.database
    begun = company.world.now()
    stolen, _ = company.stolen("aws_iam_access_key")
    plan = deployment.declare([stolen], [Unresolved(None, "a password", (), "nobody knows it", "ask its owner")])
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    return parts, stolen.ref.id, begun


def exposed(parts, at):
    with parts.database.write() as connection:
        connection.execute(update(tables.incident).values(exposed_at=at))


def event(at, name="ListBuckets", key="", **given):
    moment = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {**logs.record(0, name, key, **given), "eventTime": moment}


def own(parts):
    """Return what the issuer logs of our own acts with it, as it tells them."""
    mine = [each for each in probes(parts.database, "inc-1") if each.do.startswith("verify")]
    return [event(each.begun_at, "GetCallerIdentity", each.credential, userAgent="rotator") for each in mine]


def told(parts, *records):
    report, record = incidents.report(parts, "inc-1"), parts.reading.incident("inc-1")
    files = [("trail.json", io.BytesIO(logs.log(*records)))] if records else None
    if files is None:
        return report
    return accessed.with_logs(parts, report, record, files)


def test_a_thief_among_our_own_knocks_is_told_and_we_are_not(house):
    parts, key, begun = house
    exposed(parts, begun - HOUR)
    ours = own(parts)
    assert len(ours) >= 5
    usual = event(begun - 2 * HOUR, key=key, userAgent="shop/1")
    theft = event(begun + 1, "GetObject", key, **THIEF)
    made = event(
        begun + 2,
        "CreateAccessKey",
        key,
        **THIEF,
        requestParameters={"userName": "backup"},
        responseElements={"accessKey": {"accessKeyId": "AKIAMADEBYTHIEF", "userName": "backup"}},
    )
    report = told(parts, usual, *ours, theft, made)
    story, task = report["timelines"]
    assert story["id"] == key
    assert story["last_use"]["at"].startswith(usual["eventTime"][:19])
    assert "shop/1" in story["last_use"]["says"]
    (use,) = story["suspected"]["uses"]
    assert (use["network"], use["agent"], use["calls"]) == ("203.0.113.0/24", "aws-cli/2.15", 2)
    assert story["suspected"]["own_left_out"] == len(ours)
    assert story["suspected"]["says"][0].startswith("first: GetObject at ")
    assert any("CreateAccessKey for backup" in each for each in story["minted"]["made"])
    assert task["suspected"]["says"] == [NOT_NAMED]
    page = html_form.text(report, 2e9)
    assert "2 calls by aws-cli/2.15 at 203.0.113.0/24" in page
    assert (
        f"{len(ours)} of these logs&#39; uses were the rotator&#39;s own" in page
        or f"{len(ours)} of these logs' uses" in page
    )


def test_where_nobody_could_be_asked_it_is_not_known(house):
    parts, _, _ = house
    story, task = told(parts)["timelines"]
    assert story["suspected"] == {"uses": [], "says": [NO_EXPOSURE], "own_left_out": 0}
    exposed(parts, 1.0)
    report = told(parts)
    story, task = report["timelines"]
    for each in (story, task):
        assert each["suspected"]["says"] == [NO_LOGS]
        assert each["minted"] == {"made": [], "says": [NOBODY_ASKED]}
    assert story["last_use"]["says"].startswith("never, as its issuer said at ")
    assert task["last_use"]["says"].startswith("not known")
    page = html_form.text(report, 2e9)
    assert NO_LOGS in page
    assert NOBODY_ASKED in page


def test_every_act_is_told_in_time_with_when_it_was(house):
    parts, _, _ = house
    report = told(parts)
    story = report["timelines"][0]
    times = [each["at"] for each in story["acts"]]
    assert times == sorted(times)
    assert all(times)
    steps = report["credentials"][0]["steps"]
    assert {each["id"] for each in steps} == {
        each["what"].partition(": ")[0].partition(" ")[2]
        for each in story["acts"]
        if each["what"].startswith("inc-1.r1 ")
    }
    said = [each["what"] for each in story["acts"]]
    assert {"detected", "approved", "replaced"} <= set(said)


def test_a_use_that_an_issuer_tells_of_after_the_exposure_is_not_called_the_last_before(house):
    parts, _, begun = house
    exposed(parts, begun - HOUR)
    step = tables.step
    used = f"{datetime.fromtimestamp(begun - 60, UTC).isoformat()}"
    with parts.database.write() as connection:
        keep = step.c.verb == "preserve"
        connection.execute(update(step).where(keep).values(facts=json.dumps({"last_used_at": used})))
    story = told(parts)["timelines"][0]
    assert story["last_use"]["at"] == ""
    assert used in story["last_use"]["says"]
    assert any(used in each and "does not tell by whom" in each for each in story["suspected"]["says"])


def test_a_key_that_nobody_knows_is_told_as_perhaps_made_with_it(house):
    parts, _, _ = house
    step = tables.step
    with parts.database.write() as connection:
        connection.execute(
            update(step).where(step.c.verb == "compare").values(reason="possible_persistence: KEY00009 is nobody's")
        )
    assert any("KEY00009" in each for each in told(parts)["timelines"][0]["minted"]["made"])


def test_what_is_no_access_log_is_refused(house):
    parts, _, _ = house
    report, record = incidents.report(parts, "inc-1"), parts.reading.incident("inc-1")
    with pytest.raises(BadInput):
        accessed.with_logs(parts, report, record, [("notes.txt", io.BytesIO(b"hello"))])


def test_our_own_uses_are_listed_with_their_times_and_answers(house):
    parts, key, _ = house
    found = list(probes(parts.database, "inc-1"))
    assert {each.credential for each in found} == {key}
    assert {each.do for each in found} == {
        "preserve exposed",
        "verify exposed",
        "suspend exposed",
        "end_sessions exposed",
        "revoke exposed",
    }
    assert [each.answer for each in found if each.step == "refused"][-1] == "rejected"
    assert all(each.begun_at <= each.ended_at for each in found)
