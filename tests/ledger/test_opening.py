"""When the runs of an approved plan begin: in waves with a brake, and what needs the rotator's own after that."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import event, text

from rotator.errors import Rejected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Lifeline
from rotator.ledger.database import Database
from rotator.ledger.due import DueWork
from rotator.ledger.gates import Gates
from rotator.ledger.opening import BRAKE
from rotator.ports.consumer import Told
from rotator.ports.store import Place
from tests.fakes.company import CONSUMER, SETTLE_S, founded
from tests.fakes.deployment import emptied, scoped
from tests.fakes.issuer import KeyIssuer
from tests.ledger.test_hands_at_once import LOOKS, somebody_waits

KEY = "aws_iam_access_key"
COUNT = 12


def production(company, number, *, told=CONSUMER, reads=()):
    ref, secret = company.plant(KEY, f"owner-{number}")
    place = Place("fake", "kv", f"owner-{number}/{KEY}")
    found = scoped(ref, secret, place, consumers=(told,), reads=reads)
    return replace(found, custody=replace(found.custody, environment="production"))


def begun(deployment):
    waits = {row["run"] for row in deployment.rows("branch") if row["segment"] == 0 and row["state"] == "waiting"}
    return Counter(row["wave"] for row in deployment.rows("run") if row["id"] not in waits)


def open_of(deployment, wave):
    return [
        step.reason
        for record in deployment.record().runs
        if record.run.wave == wave
        for step in record.steps[:1]
        if step.state.value == "pending"
    ]


def test_production_goes_in_waves_and_the_rest_at_once(tmp_path):
    company, deployment = founded(tmp_path)
    plain, _ = company.stolen("acme_api_token")
    plan = deployment.start([plain, *(production(company, number) for number in range(COUNT))])
    assert Counter(run.wave for run in plan.runs) == {0: 1, 1: 1, 2: 1, 3: COUNT - 2}
    assert begun(deployment) == {0: 1, 1: 1}
    assert open_of(deployment, 2) == ["wave 2 of 3: when nothing of wave 1 is at work"]
    deployment.rest()
    assert all(record.run.converged_at is not None for record in deployment.record().runs)
    wave_of = {record.run.ref.id: record.run.wave for record in deployment.record().runs}
    stopped = [wave_of[each] for each in company.world.done("issuer.suspend") if wave_of[each]]
    assert stopped == sorted(stopped)


def test_a_consumer_that_fails_trips_the_brake_until_a_person_opens_it(tmp_path):
    company, deployment = founded(tmp_path)
    company.outside.consumers["http://broken"] = Broken()
    found = [production(company, number) for number in range(COUNT)]
    riskiest = production(company, COUNT, told="http://broken", reads=("kv-2:x",))
    riskiest = replace(riskiest, custody=replace(riskiest.custody, criticality="critical"))
    deployment.start([*found, riskiest])
    deployment.rest()
    assert begun(deployment) == {1: 1}
    [gate] = [each for each in deployment.record().gates if each.name == BRAKE]
    assert (gate.is_open, gate.by) == (False, "rotator")
    assert "access_denied" in gate.reason
    assert all("the brake is on" in reason and "access_denied" in reason for reason in open_of(deployment, 3))
    assert len(open_of(deployment, 3)) == COUNT - 1
    assert not deployment.reading.progress("inc-1", company.world.now()).busy
    assert [record["act"] for record in deployment.evidence("inc-1")][-1] == "shut"
    Gates(deployment.database, company.world.now).set("inc-1", BRAKE, "ann", "one consumer is on leave", is_open=True)
    deployment.rest()
    assert begun(deployment) == {1: 1, 2: 1, 3: COUNT - 1}
    assert sum(record.run.converged_at is not None for record in deployment.record().runs) == COUNT


class Broken:
    """A consumer that refuses what it is told."""

    name = "http://broken"

    def reload(self, _notice):
        raise Rejected("access_denied")

    holding = reload


class Contented:
    """A consumer that refuses the new secret, and is content with its old one."""

    name = "http://broken"

    def reload(self, notice):
        if notice.replacement.id != notice.exposed.id:
            raise Rejected("access_denied")
        return Told("ok", notice.replacement.id)

    def holding(self, notice):
        return Told("ok", notice.replacement.id)


def until_it_fails(tmp_path, meanwhile):
    """Let the consumer of the first wave refuse, and a person act `meanwhile`, before anybody looks at the wave."""
    company, deployment = founded(tmp_path)
    company.outside.consumers["http://broken"] = Contented()
    found = [production(company, number) for number in range(COUNT)]
    riskiest = production(company, COUNT, told="http://broken", reads=("kv-2:x",))
    deployment.start([*found, replace(riskiest, custody=replace(riskiest.custody, criticality="critical"))])
    look, deployment.due.open_waves = deployment.due.open_waves, lambda: 0
    deployment.rest(patience_s=3600)
    assert deployment.steps("inc-1.r1")["reload"] == "failed"
    meanwhile(deployment)
    deployment.due.open_waves = look
    deployment.rest(patience_s=3600)
    return deployment


def take_back(deployment):
    shown = deployment.hands.undoing("inc-1.r1", "deliver")
    deployment.hands.undo("inc-1.r1", "deliver", "ann", "its consumer broke", shown)


def leave_out(deployment):
    deployment.hands.decide("inc-1.r1", "reload", skip=True, by="ann", reason="told by phone")


def test_a_consumer_that_failed_trips_the_brake_also_when_its_run_was_taken_back(tmp_path):
    deployment = until_it_fails(tmp_path, take_back)
    assert deployment.steps("inc-1.r1")["reload"] == "skipped"
    assert begun(deployment) == {1: 1}
    [gate] = [each for each in deployment.record().gates if each.name == BRAKE]
    assert (gate.is_open, gate.by) == (False, "rotator")
    assert gate.reason == "inc-1.r1 reload: undone from deliver on: ann: its consumer broke"
    deployment.gates.set("inc-1", BRAKE, "ann", "only that one", is_open=True)
    deployment.rest(patience_s=3600)
    assert begun(deployment) == {1: 1, 2: 1, 3: COUNT - 1}


def test_a_failure_that_a_person_has_answered_is_no_new_one_when_its_run_is_taken_back(tmp_path):
    deployment = until_it_fails(tmp_path, lambda deployment: deployment.due.open_waves())
    assert begun(deployment) == {1: 1}
    deployment.world.wait_until(deployment.world.now() + 60)
    deployment.gates.set("inc-1", BRAKE, "ann", "only that one", is_open=True)
    take_back(deployment)
    deployment.rest(patience_s=3600)
    assert begun(deployment) == {1: 1, 2: 1, 3: COUNT - 1}


@pytest.mark.parametrize("and_then", [lambda _deployment: None, take_back])
def test_who_skips_what_a_consumer_refused_says_that_it_is_all_right(tmp_path, and_then):
    def act(deployment):
        leave_out(deployment)
        and_then(deployment)

    deployment = until_it_fails(tmp_path, act)
    assert begun(deployment) == {1: 1, 2: 1, 3: COUNT - 1}
    assert [each for each in deployment.record().gates if each.name == BRAKE] == []


def test_a_leader_that_wakes_in_the_middle_of_its_look_begins_no_wave_over_a_shut_brake(postgresql, tmp_path):
    """It has read that wave 1 is through; meanwhile another began wave 2, of which a consumer failed."""
    database, of_the_old_one = Database(postgresql), Database(postgresql)
    database.migrate()
    company, deployment = founded(tmp_path, database=emptied(database))
    company.outside.consumers["http://broken"] = Contented()
    found = [production(company, number) for number in range(COUNT)]
    riskiest, second = (production(company, COUNT + 1), production(company, COUNT, told="http://broken"))
    urgent = zip((riskiest, second), ("critical", "high"), strict=True)
    deployment.start([*found, *(replace(it, custody=replace(it.custody, criticality=how)) for it, how in urgent)])
    look, deployment.due.open_waves = deployment.due.open_waves, lambda: 0
    deployment.rest(patience_s=3600)

    def freeze(_connection, _cursor, statement, parameters, *_more):
        """Have the first look that may write stand still when it has its snapshot."""
        if "FROM incident" in statement and "FOR UPDATE" in statement:
            wait = r"\1 (SELECT pg_advisory_xact_lock(7)) IS NOT NULL AND"
            statement = re.sub(r"(FROM incident\s+WHERE)", wait, statement, count=1)
        return statement, parameters

    event.listen(of_the_old_one.engine, "before_cursor_execute", freeze, retval=True)
    old = threading.Thread(target=DueWork(of_the_old_one, company.world.now).open_waves)
    with database.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(7)"))
        old.start()
        assert any(somebody_waits(database) for _ in range(LOOKS))
        deployment.due.open_waves = look
        deployment.rest(patience_s=3600)
        assert begun(deployment) == {1: 1, 2: 1}
    old.join(timeout=60)
    assert begun(deployment) == {1: 1, 2: 1}
    assert [row["wave"] for row in deployment.rows("incident")] == [2]
    assert [each.is_open for each in deployment.record().gates if each.name == BRAKE] == [False]
    of_the_old_one.close()
    database.close()


def test_a_wave_that_waits_for_readers_of_the_next_lets_it_begin(tmp_path):
    company, deployment = founded(tmp_path)
    deployment.start([production(company, number, reads=("kv:all/*",)) for number in range(COUNT)])
    deployment.rest()
    assert all(record.run.converged_at is not None for record in deployment.record().runs)


@pytest.fixture
def lifeline(tmp_path):
    """One key that the rotator itself uses on `aws`, reached through `aws-recovery`, and another of that account."""
    company, deployment = founded(tmp_path)
    other, _ = company.stolen(KEY, "ci")
    own, _ = company.stolen(KEY, "rotator")
    company.outside.providers[KEY, "aws-recovery"] = Way(KeyIssuer(company.aws, SETTLE_S), "aws")
    own = replace(own, ref=replace(own.ref, connection="aws-recovery"), lifeline=Lifeline("aws", ("aws",)))
    return company, deployment, own, other


class Way:
    """The issuer as its recovery connection reaches it."""

    def __init__(self, issuer, connection):
        self._issuer, self._connection = issuer, connection

    def __getattr__(self, name):
        found = getattr(self._issuer, name)
        if not callable(found):
            return found

        def through(ref, *args, **named):
            return found(replace(ref, connection=self._connection), *args, **named)

        return through


def test_the_rotators_own_goes_first_and_what_needs_its_connection_waits_for_the_new_one(lifeline):
    company, deployment, own, other = lifeline
    seen = []

    def meet(phase, what, _changes):
        if phase == "before" and what.startswith("issuer.") and what != "issuer.verify":
            seen.append(company.world.about)

    plan = deployment.declare([other, own])
    assert [run.ref.owner for run in plan.runs] == ["rotator", "ci"]
    assert [run.awaits for run in plan.runs] == [(), (own.ref,)]
    company.world.meet = meet
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    assert open_of(deployment, 0)[-1] == f"waits until the rotator's own {own.ref.id} (inc-1.r1) is replaced"
    deployment.rest()
    first = seen.index(other.ref.id)
    assert "rotator" in seen[:first]
    promoted = company.world.done("store.promote")
    assert [each.partition("/")[0] for each in promoted] == ["kv:rotator", "kv:ci"]
    assert all(record.run.converged_at is not None for record in deployment.record().runs)


def test_if_the_rotators_own_cannot_be_replaced_the_others_stay_where_they_are_and_say_so(lifeline):
    company, deployment, own, other = lifeline
    deployment.start([other, own])

    def refuse(phase, what, _changes):
        if (phase, what, company.world.about) == ("before", "issuer.issue", "rotator"):
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.rest()
    assert deployment.steps("inc-1.r1")["issue"] == "failed"
    assert set(deployment.steps("inc-1.r2").values()) == {"pending"}
    assert company.opens(other.ref, other.leaked.secret)
    assert open_of(deployment, 0) == [f"waits until the rotator's own {own.ref.id} (inc-1.r1) is replaced"]
    assert not deployment.reading.progress("inc-1", company.world.now()).busy


def undelivered(lifeline):
    """Let the rotator's own stand at its delivery, which the store denies."""
    company, deployment, own, other = lifeline
    deployment.start([other, own])

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "store.promote") and company.world.about.startswith("kv:rotator/"):
            raise Rejected("denied")

    company.world.meet = refuse
    deployment.rest(patience_s=3600)
    assert deployment.steps("inc-1.r1")["deliver"] == "failed"
    assert set(deployment.steps("inc-1.r2").values()) == {"pending"}
    return company, deployment, own, other


def skip(deployment, name):
    deployment.hands.decide("inc-1.r1", name, skip=True, by="ann", reason="I wrote it there by hand")


def test_waves_do_not_run_empty_while_their_runs_wait_for_the_rotators_own(lifeline):
    """Else all of production would begin at once as soon as it has been replaced."""
    company, deployment, own, _ = lifeline
    others = [company.stolen(KEY, f"app-{number}")[0] for number in range(12)]
    production = [replace(each, custody=replace(each.custody, environment="production")) for each in others]
    plan = deployment.start([own, *production], wanted=Strategy.CONTAIN_FIRST)
    assert plan.waves == 3
    begun = []

    def count(phase: str, what: str, _changes: bool) -> None:
        if (phase, what) == ("before", "ledger.claim"):
            begun.append(sum(each["acknowledged_at"] is not None for each in deployment.rows("run")))

    company.world.meet = count
    deployment.rest(patience_s=3600)
    # The rotator's own; then waves of one, of one more, and of all others.
    assert [here for before, here in pairwise([0, *begun]) if here != before][:3] == [1, 2, 3]
    assert all(each.run.replaced_at is not None for each in deployment.record().runs)


def test_what_waits_for_a_lifeline_that_stayed_in_a_merged_incident_begins_once_that_is_replaced(lifeline):
    company, deployment, own, other = lifeline
    deployment.start([own], incident="inc-2")
    plan = deployment.declare([other, own])
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    assert open_of(deployment, 0) == [f"waits until the rotator's own {own.ref.id} (inc-2.r1) is replaced"]
    deployment.rest(patience_s=3600)
    assert deployment.steps("inc-1.r2")["deliver"] == "done"
    assert not company.opens(other.ref, other.leaked.secret)


def test_the_next_wave_of_another_incident_is_no_work_of_this_one(tmp_path):
    company, deployment = founded(tmp_path)
    deployment.start([company.stolen("acme_api_token")[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    deployment.start([production(company, number) for number in range(COUNT)], incident="inc-2")
    look, deployment.due.open_waves = deployment.due.open_waves, lambda: 0
    deployment.rest()
    busy = {each: deployment.reading.progress(each, company.world.now()).busy for each in ("inc-1", "inc-2")}
    assert busy == {"inc-1": False, "inc-2": True}
    assert look() == 1


def test_who_skips_the_delivery_of_the_rotators_own_says_that_it_is_there(lifeline):
    company, deployment, _, other = undelivered(lifeline)
    skip(deployment, "deliver")
    deployment.rest(patience_s=3600)
    assert deployment.record().runs[0].run.replaced_at is None
    assert deployment.steps("inc-1.r2")["deliver"] == "done"
    assert not company.opens(other.ref, other.leaked.secret)


def test_a_delivery_that_was_skipped_by_an_undo_is_nobodys_word(lifeline):
    company, deployment, _, other = undelivered(lifeline)
    shown = deployment.hands.undoing("inc-1.r1", "issue")
    deployment.hands.undo("inc-1.r1", "issue", "ann", "the wrong one", shown)
    deployment.rest(patience_s=3600)
    assert deployment.steps("inc-1.r1")["deliver"] == "skipped"
    assert set(deployment.steps("inc-1.r2").values()) == {"pending"}
    assert company.opens(other.ref, other.leaked.secret)


def test_a_run_of_an_earlier_wave_that_fails_for_ever_keeps_no_later_one_waiting(tmp_path):
    company, deployment = founded(tmp_path)
    found = [production(company, number) for number in range(COUNT)]

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "issuer.suspend") and company.world.about == first:
            raise Rejected("access_denied")

    plan = deployment.declare(found)
    [first] = [run.ref.id for run in plan.runs if run.wave == 1]
    company.world.meet = refuse
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    deployment.rest()
    assert deployment.steps("inc-1.r1")["contain"] == "failed"
    assert [each for each in deployment.record().gates if each.name == BRAKE] == []
    assert begun(deployment) == {1: 1, 2: 1, 3: COUNT - 2}
    assert sum(record.run.converged_at is not None for record in deployment.record().runs) == COUNT - 1


def test_nobody_asks_for_less_than_a_replacement_of_the_rotators_own(lifeline):
    _, deployment, own, other = lifeline
    plan = deployment.declare([other, own], wanted=Strategy.REVOKE_ONLY)
    assert [run.strategy for run in plan.runs] == [Strategy.CONTAIN_FIRST, Strategy.REVOKE_ONLY]


class Died(BaseException):
    """The worker's process is gone."""


@pytest.mark.parametrize("fails", ["issuer.issue", "consumer"])
def test_a_comparison_that_comes_a_day_later_holds_back_neither_waves_nor_their_brake(tmp_path, fails):
    """A worker is lost in the first mint of a wave, so its run is compared once more a day later."""
    company, deployment = founded(tmp_path)
    company.outside.consumers["http://broken"] = Broken()
    found = [production(company, number) for number in range(COUNT)]
    first = production(company, COUNT, told="http://broken", reads=("kv-2:x",))
    plan = deployment.declare([*found, replace(first, custody=replace(first.custody, criticality="critical"))])
    [foremost] = [run.ref.id for run in plan.runs if run.wave == 1]
    died: list[bool] = []

    def meet(phase: str, what: str, _changes: bool) -> None:
        if (phase, what) == ("before", "issuer.issue"):
            if not died:
                died.append(True)
                raise Died
            if fails == what and begun(deployment) == {1: 1}:
                raise Rejected("access_denied", "no")

    company.world.meet = meet
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    with pytest.raises(Died):
        deployment.rest()
    deployment.rest(deployment.recover(), patience_s=3600.0)
    of_first = next(each for each in deployment.record().runs if each.run.ref.id == foremost)
    assert {step.name: step.state.value for step in of_first.steps}["compare_long_lost"] == "held"
    if fails == "consumer":
        assert begun(deployment) == {1: 1}
        assert any(gate.name == "brake" for gate in deployment.record().gates)
    else:
        assert sum(begun(deployment).values()) == COUNT + 1
