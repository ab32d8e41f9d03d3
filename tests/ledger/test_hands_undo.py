"""An undo leaves no consumer on what is refused unsaid, whatever the kind, the strategy and the order of several."""

from __future__ import annotations

import itertools
import json

import pytest
from sqlalchemy import insert

from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.playbook_words import Strategy
from rotator.flow.standing import still_open
from rotator.flow.step import LEASE_S
from rotator.ledger import tables
from rotator.ports.consumer import Told
from rotator.ports.provider import State
from tests.fakes.company import CONSUMER, founded
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import SEAL, WEEK, broken_chains, emptied, sqlite
from tests.ledger.test_hands import hold, undone

KEY, TOKEN, DOORS = "aws_iam_access_key", "acme_api_token", "ssh_authorized_key"
RUN = "inc-1.r1"


class Careful(FakeConsumer):
    """A consumer that tries what it reads, and keeps what it has where that does not work."""

    company = None

    def reload(self, notice):
        before = self.company.holders().get(self.name)
        told = super().reload(notice)
        if before is None or works(self.company, told.using):
            return told
        with self._world.open() as state:
            state["consumers"][self.name] = before
        return Told("kept what works", before)


class Silent(FakeConsumer):
    """A consumer that never says what it holds."""

    def __init__(self, world, name):
        super().__init__(world, name, silent=True)


def works(company, credential):
    """Tell whether a credential opens what it is for, by what its issuer's door knows now."""
    found = company.credential(credential)
    if found["doors"]:
        return all(door["open"] for door in found["doors"].values())
    with company.world.open() as state:
        return company.aws.felt(state, found) == State.ACTIVE.value


def responded(house, kind=KEY, wanted=None, consumer=FakeConsumer):
    """Respond, up to the week before the destruction, with such a consumer."""
    company, deployment = house
    made = company.outside.consumers[CONSUMER] = consumer(company.world, CONSUMER)
    made.company = company
    stolen, secret = company.stolen(kind)
    hold(company, stolen, secret)
    deployment.start([stolen], wanted=wanted)
    deployment.rest(patience_s=3600)
    return company, deployment, stolen, secret


def open_lines(deployment, incident="inc-1"):
    [record] = deployment.record(incident).runs
    return still_open(record.run, record.steps)


def test_who_kept_what_works_is_told_again_when_the_old_one_opens_and_then_only_the_new_one_goes(house):
    company, deployment, stolen, _ = responded(house, consumer=Careful)
    replacement = company.holders()[CONSUMER]
    undone(deployment, "deliver")
    deployment.rest(patience_s=3600)
    assert company.holders() == {CONSUMER: replacement}
    assert deployment.steps()["undo_converged"] == "held"
    undone(deployment, "contain")
    deployment.rest()
    assert company.holders() == {CONSUMER: stolen.ref.id}
    assert company.living(stolen.ref) == {stolen.ref.id}
    steps = deployment.steps()
    assert (steps["undo_reload_2"], steps["undo_converged_2"], steps["undo_issue"]) == ("done", "done", "done")
    assert broken_chains(deployment) == []


def test_the_replacement_is_never_taken_from_a_consumer_that_keeps_it(house):
    company, deployment, stolen, _ = responded(house, consumer=Careful)
    replacement = company.holders()[CONSUMER]
    assert undone(deployment, "issue").strands
    deployment.rest()
    assert replacement in company.living(stolen.ref)
    assert deployment.steps()["undo_issue"] == "pending"
    # The right undo takes the place of what was not done yet.
    undone(deployment, "contain")
    deployment.rest()
    assert company.holders() == {CONSUMER: stolen.ref.id}
    assert company.living(stolen.ref) == {stolen.ref.id}


def test_a_silent_consumer_keeps_the_replacement_alive_until_a_person_says_so(house):
    company, deployment, stolen, _ = responded(house, consumer=Silent)
    undone(deployment, "contain")
    deployment.rest()
    assert deployment.steps()["undo_issue"] == "held"
    [replacement] = company.living(stolen.ref) - {stolen.ref.id}
    [line] = open_lines(deployment)
    assert line == f"undo_issue: held (consumers may still hold {replacement}: {CONSUMER} does not say)"
    deployment.hands.decide(RUN, "undo_issue", skip=False, by="ann", reason="I asked them on the phone")
    deployment.rest()
    assert company.living(stolen.ref) == {stolen.ref.id}
    [retried] = [each for each in deployment.evidence("inc-1") if each["act"] == "retried"]
    assert retried["accepts"] == [replacement]
    assert any("may still hold" in each and "was taken away" in each for each in open_lines(deployment))


def test_what_a_person_delivered_by_hand_is_not_taken_from_consumers(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)

    def refuse(phase, what, _changes):
        if (phase, what) == ("before", "store.promote"):
            raise Rejected("denied")

    company.world.meet = refuse
    deployment.start([stolen])
    deployment.rest(patience_s=3600)
    company.world.meet = lambda *_: None
    [record] = deployment.record().runs
    [place] = stolen.custody.deliver
    company.outside.stores["kv"].put(place.name, json.dumps({"id": record.run.replacement, "secret": "by hand"}))
    deployment.hands.decide(RUN, "deliver", skip=True, by="ann", reason="I wrote it there")
    deployment.rest(patience_s=3600)
    assert company.holders() == {CONSUMER: record.run.replacement}
    undone(deployment, "contain")
    deployment.rest()
    held = works(company, company.holders()[CONSUMER])
    assert held or "may still hold" in open_lines(deployment)[0]
    assert held


@pytest.mark.parametrize("known", [True, False])
def test_consumers_keep_what_they_have_while_what_was_resumed_does_not_open(house, known):
    company, deployment, stolen, secret = responded(house)
    replacement = company.holders()[CONSUMER]
    if known:  # else only the issuer can be asked: its secret was destroyed with the first proof
        with deployment.database.write() as connection:
            sealed = {"run": RUN, "blob": SEAL.close(secret, RUN), "expires_at": company.world.now() + WEEK}
            connection.execute(insert(tables.sealed).values(**sealed))
    resume = company.outside.provider(stolen.ref).resume
    company.outside.provider(stolen.ref).resume = lambda _ref: None  # it says yes, and nothing comes of it
    undone(deployment, "contain")
    deployment.rest()
    [place] = stolen.custody.deliver
    assert (company.delivered(stolen.ref, place)[0].id, company.holders()[CONSUMER]) == (replacement, replacement)
    [line] = open_lines(deployment)
    assert line.startswith("open_again: held (it was resumed, and does not open yet")
    company.outside.provider(stolen.ref).resume = resume
    resume(stolen.ref)
    deployment.hands.decide(RUN, "open_again", skip=False, by="ann", reason="I enabled it in the console")
    deployment.rest()
    assert company.holders() == {CONSUMER: stolen.ref.id}
    assert works(company, stolen.ref.id)


CASES = [
    (KEY, Strategy.CONTAIN_FIRST, ("deliver", "issue", "contain")),
    (KEY, Strategy.REPLACE_FIRST, ("retire", "deliver", "issue")),
    (TOKEN, Strategy.REPLACE_FIRST, ("retire", "deliver", "issue")),
    (DOORS, Strategy.CONTAIN_FIRST, ("deliver", "install")),
    ("vault_token", Strategy.CONTAIN_FIRST, ("deliver", "issue")),
]
ORDERS = [
    (kind, strategy, order)
    for kind, strategy, names in CASES
    for count in (1, 2, 3)
    for order in itertools.combinations(names, count)
]


class Watch:
    """See at every exchange that a consumer that holds what is refused has an open line that says so."""

    def __init__(self, company, deployment):
        self.company, self.deployment, self.met, self.unsaid = company, deployment, 0, []

    def __call__(self, phase, what, _changes):
        if phase == "after" and not what.startswith("ledger."):
            self.met += 1
            self.look(what)

    def look(self, what):
        held = self.company.holders()[CONSUMER]
        if works(self.company, held):
            return
        lines = open_lines(self.deployment)
        said = [each for each in lines if "refused" in each or "may still hold" in each or "open_again" in each]
        unfinished = [each for each in lines if "pending" in each or "running" in each]
        if not said and not unfinished:
            self.unsaid.append((what, held, lines))


@pytest.mark.parametrize("consumer", [FakeConsumer, Careful, Silent])
@pytest.mark.parametrize(("kind", "strategy", "order"), ORDERS, ids=str)
def test_no_consumer_stays_on_what_is_refused_unsaid(tmp_path, kind, strategy, order, consumer):
    house = founded(tmp_path)
    company, deployment, _, _ = responded(house, kind, strategy, consumer)
    watch = company.world.meet = Watch(company, deployment)
    for name in order:
        undone(deployment, name)
        deployment.rest(patience_s=3600)
        watch.look(f"after {name}")
    assert watch.met
    assert watch.unsaid == []
    # At rest: who holds what is refused is told of in words, not by what is only pending.
    if not works(company, company.holders()[CONSUMER]):
        assert any("refused" in each or "may still hold" in each for each in open_lines(deployment))
    if consumer is Careful:
        assert works(company, company.holders()[CONSUMER])
    assert broken_chains(deployment) == []


class Died(BaseException):
    """A worker's end."""


class Dying:
    """Kill the worker at its so-manieth exchange or use of the ledger; then let everything happen."""

    def __init__(self, world, at):
        self.world, self.left = world, at

    def __call__(self, phase, what, _changes):
        self.left -= 1
        if self.left == 0:
            raise Died(f"{phase} {what}")


@pytest.mark.parametrize(("name", "wanted"), [("contain", Strategy.CONTAIN_FIRST), ("issue", Strategy.REPLACE_FIRST)])
def test_an_undo_whose_worker_dies_anywhere_ends_the_same(tmp_path, is_tried, name, wanted):
    """At any boundary of it; the first that is past its end shows that it was gone through."""
    database = sqlite(tmp_path / "ledger.db")
    for at in filter(is_tried, itertools.count(1)):
        house = founded(tmp_path, database=emptied(database))
        company, deployment, stolen, _ = responded(house, KEY, wanted, Careful)
        undone(deployment, name)
        company.world.meet = Dying(company.world, at)
        try:
            deployment.rest(patience_s=3600)
        except Died:
            pass
        else:
            break
        watch = company.world.meet = Watch(company, deployment)
        deployment.rest(deployment.recover())
        assert (at, watch.unsaid) == (at, [])
        assert (at, company.holders()) == (at, {CONSUMER: stolen.ref.id})
        assert (at, company.living(stolen.ref)) == (at, {stolen.ref.id})
        assert broken_chains(deployment) == []
    assert at > 20


@pytest.mark.parametrize("name", ["retire", "deliver"])
def test_a_suspension_whose_answer_was_lost_is_taken_back_too(house, name):
    company, deployment = house
    stolen, secret = company.stolen(TOKEN)
    hold(company, stolen, secret)

    def lose(phase, what, _changes):
        if (phase, what) == ("after", "issuer.suspend"):
            raise Uncertain("timeout")

    company.world.meet = lose
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    worker = deployment.engine()
    for _ in range(100):
        [record] = deployment.record().runs
        [retire] = [step for step in record.steps if step.name == "retire"]
        if retire.attempts and retire.state.value == "pending":
            break
        for branch, _lane in deployment.due.take_due(10):
            worker.advance(branch)
        company.world.wait_until(company.world.now() + 1)
    company.world.meet = lambda *_: None
    deployment.stops.stop("inc-1", "ann", "look first", ())
    assert undone(deployment, name).resumes
    deployment.stops.lift("inc-1", "ann", "go on", ())
    deployment.rest()
    company.world.wait_until(company.world.now() + 60)
    assert works(company, stolen.ref.id)
    assert works(company, company.holders()[CONSUMER])


def test_a_mint_that_was_taken_back_replaces_nothing_in_a_later_incident(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)

    def refuse(_phase, what, _changes):
        if what == "issuer.verify" and company.living(stolen.ref) - {stolen.ref.id}:
            raise Unavailable("unreachable")  # from then on: the replacement never seen to work

    company.world.meet = refuse
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    company.world.meet = lambda *_: None
    places = {stolen.ref: stolen.custody.deliver}
    assert deployment.reading.answered(places) == {stolen.ref: "inc-1.r1"}
    undone(deployment, "contain")
    deployment.rest(patience_s=3600)
    assert deployment.reading.answered(places) == {}


@pytest.mark.parametrize(("call", "name"), [("store.promote", "deliver"), ("issuer.suspend", "contain")])
def test_what_lost_its_worker_is_taken_back_when_its_call_can_land_no_more(house, call, name):
    """A frozen worker's call could else land afterwards: on consumers given back the old, or on a resumed one."""
    company, deployment = house
    frozen = []

    def freeze(phase, what, _changes):
        if (phase, what) == ("before", call) and not frozen:
            frozen.append(what)
            raise Died

    company.world.meet = freeze
    with pytest.raises(Died):
        responded(house)
    deployment.rest(deployment.recover(), patience_s=3600)
    [stolen] = [run.run.ref for run in deployment.record().runs]
    before = company.living(stolen)
    undone(deployment, name)
    deployment.rest(patience_s=LEASE_S / 2)
    assert deployment.steps()[f"undo_{name}"] == "held"
    assert company.living(stolen) == before
    deployment.rest(patience_s=3600)
    assert {"done"} == {state for step, state in deployment.steps().items() if step.startswith("undo_")}
    assert broken_chains(deployment) == []
