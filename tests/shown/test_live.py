"""What is kept current in memory is what the report tells, after whatever people and workers did in whatever order."""

from __future__ import annotations

from operator import attrgetter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from rotator import clock
from rotator.errors import BadInput, Rejected
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.ledger.feed import Feed
from rotator.report.incident import build
from rotator.shown import credentials
from rotator.shown import kept as kept_in
from rotator.shown.kept import Kept
from rotator.shown.live import Live
from rotator.shown.moments import curve, milestones
from rotator.shown.picture import Sort
from rotator.shown.row import Needs
from tests.fakes.company import founded

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
ACTS = (
    "work",
    "wait",
    "approve 1",
    "approve 2",
    "dismiss 1",
    "dismiss 2",
    "reopen 1",
    "reopen 2",
    "undo 1",
    "skip 1",
    "stop 1",
    "lift 1",
    "merge",
    "refuse",
    "allow",
)


def parts_of(deployment):
    return SimpleNamespace(reading=deployment.reading, feed=Feed(deployment.database))


def told(picture):
    return [(each.run, each.state.value, each.evidence, each.settled_by, list(each.also)) for each in picture.told]


def reported(report):
    keys = ("run", "state", "evidence", "settled_by", "also")
    return [tuple(each[key] for key in keys) for each in report["credentials"]]


def agrees(parts, kept, incident):
    """Compare a picture kept current with one that is read anew, both with the report, and each row read alone."""
    kept.refresh()
    anew = Kept(parts, incident)
    anew.refresh()
    report = build(parts.reading.incident(incident))
    assert kept.picture.told == anew.picture.told
    assert told(kept.picture) == reported(report)
    assert kept.picture.totals == report["totals"]
    for count in (attrgetter("by_provider", "tally.connections"), milestones, lambda picture: curve(picture, 2e9)):
        assert count(kept.picture) == count(anew.picture)
    assert kept.picture.whole == report["incident"]
    assert kept.picture.progress == parts.reading.progress(incident, clock.now())
    names = [each["run"] for each in report["credentials"]]
    assert credentials.few(parts, incident, names) == report["credentials"]
    for each in report["credentials"]:
        assert credentials.few(parts, incident, [each["run"]]) == [each]
        assert kept.picture.is_stopped(next(row for row in kept.picture.told if row.run == each["run"])) == bool(
            each["stopped"]
        )


class Room:
    """Two incidents that share a credential, and people who act on them."""

    def __init__(self, folder, database=None):
        self.company, self.deployment = founded(folder, database=database)
        self.refused = False
        kinds = enumerate((KEY, TOKEN, KEY))
        first, both, other = (self.company.stolen(kind, owner=f"o{number}")[0] for number, kind in kinds)
        self.deployment.declare([first, both], [Unresolved(None, "ab12", first.exposures, "not_recognised", "ask")])
        self.deployment.declare([both, other], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
        self.company.world.meet = self.meet

    def meet(self, phase, what, _changes):
        if self.refused and phase == "before" and what.startswith("issuer.suspend"):
            raise Rejected("access_denied")

    def does(self, act):
        what, _, number = act.partition(" ")
        incident, of = f"inc-{number}", self.deployment
        if what in {"work", "wait"}:
            of.rest(patience_s=3600.0 if what == "work" else 1e7)
        elif what == "approve":
            of.enrolment.approve(incident, of.record(incident).plan_digest, by="test")
        elif what == "dismiss":
            of.dismissing.dismiss(incident, f"{incident}.r1", Disposition.CANARY, "ann", "bait")
        elif what == "reopen":
            of.dismissing.reopen(incident, f"{incident}.r1", "ann", "it is real")
        elif what == "undo":
            run = f"{incident}.r1"
            of.hands.undo(run, "contain", "ann", "too early", of.hands.undoing(run, "contain"))
        elif what == "skip":
            of.hands.decide(f"{incident}.r1", "contain", skip=True, by="ann", reason="no")
        elif what == "stop":
            of.stops.stop(incident, "ann", "look first", ())
        elif what == "lift":
            of.stops.lift(incident, "ann", "on", ())
        elif what == "merge":
            of.enrolment.merge("inc-2", "inc-1", by="ann")
        else:
            self.refused = what == "refuse"


@pytest.fixture(autouse=True)
def counted_at_once(monkeypatch):
    """Count anew at each refresh, and have nobody ask whether a runtime is there."""
    monkeypatch.setattr(kept_in, "COUNTED_ANYHOW_S", 0.0)
    monkeypatch.setattr(kept_in, "COUNTED_S", 0.0)
    for name in ("is_unattended", "is_unmanned"):
        monkeypatch.setattr(kept_in, name, lambda _: False)


def test_pages_of_a_picture_follow_each_other_in_any_order_and_a_bad_cursor_is_refused(house):
    picture = seen(house)
    for sort in Sort:
        for descending in (False, True):
            whole = picture.page(sort=sort, descending=descending).rows
            assert {each.run for each in whole} == {each.run for each in picture.told}
            found, after = [], None
            while not found or after is not None:
                page = picture.page(sort=sort, descending=descending, after=after, limit=2)
                found, after = [*found, *page.rows], page.next
            assert tuple(found) == whole
    for cursor in ("", "{}", "[1]", "x"):
        with pytest.raises(BadInput, match="no page begins there"):
            picture.page(after=cursor)


def test_what_needs_a_person_is_queued_and_the_milestones_name_what_has_not_come(house):
    picture = seen(house)
    assert picture.needs == {Needs.TASK: 1}
    assert [each.is_task for each in picture.queue().rows] == [True]
    come = {each.name: each.at for each in milestones(picture)}
    assert come["approved"] <= come["first acknowledged"] <= come["first contained"] <= come["first dead"]
    assert come["first dead"] <= come["half dead"]
    assert (come["last dead"], come["closed"]) == (None, None)
    whole, *by_provider = curve(picture, picture.at)
    assert whole.points[-1] == (picture.at, 1)
    assert sum(each.points[-1][1] for each in by_provider) == 1


def test_a_first_answer_does_not_wait_for_the_whole_and_nobody_else_is_told_of_an_incident_that_is_not_there(house):
    live = Live(parts_of(house))
    assert live.of("inc-1", None).totals == build(house.record())["totals"]
    assert live.of("inc-1", 0.0).is_whole
    with pytest.raises(BadInput, match="no such incident"):
        live.of("inc-9", None)
    live.close()


def test_who_follows_what_is_looked_at_is_told_what_the_ledger_counts_and_the_ledger_counts_nothing(
    tmp_path, monkeypatch
):
    room = Room(tmp_path)
    parts = parts_of(room.deployment)
    live, looked = Live(parts), Live(parts)
    looked.of("inc-1", None)
    counts = parts.reading.progress
    for act in ("approve 1", "stop 1", "work", "lift 1", "work", "approve 2", "merge", "work", "wait"):
        room.does(act)
        counted = counts("inc-1", clock.now())
        assert live.progress("inc-1") == counted
        with monkeypatch.context() as patched:
            patched.delattr(type(parts.reading), "progress")
            assert looked.progress("inc-1") == counted
    looked.close()


def seen(deployment):
    kept = Kept(parts_of(deployment), "inc-1")
    kept.refresh()
    return kept.picture


@pytest.fixture
def house(tmp_path):
    """Return an incident at rest: three dead, and what no machine can answer."""
    company, deployment = founded(tmp_path)
    stolen = [company.stolen(kind, owner=f"o{number}")[0] for number, kind in enumerate((KEY, TOKEN, KEY))]
    plan = deployment.declare(stolen, [Unresolved(None, "ab12", stolen[0].exposures, "not_recognised", "ask")])
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    return deployment


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=some.lists(some.sampled_from(ACTS), min_size=4, max_size=10))
def test_in_whatever_order_people_act_the_picture_is_the_report(tmp_path_factory, acts):
    room = Room(tmp_path_factory.mktemp("any"))
    parts = parts_of(room.deployment)
    kept = {incident: Kept(parts, incident) for incident in ("inc-1", "inc-2")}
    for act in acts:
        try:
            room.does(act)
        except BadInput:
            continue
        for incident, each in kept.items():
            agrees(parts, each, incident)
    room.deployment.database.close()
