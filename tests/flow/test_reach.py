"""Every credential that was within reach of a bad package is found, with the links that say why, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from rotator.credential import CredentialRef
from rotator.flow.exposure import Certainty, group
from rotator.flow.harvest import HARVESTED
from rotator.flow.inventory import Entry
from rotator.flow.reach import reachable
from rotator.flow.scope import ConsumerAddress, Custody
from rotator.flow.site import Site, site
from rotator.playbook_file import SHIPPED
from rotator.ports.store import Place

KEY = "aws_iam_access_key"
BUILD = "job:org/app/build"
SURE, LIKELY = Certainty.REACHABLE, Certainty.INFERRED


@dataclass(frozen=True)
class Found:
    """A hit, as `packages/` finds one."""

    site: Site
    sureness: str = "installed"
    package: str = "litellm"
    version: str = "1.82.7"
    since: datetime | None = datetime(2026, 3, 24, 10, 52, tzinfo=UTC)
    path: str = "123.log"
    line: int | None = 88


def hit(where, sureness="installed", **told):
    return Found(site(where), sureness, **told)


def entry(*sites, deliver=(), consumers=(), **match):
    match = match or {"provider": KEY, "owner": "ci", "id": "AKIA1"}
    custody = Custody(match, reachable_from=tuple(map(site, sites)), deliver=deliver, consumers=consumers)
    return Entry(custody, "own.csv, line 2")


def reached(*given):
    return list(reachable(*given).exposures)


def test_a_link_says_each_step_on_the_way():
    [found] = reached([hit(BUILD)], [entry(BUILD)])
    assert found.via == (
        "litellm 1.82.7 was installed at job:org/app/build (123.log:88), not before 2026-03-24T10:52Z",
        "aws_iam_access_key ci AKIA1 is within reach there (inventory: own.csv, line 2)",
    )
    assert (found.certainty, found.where, found.leaked.id) == (SURE, "123.log:88", "AKIA1")
    assert found.seen_at == datetime(2026, 3, 24, 10, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("evidence", "sureness", "named", "certainty"),
    [
        (BUILD, "installed", BUILD, SURE),
        (BUILD, "fetched", BUILD, LIKELY),
        (BUILD, "locked", BUILD, LIKELY),
        (BUILD, "allowed", BUILD, LIKELY),
        (BUILD, "installed", "repository:org/app", SURE),  # all of its jobs
        (BUILD, "installed", "repository:org", SURE),
        ("repository:org/app", "locked", BUILD, LIKELY),
        ("repository:org/app", "installed", BUILD, LIKELY),  # which of its jobs, nobody says
        ("container:r/app:1.2", "installed", "container:r/app", SURE),
        ("container:r/app:1.2@sha256:ab", "installed", "container:r/app", SURE),
        ("host:ci-7.corp.example", "installed", "host:ci-7", LIKELY),
        ("host:ci-7", "installed", "host:ci-7.corp.example", LIKELY),
    ],
)
def test_how_sure_it_is_follows_from_the_evidence_and_from_what_the_entry_names(evidence, sureness, named, certainty):
    [found] = reached([hit(evidence, sureness)], [entry(named)])
    assert found.certainty is certainty
    assert ("part of" in found.via[1] or "may be" in found.via[1]) is (evidence != named)


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        (BUILD, "job:org/app/test"),
        (BUILD, "repository:org/ap"),
        (BUILD, "host:ci-7"),
        ("host:a.x.example", "host:a.y.example"),
        ("host:10.0.0.1", "host:10"),
        ("container:r/app:1", "container:r/app:2"),
        ("container:r:5000/app", "container:r"),
        ("repository:org/app2", BUILD),
    ],
)
def test_another_place_is_no_path(evidence, named):
    assert reached([hit(evidence)], [entry(named)]) == []


def test_where_a_consumer_lives_and_what_a_repository_is_given_are_within_reach_too():
    on_host = entry(consumers=(ConsumerAddress("systemd_unit", ("", "ci-7", "app"), "ci-7"),))
    given = entry(deliver=(Place("github_actions_secret", "gh", "Org/App:KEY@prod"), Place("vault_kv", "v", "x")))
    group_ = entry(deliver=(Place("gitlab_variable", "gl", "groups/org:KEY"),))
    for evidence, one, why in (
        ("host:ci-7", on_host, "used there by"),
        (BUILD, given, "github_actions_secret"),
        (BUILD, group_, "gitlab_variable"),
    ):
        [found] = reached([hit(evidence)], [one])
        assert (found.certainty, why in found.via[-1]) == (SURE, True)


def test_the_surest_finding_of_a_site_speaks_and_the_others_are_counted():
    evidence = [hit(BUILD, "locked"), hit(BUILD), hit(BUILD, version="1.82.8", since=None)]
    [found] = reached(evidence, [entry(BUILD)])
    assert "1.82.7 was installed" in found.via[0]
    assert "2 more such findings there" in found.via[0]


def test_an_owners_entry_stands_for_each_of_his_credentials_that_issuers_list():
    known = [CredentialRef(KEY, "aws", "ci", "AKIA1"), CredentialRef(KEY, "aws", "ci", "AKIA2")]
    others = [CredentialRef(KEY, "aws", "app", "AKIA3"), CredentialRef("vault_approle_secret_id", "v", "ci", "x")]
    app = entry("host:elsewhere", provider=KEY, owner="app")
    found = reached([hit(BUILD)], [entry(BUILD, provider=KEY, owner="ci"), app], [*known, *others])
    assert {each.leaked.id for each in found} == {"AKIA1", "AKIA2"}
    assert all("that its issuer lists" in each.via[-1] for each in found)
    assert {each.leaked.connection for each in found} == {"aws"}


def test_a_more_exact_entry_does_not_unsay_where_a_broader_one_has_it():
    known = [CredentialRef(KEY, "aws", "ci", "AKIA1")]
    entries = [entry(BUILD, provider=KEY, owner="ci"), entry("host:x", provider=KEY, id="AKIA1")]
    assert {str(each.leaked.id) for each in reached([hit(BUILD)], entries, known)} == {"AKIA1"}


def test_where_no_id_is_known_the_exposure_names_the_owner_and_is_a_suspect_of_its_own():
    entries = [entry(BUILD, "host:ci-7", provider=KEY, owner=owner) for owner in ("ci", "app")]
    found = reached([hit(BUILD), hit("host:ci-7")], entries)
    suspects = group(found, {("list", KEY): KEY}, lambda _: "")
    assert [(each.kind, each.leaked.owner, each.leaked.id, len(each.exposures)) for each in suspects] == [
        (KEY, "ci", None, 2),
        (KEY, "app", None, 2),
    ]
    assert all("no id of" in each.via[-1] for each in found)


def test_of_what_nobody_can_say_the_kind_a_person_is_told():
    [found] = reached([hit(BUILD)], [entry(BUILD, owner="ci")])
    [suspect] = group([found], {("list", KEY): KEY}, lambda _: "")
    assert (suspect.kind, suspect.leaked.owner) == (None, "ci")


def test_what_may_be_anywhere_is_a_persons_whatever_its_kind():
    known = [CredentialRef(KEY, "aws", "ghost", "AKIA9")]
    entries = [entry(provider=KEY, owner="ci"), entry(provider=KEY)]
    found = reachable([hit("host:a"), hit("host:b")], entries[:1], known)
    assert found.exposures == ()  # nobody is cut off because nobody wrote it down
    [task] = found.left([])
    assert (task.kind, task.key) == (KEY, f"unplaced {KEY}")
    assert "ci, AKIA9 are within reach" in task.reason
    [exposure] = task.exposures
    assert "and at 1 more site" in exposure.via[0]
    assert "~/.aws/credentials" in exposure.via[1]
    [ghosts] = found.left([CredentialRef(KEY, "aws", "ci", "AKIA1")])  # what another way led to is no open question
    assert "AKIA9 is within reach" in ghosts.reason
    assert found.left([*known, CredentialRef(KEY, "aws", "ci", "AKIA1")]) == ()
    assert reachable([hit("host:a", "locked")], entries, known).left([]) == ()  # nothing ran
    assert reachable([hit("host:a")], entries[1:]).left([]) == ()  # an entry for a whole kind may speak of none


def test_a_kind_that_such_a_package_takes_from_the_environment_alone_is_a_task_too_and_names_each_of_them():
    known = [CredentialRef("acme_api_token", "acme", "web", f"t{number}") for number in range(5)]
    [task] = reachable([hit("host:a")], [], known).left([])
    assert "environment variables and .env files" in task.exposures[0].via[-1]
    assert task.reason == "nobody has said from where t0, t1, t2 and 2 more are within reach"
    assert (task.stands_for, "-o json` lists them all" in task.mend) == (tuple(known), True)
    [whose] = reachable([hit("host:a")], [entry(owner="ci")]).left([])
    assert (whose.kind, whose.key) == (None, "unplaced of a kind that nobody named")


def test_every_kind_that_is_harvested_is_one():
    assert set(HARVESTED) <= {path.stem for path in SHIPPED.glob("*.yaml")}
