"""A canary's life between fakes: killed at every moment it is found again, and what goes wrong is said."""

from __future__ import annotations

import pytest

from rotator.canary import Calls, cannot, living_one, remove
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.proof import Evidence
from rotator.ports.provider import Answer, State, Verdict
from rotator.trial import Trial
from tests.fakes.canaries import Kept
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer, KeyIssuer
from tests.fakes.passwords import PasswordIssuer
from tests.fakes.world import START, World

MARKER = "rotator-canary-1"


class Killed(BaseException):
    """The process is gone: nothing of it does anything any more."""


def doors(issuer):
    return DoorIssuer(issuer, ("web-1", "web-2"))


def die(*_):
    raise Killed


class Scene:
    """One issuer with an owner's credential, and somebody else's."""

    def __init__(self, sort=KeyIssuer, quota=None, **pace):
        self.world, self.kept = World(), Kept()
        issuer = Issuer(self.world, "aws_iam_access_key", "aws", quota=quota, **pace)
        self.provider = sort(issuer)
        self.provider.settle_s = 10.0
        self.ref, self.secret = self.provider.plant("ci") if hasattr(self.provider, "plant") else issuer.plant("ci")
        self.calls = Calls(self.world.now)

    def wait(self, seconds):
        self.world.wait_until(self.world.now() + seconds)

    def alive(self):
        with self.world.open() as state:
            return {name for name, each in state["credentials"].items() if lives(each)}

    def live(self):
        trial = Trial(self.provider, self.kept, self.calls, self.wait)
        trial.live(living_one(self.provider, self.ref.with_id(""), self.calls), MARKER)
        return trial

    def after_a_restart(self):
        """Take away what is left behind, as the next run does; as long as nobody can say, later once more."""
        for each in list(self.kept.alive.values()):
            try:
                remove(self.provider, each, self.kept, self.calls)
            except Unavailable:
                self.wait(200.0)
                remove(self.provider, each, self.kept, self.calls)


def lives(credential):
    opens = any(door["open"] for door in credential["doors"].values())
    return opens or credential.get("state", State.ABSENT) != State.ABSENT


@pytest.mark.parametrize("sort", [KeyIssuer, PasswordIssuer, doors])
def test_killed_at_any_exchange_it_leaves_no_canary_behind_and_touches_nothing_else(sort):
    whole = moments(Scene(sort), None)
    assert whole > 12
    for number in range(whole):
        scene = Scene(sort)
        before = scene.alive()
        moments(scene, number)
        scene.world.meet = scene.kept.meet = lambda *_: None
        scene.after_a_restart()
        assert scene.alive() == before, number
        assert scene.kept.alive == {}, number


@pytest.mark.parametrize("sort", [KeyIssuer, PasswordIssuer, doors])
def test_killed_while_it_takes_away_what_was_left_it_is_taken_away_by_the_run_after_that(sort):
    def left(killed_at):
        """Return a scene whose canary was let in when it was killed, and how many moments the next run lived."""
        scene = Scene(sort)
        before = scene.alive()

        def die_at_the_first_knock(_, what, _changes):
            if what.startswith("issuer.verify"):
                scene.world.meet = scene.kept.meet = die
                die()

        scene.world.meet = die_at_the_first_knock
        with pytest.raises(Killed):
            scene.live()
        assert scene.alive() != before
        return scene, before, moments(scene, killed_at, work=scene.after_a_restart)

    whole = left(None)[2]
    assert whole >= 4
    for number in range(whole):
        scene, before, _ = left(number)
        scene.world.meet = scene.kept.meet = lambda *_: None
        scene.after_a_restart()
        assert (scene.alive(), scene.kept.alive) == (before, {}), number


def moments(scene, killed_at, work=None):
    """Count the moments of a trial; the process is killed at the one of that number, and does nothing afterwards."""
    count = 0

    def meet(*_):
        nonlocal count
        if killed_at is not None and count >= killed_at:
            raise Killed
        count += 1

    scene.world.meet = scene.kept.meet = meet
    try:
        (work or scene.live)()
    except Killed:
        assert killed_at is not None
    return count


def test_the_marker_of_a_lost_mint_finds_it_and_of_two_that_may_be_it_none_is_touched():
    scene = Scene()

    def lose(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue"):
            raise Uncertain("timeout", "nobody knows")

    scene.world.meet = lose
    with pytest.raises(Uncertain):
        scene.live()
    assert scene.alive() == {scene.ref.id}  # the one that appeared, unused and in the window, was ours

    def lose_among_others(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue"):
            scene.world.meet = lambda *_: None
            scene.provider.issue(scene.ref, "", {})
            raise Uncertain("timeout", "nobody knows")

    scene.world.meet = lose_among_others
    with pytest.raises(Uncertain, match="timeout"):
        scene.live()
    assert len(scene.alive()) == 3
    [left] = scene.kept.alive.values()
    with pytest.raises(Uncertain, match="may be a canary"):
        remove(scene.provider, left, scene.kept, scene.calls)
    assert len(scene.alive()) == 3


def test_one_refusal_is_no_death_and_a_stop_takes_its_time():
    scene = Scene(propagation_s=40.0)
    trial = scene.live()
    assert trial.seen.evidence is Evidence.PROVEN
    assert trial.seen.dead_at - trial.seen.acknowledged_at >= 40.0
    assert trial.seen.proven_at - trial.seen.dead_at >= 10.0
    assert trial.seen.requested_at >= START


def test_what_stays_alive_is_never_called_dead_and_is_taken_away_as_far_as_can_be():
    scene = Scene()
    scene.provider.verify = lambda _ref, _secret: Verdict(Answer.ACCEPTED, "ok")
    with pytest.raises(Rejected, match="not_proven_dead"):
        scene.live()
    assert scene.alive() == {scene.ref.id}


def test_a_full_quota_is_said_and_nothing_is_kept():
    scene = Scene(quota=1)
    with pytest.raises(Rejected, match="quota"):
        scene.live()
    assert scene.kept.alive == {}
    assert [each.answer for each in scene.calls.made if each.name == "issue"] == ["rejected quota"]


@pytest.mark.parametrize("error", [Rejected("quota"), Unavailable("down")])
def test_what_somebody_else_makes_while_a_canary_is_refused_is_left_alone(error):
    scene = Scene()

    def be_first(phase, what, _changes):
        if (phase, what) == ("before", "issuer.issue"):
            scene.world.meet = lambda *_: None
            scene.provider.issue(scene.ref, "", {})
            raise error

    scene.world.meet = be_first
    with pytest.raises(type(error)):
        scene.live()
    assert len(scene.alive()) == 2
    assert scene.kept.alive == {}


def test_somebody_elses_that_is_gone_meanwhile_is_told():
    scene = Scene()
    other = scene.ref

    def lose_another(phase, what, _changes):
        if (phase, what) == ("before", "issuer.revoke"):
            scene.world.meet = lambda *_: None
            with scene.world.open() as state:
                state["credentials"][other.id]["state"] = State.ABSENT.value

    scene.world.meet = lose_another
    with pytest.raises(Rejected, match="others_gone"):
        scene.live()


def test_the_rotators_own_is_never_what_a_canary_is_like():
    scene = Scene()
    own = scene.ref.id

    class Aware(KeyIssuer):
        def own(self):
            return own

    scene.provider = Aware(scene.provider.at)
    assert living_one(scene.provider, scene.ref.with_id(""), scene.calls).id == ""
    assert cannot(scene.provider) == ""
