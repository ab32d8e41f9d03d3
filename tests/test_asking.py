"""Issuers are asked what was made since: each once, within bounds; what is told is followed, no look stops a plan."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from rotator import asking
from rotator.asking import Asking
from rotator.credential import CredentialRef, Leaked
from rotator.errors import Rejected, Unavailable
from rotator.flow.exposure import Certainty, Exposure
from rotator.flow.scope import UNKNOWN_CUSTODY, Scoped
from rotator.ports.listing import Made, MintedSince

SINCE = 1_700_000_000.0


@dataclass
class Issuer:
    """Tells of what was made with each id; `asked` are the ids in order. An error is raised as often as it is there."""

    tells: dict[str, MintedSince] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, float]] = field(default_factory=list)

    def minted_since(self, ref, since):
        self.asked.append((ref.id, since))
        if self.errors:
            raise self.errors.pop(0)
        return self.tells.get(ref.id, MintedSince("its list"))


def exposed(name, kind="token", connection="prod", **of):
    ref = CredentialRef(kind, connection, "ci", name)
    seen = Exposure("list", kind, Leaked(id=name), path="leak.txt", **of)
    return Scoped(ref, kind, Leaked(id=name), (seen,), UNKNOWN_CUSTODY, "seen")


def asks(issuer, **of):
    return Asking(
        **{
            "provider": lambda _kind, _connection: issuer,
            "ours": lambda _ids: frozenset(),
            "pause": lambda _seconds: None,
            "concurrency": 4,
            "exposed_at": SINCE,
            **of,
        }
    )


def made(name, **of):
    return Made("a token", name, SINCE + 60, "token", "ci", name, **of)


def test_what_was_made_is_an_exposure_with_its_way_and_what_no_kind_ends_a_task():
    door = Made("a webhook", "7 of app", SINCE + 60, mend="delete it")
    issuer = Issuer({"a": MintedSince("its list", (made("b"), door), cannot_tell=("the rest",))})
    found = asks(issuer).about([exposed("a")])
    [exposure], [task] = found.exposures, found.unresolved
    assert (exposure.rule, exposure.leaked.id, exposure.leaked.connection) == ("token", "b", "prod")
    assert (exposure.certainty, exposure.seen_at) == (Certainty.REACHABLE, datetime.fromtimestamp(SINCE + 60, UTC))
    assert [link.partition(" ")[0] for link in exposure.via] == ["token", "prod"]
    assert (task.key, task.mend) == ("a webhook 7 of app", "delete it")


def test_each_is_asked_once_and_those_that_were_made_do_not_say_it_back():
    issuer = Issuer({"a": MintedSince("its list", (made("b"),)), "b": MintedSince("its list", (made("a"),))})
    asked = asks(issuer)
    asked.about([exposed("a")])
    found = asked.about([exposed("a"), exposed("b")])
    assert [name for name, _ in issuer.asked] == ["a", "b"]
    assert [each.leaked.id for each in found.exposures] == ["b"]
    assert asked.busy == {exposed("a").ref}


def test_what_our_own_runs_made_is_not_a_thiefs():
    issuer = Issuer({"a": MintedSince("its list", (made("ours"), made("theirs")))})
    found = asks(issuer, ours=lambda ids: frozenset(ids) & {"ours"}).about([exposed("a")])
    assert [each.leaked.id for each in found.exposures] == ["theirs"]


def test_what_nobody_tells_the_maker_of_is_one_task_for_each_sort_and_cuts_nothing():
    some = tuple(made(f"t{number}", sure=False) for number in range(5))
    found = asks(Issuer({"a": MintedSince("its list", some), "b": MintedSince("its list", some)})).about(
        [exposed("a"), exposed("b")]
    )
    assert found.exposures == ()
    [task] = found.unresolved
    assert "a token: 5 made on prod since" in task.reason
    assert "t0, t1, t2 and 2 more" in task.reason


@pytest.mark.parametrize(
    ("errors", "calls"),
    [([Rejected("permission_denied")], 1), ([Unavailable("away")] * 3, 3), ([KeyError("secret")], 1)],
)
def test_a_look_that_fails_is_a_warning_without_what_it_held(errors, calls):
    issuer = Issuer(errors=list(errors))
    asked = asks(issuer)
    assert asked.about([exposed("a")]).exposures == ()
    [warning] = asked.warnings
    assert "prod cannot tell what was made with token a" in warning
    assert "secret" not in warning
    assert len(issuer.asked) == calls


def test_an_issuer_that_comes_back_is_heard():
    issuer = Issuer({"a": MintedSince("its list", (made("b"),))}, [Unavailable("throttled", retry_after=90.0)])
    pauses: list[float] = []
    assert asks(issuer, pause=pauses.append).about([exposed("a")]).exposures
    assert pauses == [2.0]


def test_a_connection_is_asked_about_the_surest_and_no_more_than_its_bound(monkeypatch):
    monkeypatch.setattr(asking, "MOST", 2)
    issuer = Issuer()
    asked = asks(issuer)
    asked.about([exposed("z"), exposed("a", certainty=Certainty.INFERRED), exposed("b", certainty=Certainty.REACHABLE)])
    assert [name for name, _ in issuer.asked] == ["z", "b"]
    assert any("1 token" in each and "2 at most" in each for each in asked.says)


def test_nobody_is_asked_since_when_nobody_knows_and_no_issuer_that_keeps_no_record():
    issuer = Issuer()
    told = datetime.fromtimestamp(SINCE, UTC)
    asked = asks(issuer, exposed_at=None)
    asked.about([exposed("a"), exposed("b", seen_at=told)])
    assert issuer.asked == [("b", SINCE)]
    assert any("--exposed-at" in each for each in asked.says)
    mute = asks(object())
    mute.about([exposed("a")])
    assert mute.says == (
        "nobody was asked what was made with 1 token: their issuers keep no record of it that rotator reads",
    )


def test_a_log_that_is_none_is_a_failed_look():
    asked = asks(Issuer({"a": MintedSince("a trail", log=('{"eventName": 1}',))}))
    asked.about([exposed("a")])
    assert "it has no eventTime" in asked.warnings[0]


def test_the_plan_says_how_much_is_told_and_what_cannot_be():
    answers = {"a": MintedSince("its list", (made("b"), made("c", sure=False)), cannot_tell=("what it wrote",))}
    asked = asks(Issuer(answers))
    asked.about([exposed("a")])
    [said] = asked.says
    assert said.endswith("by whom it does not tell; it cannot tell what it wrote")
    assert said.startswith("prod (its list) tells of 1 made with a since 2023-11-14T22:13:20Z, and of 1 by whom")
    all_of_it = asks(Issuer())
    all_of_it.about([exposed("a"), replace(exposed("b"), kind="token")])
    assert all_of_it.says[0].endswith("tells of 0 made with 2 token since 2023-11-14T22:13:20Z; that is all")


@pytest.mark.parametrize("at", [datetime.fromisoformat("9999-12-31T23:59:59-12:00").timestamp(), -6.3e10, 1e300])
@pytest.mark.parametrize("sure", [True, False])
def test_a_date_that_no_clock_can_show_hides_nothing_and_stops_no_plan(at, sure):
    one = replace(made("b", sure=sure), at=at)
    asked = asks(Issuer({"a": MintedSince("its list", (one, replace(one, kind="", id="", subject="door")))}))
    found = asked.about([exposed("a")])
    assert len(found.exposures) == (1 if sure else 0)
    assert len(found.unresolved) == 1
    assert asked.warnings == ()


def test_an_exposure_before_the_first_year_is_asked_about():
    asked = asks(Issuer(), exposed_at=datetime.fromisoformat("0001-01-01T00:00:00+14:00").timestamp())
    asked.about([exposed("a")])
    assert "since 0001-01-01T00:00:00Z" in asked.says[0]


def test_a_record_that_nobody_can_read_costs_the_others_nothing_and_is_counted():
    at = "2023-11-14T22:20:00Z"
    key = {"accessKey": {"accessKeyId": "AKIAEXAMPLEEXAMPLE02", "userName": "ci"}}
    act = {
        "eventTime": at,
        "eventName": "CreateAccessKey",
        "userIdentity": {"accessKeyId": "a"},
        "responseElements": key,
    }
    asked = asks(Issuer({"a": MintedSince("a trail", log=("{", json.dumps(act, indent=1), "7"))}))
    [exposure] = asked.about([exposed("a")]).exposures
    assert exposure.leaked.id == "AKIAEXAMPLEEXAMPLE02"
    assert any("it cannot tell what stands in 2 records of its log that nobody can read" in each for each in asked.says)
    assert not asked.warnings
