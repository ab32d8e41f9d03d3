"""What an alarm only points to is fetched before its plan is made, from a connection's own server and no other."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import astuple

import pytest
from sqlalchemy import select

from rotator.api.declaring import declare
from rotator.api.fetching import PATIENCE
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Secret
from rotator.errors import BadInput
from rotator.ledger import tables
from rotator.ports.listing import Discovered
from rotator.providers.github_token import hashed
from rotator.settings.file import load
from rotator.triggers import gitguardian, github, pagerduty
from tests.api.deployment import configured, web
from tests.e2e.commands import until
from tests.fakes.alarm_sources import OWN, alarm_sources
from tests.triggers import signing
from tests.triggers.signing import sample

CONFIGURED = """
data_dir = "data"
[[connections]]
name = "gh"
family = "github"
endpoint_url = "{address}"
credential = "file:own"
[[connections]]
name = "gg"
family = "gitguardian"
endpoint_url = "{address}"
credential = "file:own"
[[connections]]
name = "pd"
family = "pagerduty"
endpoint_url = "{address}"
credential = "file:own"
[[triggers]]
sender = "github"
secret = "file:shared"
fetch = ["gh"]
[[triggers]]
sender = "gitguardian"
secret = "file:shared"
fetch = ["gg"]
[[triggers]]
sender = "pagerduty"
secret = "file:shared"
fetch = ["pd"]
"""
ALERT = "/repos/octo-org/payments/secret-scanning/alerts/42"


@pytest.fixture
def sources():
    with alarm_sources() as found:
        yield found


@pytest.fixture
def config(tmp_path, sources):
    (tmp_path / "own").write_text(OWN)
    return configured(tmp_path, sources.address, CONFIGURED)


@pytest.fixture
def parts(config):
    found = Rotator(load(config))
    yield found
    found.database.close()


def github_token(sources):
    token = sources.github.plant("ann").reveal()
    sources.alert(token)
    return token


def github_body(**changed):
    told = json.loads(sample("github"))
    told["alert"] |= {"secret_type": "github_personal_access_token", **changed}
    return json.dumps(told).encode()


def declared(parts, sender, body):
    """Keep what the sender says, declare it, and return its incident's record; None while it waits."""
    name = {github: "github", gitguardian: "gitguardian", pagerduty: "pagerduty"}[sender]
    parts.triggers.keep(name, sender.read(getattr(signing, name)(time.time(), body).received), body)
    return again(parts)


def again(parts):
    parts.triggers.everything_is_due()
    taken = parts.triggers.take()
    declare(parts, taken)
    return parts.reading.incident(taken.incident) if parts.triggers.is_declared(taken.incident) else None


def test_a_signed_alert_becomes_a_plan_for_that_very_credential(config, sources, tmp_path, caplog, capfd):
    token = github_token(sources)
    caplog.set_level(logging.DEBUG)
    with web(config) as server:
        answered, said, _ = server.sends(signing.github(time.time(), github_body()))
        assert (answered, said["state"]) == (200, "received")
        [alarm] = until(lambda: [each for each in server.parts.triggers.listed() if each.incident])
        record = server.parts.reading.incident(alarm.incident)
        [run] = record.runs
        assert astuple(run.run.ref)[:4] == (
            "github_token", "gh", "ann", hashed(Secret(token)),
        )  # fmt: skip
        assert list(record.manual) == []
    assert sources.asked == [ALERT, f"{ALERT}/locations"]
    ledger = b"".join(each.read_bytes() for each in (tmp_path / "data").iterdir())
    assert hashed(Secret(token)).encode() in ledger
    for secret in (token, OWN):
        assert secret.encode() not in ledger
        assert secret not in caplog.text
        assert secret not in "".join(capfd.readouterr())


def test_every_place_where_it_was_found_is_told(parts, sources):
    github_token(sources)
    record = declared(parts, github, github_body())
    with parts.database.read() as connection:
        seen = connection.execute(select(tables.exposure).order_by(tables.exposure.c.path)).mappings().all()
    assert {each["incident"] for each in seen} == {record.incident.id}
    assert [(each["path"], each["line"], each["scanner_says"]) for each in seen] == [
        (f"{sources.address}/repos/octo-org/payments/issues/7", None, "active"),
        ("octo-org/payments/deploy/[secret].env", 3, "active"),
    ]


def task(record):
    assert list(record.runs) == []
    [found] = record.manual
    return found


def numbered(number):
    return github_body(
        number=number, html_url=f"https://github.com/octo-org/payments/security/secret-scanning/{number}"
    )


@pytest.mark.parametrize(
    "changes",
    [
        [{"number": 7}, {"html_url": "https://github.example/octo-org/payments/security/secret-scanning/42"}],
        [{"secret": told} for told in ("", None, ["x"], {"a": 1}, "x" * 70_000)],
    ],
    ids=["another alert", "no secret"],
)
def test_what_is_another_alert_or_has_no_secret_leaves_the_task(parts, sources, changes):
    for number, change in enumerate(changes, 50):
        sources.alert(sources.github.plant("ann").reveal(), number=number)
        sources.answers[ALERT.replace("42", str(number))] |= change
        left = task(declared(parts, github, numbered(number)))
        assert (left.kind, left.key) == ("github_token", f"octo-org/payments#{number}")
        assert left.reason.endswith("no_secret: what it answers is another alert, or holds no secret")
        assert left.mend.startswith(
            f"fetch it from https://github.com/octo-org/payments/security/secret-scanning/{number}"
        )


def test_an_answer_of_any_form_leaves_at_most_the_task(parts, sources):
    for number, body in enumerate((b"[1]", b"{}"), 50):
        sources.alert("x", number=number)
        sources.answers[ALERT.replace("42", str(number))] = body
        assert task(declared(parts, github, numbered(number))).key == f"octo-org/payments#{number}"


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"7", b"[" * 3000, b"[" + b"1" * 5000 + b"]", b"<html>"])
@pytest.mark.parametrize(
    ("sender", "path"),
    [(github, ALERT), (gitguardian, "/v1/incidents/secrets/3899"), (pagerduty, "/incidents/PGR0VU2/alerts")],
)
def test_an_answer_that_cannot_be_read_is_no_word_of_the_service(parts, sources, sender, path, body):
    """It is waited for as one that did not come, and then the task says so, and not that nothing was named."""
    sources.answers |= {"/incidents/PGR0VU2": {"incident": {"id": "PGR0VU2"}}, path: body}
    assert declared(parts, sender, sample(sender.SOURCE)) is None
    for _ in range(PATIENCE - 1):
        assert again(parts) is None
    assert "answer_unreadable: http_200" in task(again(parts)).reason


def test_alerts_of_pagerduty_that_nobody_read_are_told(parts, sources):
    sources.answers |= {
        "/incidents/PGR0VU2": {"incident": {"id": "PGR0VU2"}},
        "/incidents/PGR0VU2/alerts": {"alerts": [], "more": True},
    }
    left = task(declared(parts, pagerduty, sample("pagerduty")))
    assert left.reason.endswith("it has more than 100 alerts: the first 100 were read, the others nobody has looked at")


def test_a_line_that_no_file_has_holds_up_no_alarm(parts, sources):
    github_token(sources)
    sources.answers[f"{ALERT}/locations"] = [{"type": "commit", "details": {"path": "a", "start_line": 10**30}}]
    assert len(declared(parts, github, github_body()).runs) == 1


def test_what_was_fetched_is_cleaned_out_of_the_title_too(parts, sources):
    token = github_token(sources)
    record = declared(parts, github, github_body(secret_type_display_name=f"Token {token}"))
    [listed] = parts.triggers.listed()
    for title in (record.incident.title, listed.title):
        assert "Token [secret]" in title
        assert token not in title


def test_places_of_any_form_cost_the_secret_nothing(parts, sources):
    github_token(sources)
    sources.answers[f"{ALERT}/locations"] = [
        None,
        3,
        {"type": 4},
        {"details": []},
        {"details": {"path": 7, "x_url": 8}},
    ]
    [run] = declared(parts, github, github_body()).runs
    assert run.run.ref.owner == "ann"


def test_an_answer_that_has_no_end_is_not_read_to_it(parts, sources):
    sources.answers["/incidents/PGR0VU2"] = b"[" + b"{}," * 1_500_000 + b"{}]"
    declared(parts, pagerduty, sample("pagerduty"))
    [alarm] = parts.triggers.listed()
    assert (alarm.state, alarm.reason) == ("waiting", "answer_too_long: asking pd; more than 4194304 bytes")


def test_more_places_than_were_asked_for_and_endless_ones_are_not_taken_over(parts, sources):
    github_token(sources)
    listed = [{"type": "commit", "details": {"path": f"{number}.env"}} for number in range(3000)]
    endless = {"type": "commit", "details": {"path": "x" * 1_000_000, "a_url": "y" * 5000}}
    sources.answers[f"{ALERT}/locations"] = [endless, *listed]
    declared(parts, github, github_body())
    with parts.database.read() as connection:
        seen = connection.execute(select(tables.exposure.c.path)).scalars().all()
    assert len(seen) == 100
    assert "octo-org/payments: commit" in seen
    assert max(map(len, seen)) < 100


@pytest.mark.usefixtures("sources")
def test_the_task_says_which_permission_is_missing(parts):
    for sender, needs in (
        (github, "Secret scanning alerts"),
        (gitguardian, "incidents:read"),
        (pagerduty, "incidents.read"),
    ):
        left = task(declared(parts, sender, sample(sender.SOURCE)))
        assert "permission_denied: its token may not see it: it needs" in left.reason
        assert needs in left.reason


def test_where_no_connection_is_named_the_task_says_so(tmp_path, sources):
    text = CONFIGURED.replace('fetch = ["gh"]\n', "")
    parts = Rotator(load(configured(tmp_path, sources.address, text)))
    left = task(declared(parts, github, sample("github")))
    assert "Nobody may fetch it: name a connection in `fetch` of the trigger; it needs" in left.reason
    assert sources.asked == []
    parts.database.close()


def test_a_token_that_is_refused_is_said_to_be(parts, sources, tmp_path):
    github_token(sources)
    (tmp_path / "own").write_text("another")
    assert "own_credential_refused" in task(declared(parts, github, github_body())).reason


def test_an_alarm_waits_a_while_for_a_service_that_does_not_answer(parts, sources):
    github_token(sources)
    sources.status = 502
    assert declared(parts, github, github_body()) is None
    assert [(each.state, each.reason) for each in parts.triggers.listed()] == [("waiting", "http_502: asking gh")]
    assert again(parts) is None
    sources.status = 200
    assert len(again(parts).runs) == 1


def test_then_its_plan_is_made_without(parts, sources):
    sources.status = 502
    assert declared(parts, github, github_body()) is None
    for _ in range(PATIENCE - 1):
        assert again(parts) is None
    assert "gh: http_502" in task(again(parts)).reason


def test_no_address_of_a_message_is_asked(parts, sources):
    """What it says of where it stands is for people: the paths are made of its number and the repository's name."""
    github_token(sources)
    with alarm_sources() as thief:
        body = github_body(**dict.fromkeys(("url", "html_url", "locations_url"), f"{thief.address}/x"))
        assert "no_secret" in task(declared(parts, github, body)).reason
        evil = json.loads(github_body())
        for name in ("../user", "octo-org/..", "octo-org/x#1/../../../gists", "a/b?c", "https://x/y"):
            evil["repository"]["full_name"] = name
            body = json.dumps(evil).encode()
            assert "no such name" in task(declared(parts, github, body)).reason
        assert thief.asked == []
    assert set(sources.asked) <= {ALERT, f"{ALERT}/locations"}


def test_a_connection_of_another_owner_is_not_asked(tmp_path, sources):
    (tmp_path / "own").write_text(OWN)
    text = CONFIGURED.replace('family = "github"', 'family = "github"\naccount = "others"')
    parts = Rotator(load(configured(tmp_path, sources.address, text)))
    github_token(sources)
    assert "gh: not_this_account: it is for others" in task(declared(parts, github, github_body())).reason
    assert sources.asked == []
    parts.database.close()


def test_gitguardian_tells_where_it_is_and_never_what(parts, sources):
    places = [
        {
            "source": {"full_name": "acme/shop"},
            "filepath": f"deploy/{n}.env",
            "sha": "a" * 40,
            "matches": [{"name": "apikey"}],
        }
        for n in range(3)
    ]
    sources.answers["/v1/incidents/secrets/3899"] = {
        "id": 3899,
        "secret_hash": "h",
        "occurrences": [*places, None, places[0]],
    }
    left = task(declared(parts, gitguardian, sample("gitguardian")))
    assert left.reason == "GitGuardian tells where it is, and to nobody what it is"
    assert left.mend == (
        "scan acme/shop/deploy/0.env at aaaaaaaaaaaa, acme/shop/deploy/1.env at aaaaaaaaaaaa and 1 more with ggshield; "
        "declare that as a report"
    )


def test_pagerdutys_alerts_name_keys_and_a_person_still_reads_them(parts, sources):
    key = "AKIAQ4R7T2W9Z3K5M8N1"
    incident = {"incident": {"id": "PGR0VU2", "body": {"details": "see below"}}}
    alerts = {"alerts": [{"body": {"details": {"note": [f"id={key},", f"x{key}", f"{key}0", "AKIAshort"], "id": key}}}]}
    sources.answers |= {"/incidents/PGR0VU2": incident, "/incidents/PGR0VU2/alerts": alerts}
    record = declared(parts, pagerduty, sample("pagerduty"))
    assert {(each.kind, each.key) for each in record.manual} == {("aws_iam_access_key", key), (None, "PGR0VU2")}
    [left] = [each for each in record.manual if each.key == "PGR0VU2"]
    assert left.reason == "PagerDuty's alerts name 1 access key, which the plan has; nobody read the rest"


def test_an_alert_of_very_many_ids_is_a_few_tasks_and_hides_none_that_is_known(parts, sources):
    ids = [f"AKIA{number:016d}" for number in range(8000)]
    ref = CredentialRef("aws_iam_access_key", "aws", "ci", ids[-1])
    parts.inventory.keep("aws_iam_access_key", "aws", [Discovered(ref)])
    incident = {"incident": {"id": "PGR0VU2"}}
    sources.answers |= {"/incidents/PGR0VU2": incident, "/incidents/PGR0VU2/alerts": {"alerts": [" ".join(ids)]}}
    record = declared(parts, pagerduty, sample("pagerduty"))
    tasks = {each.key: each for each in record.manual}
    assert {*ids[: pagerduty.SPELT_OUT - 1], ids[-1], "PGR0VU2"} == set(tasks)
    assert tasks["PGR0VU2"].reason == (
        "PagerDuty's alerts name 8,000 access keys: the plan has 100, with all of them that the inventory lists, "
        "and the other 7,900 stand there alone; nobody read the rest"
    )


def test_pagerdutys_answer_about_another_incident_is_not_heard(parts, sources):
    sources.answers |= {
        "/incidents/PGR0VU2": {"incident": {"id": "P2", "body": "AKIAQ4R7T2W9Z3K5M8N1"}},
        "/incidents/PGR0VU2/alerts": {},
    }
    assert task(declared(parts, pagerduty, sample("pagerduty"))).key == "PGR0VU2"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('fetch = ["no"]', "fetches through no, which is not there: name one of github"),
        ('fetch = ["gg"]', "fetches through gg, which is one of gitguardian: name one of github"),
    ],
)
def test_what_cannot_fetch_is_refused_with_the_configuration(tmp_path, line, says):
    with pytest.raises(BadInput, match=says):
        load(configured(tmp_path, "http://127.0.0.1:9", CONFIGURED.replace('fetch = ["gh"]', line)))


def test_every_kind_that_a_type_is_answered_by_is_there(parts):
    assert {*github.KINDS.values(), *pagerduty.KINDS.values()} <= parts.playbooks.keys()
