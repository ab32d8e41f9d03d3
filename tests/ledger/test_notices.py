"""Who is told what, when and how often: on both ledgers, with the engine's own failures, and channels that are down."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import update

from rotator.credential import Leaked, Secret
from rotator.flow.exposure import Disposition, Exposure
from rotator.flow.incident import Severity
from rotator.flow.ownership import Ownership, ask_owners
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.ledger import messages, noticing, tables
from rotator.ledger.messages import Messages
from rotator.ledger.notices import tell, tell_of_alarm, tell_of_tasks
from rotator.ledger.triggers import Triggers
from rotator.notices.event import BY_DEFAULT, Event
from rotator.settings.notices import NoticeSettings
from rotator.triggers.message import Trigger
from tests.fakes.deployment import SEAL
from tests.flow.test_plan import planned, stolen

SEC = "#sec"


class Desk:
    """A ledger with an incident on it, and what one channel and another hear of it."""

    def __init__(self, house):
        self.company, self.deployment = house
        self.database, self.world = self.deployment.database, self.deployment.world
        self.messages = Messages(self.database, self.world.now)

    def happens(self, event, incident="inc-1", **facts):
        with self.database.write() as connection:
            tell(connection, incident, event, facts, self.world.now())

    def look(self, *channels):
        noticing.look(self.database, self.world.now())
        self.messages.route(dict.fromkeys(channels or (SEC,), lambda _event, _severity: True))

    def later(self, seconds):
        self.world.wait_until(self.world.now() + seconds)

    def heard(self, channel=SEC):
        """Send all that may go now; return the events of each message."""
        found = []
        while (letter := self.messages.take(channel)) is not None:
            found.append([each.event for each in letter.happened])
            self.messages.sent(letter, "http 200")
            self.later(messages.PACE_S)
        return found


@pytest.fixture
def desk(house):
    company, deployment = house
    deployment.declare([company.stolen("aws_iam_access_key")[0]], wanted=Strategy.CONTAIN_FIRST)
    with deployment.database.write() as connection:
        connection.execute(tables.notice.delete())  # what was told of that
    return Desk(house)


def test_what_happens_is_told_if_it_is_committed_and_not_if_it_is_not(desk):
    def told_in_vain():
        with desk.database.write() as connection:
            tell(connection, "inc-1", "stopped", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        told_in_vain()
    desk.look()
    desk.later(messages.GATHER_S)
    assert desk.heard() == []
    for wrong, facts in (("stoped", {}), ("stopped", {"by": object()})):
        with pytest.raises((ValueError, TypeError)):
            desk.happens(wrong, **facts)


def test_twelve_hundred_events_are_one_message_and_the_next_ones_wait_longer_each_time_unless_they_are_urgent(desk):
    with desk.database.write() as connection:
        for _ in range(1200):
            tell(connection, "inc-1", Event.DISMISSED, {}, desk.world.now())
    wants = {SEC: lambda _event, _severity: True}
    while desk.messages.route(wants):
        assert desk.heard() == []
    desk.later(messages.GATHER_S)
    assert desk.heard() == [[Event.DISMISSED] * 1200]
    for pause in (messages.QUIET_S, 2 * messages.QUIET_S):
        desk.happens(Event.REVIEW_DUE)
        desk.look()
        desk.later(pause - 2)
        assert desk.heard() == []
        desk.later(2)
        assert desk.heard() == [[Event.REVIEW_DUE]]
    desk.happens(Event.REVIEW_DUE)
    desk.happens(Event.BREAK_GLASS)
    desk.look()
    desk.later(messages.GATHER_S)
    assert desk.heard() == [[Event.REVIEW_DUE, Event.BREAK_GLASS]]


def test_a_channel_that_is_down_is_tried_with_growing_pauses_then_hears_in_order_what_came_meanwhile(desk):
    desk.happens(Event.BREAK_GLASS)
    desk.look(SEC, "mail")
    desk.later(messages.GATHER_S)
    first = desk.messages.take(SEC)
    assert desk.messages.take(SEC) is None  # somebody has it
    assert desk.heard("mail") == [[Event.BREAK_GLASS]]
    tries = [desk.world.now()]
    assert desk.messages.failed(first, "webhook_unreachable") is False
    for _ in range(3):
        desk.happens(Event.REVIEW_DUE)
    desk.look(SEC, "mail")
    for asked in (None, 300.0):
        while (letter := desk.messages.take(SEC)) is None:
            desk.later(1)
        tries.append(desk.world.now())
        assert (letter.id, letter.attempt) == (first.id, len(tries))
        desk.messages.failed(letter, "webhook_says_later", retry_after=asked)
    desk.later(299)
    assert desk.messages.take(SEC) is None
    desk.later(1)
    assert [later - earlier for earlier, later in pairwise(tries)] == [15, 30]
    assert desk.heard() == [[Event.BREAK_GLASS]]
    desk.later(messages.QUIET_S)
    assert desk.heard() == [[Event.REVIEW_DUE] * 3]


@pytest.mark.parametrize(("refused", "patience"), [(False, messages.PATIENCE_S), (True, messages.REFUSED_S)])
def test_a_message_is_given_up_visibly_and_the_next_goes_on(desk, refused, patience):
    desk.happens(Event.BREAK_GLASS)
    desk.look()
    desk.later(messages.GATHER_S)
    began = desk.world.now()
    while True:
        letter = desk.messages.take(SEC)
        if letter is None:
            desk.later(600)
        elif desk.messages.failed(letter, "webhook_refused: http 404", refused=refused):
            break
    assert patience <= desk.world.now() - began < patience + 2000
    [told] = desk.deployment.record().told
    assert (told.state, told.events, told.reason) == ("given_up", ("break_glass",), "webhook_refused: http 404")
    assert desk.deployment.evidence("inc-1")[-1]["act"] == "not told"
    desk.happens(Event.STOPPED)
    desk.look()
    desk.later(messages.GATHER_S)
    assert desk.heard() == [[Event.STOPPED]]
    last = desk.deployment.evidence("inc-1")[-1]
    assert (last["act"], last["channel"], last["of"]) == ("told", SEC, ["stopped"])


@pytest.mark.parametrize("asked", [99_999_999_999_999.0, float("inf")])
def test_no_channel_is_silenced_beyond_the_day_however_late_it_asks_for(desk, asked):
    desk.happens("break_glass", by="ann")
    desk.look()
    desk.later(messages.GATHER_S)
    letter = desk.messages.take(SEC)
    assert desk.messages.failed(letter, "webhook_says_later", retry_after=asked) is False
    desk.later(messages.PATIENCE_S)
    assert desk.messages.failed(desk.messages.take(SEC), "webhook_says_later", retry_after=asked) is True


def test_a_message_that_reached_some_is_settled_at_once_and_says_that_it_did_not_reach_all(desk):
    desk.happens("break_glass", by="ann")
    desk.look()
    desk.later(messages.GATHER_S)
    assert desk.messages.failed(desk.messages.take(SEC), "mail_partly_refused: smtp 450", is_final=True) is True
    [kept] = desk.deployment.rows("message")
    assert (kept["state"], kept["reason"]) == ("given_up", "mail_partly_refused: smtp 450")
    # Those who were reached are not flooded for it.
    desk.happens("dismissed")
    desk.look()
    desk.later(messages.GATHER_S)
    assert desk.messages.take(SEC) is None
    desk.later(messages.QUIET_S)
    assert desk.messages.take(SEC) is not None


def test_who_died_between_sending_and_noting_it_sends_the_same_message_again(desk):
    desk.happens(Event.BREAK_GLASS)
    desk.look()
    desk.later(messages.GATHER_S)
    first = desk.messages.take(SEC)
    desk.later(messages.TAKEN_S)
    again = desk.messages.take(SEC)
    assert (again.id, again.happened, again.attempt) == (first.id, first.happened, 2)
    desk.messages.sent(again, "ok")
    desk.messages.sent(first, "ok")
    assert [each["act"] for each in desk.deployment.evidence("inc-1")].count("told") == 1


def test_what_a_person_is_asked_for_is_told_once_and_again_when_it_comes_back(desk):
    desk.deployment.enrolment.approve("inc-1", desk.deployment.record().plan_digest, by="test")
    branch = desk.deployment.branches()[0][0]

    def put(state, reason=None, due_at=None):
        with desk.database.write() as connection:
            one = update(tables.branch).where(tables.branch.c.id == branch)
            connection.execute(one.values(state=state, reason=reason, due_at=due_at, sent_at=None))
        desk.look()
        desk.look()

    def told():
        return [each["facts"] for each in desk.deployment.rows("notice") if each["event"] == "needs_person"]

    put("held", "leak_safe: a stolen credential that may read the new secret still lives")
    put("held", "scheduled", due_at=9e9)
    assert told() == []
    put("failed", "access_denied: arn:aws:iam::1:user/canary may not")
    assert len(told()) == 1
    assert '"asking":1,"because":["1 access_denied"],"for_example":["inc-1.r1"],"manual":0' in told()[0]
    assert "canary" not in told()[0]
    put("open")
    put("failed", "access_denied")
    assert len(told()) == 2


def noticed(deployment):
    """Return what was noted, in order: PostgreSQL gives what was changed since at the end."""
    return sorted(deployment.rows("notice"), key=lambda each: each["id"])


def test_a_brake_and_the_end_are_told_once(desk):
    desk.deployment.enrolment.approve("inc-1", desk.deployment.record().plan_digest, by="test")
    gate = {"incident": "inc-1", "name": "brake", "at": 1.0, "by": "rotator"}
    with desk.database.write() as connection:
        reason = "inc-1.r1 reload: consumer_failed: http://canary"
        connection.execute(tables.gate.insert().values(**gate, open=0, reason=reason))
    desk.look()
    desk.look()
    desk.deployment.gates.set("inc-1", "brake", "ann", "it is well", is_open=True)
    desk.deployment.rest(patience_s=60)
    desk.look()
    desk.look()
    found = [(each["event"], each["facts"]) for each in noticed(desk.deployment) if each["event"] != "declared"]
    derived = [(event, facts) for event, facts in found if event in {"brake_tripped", "done", "needs_person"}]
    assert [event for event, _ in derived] == ["brake_tripped", "done"]
    assert derived[0][1] == '{"waiting":0,"what":"inc-1.r1 reload: consumer_failed"}'
    assert '"dead":1' in derived[1][1]
    assert '"scheduled":1' in derived[1][1]


def test_what_rests_as_dismissed_asks_for_nobody_and_does_not_keep_the_end_from_being_told(house):
    company, deployment = house
    taken, kept = (company.stolen("acme_api_token", owner=name)[0] for name in ("a", "b"))
    deployment.start([taken, kept], wanted=Strategy.REVOKE_ONLY)
    deployment.dismissing.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, "ann", "a test")
    deployment.rest()
    noticing.look(deployment.database, deployment.world.now())
    found = [(each["event"], each["facts"]) for each in deployment.rows("notice")]
    assert "needs_person" not in {event for event, _ in found}
    assert ("done", '{"dead":1,"dismissed":1,"scheduled":0,"stated":0}') in found


def test_an_alarm_that_waits_for_somebody_to_say_yes_is_told_at_once_and_one_that_needs_none_is_not(desk):
    triggers = Triggers(desk.database, SEAL, desk.world.now)
    leaked = Exposure("gitlab", "t", Leaked(secret=Secret("glpat-canary")), "https://x/1")
    for _ in range(2):
        kept = triggers.keep("gitlab", Trigger("A leak", Severity.HIGH, exposures=(leaked,)), b"body")
        triggers.take()
        triggers.declared(kept.id, "inc-1")
    desk.look()
    letter = None
    while letter is None:
        letter = desk.messages.take(SEC)
        desk.later(1)
    assert [(each.event, each.facts) for each in letter.happened] == [
        (Event.ALARM_WAITING, {"sender": "gitlab", "credentials": 1, "manual": 0})
    ]
    desk.deployment.enrolment.approve("inc-1", desk.deployment.record().plan_digest, by="test")
    with desk.database.write() as connection:
        tell_of_alarm(connection, "inc-1", "gitlab", desk.world.now())
    assert [each["event"] for each in desk.deployment.rows("notice")].count("alarm_waiting") == 1


def test_a_person_who_declares_has_others_told_that_a_yes_is_wanted_and_the_yes_is_told_too(house):
    company, deployment = house
    task = Unresolved(None, "what is this", (), "no kind is known", "look at it")
    deployment.declare([company.stolen("aws_iam_access_key")[0]], [task])
    deployment.enrolment.approve("inc-1", deployment.record().plan_digest, by="ann")
    assert [(each["event"], each["facts"]) for each in deployment.rows("notice")] == [
        ("declared", '{"by":"test","credentials":1,"manual":1}'),
        ("needs_person", '{"manual":1}'),
        ("approval_wanted", '{"credentials":1}'),
        ("approved", '{"by":"ann"}'),
    ]


def test_a_stop_and_its_end_are_told_of_every_incident_that_they_concern(desk):
    desk.deployment.enrolment.approve("inc-1", desk.deployment.record().plan_digest, by="ann")
    desk.deployment.stops.stop(None, "ann", "is it a drill?", ["aws"])
    desk.deployment.stops.lift(None, "bob", "it is not", ["aws"])
    told = [(each["event"], each["facts"]) for each in noticed(desk.deployment)][1:]
    assert told == [
        ("stopped", '{"by":"ann","reason":"is it a drill?","what":"everything"}'),
        ("continued", '{"by":"bob","reason":"it is not","what":"everything"}'),
    ]


def test_owners_whom_a_plan_gives_time_are_told_until_when(desk):
    each = stolen("aws_iam_access_key", criticality="low")
    each = replace(each, custody=replace(each.custody, contact="a@acme.test; b@acme.test"))
    plan = ask_owners(planned(each), [each], Ownership(0.0, {"low": 7200.0}), severity=Severity.LOW)
    with desk.database.write() as connection:
        tell_of_tasks(connection, "inc-1", planned(each), 5.0)
        tell_of_tasks(connection, "inc-1", plan, 5.0)
    [told] = desk.deployment.rows("notice")
    assert (told["event"], told["facts"]) == (
        "owner_asked",
        '{"credentials":1,"deadline":7205,"owners":["shared; a@acme.test, b@acme.test"]}',
    )


def test_a_channel_hears_of_the_events_and_from_the_severity_that_it_names():
    entry = NoticeSettings(name="sec", slack="env:A", severity="high")
    assert {each for each in Event if entry.wants(each, Severity.HIGH)} == BY_DEFAULT
    assert not any(entry.wants(each, Severity.MEDIUM) for each in Event)
    only = NoticeSettings(name="sec", slack="env:A", events=["stopped"])
    assert [each for each in Event if only.wants(each, Severity.LOW)] == [Event.STOPPED]


def test_the_end_is_told_once_of_what_was_merged_and_not_before_all_of_it_is_dead(house):
    company, deployment = house
    for number in (1, 2):
        deployment.start([company.stolen("acme_api_token", owner=f"o{number}")[0]], incident=f"inc-{number}")
        if number == 1:
            deployment.rest()
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")

    def told():
        noticing.look(deployment.database, deployment.world.now())
        return [(each["incident"], each["facts"]) for each in noticed(deployment) if each["event"] == "done"]

    assert told() == []
    deployment.rest()
    [(incident, facts)] = told()
    assert incident == "inc-1"
    assert '"dead":2' in facts


def test_the_end_of_what_was_merged_counts_a_credential_of_both_once_as_the_report_does(house):
    company, deployment = house
    stolen, _ = company.stolen("acme_api_token")
    for incident in ("inc-1", "inc-2"):
        deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident=incident)
    deployment.rest()
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    noticing.look(deployment.database, deployment.world.now())
    [facts] = [each["facts"] for each in noticed(deployment) if each["event"] == "done"]
    assert facts == '{"dead":1,"dismissed":0,"scheduled":0,"stated":0}'
